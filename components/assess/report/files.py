"""The report as files: the page, Markdown, JSON, and one CSV for each table."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from ... import files
from ..history import company_name
from .page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def write(document: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write every file of the report into a folder (made if needed) and return their paths."""
    from .markdown import markdown

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
        files.write(path, text)
        written.append(path)
    return tuple(written)


def as_json(document: Mapping[str, Any]) -> str:
    """Return the document as JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


#: Characters that make a spreadsheet run a cell as a formula.
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
    return {
        "workloads": _workloads(workloads),
        "costs": [
            ["workload", "when", "line", "usd_month"],
            *(
                [w["name"], when, line["label"], line["usd_month"]]
                for w in workloads
                for when in ("today", "stay", "after")
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
            ["workload", "step", "duty", "low_h", "high_h", "driver", "what is done", "how it is checked",
             "the way back"],
            *(["", *_step(step)] for step in (document["once"] if document["summary"]["moving"] else ())),
            *([w["name"], *_step(step)] for w in workloads for step in w["migration"]["steps"]),
        ],
    }  # fmt: skip


def _workloads(workloads: Iterable[Mapping[str, Any]]) -> list[list[object]]:
    """Return a row for each workload with its figures in all three columns, under a head."""
    kinds, when = ("availability", "exposure"), ("today", "stay", "after")
    head: list[object] = ["workload", "title", "plan", "verdict", "basis_today"]
    head += [f"usd_month_{one}" for one in when]
    head += [f"{kind}_{one}" for kind in kinds for one in when]
    head += [f"independence_{one}" for one in when]
    head += [f"hours_down_{end}_{one}" for one in when for end in ("low", "high")]
    head += [f"uptime_{end}_{one}" for one in when for end in ("low", "high")]
    head += ["effort_low_h", "effort_high_h", "publish_today", "publish_after"]
    rows: list[list[object]] = [
        [
            w["name"],
            w["title"],
            w["plan"]["text"],
            w["weighed"]["verdict"] if w["weighed"] else "",
            w["cost"]["today"]["basis"],
            *(w["cost"][one]["usd_month"] for one in when),
            *(w["risk"][kind][one]["grade"] for kind in kinds for one in when),
            *(w["residual"][one]["score"] for one in when),
            *(end for one in when for end in w["downtime"][one]),
            *(end for one in when for end in w["uptime"][one]),
            *w["migration"]["hours"],
            w["value"]["claim_today"],
            w["value"]["claim_after"],
        ]
        for w in workloads
    ]
    return [head, *rows]


def _step(step: Mapping[str, Any]) -> list[object]:
    keys = ("driver", "does", "verify", "rollback")
    return [step["title"], step["duty"], *step["hours"], *(step[key] for key in keys)]
