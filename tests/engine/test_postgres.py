"""An application with a database moves to Akash and back by the real engine, with real PostgreSQL and pgBackRest.

The machine of AWS and the lease on Akash are local processes here, with an agent each, and three stores of versitygw. A
client posts continuously through the web server of the site to which DNS leads.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.aws import inventory
from sandbox.pair.ground import until
from sandbox.pair.world import installed
from sandbox.state import VARIABLE

from . import postgres_stack
from .conftest import running
from .postgres_stack import SECRETS, Forum, Poster, keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sandbox

pytestmark = [
    pytest.mark.timeout(2400),
    pytest.mark.skipif(
        not os.environ.get("TESTS_DATABASE"), reason="takes minutes; `python -m tests database` runs it"
    ),
    pytest.mark.skipif(not installed(), reason="needs PostgreSQL 15, pgBackRest and amcheck"),
]


@pytest.fixture(scope="module")
def sandbox(tools: None) -> Iterator[Sandbox]:
    """Run a sandbox in a folder with a short name: a socket's path has 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with running(folder / "S") as ours:
            yield ours
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def forum(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    with (
        pytest.MonkeyPatch.context() as patch,
        postgres_stack.stores(sandbox.state.root.parent, sandbox.state) as ports,
    ):
        patch.setenv(VARIABLE, str(sandbox.state.root))  # for the inventories
        made = postgres_stack.make(tmp_path_factory.mktemp("forum"), sandbox.state, sandbox.environment, ports)
        yield made
        made.end()


@pytest.fixture(scope="module")
def poster(forum: Forum) -> Iterator[Poster]:
    """Post from the first update to the last."""
    forum.up(mode="centralized")
    with Poster(forum.state) as posting:
        yield posting


def intact(forum: Forum, poster: Poster) -> None:
    """Assert that the writer's site has every acknowledged post once, and in order."""
    acknowledged = list(poster.acknowledged)
    there = forum.posts()
    texts = [text for _, text in there]
    assert set(acknowledged) <= set(there)
    assert len(texts) == len(set(texts))
    assert [number for number, _ in acknowledged] == sorted(number for number, _ in acknowledged)


def test_a_first_update_makes_a_database_and_posts_are_taken_on_aws(forum: Forum, poster: Poster) -> None:
    until(lambda: len(poster.acknowledged) > 20, "posts")
    assert forum.writer() == ("aws", 1)
    assert forum.again().changes() == {}


def test_the_mode_does_not_change_before_a_restore_from_each_store_is_proved(forum: Forum, poster: Poster) -> None:
    shown = forum.fails(mode="active-standby").output
    for store in ("first", "second"):
        assert f"options.database.archive.{store}: no restore from it is proved" in shown
    until(forum.counted, "counted backups")
    done = forum.command("drill", "forum")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_writer_moves_to_akash_and_back_and_no_acknowledged_post_is_lost(forum: Forum, poster: Poster) -> None:
    forum.up(mode="active-standby")
    assert forum.writer()[0] == "aws"
    for active, to in (("decentralized", "akash"), ("centralized", "aws")):
        before = len(poster.acknowledged)
        forum.up(active=active)
        assert forum.writer()[0] == to
        until(lambda before=before: len(poster.acknowledged) > before + 20, f"posts at {to}")
        intact(forum, poster)
    assert forum.writer()[1] == 3


def test_a_mode_that_leaves_the_writer_out_is_refused_and_changes_nothing(forum: Forum, poster: Poster) -> None:
    before = forum.writer()
    shown = forum.fails(mode="decentralized").output
    assert "workloads.forum.mode: aws writes, and decentralized has no such site" in shown
    assert forum.writer() == before
    forum.up(mode="active-standby")


def test_status_shows_the_writer_and_the_age_of_each_proof(forum: Forum, poster: Poster) -> None:
    shown = forum.command("status", "forum").stdout
    assert "writer aws, epoch 3, writing" in shown
    assert shown.count("restore proved 0.0 days ago") == 2


def test_no_secret_is_in_state_or_in_a_document(forum: Forum, poster: Poster) -> None:
    for folder in ("state", "akash", "ec2"):
        for path in (forum.state.root / folder).rglob("*"):
            secret = "secrets" in path.parts or "volumes" in path.parts
            if path.is_file() and not secret:
                content = path.read_bytes()
                assert [each for each in (*SECRETS.values(), *keys().values()) if each.encode() in content] == [], path


def test_destroy_leaves_a_snapshot_and_the_archive(forum: Forum, poster: Poster) -> None:
    forum.pulumi.destroy()
    assert (inventory.objects(), forum.leases()) == ([], {})
    assert [one["State"] for one in inventory.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]]
    assert forum.counted()


def test_a_stack_that_was_destroyed_comes_up_again_with_what_its_stores_keep(forum: Forum, poster: Poster) -> None:
    before = len(poster.acknowledged)
    forum.up(mode="active-standby")
    assert forum.writer()[0] == "aws"
    until(lambda: len(poster.acknowledged) > before + 20, "posts at aws")
    intact(forum, poster)
    forum.pulumi.destroy()
