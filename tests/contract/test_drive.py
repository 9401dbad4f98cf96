"""Driving the engine: what a driver that is interrupted leaves behind."""

import os
import sys

import pytest

from sandbox.drive import Pulumi
from sandbox.state import State

ENGINE = f"""#!{sys.executable}
import pathlib, signal, time

def told(*_):
    pathlib.Path("told").touch()
    raise SystemExit(1)

signal.signal(signal.SIGINT, told)
print("at work", flush=True)
time.sleep(60)
"""


def test_an_interrupt_reaches_the_engine_and_waits_for_its_end(tmp_path) -> None:
    engine = tmp_path / "pulumi"
    engine.write_text(ENGINE)
    engine.chmod(0o755)

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    pulumi = Pulumi(State(tmp_path), {"PATH": path}, "docs", tmp_path / "Pulumi.docs.yaml", tmp_path, interrupt)
    with pytest.raises(KeyboardInterrupt):
        pulumi.up()
    assert [child.returncode for child in pulumi.children] == [1]
    assert (tmp_path / "told").exists()
