"""The report as files: the page, Markdown, JSON, and one CSV a table."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from ...text.escape import markdown as md
from ..history import company_name
from . import words
from .page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


def write(document: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write every file of the report into a folder (made if need be) and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": page(document),
        "report.md": markdown(document),
        "report.json": as_json(document),
        **{f"{name}.csv": _csv(rows) for name, rows in tables(document).items()},
    }
    written = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="")
        written.append(path)
    return tuple(written)


def as_json(document: Mapping[str, Any]) -> str:
    """Write the document for machines."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


#: What a spreadsheet would run as a formula when a cell begins with it.
_FORMULA = re.compile(r"^[\s]*[=+\-@|]")


def cell(value: object) -> object:
    """Make text safe for a spreadsheet: a formula becomes text. Numbers stay numbers."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def _csv(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def tables(document: Mapping[str, Any]) -> dict[str, list[list[object]]]:
    """Return the tables that are also written as CSV."""
    workloads = document["workloads"]
    head = [
        "workload",
        "title",
        "plan",
        "usd_month_today",
        "basis",
        "usd_month_after",
        "availability_today",
        "availability_after",
    ]
    head += ["exposure_today", "exposure_after", "independence_today", "independence_after", "hours_down_low_today"]
    head += ["hours_down_high_today", "hours_down_low_after", "hours_down_high_after", "effort_low_h", "effort_high_h"]
    return {
        "workloads": [
            head,
            *(
                [
                    w["name"],
                    w["title"],
                    w["plan"]["text"],
                    w["cost"]["today"]["usd_month"],
                    w["cost"]["today"]["basis"],
                    w["cost"]["after"]["usd_month"],
                    *(
                        w["risk"][kind][when]["grade"]
                        for kind in ("availability", "exposure")
                        for when in ("today", "after")
                    ),
                    *(w["residual"][when]["score"] for when in ("today", "after")),
                    *w["downtime"]["today"],
                    *w["downtime"]["after"],
                    *w["migration"]["hours"],
                ]
                for w in workloads
            ),
        ],
        "costs": [
            ["workload", "when", "line", "usd_month"],
            *(
                [w["name"], when, line["label"], line["usd_month"]]
                for w in workloads
                for when in ("today", "after")
                for line in (w["cost"][when]["lines"] or [{"label": w["cost"][when]["source"], **w["cost"][when]}])
            ),
        ],
        "residual": [
            ["workload", "when", "layer", "party", "company", "effect", "what would help"],
            *(
                [
                    w["name"],
                    when,
                    one["layer"],
                    one["party"],
                    company_name(one["company"]),
                    one["effect"],
                    one["lowers"],
                ]
                for w in workloads
                for when in ("today", "after")
                for one in w["residual"][when]["alone"]
            ),
        ],
        "steps": [
            ["workload", "step", "low_h", "high_h", "driver", "what is done", "how it is checked", "the way back"],
            *(
                [w["name"], s["title"], *s["hours"], s["driver"], s["does"], s["verify"], s["rollback"]]
                for w in workloads
                for s in w["migration"]["steps"]
            ),
        ],
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join([' --- '] * len(head))}|"
    for row in rows:
        yield f"| {' | '.join(str(value) for value in row)} |"
    yield ""


def _move(pair: Mapping[str, Mapping[str, Any]]) -> str:
    was, now = pair["today"]["grade"], pair["after"]["grade"]
    return str(was) if was == now else f"{was} → {now}"


def markdown(document: Mapping[str, Any]) -> str:
    """Write the report as Markdown, for a forum post or a pull request."""
    return "\n".join(_markdown(document))


def _markdown(d: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {md(d['dao'])}: what moving off one company takes, and what it buys\n"
    yield f"Assessed {words.day(d['on'])}, inventory of {words.day(d['as_of'])}, plan: {md(d['plan'])}.\n"
    yield from (f"* {md(text)}" for text in words.findings(d))
    yield ""
    if d["warnings"]:
        yield from (f"> {md(text)}" for text in d["warnings"])
        yield ""
    yield "## The proposal, line by line\n"
    yield from _table(
        (
            "Workload",
            "Proposal",
            "Deplatforming, outage",
            "Exposure",
            "USD a month",
            "Hours down a year",
            "Independence",
            "Work, h",
        ),
        (
            (
                md(w["title"]),
                md(w["plan"]["text"]),
                _move(w["risk"]["availability"]),
                _move(w["risk"]["exposure"]),
                _then(words.usd(w["cost"]["today"]["usd_month"]), words.usd(w["cost"]["after"]["usd_month"])),
                _then(words.between(w["downtime"]["today"]), words.between(w["downtime"]["after"])),
                _then(str(w["residual"]["today"]["score"]), str(w["residual"]["after"]["score"])),
                words.between(w["migration"]["hours"]),
            )
            for w in d["workloads"]
        ),
    )
    yield "## Who alone can stop what\n"
    yield from _table(
        ("Company", "Today", "After the plan"),
        (
            (md(company_name(row["company"])), *(_count(row[when]) for when in ("today", "after")))
            for row in d["companies"]
        ),
    )
    yield "## The order of moves\n"
    yield from _table(
        ("Move", "From week", "Weeks", "Hours"),
        ((md(s["title"]), s["starts_week"], s["weeks"], words.between(s["hours"])) for s in d["timeline"]),
    )
    for w in d["workloads"]:
        yield from _one(w)
    yield "## Sources\n"
    yield from (f"* {md(s['title'])}{' (stale or unverified)' if s['stale'] else ''}" for s in d["sources"])
    yield from (f"* {md(text)}" for text in d["inventory_sources"])
    yield ""


def _then(was: str, now: str) -> str:
    return was if was == now else f"{was} → {now}"


def _count(names: Sequence[str]) -> str:
    return f"{len(names)}: {md(', '.join(names))}" if names else "0"


def _one(w: Mapping[str, Any]) -> Iterator[str]:
    plan, way = w["plan"], w["migration"]
    yield f"## {md(w['title'])}\n"
    yield f"**{md(words.sentence(plan['text']))}** {md(words.sentence(plan['why']))}"
    if plan["instead"]:
        yield f"Instead: {md(plan['instead'])}."
    yield f"{md(w['value']['claim'])}\n"
    yield from (f"* {md(note)}" for note in w["notes"])
    yield from (f"* What would lower its risk: {md(text)}." for text in w["risk"]["availability"]["after"]["lowers"])
    yield ""
    if way["steps"]:
        yield from _table(
            ("Step", "Hours", "How it is checked", "The way back"),
            ((md(s["title"]), words.between(s["hours"]), md(s["verify"]), md(s["rollback"])) for s in way["steps"]),
        )
