"""Two agents in real time, with a simulated database each: a move is ordered, and one writes behind the other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from components.errors import StepError
from components.stores.guard import clock
from components.stores.record import State
from components.stores.tenure import Times
from components.writer import agent, switch
from tests.histories import stores
from tests.histories.database import Archive, Failed, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.stores.tenure import Copy
    from components.stores.writer import Records

TIMES = Times(ttl_s=60, poll_s=0.02)


class Database:
    """A simulated site as the library wants a database; it archives and replays when it is asked."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def copy(self, position: str | None) -> Copy:
        self.site.push(clock())
        self.site.follow()
        return self.site.copy(position, clock())

    def newest(self) -> bool:
        return self.site.copy(None, clock()).newest

    def permit(self, until: float) -> None:
        self.site.permit(until)

    def freeze(self) -> None:
        self.site.freeze()

    def archive(self) -> str:
        return self.site.archived(clock())

    def promote(self, epoch: int) -> None:
        self.site.promote(epoch)

    def demote(self, epoch: int) -> None:
        try:
            self.site.demote()
        except Failed as error:
            raise StepError(str(error)) from None


class Pair:
    """Two sites that run."""

    def __init__(self, records: Records) -> None:
        archive, self.stop, self.reports = Archive(), threading.Event(), []
        self.records = records
        self.sites = {name: Site(archive) for name in ("aws", "akash")}
        self.threads = [threading.Thread(target=self.run, args=(name,)) for name in self.sites]
        for each in self.threads:
            each.start()

    def run(self, name: str) -> None:
        agent.run(self.records, Database(self.sites[name]), name, self.stop, times=TIMES, report=self.reports.append)

    def writers(self) -> list[str]:
        return [name for name, site in self.sites.items() if site.writable(clock())]

    def moved(self, to: str) -> list[str]:
        """Move the writer and return what was reported on the way."""
        reports: list[str] = []
        switch.follow(self.records, switch.order(self.records, to), to, 60, reports.append)
        until(lambda: self.writers() == [to])
        return reports


def until(what: object) -> None:
    waiting = threading.Event()
    for _ in range(6000):
        if what():  # type: ignore[operator]
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with stores.opened("memory") as opener:
        records = opener("writer/forum.json")
        switch.create(records, stores.WORKLOAD, "aws")
        made = Pair(records)
        yield made
        made.stop.set()
        for each in made.threads:
            each.join(60)


def test_the_writer_moves_and_comes_back(pair: Pair) -> None:
    until(lambda: pair.writers() == ["aws"])
    pair.moved("akash")
    until(lambda: not pair.sites["aws"].primary)
    pair.moved("aws")
    record = pair.records.read()[0]
    assert (record.holder, record.epoch, record.order, pair.sites["akash"].frozen) == ("aws", 3, None, True)


def test_an_agent_that_ends_stops_writes_and_leaves_all_archived(pair: Pair) -> None:
    until(lambda: pair.writers() == ["aws"])
    pair.stop.set()
    for each in pair.threads:
        each.join(60)
    record = pair.records.read()[0]
    assert (pair.writers(), record.state, record.position is not None) == ([], State.FROZEN, True)


def test_a_failing_order_is_reported_once_and_tried_again(pair: Pair) -> None:
    until(lambda: pair.writers() == ["aws"])
    real, failures = pair.sites["akash"].promote, [0]

    def promote(epoch: int) -> None:
        failures[0] += 1
        if failures[0] < 3:
            raise StepError("PostgreSQL does not start")
        real(epoch)

    pair.sites["akash"].promote = promote  # type: ignore[method-assign]
    pair.moved("akash")
    assert pair.reports.count("PostgreSQL does not start") == 1
