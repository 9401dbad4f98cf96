"""The report as one self-contained page: no script, no request; readable on a phone, in the dark, on paper, aloud."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import rounding
from ..history import company_name
from ..layers import LAYERS
from ..level import GRADES, MATRIX, Level
from . import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
#: The hours that the axis of expected downtime spans, on a logarithmic scale.
AXIS = (0.01, 100.0)


def page(document: Mapping[str, Any]) -> str:
    """Return the page. The template engine escapes everything from outside."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        usd=words.usd,
        cents=words.cents,
        change=words.change,
        percent=words.percent,
        payback=words.payback,
        hours=_hours,
        prose=_prose,
        number=rounding.number,
        between=rounding.between,
        usd_between=words.usd_between,
        day=words.day,
        company=company_name,
        sentence=words.sentence,
        plural=words.plural,
        log=_log,
    )
    return environment.get_template("report.html.j2").render(
        d=document,
        title=words.title(document),
        money=" ".join(words.money(document["summary"])),
        compared=list(words.compared(document["summary"])),
        workloads=[{**one, "lowers": _lowers(one)} for one in document["workloads"]],
        matrices={kind: _matrix(document["workloads"], kind) for kind in ("availability", "exposure")},
        cost=_cost(document["workloads"]),
        levels=list(Level),
        layer_titles=_layer_titles(document["workloads"]),
        weeks=_weeks(document["timeline"]),
    )


def _matrix(workloads: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Place the workloads by likelihood and impact, today and after."""
    at: dict[tuple[str, str], dict[str, list[int]]] = {}
    for index, one in enumerate(workloads, start=1):
        today, after = (one["risk"][kind][when] for when in ("today", "after"))
        places = ((today, "today"), (after, "after"))
        same = (today["likelihood"], today["impact"]) == (after["likelihood"], after["impact"])
        for rating, when in places[:1] if same else places:
            cell = at.setdefault((rating["likelihood"], rating["impact"]), {"today": [], "after": [], "same": []})
            cell["same" if same else when].append(index)
    empty: dict[str, list[int]] = {"today": [], "after": [], "same": []}
    return [
        {
            "likelihood": str(likelihood),
            "cells": [
                {"grade": str(GRADES[MATRIX[likelihood][impact.rank]]), **at.get((likelihood, impact), empty)}
                for impact in Level
            ],
        }
        for likelihood in reversed(Level)
    ]


def _cost(workloads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what moves by its bill, with bars to one scale, and the known sum of what stays."""

    def bill(one: Mapping[str, Any], when: str) -> float:
        return float(one["cost"][when]["usd_month"] or 0)

    moving = [one for one in workloads if one["plan"]["moves"]]
    largest = max((bill(one, when) for one in moving for when in ("today", "after")), default=0) or 1
    rows = sorted(moving, key=lambda one: -max(bill(one, when) for when in ("today", "after")))
    staying = [one for one in workloads if not one["plan"]["moves"]]
    return {
        "rows": [
            {
                "workload": one,
                "bars": {when: round(100 * bill(one, when) / largest, 1) for when in ("today", "after")},
                "change": words.difference(one["cost"]["after"]["usd_month"], one["cost"]["today"]["usd_month"]),
            }
            for one in rows
        ],
        "staying": [one["title"] for one in staying],
        "staying_usd": sum(bill(one, "after") for one in staying),
        "staying_change": sum(bill(one, "after") - bill(one, "today") for one in staying),
    }


def _lowers(workload: Mapping[str, Any]) -> list[str]:
    """Return what would lower both risks further, each measure once, without those in the list of layers."""
    layers = {one["lowers"] for one in workload["residual"]["after"]["alone"]}
    texts = [text for kind in ("availability", "exposure") for text in workload["risk"][kind]["after"]["lowers"]]
    return [text for text in dict.fromkeys(texts) if text not in layers]


def _prose(text: str) -> Markup:
    """Escape a text and mark the text between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 it is escaped


def _hours(span: Sequence[float]) -> str:
    """Return the hours of a step as they are planned."""
    low, high = (rounding.number(end) for end in span)
    return low if low == high else f"{low} to {high}"


def _log(hours: float) -> float:
    """Return the place of hours on the logarithmic axis, in percent."""
    low, high = (math.log10(end) for end in AXIS)
    return round(100 * (min(max(math.log10(max(hours, AXIS[0])), low), high) - low) / (high - low), 1)


def _layer_titles(workloads: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the layers that occur, in their order."""
    present = {layer["key"] for one in workloads for layer in one["layers"]}
    return {key: layer.title for key, layer in LAYERS.items() if key in present}


def _weeks(timeline: Sequence[Mapping[str, Any]]) -> int:
    """Return the whole weeks that the axis of the timeline shows."""
    return max(1, math.ceil(max((slot["starts_week"] + slot["weeks"] for slot in timeline), default=1)))
