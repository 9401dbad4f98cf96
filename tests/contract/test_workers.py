"""A run of tests side by side, one of whose workers crashes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import ROOT, SIDE_BY_SIDE

CRASH = "import os, signal\ndef test_crash():\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
PASS = "def test_{0}():\n    pass\n"


def run(folder: Path) -> str:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SIDE_BY_SIDE, "-n", "1", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r'Segmentation fault\n\nStack .*:\n  File "\S+/test_5.py", line 3 in test_crash\n', done.stderr)
    return done.stdout


@pytest.mark.parametrize(("before", "after"), [(4, 1), (0, 1), (0, 3)], ids=["middle", "first-of-two", "first"])
def test_every_other_test_ends_after_a_worker_crashed(before: int, after: int, tmp_path: Path):
    """A fault of the run once: `make test` waited for an hour at 98 %, until it was ended."""
    for number in range(before):
        (tmp_path / f"test_{number}.py").write_text(PASS.format("a") + PASS.format("b"))
    (tmp_path / "test_5.py").write_text(CRASH + PASS.format("after"))
    for number in range(6, 6 + after):
        (tmp_path / f"test_{number}.py").write_text(PASS.format("alone"))
    assert f"1 failed, {2 * before + 1 + after} passed" in run(tmp_path)
