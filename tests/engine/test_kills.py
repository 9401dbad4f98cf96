"""`up` is killed with everything that it started, and run again: it reaches the same end, and pays for nothing twice.

The tests run in order, each from where the one before it ended.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox.aws import inventory

from .docs_stack import AKASH, HOST, Docs, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

TWO = {"centralized": "aws", "decentralized": ["akash", "akash"]}


@pytest.fixture(scope="module")
def base(docs: Docs) -> Docs:
    docs.up()
    return docs


def test_killed_after_a_deployment_was_opened(base: Docs, sandbox: Sandbox) -> None:
    base.write(mode="active-standby")
    kill(base, sandbox, lambda: bool(base.leases()))
    opened = base.leases()
    base.pulumi.up()
    assert list(base.leases()) == list(opened)
    rests(base, "docs-aws", "docs-akash")


def test_killed_while_publishing(base: Docs, sandbox: Sandbox) -> None:
    base.page("the second page")
    kill(base, sandbox, lambda: runs(sandbox, "step publish"))
    standing = base.leases()
    base.pulumi.up()
    assert base.leases() == standing
    assert base.site_serves("docs-aws", "/").endswith("the second page")
    rests(base, "docs-aws", "docs-akash")


def test_killed_between_a_lease_and_the_probe_of_its_site_and_again_while_draining(
    base: Docs, sandbox: Sandbox
) -> None:
    standing = base.leases()
    base.write(mode="decentralized", placement=TWO)
    kill(base, sandbox, lambda: len([1 for lease in base.leases().values() if lease]) > 1)
    assert not runs(sandbox, "step probe")
    rented = base.leases()
    assert (len(rented), standing.items() < rented.items()) == (2, True)
    kill(base, sandbox, lambda: runs(sandbox, "step drain"))
    assert base.site_serves("docs-aws") == base.version(), "it stands as long as resolvers may lead to it"
    base.pulumi.up()
    assert base.leases() == rented
    assert [each for each in inventory.objects() if each.startswith(("bucket", "distribution"))] == []
    rests(base, "docs-akash", "docs-akash-2")


def kill(base: Docs, sandbox: Sandbox, when: Callable[[], bool]) -> None:
    """Start an update, kill its whole process group at a moment, see that nothing of it runs on, and take its lock."""
    before = {each.pid for each in sandbox.processes()}
    child = base.pulumi.start("up", "--yes", "--skip-preview")
    until(lambda: when() or child.poll() is not None, "the moment to kill")
    assert child.poll() is None, "it ended before it could be killed"
    os.killpg(child.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([each for each in sandbox.processes() if each.pid not in before], timeout=30)
    child.communicate()
    base.pulumi.children.remove(child)
    assert [line(each) for each in alive] == []
    base.pulumi.cancel()


def runs(sandbox: Sandbox, words: str) -> bool:
    """Whether a process with these words in its command line runs."""
    return any(words in line(each) for each in sandbox.processes())


def line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def rests(base: Docs, primary: str, standby: str) -> None:
    """The end that an update reaches that was not killed: one deployment a site, records right, nothing left to do."""
    sites = (primary, standby)
    records = base.records()
    found = [records[f"{HOST}/{role}"] for role in ("primary", "secondary")]
    assert found == [records[f"{site}.dao.example"] for site in sites]
    on_akash = [site for site in sites if "akash" in site]
    assert [value.startswith(AKASH) for value in found] == ["akash" in site for site in sites]
    assert (len(base.leases()), all(base.leases().values())) == (len(on_akash), True)
    assert [base.site_serves(site) for site in sites] == [base.version()] * 2
    assert base.again().changes() == {}
