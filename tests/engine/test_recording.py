"""A run against the sandbox, recorded: nothing changes, what is ours is hidden, and the replay shows no difference.

The tests run in order, each from where the one before it ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox.akash.ledger import OWNER
from sandbox.aws import inventory
from sandbox.state import REPOSITORY

from .docs_stack import HOST, Docs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)


def recorded(docs: Docs, out: Path, *words: str) -> str:
    """Run a command of the engine on the stack under `unmoor record`; return what was printed."""
    flags = ["--stack", docs.pulumi.stack, "--config-file", str(docs.pulumi.config_file), "--yes", "--skip-preview"]
    command = [sys.executable, "-m", "components", "record", "--out", str(out), "--", "pulumi", *words, *flags]
    done = subprocess.run(
        [*command, "--non-interactive", "--color", "never"],
        cwd=docs.pulumi.project, env={**os.environ, **docs.pulumi.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def folders(docs: Docs, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Record a stack from nothing to both sides and to nothing."""
    root = tmp_path_factory.mktemp("recordings")
    docs.write(mode="active-standby")
    assert "exchanges in" in recorded(docs, root / "up", "up")
    assert docs.served() == docs.version()
    assert docs.again().changes() == {}
    account = inventory.client("sts").get_caller_identity()["Account"]
    zone = inventory.client("route53").list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]
    (root / "ours").write_text(" ".join([account, zone, *docs.leases(), *docs.leases().values()]))
    recorded(docs, root / "destroy", "destroy")
    return [root / "up", root / "destroy"]


def test_every_door_was_used(folders: list[Path]) -> None:
    doors = {path.name.split("-")[3] for folder in folders for path in folder.iterdir()}
    assert doors == {"http", "aws", "dns"}
    programs = {path.name.split("-")[1] for path in folders[0].iterdir()}
    assert len(programs) > 2, "the plug-in and steps are processes of their own"


def test_nothing_of_ours_is_in_the_files(docs: Docs, folders: list[Path]) -> None:
    ours = (folders[0].parent / "ours").read_text().split()
    assert len(ours) == 4
    hidden = [*ours, OWNER, HOST, "dao.example", "dao-example-aws", "docs-akash", "sandbox-key", docs.version()]
    for path in [path for folder in folders for path in folder.iterdir()]:
        text = path.read_text()
        assert [each for each in hidden if each in text] == [], path


def test_the_replay_shows_no_difference(folders: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay", *map(str, folders)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1].endswith(": no differences")) == (0, True), done.stdout


def test_the_replay_shows_a_difference_that_is_made(folders: list[Path], tmp_path: Path) -> None:
    """A field that is gone, one that is new, a type that is another, and an answer that our client cannot read."""
    path = next(path for path in sorted(folders[0].iterdir()) if '"deployment"' in path.read_text())
    exchange = json.loads(path.read_text())
    deployment = exchange["answer"]["body"]["data"]["deployment"]
    deployment |= {"state": "asleep", "nap": True, "created_at": 7}
    del deployment["hash"]
    (tmp_path / "1-made.json").write_text(json.dumps(exchange))
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    for words in (
        "is not the state of a deployment",
        ".nap: the stand-ins never",
        ".created_at: is a number",
        ".hash: is not there",
    ):
        assert words in done.stdout
