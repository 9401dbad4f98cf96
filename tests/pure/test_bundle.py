"""A bundle is a function of its content, and unpacking one is safe."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import ConfigError, Fault, StepError
from components.kinds.static import bundle

LONG = "/".join(["a-folder-with-quite-a-name"] * 6) + "/page.html"


def site(root: Path, **files: str) -> Path:
    for name, text in {"index.html": "<h1>docs</h1>", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def packed(folder: Path) -> tuple[io.BytesIO, bundle.Bundle]:
    tar = io.BytesIO()
    return tar, bundle.pack(folder, tar)


def test_the_version_is_the_hash_of_the_tar(tmp_path):
    tar, made = packed(site(tmp_path))
    assert hashlib.sha256(tar.getvalue()).hexdigest() == made.version
    assert len(tar.getvalue()) == made.size


def test_the_version_does_not_depend_on_times_modes_owners_or_the_order_of_making(tmp_path):
    first = site(tmp_path / "first", **{"a.css": "a", "b/c.js": "c"})
    second = tmp_path / "second"
    site(second, **{"b/c.js": "c", "a.css": "a"})
    (second / "a.css").chmod(0o600)
    os.utime(second / "b" / "c.js", (1, 1))
    assert bundle.version(first) == bundle.version(second)


def test_the_version_of_a_known_site_is_the_same_on_every_machine(tmp_path):
    """Golden: a change of it would move every bundle of every user to a new address."""
    folder = site(tmp_path, **{"assets/app.1a2b3c4d.js": "1", "grüße.html": "ä", LONG: "deep"})
    assert bundle.version(folder) == "8f30eb19b7d7428c720d0fbe46f2edba5dcac0ee0c12375558cadc0d2d9c21f1"


@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_any_change_of_content_or_name_is_another_version(tmp_path, change):
    folder = site(tmp_path, **{"a.css": "a"})
    before = bundle.version(folder)
    if change == "content":
        (folder / "a.css").write_text("b")
    elif change == "name":
        (folder / "a.css").rename(folder / "b.css")
    else:
        (folder / "b.css").write_text("")
    assert bundle.version(folder) != before


def test_reading_a_bundle_finds_what_packing_put_there(tmp_path):
    tar, made = packed(site(tmp_path, **{"grüße.html": "ä", LONG: "deep", "empty.txt": ""}))
    assert bundle.read(tar) == made


def test_every_file_lies_where_the_bundle_says(tmp_path):
    tar, made = packed(site(tmp_path, **{LONG: "deep", "a.css": "a" * 1000}))
    for entry in made.entries:
        assert tar.getvalue()[entry.offset : entry.offset + entry.size] == (tmp_path / entry.path).read_bytes()


@given(
    st.dictionaries(
        st.lists(st.text("abcdé -_.", min_size=1, max_size=40).filter(lambda t: t.strip(".")), min_size=1, max_size=5)
        .map("/".join)
        .filter(lambda name: not name.startswith(".git")),
        st.binary(max_size=2000),
        max_size=8,
    )
)
def test_unpacking_gives_back_the_folder(files):
    with TemporaryDirectory() as root:
        folder, out = Path(root, "site"), Path(root, "out")
        out.mkdir()
        wanted = {"index.html": b"x"}
        for name, content in files.items():
            if any(f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/") for other in wanted):
                continue
            wanted[name] = content
        for name, content in wanted.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        tar, made = packed(folder)
        bundle.unpack(tar, bundle.read(tar), out)
        assert {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()} == wanted
        assert bundle.version(out) == made.version


@pytest.mark.skipif(not shutil.which("tar"), reason="tar is not installed")
def test_the_tar_of_the_machine_reads_a_bundle(tmp_path):
    """BusyBox, which the container has, reads the same format; long and non-ASCII names are how formats differ."""
    folder = site(tmp_path / "site", **{LONG: "deep", "grüße.html": "ä"})
    with (tmp_path / "b.tar").open("w+b") as tar:
        made = bundle.pack(folder, tar)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "b.tar", "-C", out], check=True)
    assert bundle.version(out) == made.version


def test_a_bundle_has_no_pax_header(tmp_path):
    tar, _ = packed(site(tmp_path, **{LONG: "deep", "grüße.html": "ä"}))
    with tarfile.open(fileobj=io.BytesIO(tar.getvalue())) as archive:
        assert [member.name for member in archive if member.pax_headers] == []


def test_threads_can_read_parts_of_one_file():
    with TemporaryDirectory() as root, Path(root, "f").open("w+b") as file:
        file.write(b"0123456789")
        file.flush()
        first, second = bundle.Window(file.fileno(), 2, 5), bundle.Window(file.fileno(), 5, 100)
        assert (first.read(2), second.read(2), first.read(), first.read()) == (b"23", b"56", b"456", b"")
        assert (first.seek(0), first.read(), first.seek(-1, os.SEEK_END), first.read()) == (0, b"23456", 4, b"6")
        assert (first.readable(), first.seekable(), second.read()) == (True, True, b"789")


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ("missing", "does not exist; build the site first, or name the folder that the site generator writes"),
        ("file", "is not a folder; build the site first, or name the folder that the site generator writes"),
        ("empty", "is empty; build the site first"),
    ],
)
def test_a_folder_that_is_no_site_is_one_sentence(tmp_path, made, sentence):
    folder = tmp_path / "site"
    if made == "file":
        folder.write_text("x")
    elif made == "empty":
        folder.mkdir()
    with pytest.raises(ConfigError) as caught:
        bundle.version(folder)
    assert str(caught.value) == f"{folder} {sentence}"


def test_every_fault_of_a_folder_is_told_at_once(tmp_path):
    folder = site(tmp_path, healthz="x", **{"a\nb.html": "x", ".git/config": "x"})
    (folder / "link.html").symlink_to("index.html")
    os.mkfifo(folder / "pipe")
    with pytest.raises(ConfigError) as caught:
        bundle.version(folder)
    assert set(caught.value.faults) == {
        Fault(".git", "is a repository, not a built site; name the folder that the site generator writes"),
        Fault("a\nb.html", "has a character in its name that no address can carry; rename it"),
        Fault("healthz", "is the address where a site answers its version; give the file another name"),
        Fault("link.html", "is a link; put the file itself there"),
        Fault("pipe", "is neither a file nor a folder; remove it"),
    }


def test_a_site_needs_a_first_page(tmp_path):
    (tmp_path / "other.html").write_text("x")
    with pytest.raises(ConfigError) as caught:
        bundle.version(tmp_path)
    assert caught.value.faults == (Fault("index.html", "is missing; name the folder that holds the site's first page"),)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    """Says nothing of permissions: tests may run as root, who has them all."""

    def broken(*_: object) -> None:
        raise OSError("unexpected end of data")

    monkeypatch.setattr(tarfile.TarFile, "addfile", broken)
    with pytest.raises(ConfigError, match="cannot be read, or changed while it was: unexpected end of data"):
        bundle.version(site(tmp_path))


def hostile(*members: tarfile.TarInfo) -> io.BytesIO:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return tar


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 1) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (member("../out.html"), Fault("../out.html", "leads out of the folder")),
        (member("a/../../out.html"), Fault("a/../../out.html", "leads out of the folder")),
        (member("/etc/passwd"), Fault("/etc/passwd", "leads out of the folder")),
        (member("a//b"), Fault("a//b", "leads out of the folder")),
        (member("a", tarfile.SYMTYPE, "/etc"), Fault("a", "is not a plain file")),
        (member("a", tarfile.LNKTYPE, "index.html"), Fault("a", "is not a plain file")),
        (member("a", tarfile.CHRTYPE), Fault("a", "is not a plain file")),
        (member("a", tarfile.FIFOTYPE), Fault("a", "is not a plain file")),
        (member("a", tarfile.DIRTYPE), Fault("a", "is not a plain file")),
        (member("a\\b"), Fault("a\\\\b", "has a character in its name that no address can carry; rename it")),
        (member("a\x1b[2J"), Fault("a\\x1b[2J", "has a character in its name that no address can carry; rename it")),
        (member("index.html"), Fault("index.html", "stands in it twice")),
        (member("index.html/x"), Fault("index.html", "is a file, and a folder of other files")),
    ],
)
def test_a_hostile_bundle_is_refused_before_anything_is_written(bad, fault):
    with pytest.raises(StepError) as caught:
        bundle.read(hostile(member("index.html"), bad))
    assert caught.value.faults == (fault,)


@pytest.mark.parametrize(
    "content", [b"", b"no tar", b"\x1f\x8b" + b"0" * 600, hostile(member("a", size=5000)).getvalue()[:2000]]
)
def test_what_is_no_bundle_is_refused(content):
    with pytest.raises(StepError):
        bundle.read(io.BytesIO(content))


def test_a_bundle_without_files_is_refused():
    with pytest.raises(StepError, match="this bundle is empty"):
        bundle.read(hostile())


def test_unpacking_stops_at_a_file_that_is_there(tmp_path):
    """It writes into a folder of its own; a file that is there already is somebody else's."""
    tar, made = packed(site(tmp_path / "site"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("mine")
    with pytest.raises(FileExistsError):
        bundle.unpack(tar, made, tmp_path / "out")


def test_a_bundle_that_ends_early_is_not_unpacked_as_if_whole(tmp_path):
    tar, made = packed(site(tmp_path / "site", **{"z.html": "z" * 5000}))
    tar.truncate(2000)
    with pytest.raises(StepError, match=r"the bundle ends in the middle of z\.html"):
        bundle.unpack(tar, made, tmp_path / "out")


def test_a_bundle_has_one_address_in_every_store():
    assert bundle.key("docs", "ab" * 32) == f"docs/{'ab' * 32}.tar"
