"""Run a history in virtual time: sites that act on the library's decisions, over a network that loses and delays.

Each request is made to the real store at its moment of virtual time. Sites decide with `components.stores.tenure.step`;
operators order with `components.writer.switch`.
"""

from __future__ import annotations

import heapq
import math
import random
from typing import TYPE_CHECKING

from components.errors import StepError
from components.stores import tenure, writer
from components.stores.record import Record, State
from components.writer import switch

from . import check
from .check import Ack, Change
from .database import Archive, Entry, Program, Site
from .process import Place, Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.stores.writer import Records

    from .plan import Happening, Plan

#: Seconds between two reads of the record by a site.
POLL = 4.0


class World:
    """One history; `run` returns its violations."""

    def __init__(self, plan: Plan, records: Records, clock: str = "monotonic") -> None:
        self.plan, self.records, self.clock = plan, records, clock
        self.chance = random.Random(plan.seed)
        self.now, self.seq = 0.0, 0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        archive = Archive()
        kind = Program if plan.kind == "singleton" else Site
        self.places = {
            name: Place(name, kind(archive), 1 + drift) for name, drift in zip(plan.sites, plan.drift, strict=True)
        }
        self.archive = archive
        self.store_down = -1.0
        self.acks: list[Ack] = []
        self.changes: list[Change] = []
        self.last: Record | None = None
        self.reads: list[tuple[float, tuple[Record | None, str]]] = [(-math.inf, (None, ""))]
        self.lines: list[str] = []
        self.violations: list[str] = []
        self.lost = self.requests = 0
        self.writing = True
        self.times = tenure.Times(plan.ttl, POLL, plan.hand_over)

    # time

    def at(self, moment: float, what: Callable[[], None]) -> None:
        """Schedule a call at a moment (seconds of virtual time)."""
        self.seq += 1
        heapq.heappush(self.queue, (max(moment, self.now), self.seq, what))

    def advance(self, until: float) -> None:
        """Make all calls up to a moment (seconds of virtual time)."""
        while self.queue and self.queue[0][0] <= until:
            self.now, _, what = heapq.heappop(self.queue)
            what()
        self.now = until

    def log(self, line: str) -> None:
        """Add a line to the history."""
        self.lines.append(f"{self.now:6.1f} s  {line}")

    def monotonic(self, place: Place) -> float:
        """Return the time of a site's monotonic clock in seconds: it drifts, but never jumps."""
        return 1000.0 * (1 + len(place.name)) + self.now * place.rate

    # the whole

    def run(self) -> list[str]:
        """Run the history, end all faults, and return the violations."""
        for place in self.places.values():
            self.start(place)
            self.client(place)
            self.archiver(place)
        if self.plan.kind == "writer":
            switch.create(self.records, self.records.workload, self.plan.sites[0])
            self.noted(self.records.read()[0])
        for each in self.plan.happenings:
            self.at(each.at, lambda each=each: self.happen(each))
        self.advance(self.plan.for_s)
        self.heal()
        if not self.settled() and self.plan.kind == "writer":
            self.rescue()
        self.judge()
        return self.violations

    def heal(self) -> None:
        """End all faults, and start every process that does not run."""
        self.log("every fault ends")
        self.store_down = -1.0
        for place in self.places.values():
            place.wrong, place.armed = {}, None
            self.start(place)

    def settled(self) -> bool:
        """Wait until one site writes and no order is in progress; return whether that happened in time."""
        for _ in range(int(4 * (self.plan.ttl + self.plan.hand_over) / POLL)):
            self.advance(self.now + POLL)
            record = self.last
            quiet = record is not None and record.state is State.WRITING and record.order is None
            if quiet and record and self.writable() == [record.holder]:
                return True
        return False

    def rescue(self) -> None:
        """Order at the end, as an operator would, that a site with a copy writes, and accept loss."""
        record = self.last
        if record is None:
            return
        to = record.order.to if record.order else next(name for name in self.plan.sites if name != record.holder)
        self.order(to, lossy=True)
        if not self.settled() and not self.plan.careless:
            self.violations.append("no site writes, although every fault has ended and an operator ordered it")

    def judge(self) -> None:
        """Stop writing, and compare the acknowledged writes with the writer's log."""
        self.writing = False
        self.violations += check.writers(self.acks) + check.records(self.changes)
        if self.plan.kind == "writer" and (found := self.writable()):
            wrong, self.lost = check.log(self.places[found[0]].data.log, self.acks, self.changes, self.archive.since)
            self.violations += wrong

    def writable(self) -> list[str]:
        """Return the names of the sites that accept writes now."""
        return [each.name for each in self.places.values() if each.data.writable(self.monotonic(each))]

    # what writes, and what archives

    def client(self, place: Place) -> None:
        """Write to a site continuously, in any role."""
        if self.writing:
            if place.data.writable(self.monotonic(place)):
                if len(self.writable()) > 1:
                    self.violations.append(f"{self.now:.1f} s: {' and '.join(self.writable())} take writes at once")
                entry = Entry(place.data.epoch, len(self.acks))
                place.data.log.append(entry)
                self.acks.append(Ack(self.now, place.name, entry))
            self.at(self.now + self.chance.uniform(0.2, 1.0), lambda: self.client(place))

    def archiver(self, place: Place) -> None:
        """Archive and replay from time to time."""
        if self.archives(place):
            place.data.push(self.now)
            place.data.follow()
        self.at(self.now + self.chance.uniform(1, 8), lambda: self.archiver(place))

    def archives(self, place: Place) -> bool:
        """Return whether the archive answers a site."""
        return all(place.wrong.get(each, -1) < self.now for each in ("cut", "unarchived", "machine"))

    def noted(self, record: Record | None) -> None:
        """Note the record that has just been written."""
        if record is not None and record != self.last:
            self.changes.append(Change(self.now, self.last, record))
            self.last = record
            self.log(f"record: {_short(record)}")

    # processes

    def start(self, place: Place) -> None:
        """Start the process of a site, unless one runs."""
        if place.process is None:
            if self.plan.careless and checked(self.records):
                self.log(f"{place.name} refuses the store")
                return
            place.starts += 1
            place.process = Process(self, place, f"{place.name}-{place.starts}")
            self.log(f"{place.name} starts")
            place.process.feed(tenure.Started())

    def kill(self, place: Place, down: float, *, machine: bool, lost: bool = False) -> None:
        """Kill the process of a site, or its machine, for `down` seconds."""
        self.log(
            f"{place.name} is killed{', machine and all' if machine else ''}{' and loses its volume' if lost else ''}"
        )
        place.process = None
        if machine or self.plan.kind == "singleton":
            place.data.restart(lost=lost)
            if machine:
                place.wrong["machine"] = self.now + down
        self.at(self.now + down, lambda: self.start(place))

    # what happens

    def happen(self, each: Happening) -> None:
        """Carry out an order or a fault of the plan."""
        self.log(f"! {each.what} {each.given}")
        given = dict(each.given)
        place = self.places.get(given.pop("site", ""))
        if each.what == "order":
            self.order(**given)
        elif each.what == "store_down":
            self.store_down = self.now + given["for_s"]
        elif place is None:
            raise ValueError(each)
        elif each.what == "kill":
            self.kill(place, **given)
        elif each.what in {"kill_at", "pause_at"}:
            place.armed = given
        elif each.what == "jump":
            place.wall += given["by"]
        elif each.what == "stop" and place.process:
            place.process.stopping = True
            self.at(self.now + given["for_s"], lambda: self.start(place))
        else:
            place.wrong[each.what] = self.now + given["for_s"]
            place.lag = given.get("by", place.lag)

    def order(self, to: str, *, lossy: bool, withdrawn_after: float | None = None) -> None:
        """Order a move as an operator does, and withdraw it after so many seconds."""
        if self.store_down >= self.now:
            return
        try:
            made = switch.order(self.records, to, lossy=lossy)
        except StepError as error:
            self.log(f"order refused: {error}")
            return
        self.noted(self.records.read()[0])
        if withdrawn_after is not None:
            self.at(self.now + withdrawn_after, lambda: self.withdraw(made))

    def withdraw(self, order_id: str) -> None:
        """Withdraw an order."""
        if self.store_down < self.now and switch.withdraw(self.records, order_id):
            self.log("order withdrawn")
            self.noted(self.records.read()[0])


def checked(records: Records) -> bool:
    """Return whether a process refuses a store, by the check that `Lock.hold` and `agent.run` make."""
    return bool(writer.unfit(records))


def _short(record: Record) -> str:
    order = (
        f", to {record.order.to}{' at any price' * record.order.lossy}{' (ready)' * record.order.ready}"
        if record.order
        else ""
    )
    at = f" at {record.position.partition(':')[0]}" if record.position else ""
    return f"#{record.serial} epoch {record.epoch} {record.state} by {record.by or record.holder}{at}{order}"
