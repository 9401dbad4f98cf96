"""Chapters that move a workload: one flip each, to a neighbour on the ring, and a rehearsal there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.models import Mode
from ..config.standing import phrase
from . import checks
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case, Course

#: How long the way back of a flip is open, in words.
_BACK = "the way back is the rollback below, and stays open"


def stand_by(case: Case) -> Iterator[Chapter]:
    """Add a second site to the one that answers."""
    for to in case.neighbours:
        if to.mode is Mode.ACTIVE_STANDBY and case.plan.mode is not Mode.ACTIVE_STANDBY:
            yield Chapter(
                "active-standby",
                f"Add a standby to {case.plan.primary.name}",
                f"When an outage of {case.plan.primary.target} may no longer be an outage of {case.plan.host}.",
                tuple(flip(case, to)),
            )


def swap(case: Case) -> Iterator[Chapter]:
    """Exchange primary and standby."""
    for to in case.neighbours:
        if to.mode is case.plan.mode:
            yield Chapter(
                "swap",
                f"Let {_primary(case, to)} answer, and keep {case.plan.primary.name} as its standby",
                "Before leaving the side that answers now; or to take it out of service for a while.",
                tuple(flip(case, to)),
            )


def leave(case: Case) -> Iterator[Chapter]:
    """Remove the standby: the last flip towards an end of the ring."""
    for to in case.neighbours:
        if case.plan.mode is Mode.ACTIVE_STANDBY and to.mode is not Mode.ACTIVE_STANDBY:
            stays = {site.name for site in case.prospects[to].plan.sites}
            gone = ", ".join(site.name for site in case.plan.sites if site.name not in stays)
            yield Chapter(
                str(to.mode),
                f"Go {to.mode}: remove {gone}",
                f"When {_primary(case, to)} has answered for as long as was agreed, and {gone} need cost nothing more.",
                tuple(flip(case, to)),
            )


def game_day(case: Case) -> Iterator[Chapter]:
    """Rehearse a failover, there and back."""
    for to in case.neighbours:
        if to.mode is case.plan.mode:
            there, back = case.prospects[to].plan, case.plan
            yield Chapter(
                "game-day",
                "Game day: rehearse the failover",
                "Every three months, by a person who has not done it before. Note how long each step took.",
                (
                    *_forget(case, to),
                    *_sign(case, to),
                    Step(
                        "there",
                        f"Let {there.primary.name} answer",
                        f"A standby that never answered is not proven. No request is lost; {_BACK}.",
                        Check(f"{checks.flip(case, to)} && {checks.update(case)}", ("Resources:",), limit_s=3600),
                        checks.status(case, there),
                        0.25,
                        rollback=_back(case),
                        otherwise=_HALF_WAY,
                        approval=case.owner,
                    ),
                    Step(
                        "seen",
                        "See what visitors see",
                        f"Resolvers may keep the old answer for up to {there.failover_s} s; both answers are good.",
                        checks.visit(there),
                        checks.outputs(case, there),
                        0.25,
                        rollback=_back(case),
                    ),
                    Step(
                        "back",
                        f"Let {back.primary.name} answer again",
                        "A way out that was never gone back is half rehearsed.",
                        Check(_back(case), ("Resources:",), limit_s=3600),
                        checks.status(case, back),
                        0.25,
                        rollback=_back(case),
                        otherwise=_HALF_WAY,
                    ),
                ),
            )


_HALF_WAY = (
    "No record moves to a site that did not answer, so visitors have what they had. Read the last error, mend what it "
    "names, and take the step again: what was done is kept."
)


def flip(case: Case, to: Course) -> Iterator[Step]:
    """Return the steps of one flip: show, write, approve, preview, update, verify."""
    before, after = case.plan, case.prospects[to].plan
    money = f"{before.usd_month:.2f} → {after.usd_month:.2f} USD a month"
    change = f"{before.name}: {case.course} → {to}"
    line = checks.flip(case, to)
    yield from _forget(case, to)
    yield Step(
        "show",
        "Show the line",
        f"The stack file is the only thing that is edited, in one line. {change}; {money}.",
        Check(f"{line} --dry-run", (f"{before.name}: … → {to}; not written",)),
        checks.plan(case, before),
        0.1,
    )
    yield Step(
        "write",
        "Write the line",
        "Commit it and open a pull request if yours is reviewed there; nothing is deployed yet.",
        Check(line, (f"{before.name}: … → {to}; written…",)),
        checks.plan(case, after),
        0.25,
        rollback=checks.flip(case, case.course),
    )
    yield from _sign(case, to)
    yield Step(
        "preview",
        "See what it will do",
        f"Compare with the steps that `unmoor plan` printed. Going on costs {money}.",
        checks.preview(case, shows=(_change(case, to),)),
        checks.planned(case, after),
        0.25,
        rollback=checks.flip(case, case.course),
    )
    yield Step(
        "update",
        "Make it so",
        _why(case, to),
        checks.up(case),
        checks.status(case, after),
        0.5,
        rollback=_back(case),
        otherwise=_HALF_WAY,
        approval=case.owner,
    )
    yield Step(
        "seen",
        "See what visitors see",
        f"Every visitor has followed after {before.failover_s} s at most.",
        checks.visit(after),
        checks.outputs(case, after),
        0.1,
        rollback=_back(case),
    )


def _forget(case: Case, to: Course) -> Iterator[Step]:
    """Give up the way back to the old vendor if the new primary could not have adopted the host."""
    if case.plan.adopt and not case.prospects[to].plan.adopt:
        yield Step(
            "forget",
            "Give up the way back to what stood before",
            f"{phrase(case.plan.adopt)} is not put back at {case.plan.host} any more: {_primary(case, to)} has no "
            "certificate while the host leads there. Leave the old vendor only once no visitor needs it.",
            Check(f"./unmoor adopt {case.plan.name} --forget {checks.stack(case)}", ("… is forgotten; written…",)),
            checks.plan(case, case.plan),
            0.1,
            approval=case.owner,
        )


def _sign(case: Case, to: Course) -> Iterator[Step]:
    if case.topology.require_approval:
        yield sign(case, case.prospects[to].hash)


def sign(case: Case, plan: str) -> Step:
    """Return the step in which a signer approves a plan."""
    approvals = f"stacks/approvals.{case.stack}.yaml"
    return Step(
        "sign",
        "Let a signer approve the plan",
        "This stack refuses an update that its signers have not approved. Commit the file that it writes.",
        Check(f"./unmoor approve {plan} {checks.stack(case)}", (f"… approved {plan[:12]}…",)),
        Check(f"grep -m 1 {plan} {approvals}", (f"plan: {plan}",)),
        0.25,
        otherwise="Set UNMOOR_SIGNER to your name under `signers`, and UNMOOR_SSH_KEY or UNMOOR_GPG_KEY to your key.",
        approval="a signer who has read `unmoor review`",
    )


def _primary(case: Case, to: Course) -> str:
    return case.prospects[to].plan.primary.name


def _change(case: Case, to: Course) -> str:
    """Return the line of a preview's outputs that shows the flip."""
    if to.mode is case.plan.mode:
        return f'~ active : "{case.plan.active}" => "{to.active}"'
    return f'~ mode : "{case.plan.mode}" => "{to.mode}"'


def _back(case: Case) -> str:
    return f"{checks.flip(case, case.course)} && {checks.update(case)}"


def _why(case: Case, to: Course) -> str:
    before = {site.name: site for site in case.plan.sites}
    after = {site.name: site for site in case.prospects[to].plan.sites}
    if new := sorted(after.keys() - before.keys()):
        return f"{', '.join(new)} is built and asked for its version from outside; only then does a record point at it."
    if gone := sorted(before.keys() - after.keys()):
        wait = max(case.plan.kept_s[name] for name in gone)
        return (
            f"The record of {', '.join(gone)} goes first; after {wait} s no resolver can lead anyone there, and it is "
            "removed."
        )
    return (
        "The site that is to answer is asked for its version once more; then both records change places. Nothing is "
        "built or removed."
    )
