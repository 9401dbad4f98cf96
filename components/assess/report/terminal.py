"""The report as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..history import company_name
from . import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_COLOURS = {"High": "red", "Medium": "yellow", "Low": "green"}


def show(document: Mapping[str, Any], console: Console) -> None:
    """Print what a reader needs first; text from outside is never read as markup."""
    from rich.table import Table
    from rich.text import Text

    def move(pair: Mapping[str, Mapping[str, Any]]) -> Text:
        was, now = pair["today"]["grade"], pair["after"]["grade"]
        text = Text(was, style=_COLOURS[was])
        if was != now:
            text.append(" → ", style="dim").append(now, style=_COLOURS[now])
        return text

    def then(was: str, now: str) -> Text:
        return Text(was if was == now else f"{was} → {now}")

    table = Table(
        title=Text(f"{document['dao']}, {words.day(document['on'])}, plan: {document['plan']}"),
        title_justify="left",
        box=None,
    )
    for head, right in (
        ("workload", False),
        ("plan", False),
        ("outage", False),
        ("exposure", False),
        ("USD a month", True),
        ("known", False),
        ("hours down a year", True),
        ("independence", True),
        ("work, h", True),
    ):
        table.add_column(head, justify="right" if right else "left", header_style="dim", overflow="fold")
    for w in document["workloads"]:
        cost = w["cost"]
        table.add_row(
            Text(w["name"], style="bold"),
            Text(w["plan"]["text"]),
            move(w["risk"]["availability"]),
            move(w["risk"]["exposure"]),
            then(words.usd(cost["today"]["usd_month"]), words.usd(cost["after"]["usd_month"])),
            Text(cost["today"]["basis"] + ("*" if cost["after"]["stale"] or cost["today"]["stale"] else "")),
            then(words.between(w["downtime"]["today"]), words.between(w["downtime"]["after"])),
            then(str(w["residual"]["today"]["score"]), str(w["residual"]["after"]["score"])),
            Text(words.between(w["migration"]["hours"])),
        )
    console.print(table)
    console.print()
    for text in words.findings(document):
        console.print(Text(f"• {text}"))
    for row in [row for row in document["companies"] if row["after"]][:3]:
        still = words.plural(len(row["after"]), "workload")
        console.print(Text(f"• After the plan {company_name(row['company'])} alone can still stop {still}."))
    for text in document["warnings"]:
        console.print(Text(f"! {text}", style="yellow"))
    if any(w["cost"][when]["stale"] for w in document["workloads"] for when in ("today", "after")):
        console.print(Text("* on prices that are stale or unverified", style="dim"))
