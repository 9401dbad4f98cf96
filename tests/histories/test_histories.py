"""Histories in memory: by seed, by hand, and with one part of the protocol broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.stores.record import State

from . import __main__ as program
from . import stores
from .broken import BROKEN, Broken, careless
from .plan import Happening, Plan, planned
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.stores.writer import Records

#: The most histories until the checker has to find the broken part.
MOST = 400


@pytest.fixture(scope="module")
def open_record() -> Iterator[Callable[[str], Records]]:
    with stores.opened("memory") as opener:
        yield opener


def history(
    open_record: Callable[[str], Records], *happenings: Happening, kind: str = "writer", **given: object
) -> World:
    """Run a history that is written by hand, and assert that it has no violation."""
    plan = replace(Plan(1, kind, happenings), **given)  # type: ignore[arg-type]
    world = program.run(plan, open_record)
    assert not world.violations, "\n".join([*world.lines, *world.violations])
    return world


def order(at: float, to: str, **given: object) -> Happening:
    return Happening(at, "order", {"to": to, "lossy": False} | given)


def states(world: World) -> list[tuple[str, str, int]]:
    """Return each change of holder, state or epoch."""
    seen = [(change.after.holder, change.after.state.value, change.after.epoch) for change in world.changes]
    return [each for each, before in zip(seen, [None, *seen], strict=False) if each != before]


@pytest.mark.parametrize("kind", ["writer", "singleton"])
def test_histories_violate_nothing(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([kind, "--count", "250"]) == 0
    assert "0 histories with a violation" in capsys.readouterr().out


@pytest.mark.parametrize("drift", [(-0.05, 0.05, 0.0), (0.05, -0.05, 0.0)], ids=str)
@pytest.mark.parametrize("kind", ["writer", "singleton"])
def test_clocks_may_run_a_tenth_apart(
    kind: str, drift: tuple[float, ...], open_record: Callable[[str], Records]
) -> None:
    for seed in range(100):
        plan = planned(kind, seed)
        assert program.run(replace(plan, drift=drift[: len(plan.sites)]), open_record).violations == []


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_the_checker_finds_a_broken_protocol(
    broken: Broken, open_record: Callable[[str], Records], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.breaks(monkeypatch)
    for seed in range(MOST):
        plan = replace(planned(broken.kind, seed), strict=broken.strict, careless=broken.careless)
        records = open_record(f"{broken}/{seed}")
        careless(records, broken.ignored or (("IfMatch", "IfNoneMatch") if broken.careless else ()))
        if World(plan, records, broken.clock).run():
            return
    pytest.fail(f"{MOST} histories passed although {broken}")


def test_a_violation_is_printed_as_a_minimal_history_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    next(each for each in BROKEN if "stale copy" in each.what).breaks(monkeypatch)
    assert program.main(["writer", "--count", "8"]) == 1
    printed = capsys.readouterr().out
    assert "happenings are needed" in printed
    assert "  VIOLATED " in printed


def test_ten_moves_and_back_lose_nothing(open_record: Callable[[str], Records]) -> None:
    moves = [order(10 + 45 * n, "akash" if n % 2 == 0 else "aws") for n in range(10)]
    world = history(open_record, *moves, for_s=480)
    assert (world.last.epoch, world.last.holder, world.lost) == (11, "aws", 0)


def test_a_move_stops_the_old_site_before_the_new_one_claims(open_record: Callable[[str], Records]) -> None:
    world = history(open_record, order(10, "akash"))
    assert states(world)[2:] == [
        ("aws", "writing", 1), ("aws", "frozen", 1), ("akash", "claimed", 2), ("akash", "writing", 2),
    ]  # fmt: skip


def test_a_site_that_does_not_take_over_leaves_writing_to_the_old_one(open_record: Callable[[str], Records]) -> None:
    dies = Happening(9, "kill_at", {"site": "akash", "moment": "claimed", "after": False, "down": 90, "machine": True})
    world = history(open_record, dies, order(10, "akash"))
    assert states(world)[2:] == [("aws", "writing", 1), ("aws", "frozen", 1), ("aws", "writing", 1)]
    assert "akash did not take over" in world.last.note


def test_nothing_stops_for_a_site_that_does_not_answer(open_record: Callable[[str], Records]) -> None:
    dead = Happening(9, "kill", {"site": "akash", "down": 200, "machine": True, "lost": False})
    world = history(open_record, dead, order(10, "akash", withdrawn_after=60))
    assert states(world)[2:] == [("aws", "writing", 1)]


def test_a_writer_that_cannot_archive_writes_on(open_record: Callable[[str], Records]) -> None:
    world = history(open_record, Happening(9, "unarchived", {"site": "aws", "for_s": 90}), order(10, "akash"))
    assert (world.last.holder, "could not archive" in world.last.note) == ("aws", True)


def test_the_second_of_two_operators_is_refused(open_record: Callable[[str], Records]) -> None:
    world = history(open_record, order(10, "akash"), order(10.5, "hetzner"), sites=("aws", "akash", "hetzner"),
                    drift=(0.0, 0.0, 0.0))  # fmt: skip
    assert [line for line in world.lines if "a move to akash is under way" in line]
    assert (world.last.holder, world.last.epoch) == ("akash", 2)


def test_a_writer_that_is_cut_off_stops_and_its_last_writes_alone_are_lost(
    open_record: Callable[[str], Records],
) -> None:
    world = history(open_record, Happening(20, "cut", {"site": "aws", "for_s": 70}), order(21, "akash", lossy=True))
    last = max(ack.at for ack in world.acks if ack.site == "aws")
    first = min(ack.at for ack in world.acks if ack.site == "akash")
    assert (last < first, world.last.holder, world.last.epoch) == (True, "akash", 2)
    assert last <= 20 + world.times.stop_s
    assert world.lost > 0


def test_the_old_copy_can_be_ordered_to_write_when_the_new_one_is_lost_before_it_archived(
    open_record: Callable[[str], Records],
) -> None:
    dies = {"site": "akash", "moment": "permit", "after": False, "down": 5, "machine": True, "lost": True}
    for seed in range(8):
        orders = order(10, "akash"), order(70, "aws", lossy=True)
        world = history(open_record, Happening(9, "kill_at", dies), *orders, seed=seed)
        assert world.last.holder == "aws"


def test_the_old_copy_can_be_ordered_to_write_when_the_new_one_is_lost_after_its_claim(
    open_record: Callable[[str], Records],
) -> None:
    dies = {"site": "akash", "moment": "claimed", "after": True, "down": 500, "machine": True, "lost": True}
    for seed in range(8):
        orders = order(10, "akash"), order(70, "aws", lossy=True)
        world = history(open_record, Happening(9, "kill_at", dies), *orders, seed=seed)
        assert world.last.holder == "aws"
        assert world.lost == 0


def test_a_relaxed_writer_writes_on_while_only_the_store_is_down(open_record: Callable[[str], Records]) -> None:
    gone = Happening(20, "store_down", {"for_s": 70})
    strict, relaxed = (history(open_record, gone, strict=each) for each in (True, False))
    gaps = [max(b.at - a.at for a, b in zip(each.acks, each.acks[1:], strict=False)) for each in (strict, relaxed)]
    assert gaps[0] > 40
    assert gaps[1] < 2


def test_a_singleton_is_taken_over_within_the_time_to_live_and_5_s(open_record: Callable[[str], Records]) -> None:
    for seed in range(20):
        dead = Happening(31 + seed / 3, "kill", {"site": "aws", "down": 300, "machine": True, "lost": False})
        world = history(open_record, dead, kind="singleton", seed=seed, for_s=90)
        first = min((ack.at for ack in world.acks if ack.site == "akash"), default=0)
        if any(ack.site == "aws" for ack in world.acks):
            assert first - dead.at <= world.plan.ttl + 5 + 4  # a program takes up to 4 s to start here


def test_a_store_that_ignores_conditions_is_refused_and_no_site_writes(open_record: Callable[[str], Records]) -> None:
    world = history(open_record, order(10, "akash"), careless=True)
    assert ("aws refuses the store" in "\n".join(world.lines), world.acks, world.last.state) == (
        True,
        [],
        State.CLAIMED,
    )
