"""What happens to two sites while a client writes: moves, kills, stores out of reach. Each ends with both well."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from components.errors import StepError
from components.stores.record import State
from components.writer import switch

from . import check
from .world import SITES, World, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client

#: How long a move, and the way back to two sites that are well, may take on a loaded machine.
MOVE_S, WELL_S = 120, 240
STEPS = ("ordered", "ready", "frozen", "claimed", "writing")


@dataclass
class Run:
    """A world with a client, and what was noted on the way. `lost`: rows that a lossy order gave up."""

    world: World
    client: Client
    lost: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep a line of the history."""
        self.notes.append(text)

    @property
    def writer(self) -> str:
        """The site that holds the record."""
        return until(self.world.holder, "a record")

    @property
    def other(self) -> str:
        """The site that does not."""
        writer = self.writer
        return next(name for name in SITES if name != writer)

    def well(self) -> None:
        """Wait until one site writes, rows are acknowledged again, and the other site follows."""

        def good() -> bool:
            record = self.world.record()
            if not record or record.state is not State.WRITING or record.order:
                return False
            other = next(name for name in SITES if name != record.holder)
            return self.world.answer(record.holder).get("role") == "primary" and self.world.follows(other)

        until(good, "both sites well", WELL_S)
        self.acknowledged()

    def acknowledged(self, more: int = 20) -> None:
        """Wait until so many more rows are acknowledged."""
        count = len(self.client.acks)
        until(lambda: len(self.client.acks) >= count + more, f"{more} more rows", WELL_S)

    def violations(self) -> list[str]:
        """Stop the client, and compare what it knows with what is there."""
        self.client.close()
        return check.violations(self.client.acks, self.world.rows(), self.lost)


def _quiet(_: str) -> None:
    """Print nothing."""


def move(run: Run, to: str, *, lossy: bool = False) -> bool:
    """Order a move, and follow it; False if it came to nothing."""
    try:
        order = switch.order(run.world.records, to, lossy=lossy)
        switch.follow(run.world.records, order, to, MOVE_S, _quiet)
    except StepError as error:
        run.note(f"no move to {to}: {error}")
        return False
    run.note(f"moved to {to}")
    return True


def planned(run: Run) -> None:
    """Switch to the other site."""
    to = run.other
    assert move(run, to), run.notes[-1]
    run.well()
    assert run.writer == to


def killed(run: Run, what: str) -> None:
    """Kill the writer's PostgreSQL, its agent, or all of it; it comes back by itself, and writes on."""
    writer = run.writer
    run.world.kill(writer, what)
    run.note(f"{what} of {writer} killed")
    if what != "postgres":
        run.world.start(writer)
    run.well()
    assert run.writer == writer


def standby_killed(run: Run) -> None:
    """Kill the standby's site, and start it again."""
    other = run.other
    run.world.kill(other)
    run.acknowledged()
    run.world.start(other)
    run.well()


def killed_in_switch(run: Run, step: str, old: bool, what: str) -> None:
    """Kill a part of a site at a step of a switch, and start it again: nothing is lost, on either side."""
    writer, to = run.writer, run.other
    hurt = writer if old else to
    order = switch.order(run.world.records, to)
    end = time.monotonic() + 60
    while not _at(run, step, to) and time.monotonic() < end:
        time.sleep(0.02)
    run.world.kill(hurt, what)
    run.note(f"{what} of {hurt} killed when the switch to {to} was {step}")
    if what != "postgres":
        run.world.start(hurt)
    with contextlib.suppress(StepError):
        switch.follow(run.world.records, order, to, MOVE_S, _quiet)
    run.well()


def _at(run: Run, step: str, to: str) -> bool:
    record = run.world.record()
    if record is None:
        return False
    order = record.order
    return {
        "ordered": order is not None,
        "ready": order is not None and order.ready,
        "frozen": record.state is State.FROZEN,
        "claimed": record.holder == to and record.state is State.CLAIMED,
        "writing": record.holder == to and record.state is State.WRITING,
    }[step] or (record.holder == to)


def operator_killed(run: Run) -> None:
    """Have the operator's process end at once, and be run again: the sites go on meanwhile."""
    to = run.other
    switch.order(run.world.records, to)
    time.sleep(random.random())
    if run.writer != to:
        with contextlib.suppress(StepError):
            move(run, to)
    until(lambda: run.world.writes(to), f"{to} writes", MOVE_S)
    run.well()


def two_operators(run: Run) -> None:
    """Order moves to both sites at once: one site writes in the end."""
    orders = [threading.Thread(target=partial(move, run, site)) for site in SITES]
    for each in orders:
        each.start()
    for each in orders:
        each.join()
    run.well()


def record_away(run: Run) -> None:
    """Have the record's store out of reach for longer than the time-to-live: nothing is written then."""
    writer = run.writer
    run.world.down("witness")
    until(lambda: run.world.answer(writer).get("role") not in {"primary", None}, f"{writer} has stopped")
    count = len(run.client.acks)
    time.sleep(1)
    assert len(run.client.acks) == count
    run.note(f"{writer} stopped while the record was out of reach")
    run.world.down("witness", down=False)
    run.well()
    assert run.writer == writer


def one_store(run: Run, store: str) -> None:
    """Have one store of the archive out of reach: rows are taken, and the standby replays from the other one."""
    run.world.down(store)
    run.acknowledged(50)
    number = run.client.acks[-1].number
    other = run.other
    run.world.kill(other, "postgres")
    until(lambda: run.world.has(other, number), f"row {number} at {other}", WELL_S)
    run.world.down(store, down=False)
    run.well()


def archive_away(run: Run, store: str) -> None:
    """Have one store of the archive out of reach: rows are taken, and the writer can move all the same."""
    run.world.down(store)
    run.acknowledged(50)
    to = run.other
    assert move(run, to), run.notes[-1]
    until(lambda: run.world.writes(to), f"{to} writes", MOVE_S)
    run.acknowledged()
    run.world.down(store, down=False)
    run.well()
    run.note(f"moved to {to} without store {store}")


def cut_off(run: Run) -> None:
    """Cut the writer off from the record alone: it stops, and no site takes over without a person."""
    writer = run.writer
    run.world.cut(writer, "witness")
    until(lambda: run.world.answer(writer).get("role") not in {"primary", None}, f"{writer} has stopped")
    run.world.cut(writer, "witness", cut=False)
    run.well()
    assert run.writer == writer


def promoted(run: Run, *, cut: bool) -> None:
    """Lose the writer's site and promote the other one; then the old one comes back, with what it alone has."""
    writer, to = run.writer, run.other
    if cut:
        for store in ("first", "second", "witness"):
            run.world.cut(writer, store)
    else:
        run.world.kill(writer)
    gone = time.monotonic()
    assert move(run, to, lossy=True), run.notes[-1]
    run.acknowledged()
    if cut:
        for store in ("first", "second", "witness"):
            run.world.cut(writer, store, cut=False)
    else:
        run.world.start(writer)
    run.well()
    assert run.writer == to
    give_up(run, writer, gone)


def give_up(run: Run, site: str, gone: float) -> None:
    """Count the rows that were lost: the last ones of the old site, without a gap; anything else is a violation."""
    acks = list(run.client.acks)  # before the rows: the client goes on
    present = {number for _, number, _ in run.world.rows()}
    old = [ack for ack in acks if ack.site == site]
    lost = [ack for ack in acks if ack.number not in present and ack.number not in run.lost]
    if lost:
        behind = [ack for ack in old if ack.number >= lost[0].number]
        assert lost == behind[: len(lost)]
        assert {ack.number for ack in behind} & present == set()
        run.note(f"{len(lost)} rows of the last {gone - lost[0].at:.1f} s were lost by the promotion")
    run.lost |= {ack.number for ack in lost}


def volume_lost(run: Run) -> None:
    """Lose the standby's volume: the copy is restored into the empty directory."""
    other = run.other
    run.world.kill(other)
    run.world.lose(other)
    run.world.start(other)
    run.well()


def restore_killed(run: Run) -> None:
    """Kill a site in the middle of its restore: it goes on."""
    other = run.other
    run.world.kill(other)
    run.world.lose(other)
    run.world.start(other)
    incoming = run.world.sites[other].root / "incoming"
    until(incoming.exists, "a restore", WELL_S)
    run.world.kill(other)
    run.world.start(other)
    run.well()


#: What a history is made of.
HAPPENINGS: dict[str, Callable[[Run], None]] = {
    "planned": planned,
    "postgres killed": partial(killed, what="postgres"),
    "agent killed": partial(killed, what="agent"),
    "site killed": partial(killed, what="site"),
    "standby killed": standby_killed,
    **{
        f"{what} of the {'old' if old else 'new'} site killed when {step}": partial(
            killed_in_switch, step=step, old=old, what=what
        )
        for step in STEPS
        for old in (True, False)
        for what in ("postgres", "agent", "site")
    },
    "operator killed": operator_killed,
    "two operators": two_operators,
    "record away": record_away,
    "first store away for a while": partial(one_store, store="first"),
    "second store away for a while": partial(one_store, store="second"),
    "first store away": partial(archive_away, store="first"),
    "second store away": partial(archive_away, store="second"),
    "cut off": cut_off,
    "promoted, site gone": partial(promoted, cut=False),
    "promoted, site cut off": partial(promoted, cut=True),
    "volume lost": volume_lost,
    "restore killed": restore_killed,
}


def chosen(seed: int, count: int = 4) -> list[str]:
    """Choose what happens in a history: kills in a switch and the rest in turn, by a seed."""
    chance = random.Random(seed)
    kills = [name for name in HAPPENINGS if "killed when" in name]
    rest = [name for name in HAPPENINGS if "killed when" not in name]
    return [chance.choice(kills if chance.random() < 0.4 else rest) for _ in range(count)]
