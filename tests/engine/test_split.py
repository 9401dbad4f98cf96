"""A weighted move and back through the real engine, with both sites serving. The tests run in order on one stack."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest

from sandbox.client import Resolver

from .docs_stack import AKASH, AWS, HOST, PRIMARY, STANDBY, Docs, finished, started, until

if TYPE_CHECKING:
    from sandbox.drive import Run

pytestmark = pytest.mark.timeout(900)

SHARES = {site: f"{HOST}/split/docs-{site}" for site in ("aws", "akash")}
#: Look-ups of which shares are counted: 10 of 100 is at least one of them but once in 10^9 times.
ASKED = 200


@dataclass
class Visitors:
    """Ask for the page again and again, each time by a new look-up; `failed` is each answer that is not well."""

    docs: Docs
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._end.wait(0.1):
            found = self.docs.served()
            self.asked += 1
            if found != self.docs.version():
                self.failed.append(found)


def answers(docs: Docs) -> Counter[str]:
    """Return where first visitors are led, each through a resolver of their own."""
    found = Counter(Resolver(docs.state).addresses(HOST)[0] for _ in range(ASKED))
    sides: Counter[str] = Counter()
    for address, times in found.items():
        sides["aws" if address.startswith(AWS) else "akash" if address.startswith(AKASH) else address] += times
    return sides


@pytest.fixture(scope="module")
def standing(docs: Docs) -> Docs:
    docs.up(mode="active-standby")
    assert set(answers(docs)) == {"aws"}
    return docs


def update(docs: Docs, **lines: object) -> Run:
    """Update while visitors come; none of them may fail, and a second update changes nothing."""
    with Visitors(docs) as visitors:
        run = docs.up(**lines)
        until(lambda: visitors.asked > 20, "enough visits")
    assert visitors.failed == []
    assert docs.again().changes() == {}
    return run


def test_a_tenth_of_all_look_ups_moves_after_its_site_was_probed(standing: Docs) -> None:
    run = update(standing, split={"decentralized": 10})
    assert run.changes().keys() >= {PRIMARY, *SHARES.values()}
    assert run.changes()[PRIMARY] == "update", "the failover set stays where it is"
    assert STANDBY not in run.changes()
    assert finished(run, SHARES["aws"]) < started(run, PRIMARY)
    until(lambda: set(answers(standing)) == {"aws", "akash"}, "both sites answer")
    found = answers(standing)
    assert 0 < found["akash"] < ASKED / 3, found


def test_a_larger_share_changes_two_records_and_nothing_else(standing: Docs) -> None:
    run = update(standing, split={"decentralized": 90})
    assert run.changes() == dict.fromkeys(SHARES.values(), "update")
    until(lambda: answers(standing)["akash"] > ASKED / 2, "most are led to the other side")
    assert standing.pulumi.outputs()["workloads"]["docs"]["split"] == {"docs-aws": 10, "docs-akash": 90}


def test_turning_the_roles_round_keeps_the_shares(standing: Docs) -> None:
    run = update(standing, active="decentralized")
    assert not set(SHARES.values()) & run.changes().keys()
    assert STANDBY in run.changes()
    assert set(answers(standing)) == {"aws", "akash"}


def test_a_site_that_dies_answers_no_look_up_while_both_serve(standing: Docs) -> None:
    update(standing, split=None, balance=True)
    until(lambda: set(answers(standing)) == {"aws", "akash"}, "both sites answer")
    with standing.broken("aws-down"):
        until(lambda: set(answers(standing)) == {"akash"}, "the dead one is left out")
        until(lambda: standing.served() == standing.version(), "visitors are served by the other")
    until(lambda: set(answers(standing)) == {"aws", "akash"}, "both answer again")


def test_the_way_back_leaves_the_failover_set_alone_and_no_share(standing: Docs) -> None:
    run = update(standing, balance=None, active=None)
    gone = {name for name, op in run.changes().items() if op == "delete"}
    assert gone == set(SHARES.values())
    assert finished(run, PRIMARY) < min(started(run, each) for each in gone)
    until(lambda: set(answers(standing)) == {"aws"}, "the primary answers alone")
    assert not [name for name in standing.records() if name.startswith("_split")]
    records = standing.records()
    assert records[f"{HOST}/primary"] == records["docs-aws.dao.example"]
    assert records[f"{HOST}/secondary"] == records["docs-akash.dao.example"]


def test_a_shared_name_can_leave_one_side_at_once(standing: Docs) -> None:
    update(standing, balance=True)
    run = update(standing, mode="decentralized", balance=None)
    assert {SHARES["aws"], SHARES["akash"], "docs-aws-drain"} <= {
        name for name, op in run.changes().items() if op == "delete"
    }
    assert finished(run, SHARES["aws"]) < started(run, "docs-aws-drain")
    assert set(answers(standing)) == {"akash"}
    standing.pulumi.destroy()
    assert standing.leases() == {}
