"""The report as Markdown, for a forum post or a pull request: the page for the vote first, then its basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...text.escape import markdown as md
from ...text.table import table
from .. import rounding
from ..history import company_name
from . import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def markdown(document: Mapping[str, Any]) -> str:
    """Write the report as Markdown, with a new line at its end."""
    return "\n".join(_markdown(document)).rstrip() + "\n"


def _own(text: object) -> str:
    """Escape the tool's own sentence with values in it; text between backticks stays code."""
    return md(text, code=True)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield from table(head, rows)
    yield ""


def _move(pair: Mapping[str, Mapping[str, Any]]) -> str:
    return _then(str(pair["today"]["grade"]), str(pair["after"]["grade"]))


def _then(was: str, now: str) -> str:
    return was if was == now else f"{was} → {now}"


def _markdown(d: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {md(d['dao'])}: {words.title(d)}\n"
    yield f"Assessed {words.day(d['on'])}, inventory of {words.day(d['as_of'])}, plan: {md(d['plan'])}.\n"
    yield from _vote(d)
    yield "## The proposal, line by line\n"
    yield from _table(
        ("Workload", "Proposal", "Outage, deplatforming", "Exposure", "USD a month", "Uptime", "Work, h"),
        (
            (
                md(w["title"]),
                md(w["plan"]["text"] if w["plan"]["moves"] else f"{w['plan']['text']}: {w['plan']['why']}"),
                _move(w["risk"]["availability"]),
                _move(w["risk"]["exposure"]),
                _then(words.usd(w["cost"]["today"]["usd_month"]), words.usd(w["cost"]["after"]["usd_month"])),
                _then(words.percent(w["uptime"]["today"]), words.percent(w["uptime"]["after"])),
                rounding.between(w["migration"]["hours"]),
            )
            for w in d["workloads"]
        ),
    )
    yield from (f"> {md(text)}" for text in d["warnings"])
    yield ""
    yield from _costs(d)
    yield "## Single points of failure\n"
    yield from _table(
        ("Company that alone can stop", "Today", "With the plan"),
        (
            (md(company_name(row["company"])), *(_count(row[when]) for when in ("today", "after")))
            for row in d["companies"]
        ),
    )
    yield "## The order of work\n"
    yield from _table(
        ("Work", "From week", "Weeks", "Hours"),
        ((md(s["title"]), s["starts_week"], s["weeks"], rounding.between(s["hours"])) for s in d["timeline"]),
    )
    if d["summary"]["moving"]:
        yield "## Once for the DAO\n"
        yield from _steps(d["once"])
    for w in d["workloads"]:
        yield from _one(w)
    yield "## Sources\n"
    yield from (f"* {md(s['title'])}{' (old or unverified)' if s['stale'] else ''}" for s in d["sources"])
    yield from (f"* {md(text)}" for text in d["inventory_sources"])


def _vote(d: Mapping[str, Any]) -> Iterator[str]:
    vote, summary = d["vote"], d["summary"]
    yield "## The motion\n"
    yield f"> {_own(vote['motion'])}\n"
    yield from _table(("", "Today", "Stay, do the homework", "The plan"), words.compared(summary))
    for title, texts in (("What gets better", vote["better"]), ("What gets worse", vote["worse"])):
        yield f"**{title}**\n"
        yield from (f"* {md(text)}" for text in texts or ("Nothing by a move.",))
        yield ""
    market = vote["market"]
    fits = f"{len(market['fits'])} of {summary['workloads']} workloads fit what the market offers today"
    first = f" First to move: {md(market['first'])}." if market["first"] else ""
    for title, text in (
        ("Money", md(" ".join(words.money(summary)))),
        ("Treasury deposit", _own(vote["deposit"])),
        ("If the token's price halves", _own(vote["token"])),
        ("Who decides, who can switch it off", _own(" ".join(vote["decides"]))),
        ("How to undo it", _own(vote["undo"])),
        ("Does it fit the market?", f"{fits} ({md(market['source'])}).{first}"),
        ("Plan", f"`{vote['plan_hash']}`" if vote["plan_hash"] else "no stack file yet, so no hash"),
    ):
        yield f"* **{title}**: {text}"
    yield ""


def _costs(d: Mapping[str, Any]) -> Iterator[str]:
    yield "## The bill, line by line\n"
    rows: list[list[object]] = []
    for w in d["workloads"]:
        if w["plan"]["moves"]:
            rows += [[md(w["title"]), md(one["label"]), words.cents(one["usd_month"])]
                     for one in w["cost"]["after"]["lines"]]  # fmt: skip
    rows += [["Shared by all", md(one["label"]), words.cents(one["usd_month"])] for one in d["shared"]["lines"]]
    yield from _table(("Workload", "Line, with the plan", "USD a month"), rows)


def _count(names: Sequence[str]) -> str:
    return f"{len(names)}: {md(', '.join(names))}" if names else "0"


def _titled(step: Mapping[str, Any]) -> str:
    """Return a step's title with the duty that it fulfils, unless that is the title itself."""
    title, duty = str(step["title"]), str(step["duty"])
    return f"{title} ({duty})" if duty and duty.lower() not in title.lower() else title


def _steps(steps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from _table(
        ("Step", "Hours", "What is done", "How it is checked", "The way back"),
        (
            (
                md(_titled(s)),
                f"{s['hours'][0]:g} to {s['hours'][1]:g}",
                _own(s["does"]) + (f" ({md(s['driver'])})" if s["driver"] else ""),
                _own(s["verify"]),
                _own(s["rollback"]),
            )
            for s in steps
        ),
    )


def _one(w: Mapping[str, Any]) -> Iterator[str]:
    plan, way, weighed = w["plan"], w["migration"], w["weighed"]
    yield f"## {md(w['title'])}\n"
    yield f"**{md(words.sentence(plan['text']))}** {md(words.sentence(plan['why']))}"
    if plan["instead"]:
        yield f"{'What would change that' if weighed else 'Instead'}: {_own(plan['instead'])}."
    if plan["considered"]:
        yield f"Weighed and not in the plan: {md(plan['considered'])}."
    if weighed:
        for title in ("better", "worse"):
            if weighed[title]:
                yield f"{title.capitalize()}: {md('; '.join(weighed[title]))}."
        if weighed["trade"]:
            yield f"The trade: {md(weighed['trade'])}."
    yield f"Reputational benefit: {md(w['value']['claim_today'])} {md(w['value']['claim_after'])}\n"
    yield from (f"* {md(note)}" for note in w["notes"])
    further = list(dict.fromkeys(w["risk"]["availability"]["after"]["lowers"]))
    if further:
        yield "* What would lower its risk further:"
        yield from (f"  * {md(text)}" for text in further)
    yield ""
    if way["steps"]:
        yield from _steps(way["steps"])
    if way["prerequisites"]:
        yield f"Before it starts: {_own('; '.join(way['prerequisites']))}.\n"
