"""A disk without room: each command that writes ends with a sentence, loses nothing, and works again."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components import files
from components.errors import StepError
from tests.settings import settings, site_folder
from tests.signing import Ssh

ROOT = Path(__file__).parents[2]
ROOM = "; make room on that disk, and run it again"
#: Uses of the library that writes files, by module; `files` gives a file's name to an error, and keeps what was there.
ELSEWHERE = {
    "content/gitbook/project.py": 5,  # pictures and templates, into a folder that must be empty
    "kinds/static/bundle.py": 1,  # into a folder that `restore` throws away when it fails
    "provider/classes.py": 1,  # a developer's `make classes`
    "dns/powerdns/database.py": 4, "dns/powerdns/nameserver.py": 2,  # in a container, which restarts
    "dns/powerdns/state.py": 6,  # a temporary folder, and a lock
    "dns/powerdns/server.py": 1, "dns/powerdns/stores.py": 1,  # the keeper continues without it
    "commands/zone.py": 1,  # a key, which its owner alone may read at every moment
    "review/signatures.py": 2, "commands/restore.py": 1, "text/device.py": 1,
    "commands/record.py": 1,  # the run's settings, before the command starts
    "postgres/drill.py": 1, "postgres/rehearsal.py": 1,  # a temporary folder
    "doctor/room.py": 1,  # reserved space
    "probe/handover.py": 2,  # a key for one moment, sealed
}  # fmt: skip
WRITERS = {"write_text", "write_bytes", "mkstemp", "TemporaryFile", "NamedTemporaryFile", "TemporaryDirectory",
           "mkdtemp", "copyfile", "copyfileobj"}  # fmt: skip


def run(folder: Path, *words: str, room: int | None = None, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command; with `room`, no file may have more bytes: what a full disk answers, but for the number."""
    # A `preexec_fn` may abort between fork and exec in a process that has used gRPC, as test workers have.
    bound = [] if room is None else [sys.executable, "-c", _BOUND, str(room)]
    return subprocess.run(
        [*bound, sys.executable, "-m", "components", *words], cwd=folder, input=typed, capture_output=True, text=True,
        check=False, env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "C")},
    )  # fmt: skip


#: A program that runs a command with a limit of bytes for every file.
_BOUND = """import os, resource, sys
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
os.execv(sys.argv[2], sys.argv[2:])
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def project(folder: Path) -> Path:
    site_folder(folder)
    (folder / "stacks").mkdir()
    stack = {"config": {f"unmoor:{name}": value for name, value in settings().items()}}
    (folder / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack))
    (folder / "Pulumi.yaml").write_text("name: dao\nruntime: python\n")
    return folder


STORES = ("--store", "aws=dao-aws", "--store", "storj=dao-storj,public_url=https://link.storjshare.io/raw/x/dao-storj")
#: Name → its words, and the file that cannot be written.
COMMANDS = {
    "flip": (("flip", "docs", "active-standby", "--stack", "prod"), "stacks/Pulumi.prod.yaml"),
    "init": (
        ("init", "--stack", "new", "--host", "new.dao.example", "--zone", "dao.example", "--site", "site", *STORES,
         "--resolver", "127.0.0.1:9"),
        "__main__.py",
    ),
    "sdl fix": (("sdl", "fix", "mend.yaml"), "mend.yaml"),
    "assess": (("assess", "-i", str(ROOT / "stacks/inventory.yaml"), "--out", "report"), "report/report.html"),
    "zone import": (("zone", "import", "dao.zone", "--stack", "prod", "--out", "z.yaml"), "z.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_finds_no_room_is_a_sentence_and_works_once_there_is(tmp_path: Path, name: str) -> None:
    words, file = COMMANDS[name]
    project(tmp_path)
    (tmp_path / "mend.yaml").write_text((ROOT / "sdl" / "docs.yaml").read_text().replace("128Mi", "128mi"))
    (tmp_path / "dao.zone").write_text("$ORIGIN dao.example.\n$TTL 300\nmail IN A 192.0.2.1\n")
    before = tree(tmp_path)
    full = run(tmp_path, *words, room=0)
    assert (full.returncode, "Traceback" in full.stderr) == (1, False), full.stderr
    assert full.stderr.splitlines()[-1].endswith(f"{file}: File too large{ROOM}"), full.stderr
    assert tree(tmp_path) == before
    again = run(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    assert tree(tmp_path)[file] != before.get(file)


def test_an_approval_that_finds_no_room_leaves_those_that_there_are(tmp_path: Path) -> None:
    from components.config.signers import Signers
    from components.review import record

    path = tmp_path / "approvals.yaml"
    signers = Signers(quorum=1, keys={"alice": Ssh(tmp_path).key})
    entry = record.Entry(number=1, plan="a" * 64, after="", signers=signers, approvals=())
    record.write(path, (entry,))
    kept = path.read_bytes()
    with pytest.raises(OSError, match="File too large") as caught, full():
        record.write(path, (entry, entry.model_copy(update={"number": 2})))
    assert (caught.value.filename, path.read_bytes()) == (str(path), kept)
    assert {each.name for each in tmp_path.glob(".*")} == set()


class full:  # noqa: N801 it reads as a condition
    """No file of this process may grow."""

    def __enter__(self) -> None:
        self.kept = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self.kept[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.kept)


def test_a_step_without_room_for_its_bundle_names_the_folder_and_contacts_no_store(tmp_path: Path) -> None:
    project(tmp_path)
    from components.kinds.static import bundle

    given = {
        "workload": "docs", "version": bundle.version(tmp_path / "site"), "retain": 3, "folder": "site",
        "stores": {"a": {"vendor": "aws", "bucket": "dao-aws", "public_url": "http://127.0.0.1:9/b"}},
    }  # fmt: skip
    done = run(tmp_path, "step", "keep", room=512, typed=json.dumps(given))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(": File too large; make room there, or set TMPDIR to a folder with room\n")
    assert "Traceback" not in done.stderr


def test_a_full_temporary_file_is_a_sentence_and_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="File too large; make room there"), files.scratch() as file, full():
        file.write(b"x" * 100_000)
    with pytest.raises(FileNotFoundError), files.scratch():
        (tmp_path / "absent").read_bytes()


def test_a_machine_without_any_folder_for_temporary_files_is_a_sentence(tmp_path: Path) -> None:
    code = (
        "import tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/proc/none']\n"
        "from components.__main__ import main\n"
        "main(['step', 'keep'])\n"
    )
    given = {"workload": "docs", "version": "ab" * 32, "retain": 3, "folder": str(site_folder(tmp_path)),
             "stores": {"a": {"vendor": "aws", "bucket": "dao-aws", "public_url": "http://127.0.0.1:9/b"}}}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "no folder for temporary files can be written; make room on the disk, or set TMPDIR to a folder with room\n"
    )


def test_what_cannot_be_remembered_is_read_again_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    from components.kinds.static import memory

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with full():
        memory.keep("a", memory.Packed("v", 1, "u"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert memory.recall("a") is None
    memory.keep("a", memory.Packed("v", 1, "u"))
    assert memory.recall("a") == memory.Packed("v", 1, "u")


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_keeps_its_permissions_its_link_and_every_byte(tmp_path: Path, mode: int) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("before")
    real.chmod(mode)
    link.symlink_to(real)
    files.write(link, "a\r\nb\n")
    assert (link.is_symlink(), real.read_bytes(), real.stat().st_mode & 0o777) == (True, b"a\r\nb\n", mode)
    files.write(tmp_path / "new" / "file", b"x")
    assert (tmp_path / "new" / "file").read_bytes() == b"x"
    files.write(Path("/dev/null"), "gone")


def test_nothing_writes_a_file_but_by_the_one_function() -> None:
    found = {}
    for path in (ROOT / "components").rglob("*.py"):
        name = path.relative_to(ROOT / "components").as_posix()
        count = sum(map(_writes, ast.walk(ast.parse(path.read_text()))))
        if count and name != "files.py":
            found[name] = count
    assert found == ELSEWHERE


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    words = (*node.args, *(more.value for more in node.keywords))
    modes = [word.value for word in words if isinstance(word, ast.Constant)]
    return called in WRITERS or (called == "open" and any(mode in {"w", "wb", "a", "ab", "x", "xb"} for mode in modes))
