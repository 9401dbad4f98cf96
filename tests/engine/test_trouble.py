"""Faults from outside, through the real engine: nothing is lost, nothing is doubled, and the sentence gives the reason.

The tests run in order: the first ones on the docs workload, the next on a lease of its own while AWS is down, the last
on the docs workload again. How long recovery takes is not claimed here: the demo measures it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import yaml

from sandbox.akash import inventory as akash
from sandbox.drive import EngineFailed, Pulumi, Run
from sandbox.state import REPOSITORY

from .docs_stack import (
    ACCOUNT,
    AKASH,
    PROBE_S,
    PROBE_VARIABLE,
    STANDBY,
    Docs,
    finished,
    mend,
    project,
    started,
    tamper,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

DOCUMENT = {
    "version": "2.0",
    "services": {
        "web": {
            "image": "docker.io/library/caddy:2.10.2-alpine@sha256:" + "4c" * 32,
            "command": ["sh", "-c"],
            "args": ['exec caddy respond --listen ":$HTTP_PORT" "$WORD"'],
            "env": ["WORD=one"],
            "expose": [{"port": 80, "as": 80, "proto": "TCP", "to": [{"global": True}]}],
        }
    },
    "profiles": {
        "compute": {
            "web": {"resources": {"cpu": {"units": 0.1}, "memory": {"size": "64Mi"}, "storage": [{"size": "64Mi"}]}}
        },
        "placement": {"any": {"pricing": {"web": {"denom": "uact", "amount": 20}}}},
    },
    "deployment": {"web": {"any": {"profile": "web", "count": 1}}},
}
PROGRAM = f"""
import copy, json, sys
sys.path.insert(0, {str(REPOSITORY)!r})
import pulumi
from components.targets.akash.deployment import Deployment

config = pulumi.Config("tests")
for name in config.require_object("names"):
    document = copy.deepcopy({DOCUMENT!r})
    document["services"]["web"]["env"] = ["WORD=" + config.require("word")]
    waits = pulumi.CustomTimeouts(create=config.get("patience") or "60s")
    options = pulumi.ResourceOptions(custom_timeouts=waits)
    Deployment(name, name=name + ".tests", sdl=document, service="web", opts=options)
"""


class Leases:
    """A program with nothing but deployments, by name."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._file = folder / "Pulumi.leases.yaml"
        self.pulumi = Pulumi(sandbox.state, sandbox.environment, "leases", self._file, project(folder, program=PROGRAM))
        self._salt = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["encryptionsalt"]
        self.write(())
        self.pulumi.init()

    def write(self, names: tuple[str, ...], word: str = "one", **more: str) -> None:
        settings = {
            "tests:names": list(names),
            "tests:word": word,
            **{f"tests:{key}": value for key, value in more.items()},
        }
        self._file.write_text(yaml.safe_dump({"encryptionsalt": self._salt, "config": settings}))

    def up(self, names: tuple[str, ...], word: str = "one", **more: str) -> Run:
        self.write(names, word, **more)
        return self.pulumi.up()


@pytest.fixture(scope="module")
def wrong(docs: Docs) -> dict[str, Any]:
    """Return a flip straight to Akash that failed: other bytes had been written over the bundles in both stores."""
    docs.up()
    before, right = docs.records(), tamper(docs)
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: "5"}
    failed = docs.fails(mode="decentralized")
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: PROBE_S}
    seen = {"records": docs.records(), "leases": docs.leases(), "served": docs.site_serves("docs-aws")}
    mend(docs, right)
    return {"run": failed, "records before": before, **seen}


@pytest.fixture(scope="module")
def begun(docs: Docs, wrong: dict[str, Any]) -> Run:
    """Return the flip after the one that failed."""
    assert wrong
    return docs.up(mode="active-standby")


@pytest.fixture(scope="module")
def base(docs: Docs, begun: Run) -> Docs:
    """Return the docs workload in active-standby."""
    assert begun
    return docs


@pytest.fixture(scope="module")
def leases(sandbox: Sandbox, base: Docs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leases]:
    made = Leases(tmp_path_factory.mktemp("leases"), sandbox)
    yield made
    for child in made.pulumi.children:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


# The docs workload, AWS up


def test_a_site_that_serves_the_wrong_content_moves_no_record_and_nothing_is_deleted(
    docs: Docs, wrong: dict[str, Any]
) -> None:
    """What it serves is judged by its probe; that the container refuses other bytes is the contract tests' claim."""
    run = wrong["run"]
    assert "is not well after 5 s" in run.output
    assert "its failover record was left as it is" in run.output
    assert {op for op, _ in run.steps()} == {"same", "create"}
    assert {name: wrong["records"][name] for name in wrong["records before"]} == wrong["records before"]
    assert (wrong["served"], len(wrong["leases"])) == (docs.version(), 1)


def test_what_a_failed_flip_began_is_what_the_next_one_uses(base: Docs, begun: Run, wrong: dict[str, Any]) -> None:
    assert begun.changes() == dict.fromkeys(
        ("docs-akash-probe", "docs-akash-health", STANDBY, "docs-akash-confirm"), "create"
    ) | {ACCOUNT: "update"}
    assert base.leases() == wrong["leases"]
    assert base.site_serves("docs-akash") == base.version()


def test_a_lost_lease_is_rented_elsewhere_and_the_record_follows_before_anything_ends(base: Docs) -> None:
    (before,) = base.leases().items()
    # It stays gone for the rest of this module, so that nobody rents there again.
    base.state.start_fault(f"provider-gone-{before[1]}")
    until(lambda: akash.open_deployments()[0]["leases"][-1]["state"] == "closed", "the network closes the lease")
    run = base.pulumi.up("--refresh")
    (after,) = base.leases().items()
    assert (after[0] != before[0], after[1] != before[1]) == (True, True)
    assert base.site_serves("docs-akash") == base.version()
    assert finished(run, "docs-akash-probe") < started(run, STANDBY)
    ended = [(op, name) for op, name in run.steps() if op.startswith("delete")]
    # The check of the address that is given back goes too; the record had the new one's before.
    assert ("delete-replaced", "docs-akash-health") in ended
    ended.remove(("delete-replaced", "docs-akash-health"))
    assert ended == [("delete-replaced", "docs-akash-drain"), ("delete-replaced", "docs-akash")]
    for gone in ("docs-akash-health", "docs-akash-drain"):
        assert finished(run, STANDBY) < started(run, gone, "delete-replaced")
    assert base.again().changes() == {}


def test_a_store_that_is_gone_fails_the_publication_loudly_by_its_name(base: Docs) -> None:
    kept, version, records = (base.site / "index.html").read_text(), base.version(), base.records()
    base.page("never published")
    with base.broken("store-gone-storj"):
        shown = base.fails().output
    (base.site / "index.html").write_text(kept)
    assert "store storj: " in shown
    assert "Traceback" not in shown
    assert [base.site_serves(site) for site in ("docs-aws", "docs-akash")] == [version, version]
    assert base.records() == records


# AWS down, its control plane of DNS too, and a store with it


@pytest.fixture(scope="module")
def outage(base: Docs) -> Iterator[dict[str, Any]]:
    """AWS is down from here on; the standby's container crashes at the same moment, and has to start without it."""
    (dseq,) = base.leases()
    before = {"records": base.records(), "dseq": dseq, "restarts": restarts(base, dseq)}
    with base.broken("aws-down", "dns-control-plane-down", "store-gone-aws"):
        crash(base, dseq)
        yield before


def test_no_bid_is_a_sentence_leaves_nothing_open_and_the_next_up_rents_once(leases: Leases, outage: object) -> None:
    base = Docs.leases()
    leases.write(("one",), patience="8s")
    leases.pulumi.state.start_fault("no-bids")
    with pytest.raises(EngineFailed) as failed:
        leases.pulumi.up()
    shown, standing = str(failed.value), Docs.leases()
    leases.pulumi.state.end_fault("no-bids")
    assert "akash: no provider bid on deployment " in shown
    assert "is closed again; try later, or raise the ceiling." in shown
    assert "Traceback" not in shown
    assert standing == base
    leases.up(("one",))
    assert added(base) == 1


def test_a_crowded_api_is_borne(leases: Leases, outage: object) -> None:
    before = Docs.leases()
    with broken(leases, "api-429", share=0.5):
        run = leases.up(("one",), word="two")
    assert (run.changes(), Docs.leases()) == ({"one": "update"}, before)


def test_an_answer_that_never_comes_opens_nothing_twice(leases: Leases, outage: object) -> None:
    before = Docs.leases()
    with broken(leases, "api-timeout", times=1, hold=1):
        leases.up(("one", "two"), word="two")
        assert leases.pulumi.state.fault("api-timeout") is None, "the answer to the opening was lost"
    assert added(before) == 1


def test_a_halted_chain_is_waited_for(leases: Leases, outage: object) -> None:
    """It makes blocks again after a while; for how long `up` has patience is the pure tests' claim."""
    before = Docs.leases()
    leases.pulumi.state.start_fault("chain-halted")
    threading.Timer(6, leases.pulumi.state.end_fault, ["chain-halted"]).start()
    run = leases.up(("one", "two"), word="three")
    assert leases.pulumi.state.fault("chain-halted") is None, "it did not go on before the chain did"
    assert (run.changes(), Docs.leases()) == ({"one": "update", "two": "update"}, before)


def test_a_failover_needs_no_change_of_any_record(base: Docs, outage: dict[str, Any]) -> None:
    """AWS is down and its DNS takes no changes: the records that stand already are all there is."""
    assert outage["records"]["docs.dao.example/primary"].endswith("cloudfront.net")
    until(lambda: base.address().startswith(AKASH), "visitors are led to Akash")
    assert base.served() == base.version()


def test_a_container_that_starts_while_a_store_is_gone_has_its_content_from_the_other(
    base: Docs, outage: dict[str, Any]
) -> None:
    until(lambda: base.site_serves("docs-akash") == base.version(), "it serves again")
    assert restarts(base, outage["dseq"]) == outage["restarts"] + 1


def test_deployments_whose_escrow_ran_out_are_rented_again_each_once(leases: Leases) -> None:
    """It strikes every deployment of the account, so it is the last of the tests here."""
    leases.up(("one", "two"))
    leases.pulumi.state.start_fault("escrow-empty")
    until(lambda: not Docs.leases(), "every deployment is closed")
    leases.pulumi.state.end_fault("escrow-empty")
    run = leases.pulumi.up("--refresh")
    assert sorted(name for op, name in run.steps() if op == "create") == ["one", "two"]
    assert len(Docs.leases()) == 2


def added(before: dict[str, str]) -> int:
    """Return how many deployments are open that were not; those that were must be open still."""
    now = Docs.leases()
    assert before.items() <= now.items()
    return len(now) - len(before)


@contextmanager
def broken(leases: Leases, fault: str, **parameters: float) -> Iterator[None]:
    """Break something for a while."""
    leases.pulumi.state.start_fault(fault, parameters)
    try:
        yield
    finally:
        leases.pulumi.state.end_fault(fault)


def crash(base: Docs, dseq: str) -> None:
    """Kill what runs in a deployment's container."""
    folder = str(base.state.root / "akash" / "leases" / f"{dseq}-1-1")
    groups = {os.getpgid(each.pid) for each in psutil.process_iter() if cwd(each).startswith(folder)}
    assert len(groups) == 1
    os.killpg(groups.pop(), signal.SIGKILL)


def cwd(process: psutil.Process) -> str:
    try:
        return str(process.cwd())
    except psutil.Error:
        return ""


def restarts(base: Docs, dseq: str) -> int:
    """Return how often a deployment's container was started again."""
    world = json.loads((base.state.root / "akash" / "world.json").read_text())
    (found,) = [int(each["restarts"]) for each in world["containers"] if each["dseq"] == dseq]
    return found
