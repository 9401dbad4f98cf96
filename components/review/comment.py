"""A review as Markdown, for a pull request that people read who never ran Pulumi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.escape import markdown as escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .review import Review, Side, WorkloadReview

#: What each row of a workload's table is called, and how a side says it.
_ROWS = (
    ("mode", lambda side: side.mode),
    ("sites", lambda side: "<br>".join(map(escaped, side.sites))),
    ("records", lambda side: "<br>".join(map(escaped, side.records))),
    ("cost", lambda side: f"${side.usd_month:,.2f} a month"),
    ("failover", lambda side: f"by itself, within {side.failover_s} s" if side.failover_s else "none"),
    ("risk: put out, or an outage", lambda side: side.risk),
    ("risk: security exposure", lambda side: side.exposure),
    ("can stop it alone", lambda side: "<br>".join(map(escaped, side.residual)) if side.risk else ""),
    ("expected downtime", lambda side: side.downtime),
)


def markdown(review: Review) -> str:
    """Write the review; deterministic, so that a comment in a pull request can be replaced by the next one."""
    return "\n".join(_lines(review)) + "\n"


def _lines(review: Review) -> Iterator[str]:
    changed = [one for one in review.workloads if one.changed]
    yield f"## {escaped(review.stack)}: {_headline(changed)}"
    yield ""
    if review.refused:
        yield "> [!CAUTION]"
        yield "> This must not be merged; see **refused** below."
        yield ""
    before, after = review.usd_month
    money = f"${before:,.2f} → **${after:,.2f} a month** ({after - before:+,.2f})"
    yield f"Cost of the stack: {money}. Compared with `{escaped(review.base)}`."
    for one in changed:
        yield from _workload(one)
    quiet = [one.name for one in review.workloads if not one.changed]
    if quiet:
        yield ""
        yield f"Unchanged: {', '.join(map(escaped, quiet))}."
    yield ""
    yield f"Plan `{review.plan}`"
    yield ""
    if review.approved_by:
        yield f"Approved by {', '.join(map(escaped, review.approved_by))}."
    else:
        yield f"Not approved. A signer who agrees: `unmoor approve {review.plan} --stack {escaped(review.stack)}`"


def _headline(changed: list[WorkloadReview]) -> str:
    said = []
    for one in changed:
        old, new = one.before, one.after
        if old is None and new:
            said.append(f"{escaped(one.name)} is new ({new.mode})")
        elif new is None:
            said.append(f"{escaped(one.name)} is removed")
        elif old and old.mode != new.mode:
            said.append(f"{escaped(one.name)} goes from {old.mode} to {new.mode}")
        else:
            said.append(f"{escaped(one.name)} changes")
    return "; ".join(said) or "no change of plan"


def _workload(one: WorkloadReview) -> Iterator[str]:
    yield ""
    yield f"### {escaped(one.name)}"
    yield ""
    yield "| | before | after |"
    yield "|---|---|---|"
    for title, say in _ROWS:
        old, new = _say(one.before, say), _say(one.after, say)
        if old or new:
            yield f"| {title} | {old or '-'} | {f'**{new}**' if new and old != new else new or '-'} |"
    yield ""
    yield f"* Interruption: {one.interruption}."
    yield f"* Data at stake: {escaped(one.data)}."
    if one.hours:
        yield f"* Effort: {one.hours}."
    for text in one.cautions:
        yield f"* Mind: {escaped(text)}."
    for text in one.refused:
        yield f"* **Refused**: {escaped(text)}."


def _say(side: Side | None, say: object) -> str:
    return str(say(side)) if side else ""  # type: ignore[operator]
