"""Execute a chapter: command, output, verification. Wait for the person who must agree; stop at the first failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from .chapter import Chapter, Check, Outcome, Step

#: Seconds between two tries of a check.
PAUSE_S = 3.0


class State(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"  #: no agreement yet; nothing was done
    SKIPPED = "skipped"  #: done in an earlier run


@dataclass(frozen=True)
class Report:
    """The result of a step: what was wrong, the tries of its command and of its verification, and who agreed."""

    step: str
    state: State
    seconds: float
    tries: int = 0
    fault: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class World:
    """What execution needs from outside: a shell, a person, a clock, and a reader of progress.

    `shell` runs a command for at most the given seconds, and shows its lines if asked to; `ask` returns the name of the
    person who agreed to a step, or nothing.
    """

    shell: Callable[[str, float, bool], Outcome]
    ask: Callable[[Step], str]
    report: Callable[[str], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]


def execute(
    chapter: Chapter, world: World, done: Collection[str] = (), note: Callable[[Report], None] = lambda _: None
) -> list[Report]:
    """Execute a chapter's steps except those already `done`; `note` gets each step's result as soon as it has ended."""
    reports: list[Report] = []
    total = len(chapter.steps)
    for number, step in enumerate(chapter.steps, 1):
        world.report(f"[{number}/{total}] {chapter.name}: {step.title}")
        report = Report(step.name, State.SKIPPED, 0.0) if step.name in done else _take(step, world)
        reports.append(report)
        note(report)
        if report.state is State.SKIPPED:
            world.report("      done before")
        elif report.state is State.DONE:
            world.report(f"      done, and verified, after {report.seconds:.1f} s")
        else:
            for line in ending(chapter, step, report):
                world.report(f"      {line}")
            break
    return reports


def ending(chapter: Chapter, step: Step, report: Report) -> Iterable[str]:
    """Yield what stopped a chapter, and what to do about it."""
    if report.state is State.WAITING:
        yield f"stopped: this step needs the approval of {step.approval}; nothing of it was done"
        return
    yield f"stopped: {report.fault}"
    if step.otherwise:
        yield f"what to do: {step.otherwise}"
    yield f"the way back: {step.rollback}" if step.rollback else "the way back: none is needed for this step"
    if not step.rollback and (last := _last_rollback(chapter, step)):
        yield f"the way back of the steps before it: {last}"


def _last_rollback(chapter: Chapter, step: Step) -> str:
    before = chapter.steps[: chapter.steps.index(step)]
    return next((each.rollback for each in reversed(before) if each.rollback), "")


def _take(step: Step, world: World) -> Report:
    began = world.clock()
    agreed = ""
    if step.approval:
        agreed = world.ask(step)
        if not agreed:
            return Report(step.name, State.WAITING, 0.0)
    tries = 0
    for label, check in (("command", step.do), ("verify", step.verify)):
        fault, count = _try(check, world, show=label == "command")
        tries += count
        if fault:
            seconds = round(world.clock() - began, 1)
            reason = f"the {label} `{check.command}`: {fault}"
            return Report(step.name, State.FAILED, seconds, tries, reason, agreed)
    return Report(step.name, State.DONE, round(world.clock() - began, 1), tries, "", agreed)


def _try(check: Check, world: World, *, show: bool) -> tuple[str, int]:
    """Run a check until it passes or its time is over; return the last fault, and the number of tries."""
    end = world.clock() + check.within_s
    world.report(f"      $ {check.command}")
    count = 0
    while True:
        count += 1
        outcome = world.shell(check.command, check.limit_s, show and count == 1)
        fault = check.fault(outcome)
        if not fault or world.clock() + PAUSE_S > end:
            if fault and not (show and count == 1):
                for line in outcome.output.splitlines()[-20:]:
                    world.report(f"      | {line}")
            return fault, count
        if count == 1:
            world.report(f"      not yet: {fault}; trying for {check.within_s} s")
        world.sleep(PAUSE_S)
