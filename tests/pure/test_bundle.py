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
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import ConfigError, Fault, StepError
from components.kinds.static import bundle, memory
from components.kinds.static.folder import Options
from components.kinds.static.routes import Settings

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
    assert bundle.version(folder) == "b683dbaeaf9a0bf0d5af47186e0ff0aca5fb7d15710624b3264825eb1a354ce9"


@pytest.fixture(autouse=True)
def no_memory(tmp_path_factory, monkeypatch):
    """Begin each test without remembered versions."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_a_folder_that_did_not_change_is_not_read_again(tmp_path, monkeypatch):
    folder = site(tmp_path, **{"a.css": "a"})
    monkeypatch.setattr(memory, "_QUIET_S", -1)
    first = bundle.survey(folder)
    monkeypatch.setattr(bundle, "_pack", lambda *_: pytest.fail("it was read again"))
    again = bundle.survey(folder)
    assert (first.version, first.size, first.routes) == (again.version, again.size, again.routes)


@pytest.mark.parametrize("change", ["content", "size", "name", "rules", "settings", "own time", "link"])
def test_a_folder_that_changed_is_read_again(tmp_path, monkeypatch, change):
    monkeypatch.setattr(memory, "_QUIET_S", -1)
    folder = site(tmp_path / "site", _redirects="/old /new\n", **{"a.css": "a", "b.css": "b"})
    (folder / "link.css").symlink_to("a.css")
    before = bundle.survey(folder)
    options = Options(Settings(cache=60)) if change == "settings" else Options()
    stamp = (folder / "a.css").stat()
    if change in ("content", "own time"):
        (folder / "a.css").write_text("c")
    if change == "own time":  # a program may put the time of change back, but not when the system noted it
        os.utime(folder / "a.css", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    elif change == "size":
        (folder / "a.css").write_text("aa")
    elif change == "name":
        (folder / "a.css").rename(folder / "c.css")
        (folder / "link.css").unlink()
    elif change == "rules":
        (folder / "_redirects").write_text("/old /newer\n")
    elif change == "link":
        (folder / "link.css").unlink()
        (folder / "link.css").symlink_to("b.css")
    found = bundle.survey(folder, options)
    assert found.version != before.version
    assert found.version == bundle.pack(folder, io.BytesIO(), options).version


def test_a_folder_that_changes_right_now_is_not_remembered(tmp_path):
    bundle.survey(site(tmp_path))
    assert memory._read() == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": [1]}'])
def test_a_memory_that_cannot_be_read_is_none(tmp_path, monkeypatch, text):
    memory._file().parent.mkdir(parents=True)
    memory._file().write_text(text)
    monkeypatch.setattr(memory, "_QUIET_S", -1)
    assert bundle.survey(site(tmp_path)).version == bundle.pack(tmp_path, io.BytesIO()).version


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


def test_every_file_lies_where_the_bundle_names_it(tmp_path):
    tar, made = packed(site(tmp_path, **{LONG: "deep", "a.css": "a" * 1000}))
    for entry in made.entries:
        assert tar.getvalue()[entry.offset : entry.offset + entry.size] == (tmp_path / entry.path).read_bytes()


@settings(deadline=None)
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
    assert sorted(path.name for path in (out / ".unmoor").iterdir()) == ["hashed", "rules.json"]
    shutil.rmtree(out / ".unmoor")
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


def faults_of(folder: Path, **options: object) -> set[Fault]:
    with pytest.raises(ConfigError) as caught:
        bundle.version(folder, Options(**options))
    return set(caught.value.faults)


def test_every_fault_of_a_folder_is_reported_at_once(tmp_path):
    folder = site(tmp_path, healthz="x", **{"a\nb.html": "x", ".git/config": "x", ".well-known/acme-challenge/t": "x"})
    (folder / "lost.html").symlink_to("nowhere.html")
    os.mkfifo(folder / "pipe")
    assert faults_of(folder) == {
        Fault(".git", "is a repository, not a built site; name the folder that the site generator writes"),
        Fault(
            ".well-known/acme-challenge",
            "is where certificate authorities look for their answers; remove it from the site",
        ),
        Fault("a\\u{A}b.html", "has a control character, U+000A, in its name; rename it"),
        Fault("healthz", "is the address where a site answers its version; give the file another name"),
        Fault("lost.html", "is a link that leads nowhere; remove it, or put the file itself there"),
        Fault("pipe", "is neither a file nor a folder; remove it"),
    }


NAMES = (
    *(
        "Screenshot 2024-05-01 at 3.04.05\u202fPM.png",
        "a\u00a0b.png",
        "\u56f3\u30001.png",
        "\U0001f468\u200d\U0001f469.svg",
    ),
    *(
        "\u0645\u06cc\u200c\u062e.html",
        "soft\u00adhyphen.html",
        "e\u0301.html",
        "\u00e9.html",
        "Case.html",
        "case.html",
    ),
    *(
        "c++.html",
        "100%.html",
        "1 (1).png",
        "q&a#1?.txt",
        "{env.SECRET}.txt",
        "-rf",
        "~x",
        "'quote'.txt",
        '"double".txt',
    ),
    "\u202eevil.html",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_an_address_can_carry_is_published(tmp_path, name):
    tar, made = packed(site(tmp_path, **{name: "x"}))
    assert name in {entry.path for entry in made.entries}
    assert bundle.read(tar) == made


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a\x1b[2J", "has a control character, U+001B, in its name; rename it"),
        ("a\x85", "has a control character, U+0085, in its name; rename it"),
        (os.fsdecode(b"a\xff"), "has a byte that is not UTF-8, U+DCFF, in its name; rename it"),
        ("a\\b", "has a backslash, U+005C, in its name, which browsers turn into a slash; rename it"),
        ("a\uffff", "has a control character, U+FFFF, in its name; rename it"),
    ],
)
def test_a_name_that_no_address_can_carry_shows_the_characters_code(tmp_path, name, fault):
    assert {one.message for one in faults_of(site(tmp_path, **{name: "x"}))} == {fault}


def test_a_path_that_is_too_long_for_s3_is_refused(tmp_path):
    long = "/".join(["\u00fc" * 100] * 5) + "/x"
    assert {one.message for one in faults_of(site(tmp_path, **{f"{long}{'y' * 30}": "x"}))} == {
        "has a path of 1036 bytes; S3 takes 1024, shorten it"
    }
    assert bundle.version(site(tmp_path / "other", **{long: "x"}))


def test_links_inside_the_folder_are_followed(tmp_path):
    folder = site(tmp_path / "site", **{"1.0/index.html": "one", "1.0/a/b.css": "b"})
    (folder / "latest").symlink_to("1.0")
    (folder / "about.html").symlink_to(folder / "index.html")
    (folder / "1.0" / "home.html").symlink_to("../index.html")
    tar, made = packed(folder)
    assert {entry.path for entry in made.entries} == {
        *("index.html", "about.html", "1.0/index.html", "1.0/a/b.css", "1.0/home.html"),
        *("latest/index.html", "latest/a/b.css", "latest/home.html"),
    }
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    assert bundle.version(copied) == made.version
    assert bundle.read(tar) == made


def test_links_out_of_the_folder_and_in_circles_are_refused(tmp_path):
    (tmp_path / "outside.txt").write_text("x")
    folder = site(tmp_path / "site", **{"docs/a.html": "x"})
    (folder / "docs" / "up").symlink_to("..")
    (folder / "out.txt").symlink_to("../outside.txt")
    found = {fault.path: fault.message for fault in faults_of(folder)}
    assert found["docs/up"] == "is a link to a folder that it lies in; remove it"
    assert "outside the folder; copy it in (`cp -rL`)" in found["out.txt"]


KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n"


def test_secrets_are_refused_wherever_they_lie(tmp_path):
    folder = site(
        tmp_path,
        **{
            ".env": "x", "a/.env.production": "x", "sub/.git/config": "x", ".npmrc": "x", "b/.htpasswd": "x",
            "id_ed25519": "x", "keys/server.key": KEY, "slides.key": "Keynote", "ca.pem": "CERTIFICATE",
            ".well-known/security.txt": "x", "envelope.html": "x", ".github/x.yml": "x",
        },
    )  # fmt: skip
    (folder / "harmless.txt").symlink_to(".env")
    found = {fault.path: fault.message for fault in faults_of(folder)}
    assert found.keys() == {
        *(".env", "a/.env.production", "sub/.git", ".npmrc", "b/.htpasswd", "id_ed25519", "keys/server.key"),
        "harmless.txt",
    }
    assert "allow it with `include: [.env]`" in found[".env"]
    allowed = Options(include=(".env", "a/*", "sub/.git", ".npmrc", "b/.ht*", "id_*", "keys", "harmless.txt"))
    assert bundle.version(folder, allowed)


def test_a_sites_rules_travel_in_the_bundle_and_are_not_files_of_the_site(tmp_path):
    folder = site(tmp_path / "site", _redirects="/old /new\n", _headers="/*\n  X-A: 1\n", **{"app.1a2b3c4d.js": "x"})
    tar = io.BytesIO()
    made = bundle.pack(folder, tar, Options(Settings(fallback="index.html", trailing_slash=False)))
    assert {entry.path for entry in made.entries} == {"index.html", "app.1a2b3c4d.js"}
    found = bundle.read(tar)
    assert (found.routes.redirects[0].target, found.routes.header_rules[0].sets) == ("/new", (("X-A", "1"),))
    assert found.routes.settings == Settings(fallback="index.html", trailing_slash=False)
    assert found == made
    own = {entry.path: tar.getvalue()[entry.offset : entry.offset + entry.size] for entry in made.own}
    assert own[".unmoor/hashed"] == b"app.1a2b3c4d.js\n"
    out = tmp_path / "out"
    out.mkdir()
    bundle.unpack(tar, found, out)
    assert bundle.version(out, Options(made.routes.settings)) == made.version


@pytest.mark.parametrize(
    ("name", "change"),
    [("_redirects", "/old /newer\n"), ("_headers", "/*\n  X-A: 2\n")],
)
def test_a_changed_rule_or_setting_is_another_version(tmp_path, name, change):
    folder = site(tmp_path, _redirects="/old /new\n", _headers="/*\n  X-A: 1\n")
    before = bundle.version(folder)
    assert bundle.version(folder, Options(Settings(cache=60))) != before
    (folder / name).write_text(change)
    assert bundle.version(folder) != before


def test_faults_in_rules_are_reported_with_their_lines_next_to_those_of_files(tmp_path):
    folder = site(tmp_path, _redirects="/a\n/healthz /b\n", _headers="X-A: 1\n", **{".env": "x"})
    assert {fault.path for fault in faults_of(folder)} == {".env", "_redirects:1", "_headers:1"}
    (folder / ".env").unlink()
    assert {fault.path for fault in faults_of(folder)} == {"_redirects:1", "_redirects:2", "_headers:1"}


def test_a_site_needs_a_first_page_or_a_rule_for_it(tmp_path):
    (tmp_path / "other.html").write_text("x")
    assert {fault.path for fault in faults_of(tmp_path)} == {"index.html"}
    (tmp_path / "_redirects").write_text("/ /other\n")
    assert bundle.version(tmp_path)


def test_a_fallback_is_a_file_of_the_site(tmp_path):
    (fault,) = faults_of(site(tmp_path), settings=Settings(fallback="app.html"))
    assert fault == Fault("fallback", "names app.html, which is no file of the site; name one, `index.html`")


def test_every_file_has_a_time_made_of_its_content(tmp_path):
    """Web servers make an ETag of size and time: it is the file's own, and equal where the content is."""
    tar, _ = packed(site(tmp_path, **{"a.css": "one", "b.css": "two", "c.css": "one", "empty": ""}))
    with tarfile.open(fileobj=io.BytesIO(tar.getvalue())) as archive:
        times = {member.name: member.mtime for member in archive}
    assert times["a.css"] == times["c.css"] != times["b.css"]
    assert min(times.values()) > 1


def test_a_part_of_a_file_is_read_whole_although_one_read_gives_less(monkeypatch, tmp_path):
    """Linux gives at most 2,147,479,552 bytes at once; here 7."""
    real = os.pread
    monkeypatch.setattr(bundle.os, "pread", lambda fd, size, offset: real(fd, min(size, 7), offset))
    (tmp_path / "f").write_bytes(bytes(range(100)))
    with (tmp_path / "f").open("rb") as file:
        assert bundle.Window(file.fileno(), 10, 50).read() == bytes(range(10, 60))


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    """Permissions are not tested: tests may run as root, who has them all."""
    add = tarfile.TarFile.addfile

    def broken(archive: tarfile.TarFile, info: tarfile.TarInfo, content: io.BytesIO) -> None:
        if info.name == "index.html":
            raise OSError("unexpected end of data")
        add(archive, info, content)

    monkeypatch.setattr(tarfile.TarFile, "addfile", broken)
    with pytest.raises(ConfigError, match="cannot be read, or changed while it was: unexpected end of data"):
        bundle.version(site(tmp_path))


def unreadable(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, place: Path) -> None:
    """Let a function of a module refuse one place. Tests may run as root, which is refused nothing."""
    there = getattr(module, name)

    def refusing(path: Any, *rest: Any, **more: Any) -> Any:
        if str(path) == str(place):
            raise PermissionError(13, "Permission denied", str(path))
        return there(path, *rest, **more)

    monkeypatch.setattr(module, name, refusing)


def test_what_cannot_be_looked_at_in_a_folder_is_a_fault_with_all_others(tmp_path, monkeypatch):
    folder = site(tmp_path, healthz="x", **{"_redirects": "/a /", "closed/a.html": "x"})
    (folder / "long.html").symlink_to("x" * 300)
    unreadable(monkeypatch, os, "scandir", folder / "closed")
    unreadable(monkeypatch, Path, "read_bytes", folder / "_redirects")
    found = {fault.path: fault.message for fault in faults_of(folder)}
    assert set(found) == {"healthz", "_redirects", "closed", "long.html"}
    assert "cannot be read (File name too long); let your user read it, or remove it" in found["long.html"]
    assert "cannot be read (Permission denied)" in found["closed"]
    assert "cannot be read (Permission denied)" in found["_redirects"]


def test_a_folder_that_cannot_be_looked_at_is_one_sentence(tmp_path, monkeypatch):
    for folder in (tmp_path / ("a" * 256), tmp_path / ("b/" * 3000)):
        with pytest.raises(ConfigError, match=r"cannot be looked at \(File name too long\); name a folder"):
            bundle.version(folder)
    folder = site(tmp_path / "site")
    unreadable(monkeypatch, os, "scandir", folder)
    with pytest.raises(ConfigError, match=r"site cannot be read \(Permission denied\)"):
        bundle.version(folder)


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
        (
            member("a\\b"),
            Fault("a\\b", "has a backslash, U+005C, in its name, which browsers turn into a slash; rename it"),
        ),
        (member("a\x1b[2J"), Fault("a\\u{1B}[2J", "has a control character, U+001B, in its name; rename it")),
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
    """It writes into a folder of its own; a file that is there already is another party's."""
    tar, made = packed(site(tmp_path / "site"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("mine")
    with pytest.raises(FileExistsError):
        bundle.unpack(tar, made, tmp_path / "out")


def test_a_bundle_that_ends_early_is_not_unpacked_as_if_whole(tmp_path):
    tar, made = packed(site(tmp_path / "site", **{"z.html": "z" * 5000}))
    tar.truncate(made.entries[-1].offset + 2000)
    with pytest.raises(StepError, match=r"the bundle ends in the middle of z\.html"):
        bundle.unpack(tar, made, tmp_path / "out")


def test_a_bundle_has_one_address_in_every_store():
    assert bundle.key("docs", "ab" * 32) == f"docs/{'ab' * 32}.tar"


def test_a_file_of_a_negative_size_is_refused():
    """A number of base 256, as GNU tar writes large ones (tar manual, Basic Tar Format)."""
    head = bytearray(member("a.html").tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" * 8 + (-512).to_bytes(4, "big", signed=True)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    with pytest.raises(StepError, match=r"a\.html: is not whole"):
        bundle.read(io.BytesIO(bytes(head) + b"x" * 512 + bytes(1024)))


def test_a_bundle_of_too_many_files_is_refused(monkeypatch):
    monkeypatch.setattr(bundle, "BUNDLE_FILES", 2)
    assert len(bundle.read(hostile(member("a"), member("b"))).entries) == 2
    with pytest.raises(StepError, match="this bundle has more than 2 files"):
        bundle.read(hostile(member("a"), member("b"), member("c")))


def raw(kind: bytes, content: bytes, name: str = "a.html") -> bytes:
    """Return a header and its content as GNU tar writes them."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", [b"x", b"g", b"X", b"K", b"S", b"L"])
def test_a_header_that_no_bundle_has_is_refused_before_it_is_followed(kind):
    with pytest.raises(StepError, match=f"unmoor writes no such header of type {kind.decode()}"):
        bundle.read(io.BytesIO(raw(kind, b"1" * 60_000) + raw(b"0", b"x") + bytes(1024)))


def test_names_of_names_without_end_are_refused():
    with pytest.raises(StepError, match="this is not a bundle"):
        bundle.read(io.BytesIO(raw(b"L", b"a\0") * 5000 + raw(b"0", b"x") + bytes(1024)))


@pytest.mark.parametrize("size", [-512, -(2**62), 2**50, 2**80])
def test_a_file_of_an_impossible_size_is_refused(size, tmp_path):
    head = bytearray(raw(b"0", b""))
    head[124:136] = (b"\xff" if size < 0 else b"\x80") + size.to_bytes(11, "big", signed=True)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    (tmp_path / "tar").write_bytes(bytes(head) + bytes(2048))
    with (tmp_path / "tar").open("rb") as tar, pytest.raises(StepError, match=r"a\.html: is not whole"):
        bundle.read(tar)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[]", b"9" * 5000, b'{"settings": {"embed": 5}}'])
def test_rules_that_cannot_be_read_are_a_sentence(text):
    with pytest.raises(StepError, match="the rules in this bundle cannot be read"):
        bundle.read(io.BytesIO(raw(b"0", text, ".unmoor/rules.json") + raw(b"0", b"x") + bytes(1024)))
