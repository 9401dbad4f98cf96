"""Happenings at two sites while a client writes: moves, kills, stores that do not answer. Each ends with both well."""

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
from sandbox.pair import check
from sandbox.pair.world import SITES, World, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from sandbox.pair.rows import Ack, Client

#: The most seconds of a move, and until both sites are well again, on a loaded machine.
MOVE_S, WELL_S = 240, 480
STEPS = ("ordered", "ready", "frozen", "claimed", "writing")


@dataclass
class Run:
    """A world with a client, and the notes of the history. `lost`: the numbers of rows that a lossy order gave up."""

    world: World
    client: Client
    lost: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a line to the notes."""
        self.notes.append(text)

    @property
    def writer(self) -> str:
        """The site that holds the record."""
        return until(self.world.holder, "a record")

    @property
    def other(self) -> str:
        """The site that does not hold the record."""
        return self.world.other()

    def well(self) -> None:
        """Wait until one site writes, rows are acknowledged again, and the other site follows."""
        until(self.world.well, "both sites well", WELL_S)
        self.acknowledged()

    def acknowledged(self, more: int = 20) -> None:
        """Wait until so many more rows are acknowledged."""
        count = len(self.client.acks)
        until(lambda: len(self.client.acks) >= count + more, f"{more} more rows", WELL_S)

    def violations(self) -> list[str]:
        """Stop the client, and compare its acknowledged rows with those of the database."""
        self.client.close()
        return check.violations(self.client.acks, self.world.rows(), self.lost)


def _quiet(_: str) -> None:
    """Print nothing."""


def move(run: Run, to: str, *, lossy: bool = False) -> bool:
    """Order a move and follow it; return False if it failed."""
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
    """Kill the writer's PostgreSQL, its agent, or the whole site. It must write again without an order."""
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
    """Kill a part of the old or the new site at a step of a switch, and start it again."""
    writer, to = run.writer, run.other
    hurt = writer if old else to
    order = switch.order(run.world.records, to)
    reached(run, step, to)
    run.world.kill(hurt, what)
    run.note(f"{what} of {hurt} killed when the switch to {to} was {step}")
    if what != "postgres":
        run.world.start(hurt)
    with contextlib.suppress(StepError):
        switch.follow(run.world.records, order, to, MOVE_S, _quiet)
    run.well()


def reached(run: Run, step: str, to: str, process: subprocess.Popen[str] | None = None) -> None:
    """Wait until a switch has reached a step. Fail if the process that ordered it ends before that."""
    end = time.monotonic() + MOVE_S
    while not _at(run, step, to) and time.monotonic() < end:
        if process is not None and process.poll() is not None and not run.world.writes(to):
            raise AssertionError(process.communicate()[0])
        time.sleep(0.02)


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


def operator_killed(run: Run, step: str) -> None:
    """Kill the operator's process at a step of a switch, and run it again: it continues the same order."""
    to = run.other
    run.world.proved()
    run.world.reported(to)
    with run.world.switching(to) as first:
        reached(run, step, to, first)
        first.kill()
    run.note(f"the operator's process killed when the switch to {to} was {step}")
    if not run.world.writes(to):
        second = run.world.switching(to)
        printed = second.communicate(timeout=MOVE_S + 60)[0]
        # The move may end between the check of `writes` and this process's order.
        assert second.returncode == 0 or "is the writer already" in printed, printed
    until(lambda: run.world.writes(to), f"{to} writes", MOVE_S)
    run.well()
    assert run.writer == to


def claim_taken_back(run: Run) -> None:
    """Lose the new site after its promotion and before a write; order the old one back, and kill it on its way."""
    timeline = run.world.timeline("first")
    writer, to = _claimed(run)
    until(lambda: run.world.timeline("first") > timeline, f"{to} has promoted its copy", MOVE_S)
    run.world.kill(to)
    run.world.cut(to, "witness", cut=False)
    back = switch.order(run.world.records, writer, lossy=True)
    leaves = run.world.sites[writer].root / "pgdata" / "standby.signal"
    until(leaves.exists, f"{writer} leaves its timeline", MOVE_S)
    run.world.kill(writer)
    run.note(f"{writer} killed on its way to a new timeline: {leaves.exists()}")
    run.world.start(writer)
    switch.follow(run.world.records, back, writer, MOVE_S, _quiet)
    run.acknowledged()
    run.world.start(to)
    run.well()
    assert run.writer == writer


def _claimed(run: Run) -> tuple[str, str]:
    """Have the new site promote its copy and cut it off from the record before it can write; return both sites."""
    for _ in range(3):
        writer, to = _promoting(run, "witness")
        record = run.world.record()
        if record and record.state is State.CLAIMED:
            return writer, to
        run.world.cut(to, "witness", cut=False)  # it was quicker than this process
        run.well()
    raise AssertionError("the new site wrote each time before it could be cut off")


def _promoting(run: Run, *stores: str) -> tuple[str, str]:
    """Order a switch and cut the new site off from stores once it has promoted its copy; return old and new site."""
    writer, to = run.writer, run.other
    follows = run.world.sites[to].root / "pgdata" / "standby.signal"
    switch.order(run.world.records, to)
    end = time.monotonic() + MOVE_S
    while follows.exists():
        assert time.monotonic() < end, f"{to} does not promote its copy"
        time.sleep(0.01)
    for store in stores:
        run.world.cut(to, store)
    return writer, to


def timeline_lost(run: Run, *, wrote: bool) -> None:
    """Lose the new site before the archive has its timeline, order the old one back, and let the new one come back.

    `wrote`: it has taken rows by then, which the order gives up.
    """
    timeline, ways = run.world.timeline("first"), ("first", "second") if wrote else ()
    writer, to = _promoting(run, *ways)
    if wrote:
        _wrote(run, to)
    run.world.kill(to)
    gone = time.monotonic()
    run.note(f"{to} killed on a timeline that the archive has: {run.world.timeline('first') > timeline}")
    for store in ways:
        run.world.cut(to, store, cut=False)
    assert move(run, writer, lossy=True), run.notes[-1]
    run.acknowledged()
    run.world.start(to)
    run.well()
    assert run.writer == writer
    give_up(run, to, gone)


def timeline_cut_off(run: Run) -> None:
    """Cut the new site off from all stores once it writes, and order the old one back; its timeline stays its own."""
    timeline, archive = run.world.timeline("first"), ("first", "second")
    writer, to = _promoting(run, *archive)
    _wrote(run, to)
    run.world.cut(to, "witness")
    gone = time.monotonic()
    assert move(run, writer, lossy=True), run.notes[-1]
    run.acknowledged()
    for store in (*archive, "witness"):
        run.world.cut(to, store, cut=False)
    run.well()
    assert run.writer == writer
    give_up(run, to, gone)
    run.acknowledged()
    planned(run)
    run.note(f"the archive has timeline {run.world.timeline('first')}; it had {timeline} before")


def _wrote(run: Run, site: str) -> None:
    """Wait until a site has taken rows."""
    until(lambda: run.client.acks[-1].site == site, f"rows at {site}", MOVE_S)
    run.acknowledged()


def two_operators(run: Run) -> None:
    """Order moves to both sites at once: one site writes in the end."""
    orders = [threading.Thread(target=partial(move, run, site)) for site in SITES]
    for each in orders:
        each.start()
    for each in orders:
        each.join()
    run.well()


def record_away(run: Run) -> None:
    """Stop the record's store for longer than the time-to-live: no row is written then."""
    writer = run.writer
    run.world.down("witness")
    until(lambda: run.world.answer(writer).get("role") not in {"primary", None}, f"{writer} has stopped")
    count = len(run.client.acks)
    time.sleep(1)
    assert len(run.client.acks) == count
    run.note(f"{writer} stopped while the record's store did not answer")
    run.world.down("witness", down=False)
    run.well()
    assert run.writer == writer


def one_store(run: Run, store: str) -> None:
    """Stop one store of the archive: rows are accepted, and the standby replays from the other one."""
    run.world.down(store)
    run.acknowledged(50)
    number = run.client.acks[-1].number
    other = run.other
    run.world.kill(other, "postgres")
    until(lambda: run.world.has(other, number), f"row {number} at {other}", WELL_S)
    run.world.down(store, down=False)
    run.well()


def archive_away(run: Run, store: str) -> None:
    """Stop one store of the archive: rows are accepted, and the writer can move."""
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
    """Cut the writer off from the record's store only: it stops, and no site takes over without an order."""
    writer = run.writer
    run.world.cut(writer, "witness")
    until(lambda: run.world.answer(writer).get("role") not in {"primary", None}, f"{writer} has stopped")
    run.world.cut(writer, "witness", cut=False)
    run.well()
    assert run.writer == writer


def promoted(run: Run, *, cut: bool) -> None:
    """Lose the writer's site and promote the other one. Then the old one comes back with unarchived rows."""
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


def give_up(run: Run, site: str, gone: float) -> list[Ack]:
    """Accept and return the last rows of the old site that are lost. Every other loss stays a violation."""
    acks = list(run.client.acks)  # before the rows are read, because the client goes on
    lost = check.given_up(acks, run.world.rows(), site, run.lost)
    if lost:
        run.note(f"{len(lost)} rows of the last {gone - lost[0].at:.1f} s were lost by the promotion")
    run.lost |= {ack.number for ack in lost}
    return lost


def volume_lost(run: Run) -> None:
    """Lose the standby's volume: the copy is restored into the empty directory."""
    other = run.other
    run.world.kill(other)
    run.world.lose(other)
    run.world.start(other)
    run.well()


def restore_killed(run: Run) -> None:
    """Kill a site during its restore, and start it again: the restore continues."""
    other = run.other
    run.world.kill(other)
    run.world.lose(other)
    run.world.start(other)
    incoming = run.world.sites[other].root / "incoming"
    until(incoming.exists, "a restore", WELL_S)
    run.world.kill(other)
    run.world.start(other)
    run.well()


#: The parts of a history, by name.
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
    **{f"operator killed when {step}": partial(operator_killed, step=step) for step in STEPS},
    "claim taken back": claim_taken_back,
    "timeline lost": partial(timeline_lost, wrote=False),
    "timeline lost with rows": partial(timeline_lost, wrote=True),
    "timeline cut off": timeline_cut_off,
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
    """Return the names of a seed's happenings: four in ten are kills in a switch."""
    chance = random.Random(seed)
    kills = [name for name in HAPPENINGS if "killed when" in name]
    rest = [name for name in HAPPENINGS if "killed when" not in name]
    return [chance.choice(kills if chance.random() < 0.4 else rest) for _ in range(count)]
