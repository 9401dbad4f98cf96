"""Who approved which plan: the sentence that is signed, the chain of approvals, and the judgement before an update.

Each entry of the chain has a number, its plan, and the plan that it replaces. The signers of the replaced plan judge
it, so a change of the signers needs the present ones. What is deployed stands in the stack's state, which no pull
request can write; docs/decisions/0017-who-judges-a-plan.md gives the reasons.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault, PlanError
from .signatures import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.signers import Signers
    from .record import Approval, Entry

#: Days for which an approval is valid by default, and the most that its signer can choose.
DAYS, MOST_DAYS = 30, 180
_SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Scope:
    """The subject of approvals: a Pulumi project and one of its stacks."""

    project: str
    stack: str


@dataclass(frozen=True)
class Approved:
    """The last plan that was approved and deployed: its place in the chain, its hash, and the judges of the next."""

    number: int
    plan: str
    signers: Signers


@dataclass(frozen=True)
class Wanted:
    """A plan to be approved; `signers` judge the plan after it, None if that will need no approval."""

    plan: str
    signers: Signers | None
    required: bool


@dataclass(frozen=True)
class Judgement:
    """What is known about the approvals of a plan; `by` are its judges, `first` if the plan names them itself."""

    by: Signers
    first: bool
    number: int
    agreed: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def complete(self) -> bool:
        """Whether the quorum is reached."""
        return len(self.agreed) >= self.by.quorum

    def __str__(self) -> str:
        first = "; it is the first, so the signers that it names itself have judged it" if self.first else ""
        return f"approved by {', '.join(self.agreed)} ({self.by.quorum} needed){first}"

    @property
    def missing(self) -> str:
        """What is missing, in words."""
        more = self.by.quorum - len(self.agreed)
        rest = ", ".join(name for name in sorted(self.by.keys) if name not in self.agreed)
        return f"{more} more of {rest}" if more > 0 else "nothing"


def digest(signers: Signers) -> str:
    """Return the SHA-256 (hex) over signers and quorum."""
    plain = json.dumps([signers.quorum, sorted(signers.keys.items())], separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def sentence(scope: Scope, number: int, replaces: str, wanted: Wanted, expires: str) -> str:
    """Return the text that a signer signs. It contains everything that limits its use."""
    following = f"{wanted.signers} ({digest(wanted.signers)})" if wanted.signers and wanted.required else "no approval"
    return (
        "I approve this plan of my organisation's infrastructure for unmoor.\n"
        "\n"
        f"Project: {scope.project}\n"
        f"Stack: {scope.stack}\n"
        f"Approval: {number}\n"
        f"Plan: {wanted.plan}\n"
        f"Replaces: {replaces or 'nothing, it is the first'}\n"
        f"The next plan needs: {following}\n"
        f"Expires: {expires}\n"
    )


def judge(
    scope: Scope, approved: Approved | None, wanted: Wanted, entries: Sequence[Entry], today: date
) -> Judgement | None:
    """Judge the approvals of a plan, by the signers of the last approved one or, for a first plan, by its own.

    A plan may follow plans that were approved and never deployed. Returns None when no approval is needed: neither the
    last approved plan nor this one requires it, or this one is the last approved one.
    """
    if approved is None and not wanted.required:
        return None
    if approved is not None and approved.plan == wanted.plan:
        return None
    by = approved.signers if approved else wanted.signers
    assert by is not None  # noqa: S101 `require_approval` without signers is a fault of the stack file
    number, replaces = (approved.number + 1, approved.plan) if approved else (1, "")
    direct = next((one for one in entries if one.place == (number, replaces, wanted.plan)), None)
    if direct is None:
        for step in entries:
            if (step.number, step.after) != (number, replaces) or step.signers is None:
                continue
            between = Wanted(step.plan, step.signers, required=True)
            judged = _judged(scope, by, step, between, today, first=approved is None)
            if judged.complete:
                found = judge(scope, Approved(number, step.plan, step.signers), wanted, entries, today)
                if found and found.complete:
                    return found
        other = [Fault("", _elsewhere(one, number)) for one in entries if one.plan == wanted.plan]
        return Judgement(by, approved is None, number, (), tuple(other))
    return _judged(scope, by, direct, wanted, today, first=approved is None)


def _elsewhere(entry: Entry, number: int) -> str:
    if entry.number == number:
        return "it was approved to replace another plan than the one that is deployed, so that approval is not reused"
    return f"it was approved as number {entry.number}, and this is number {number}: an approval is used once"


def _judged(scope: Scope, by: Signers, entry: Entry, wanted: Wanted, today: date, *, first: bool) -> Judgement:
    """Judge one entry: each signer's first approval, verified concurrently because programs do it."""
    firsts = {one.signer: one for one in reversed(entry.approvals)}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        wrong = dict(
            zip(
                firsts, pool.map(lambda one: _wrong(scope, by, entry, wanted, one, today), firsts.values()), strict=True
            )
        )
    found = [
        Fault(one.signer, wrong[one.signer] or "approved twice, and counts once")
        for one in entry.approvals
        if wrong[one.signer] or one is not firsts[one.signer]
    ]
    return Judgement(by, first, entry.number, tuple(name for name in reversed(firsts) if not wrong[name]), tuple(found))


def _wrong(scope: Scope, by: Signers, entry: Entry, wanted: Wanted, one: Approval, today: date) -> str | None:
    """Return why one approval does not count; None when it does."""
    key = by.keys.get(one.signer)
    if key is None:
        return f"is not a signer of the {'plan' if not entry.after else 'last approved plan'}; its signers are {by}"
    if date.fromisoformat(one.expires) < today:
        return f"the approval expired on {one.expires}; sign again"
    text = sentence(scope, entry.number, entry.after, wanted, one.expires)
    bad = verify(key, text, one.signature)
    if bad is None:
        return None
    return f"the signature does not fit: {bad}. What it must be over is printed by `unmoor approve`"


def tip(scope: Scope, entries: Sequence[Entry]) -> Approved | None:
    """Return the last plan of the chain whose quorum was reached, in time or not; None when there is none.

    Git knows no more about the last approved plan than this; an update reads the state.
    """
    last: Approved | None = None
    while True:
        number, replaces = (last.number + 1, last.plan) if last else (1, "")
        found = None
        for one in entries:
            by = last.signers if last else one.signers
            if (one.number, one.after) != (number, replaces) or one.signers is None or by is None:
                continue
            if _judged(scope, by, one, Wanted(one.plan, one.signers, required=True), date.min, first=False).complete:
                found = Approved(number, one.plan, one.signers)
        if found is None:
            return last
        last = found


def demand(
    scope: Scope, approved: Approved | None, wanted: Wanted, entries: Sequence[Entry], today: date
) -> Judgement | None:
    """Return the judgement of an approved plan, None when no approval is needed. Raises PlanError otherwise."""
    found = judge(scope, approved, wanted, entries, today)
    if found is None or found.complete:
        return found
    judges = "that it names itself, as it is the first" if found.first else "of the last approved plan"
    raise PlanError(
        "this plan is not approved",
        [
            Fault("plan", wanted.plan),
            Fault(
                "signers",
                f"{len(found.agreed)} of {found.by.quorum} needed approve it, of the signers {judges}; "
                f"missing: {found.missing}",
            ),
            *found.faults,
            Fault(
                "",
                f"a signer reads `unmoor review --base main {scope.stack}` and runs "
                f"`unmoor approve {wanted.plan[:16]} --stack {scope.stack} --signer NAME`",
            ),
        ],
    )


def following(wanted: Wanted, approved: Approved | None, found: Judgement | None) -> Approved | None:
    """Return what the state must remember once a plan is deployed; None if later plans need no approval."""
    if not wanted.required or wanted.signers is None:
        return None
    if approved and approved.plan == wanted.plan:
        return approved
    return Approved(found.number if found else 1, wanted.plan, wanted.signers)


def expiry(text: str | None, today: date) -> str:
    """Return the ISO date until which an approval is valid.

    Raises ConfigError for one that is past or too far ahead.
    """
    if text is None:
        return date.fromordinal(today.toordinal() + DAYS).isoformat()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--expires: {text!r} is not a date; write it like 2026-12-31") from None
    ahead = (day - today).days
    if not 0 <= ahead <= MOST_DAYS:
        raise ConfigError(f"--expires: {text} is {'over' if ahead < 0 else 'too far'}; choose a day within {MOST_DAYS}")
    return day.isoformat()
