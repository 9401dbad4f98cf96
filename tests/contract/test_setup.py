"""`./unmoor` and `setup.sh` in copies of a checkout whose environment is whole, half made, old or moved.

A stand-in for `uv` writes down what it is asked for. That the packages install, every run of CI shows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from sandbox.state import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

UV = '#!/bin/sh\necho "$1 $2" >> "$(dirname "$0")/asked"\nsleep 0.3\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose environment is an empty one, as `python3 -m venv .venv` leaves it, but for `uv`."""
    root = tmp_path / "checkout"
    (root / "components" / "provider" / "bin").mkdir(parents=True)
    for name in ("setup.sh", "unmoor", "requirements.lock", "components/provider/bin/pulumi-resource-unmoor"):
        shutil.copy(REPOSITORY / name, root / name)
    (root / "components" / "__main__.py").write_text("import sys; print('ran', *sys.argv[1:])")
    (root / "components" / "provider" / "__main__.py").write_text("import sys; print('served', *sys.argv[1:])")
    empty(root)
    return root


def empty(root: Path) -> None:
    venv.create(root / ".venv", symlinks=True, with_pip=False, clear=True)
    (root / ".venv/bin/uv").write_text(UV)
    (root / ".venv/bin/uv").chmod(0o755)


def asked(root: Path) -> list[str]:
    log = root / ".venv/bin/asked"
    return log.read_text().splitlines() if log.exists() else []


def run(root: Path, program: str = "unmoor", *arguments: str) -> tuple[str, str]:
    environment = {"PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin", "HOME": str(root)}  # noqa: PTH120 the interpreter, its link not followed
    done = subprocess.run(
        [root / program, *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("program", "said"),
    [("unmoor", "ran plan\n"), ("components/provider/bin/pulumi-resource-unmoor", "served plan\n")],
)
def test_a_half_made_environment_is_completed_first_and_once(checkout: Path, program: str, said: str) -> None:
    out, told = run(checkout, program, "plan")
    assert (out, asked(checkout)) == (said, ["pip sync"])
    assert "installing" in told
    assert (run(checkout, program, "plan"), asked(checkout)) == ((said, ""), ["pip sync"])


def test_changed_requirements_are_installed(checkout: Path) -> None:
    run(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# another\n")
    run(checkout)
    assert asked(checkout) == ["pip sync", "pip sync"]


def test_a_moved_checkout_completes_its_environment_again(checkout: Path) -> None:
    run(checkout)
    moved = checkout.rename(checkout.parent / "moved")
    assert (run(moved)[0], asked(moved)) == ("ran\n", ["pip sync", "pip sync"])


def test_several_at_once_complete_it_once(checkout: Path) -> None:
    environment = {"PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin", "HOME": str(checkout)}  # noqa: PTH120 the interpreter, its link not followed
    running = [
        subprocess.Popen([checkout / "unmoor"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [one.communicate(timeout=60) for one in running]
    assert [out for out, _ in said] == [b"ran\n"] * 4, said
    assert asked(checkout) == ["pip sync"]


def test_the_language_host_gets_the_lock_file_to_install() -> None:
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r requirements.lock"]
    lock = (REPOSITORY / "requirements.lock").read_text()
    pinned = lock.count("==")
    assert pinned > 100
    assert lock.count("--hash=sha256:") >= pinned


@pytest.mark.parametrize(("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_a_python_that_the_lock_file_does_not_fit_is_passed_over(tmp_path, version, fits):
    """A stand-in runs the checks of setup.sh under another version and ends there."""
    for name in ("setup.sh", "requirements.lock"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    fake = tmp_path / "python"
    code = f"import sys; sys.version_info = {version!r}; exec(sys.argv[1])"
    chosen = "case $2 in *fcntl*) echo chosen; exit 0;; esac"
    fake.write_text(f'#!/bin/sh\n{chosen}\nexec {sys.executable} -c "{code}" "$2"\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["sh", tmp_path / "setup.sh"], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHON": str(fake)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == ((0, "chosen\n") if fits else (1, ""))
    assert done.stderr.startswith("" if fits else "Python 3.11, 3.12 or 3.13 is needed")
