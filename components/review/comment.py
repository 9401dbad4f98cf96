"""Reviews as one Markdown comment of a pull request: a sentence first, then what a signer needs, the rest in folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.table import table
from .meaning import Group
from .text import cell, gathered, money, pair, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .meaning import Change
    from .review import Review

#: The first line of every comment; the workflow finds its own comment by it.
MARKER = "<!-- unmoor review -->"
#: GitHub accepts 65,536 characters; the rest is for what a workflow adds.
LIMIT = 60_000
#: How many changed settings stand before the folds, and how many inside, in the order in which they are tried to fit.
_OPEN = 8
_FOLDED = (400, 150, 50, 10)


def markdown(reviews: Sequence[Review], broken: Sequence[tuple[str, str]] = (), notes: Sequence[str] = ()) -> str:
    """Write all reviews as one comment of at most LIMIT characters. `broken` stacks have a sentence instead of a plan.

    Deterministic, so that a comment can be replaced by the next one.
    """
    text = ""
    for most in _FOLDED:
        text = "\n".join(_comment(reviews, broken, notes, most)) + "\n"
        if len(text) <= LIMIT:
            return text
    end = "\n\nThe rest is left out: run `./unmoor review` for all of it.\n"
    return text[: LIMIT - len(end)].rsplit("\n", 1)[0] + end


def _comment(
    reviews: Sequence[Review], broken: Sequence[tuple[str, str]], notes: Sequence[str], most: int
) -> Iterator[str]:
    yield MARKER
    changed = [one for one in reviews if one.changed or one.refused]
    for note in notes:
        yield from ("> [!WARNING]", f"> {cell(note)}", "")
    for name, why in broken:
        yield from (f"**{cell(name)} must not be merged: it cannot be planned.**", "", cell(why, 2000), "")
    for one in changed:
        yield from _stack(one, most)
    quiet = len(reviews) - len(changed)
    if not changed and not broken:
        stacks = f"{quiet} stack{'s are' if quiet != 1 else ' is'}"
        yield f"**No change of what is built**: {stacks} planned, with the same hash as at {_base(reviews)}."
        yield from (text for one in reviews if len(reviews) == 1 for text in ("", _plan(one)))
    elif quiet:
        yield f"Unchanged: {quiet} other stack{'s' if quiet != 1 else ''}."


def _plan(one: Review) -> str:
    return f"Plan `{one.plan}`, compared with {cell(one.base)}."


def _base(reviews: Sequence[Review]) -> str:
    return cell(reviews[0].base) if reviews else "the base"


def _stack(one: Review, most: int) -> Iterator[str]:
    yield f"**{cell(one.stack)}: {_money(*one.usd_month)}. {_headline(one)} {_verdict(one)}**"
    yield ""
    yield from _central(one)
    if one.refused:
        yield "> [!CAUTION]"
        yield "> Must not be merged:"
        yield from (f"> * {cell(text)}." for text in one.refused)
        yield ""
    if one.remarks:
        yield "Read twice:"
        yield from (f"* {cell(text).rstrip('.')}." for text in one.remarks)
        yield ""
    shown, folded = _rows(one)
    yield from _groups(shown)
    yield from _facts(one)
    yield from _losses(one, most)
    if folded:
        yield from _fold(
            f"{len(folded)} {'more changed settings' if one.was else 'settings'}",
            _groups(folded[:most]),
            len(folded) - most,
        )
    yield from _fold(f"Bill: {money(one.usd_month[1])} a month", _bill(one, most))
    counts = one.resources
    yield f"Resources: {counts.added} added, {counts.removed} removed, {counts.changed} changed."
    yield ""
    yield _plan(one)
    if one.judgement and not one.judgement.complete:
        yield ""
        yield f"A signer who agrees: `./unmoor approve {one.plan[:16]} --stack {cell(one.stack)} --signer NAME`"
    yield ""


def _money(before: float, after: float) -> str:
    if before == after:
        return f"{money(after)} a month, as before"
    more = after - before
    percent = f", {more / before:+.0%}" if before else ""
    return f"{money(before)} → {money(after)} a month ({'+' if more > 0 else ''}{money(more)}{percent})"


def _headline(one: Review) -> str:
    """Return what happens to workloads, each sentence once."""
    moves = gathered((cell(each.name), _move(each.before, each.after)) for each in one.workloads if each.changed)
    words = "; ".join(f"{some(names, 2)} {what}" for what, names in list(moves.items())[:3])
    more = len(moves) - 3
    words += f"; {more} more kinds of change" if more > 0 else ""
    count = len(one.changes)
    settings = f"{count} setting{'s' if count != 1 else ''} of the stack"
    return (words or f"{settings} change{'s' if count == 1 else ''}") + "."


def _move(before: str | None, after: str | None) -> str:
    if before is None:
        return f"new, {after}"
    if after is None:
        return "removed"
    return f"{before} → {after}" if before != after else "changes"


def _verdict(one: Review) -> str:
    if one.refused:
        return f"⛔ Must not be merged: {len(one.refused)} reason{'s' if len(one.refused) > 1 else ''} below."
    if one.judgement is None:
        return "No approval is required."
    who = ", ".join(map(cell, one.judgement.agreed))
    if one.judgement.complete:
        return f"Approved by {who}."
    have = f"approved by {who}; " if who else ""
    first = ", who are named here for the first time" if one.judgement.first else ""
    return f"✍ Needs signatures: {have}{cell(one.judgement.missing)}{first}."


def _central(one: Review) -> Iterator[str]:
    yield from (f"* {cell(text)}." for text in one.central[1])
    yield from (f"* No longer: {cell(text)}." for text in one.freed)
    if not one.central[1]:
        yield "* No company alone can switch off any of it."
    yield ""


def _rows(one: Review) -> tuple[list[list[Change]], list[list[Change]]]:
    """Return the changed settings, equal ones together: those that stand open, and those in the fold.

    Cautions are never folded. Settings of a new or removed stack or workload are, because there are many.
    """
    whole = {each.name for each in one.workloads if each.before is None or each.after is None}
    together: dict[tuple[str, str, str, str], list[Change]] = {}
    for change in sorted(one.changes, key=lambda each: (not each.caution, len(each.path))):
        values = repr(change.old), repr(change.new)
        together.setdefault((change.path[-1], *values, "whole" if _of(change) in whole else ""), []).append(change)
    rows = list(together.values())
    cautions = [row for row in rows if row[0].caution]
    others = [row for row in rows if not row[0].caution]
    near = [row for row in others if one.was and _of(row[0]) not in whole][: max(0, _OPEN - len(cautions))]
    return cautions + near, [row for row in others if row not in near]


def _of(change: Change) -> str:
    return change.path[1] if change.path[0] == "workloads" and len(change.path) > 1 else ""


def _groups(rows: Sequence[list[Change]]) -> Iterator[str]:
    for group in Group:
        inside = [row for row in rows if row[0].group is group]
        if inside:
            yield f"**{group}**"
            yield from map(_row, inside)
            yield ""


def _row(row: list[Change]) -> str:
    one = row[0]
    old, new = (cell(text) for text in pair(one.old, one.new))
    warning = " ⚠" if one.caution else ""
    return f"* {cell(one.where)}{_places(row)}: {old} → **{new}**{warning}. {cell(one.meaning)}"


def _places(row: list[Change]) -> str:
    others = [name for name in dict.fromkeys(map(_of, row)) if name != _of(row[0])]
    if others and _of(row[0]):
        return f" (also of {cell(some(others))})"
    return f" (and in {len(row) - 1} more places)" if len(row) > 1 else ""


def _facts(one: Review) -> Iterator[str]:
    changed = [each for each in one.workloads if each.changed]
    facts: list[tuple[str, Iterable[tuple[str, str]]]] = [
        ("Interruption", ((each.name, each.interruption) for each in changed)),
        ("Data at stake", ((each.name, each.data) for each in changed)),
        ("", ((each.name, text) for each in changed for text in each.risks)),
        ("Work", ((each.name, f"by the runbook, {each.hours:.2g} h") for each in changed if each.hours)),
    ]
    if changed:
        yield "**What it does**"
    for title, pairs in facts:
        for sentence, names in list(gathered(pairs).items())[:_OPEN]:
            yield f"* {title + ': ' if title else ''}{cell(sentence)} ({cell(some(names))})."
    if changed:
        yield ""


def _losses(one: Review, most: int) -> Iterator[str]:
    lines = [f"* {cell(text)}." for each in one.workloads if each.changed for text in each.losses]
    if lines:
        yield from _fold("What does not survive on a target", lines[:most], len(lines) - most)


def _bill(one: Review, most: int) -> Iterator[str]:
    rows = []
    lines = one.bills[1]
    old = {(line.site, line.what): line.usd_month for line in one.bills[0]}
    for line in lines[:most]:
        was = old.get((line.site, line.what))
        mark = "" if was == line.usd_month else " (new)" if was is None else f" (was {was:.2f})"
        rows.append((cell(line.site), f"{cell(line.what)}{mark}", f"{line.usd_month:.2f}"))
    if len(lines) > most:
        rest = sum(line.usd_month for line in lines[most:])
        rows.append(("", f"{len(lines) - most} more lines", f"{rest:.2f}"))
    rows.append(("", "**all**", f"**{one.usd_month[1]:.2f}**"))
    yield from table(("site", "what", "USD a month"), rows, ("", "", "right"))


def _fold(title: str, lines: Iterable[str], left_out: int = 0) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "")
    yield from lines
    if left_out > 0:
        yield f"{left_out} more: run `./unmoor review --json` for all of them."
    yield from ("", "</details>", "")
