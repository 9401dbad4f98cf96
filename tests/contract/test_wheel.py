"""The wheel is the library under its own name, whole: it plans, checks documents and finds its plug-in."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STACK = """config:
  unmoor:zone: dao.example
  unmoor:stores: {aws: {vendor: aws, bucket: dao-aws, public_url: "https://s3.example/dao"}}
  unmoor:workloads:
    docs: {kind: static, mode: active-standby, host: docs.dao.example, backup: {stores: [aws]}, options: {site: site}}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, unpack it into an environment of its own that borrows only our dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("unmoor-*.whl")
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(site)], check=True)
    ours = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    # Not through a .pth: that would bring in the repository itself.
    (folder / "dependencies").symlink_to(ours)
    return folder


def run(installed: Path, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(installed / "venv/bin/python"), "-m", "unmoor", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed / "dependencies")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_plans_a_stack_with_its_own_documents_and_prices(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("docs")
    (tmp_path / "stacks/Pulumi.prod.yaml").write_text(STACK)
    said = run(installed, "plan", "--stack", "stacks/Pulumi.prod.yaml", cwd=tmp_path)
    assert "docs-akash" in said
    assert "lease with an IPv4 address" in said


def test_the_wheel_knows_its_version_and_its_words(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "--version", cwd=tmp_path) == "unmoor, version 0.1.0\n"
    assert "runbook" in run(installed, "--help", cwd=tmp_path)


def test_steps_name_the_installed_command(installed: Path, tmp_path: Path) -> None:
    code = "from unmoor.steps import command_line; print(command_line('probe'))"
    done = subprocess.run(
        [str(installed / "venv/bin/python"), "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed / "dependencies")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "unmoor step probe\n"


def test_the_plug_in_is_in_the_wheel(installed: Path) -> None:
    (plugin,) = installed.glob("venv/lib/python*/site-packages/unmoor/provider/bin/pulumi-resource-unmoor")
    assert plugin.read_text().startswith("#!/bin/sh")
