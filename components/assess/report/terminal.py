"""The report as tables on a terminal, in as many columns as its width allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import rounding
from . import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.text import Text

_COLOURS = {"High": "red", "Medium": "yellow", "Low": "green"}


@dataclass(frozen=True)
class _Column:
    """A column: its head, its width, the terminal width from which it is shown, and its cells."""

    head: str
    wide: int
    from_width: int
    cell: Callable[[Mapping[str, Any]], Text]
    right: bool = False


def _grades(kind: str) -> Callable[[Mapping[str, Any]], Text]:
    def cell(w: Mapping[str, Any]) -> Text:
        from rich.text import Text

        was, now = (w["risk"][kind][when]["grade"] for when in ("today", "after"))
        text = Text(was, style=_COLOURS[was])
        if was != now:
            text.append(" → ", style="dim").append(now, style=_COLOURS[now])
        return text

    return cell


def _plain(write: Callable[[Mapping[str, Any]], str], style: str = "") -> Callable[[Mapping[str, Any]], Text]:
    def cell(w: Mapping[str, Any]) -> Text:
        from rich.text import Text

        return Text(write(w), style=style)

    return cell


def _then(was: str, now: str) -> str:
    return was if was == now else f"{was} → {now}"


def _bill(w: Mapping[str, Any]) -> str:
    stale = "*" if w["cost"]["after"]["stale"] or w["cost"]["today"]["stale"] else ""
    return _then(words.usd(w["cost"]["today"]["usd_month"]), words.usd(w["cost"]["after"]["usd_month"])) + stale


def _down(w: Mapping[str, Any]) -> str:
    return _then(rounding.between(w["downtime"]["today"]), rounding.between(w["downtime"]["after"]))


#: In the order of a reader's interest; narrow terminals drop columns from the right.
_COLUMNS = (
    _Column("workload", 14, 0, _plain(lambda w: w["name"], "bold")),
    _Column("outage", 15, 0, _grades("availability")),
    _Column("exposure", 15, 0, _grades("exposure")),
    _Column("USD a month", 17, 0, _plain(_bill), right=True),
    _Column("work, h", 9, 0, _plain(lambda w: rounding.between(w["migration"]["hours"])), right=True),
    _Column("plan", 34, 110, _plain(lambda w: w["plan"]["text"])),
    _Column(
        "hours down a year", 24, 130,
        _plain(_down), right=True,
    ),
    _Column("known", 10, 140, _plain(lambda w: w["cost"]["today"]["basis"])),
)  # fmt: skip


def show(document: Mapping[str, Any], console: Console) -> None:
    """Print what a reader needs first; text from outside is never read as markup."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{document['dao']}: {words.title(document)}", style="bold"))
    console.print(Text(f"{words.day(document['on'])}, plan: {document['plan']}", style="dim"))
    console.print()
    for text in words.findings(document):
        console.print(Text(f"• {text}"))
    console.print()
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    shown = [column for column in _COLUMNS if column.from_width <= console.width]
    for column in shown:
        table.add_column(
            column.head, justify="right" if column.right else "left", header_style="dim", overflow="fold",
            min_width=min(column.wide, 12),
        )  # fmt: skip
    for w in document["workloads"]:
        table.add_row(*(column.cell(w) for column in shown))
    console.print(table)
    console.print()
    if any(column.head == "plan" for column in _COLUMNS if column not in shown):
        for w in document["workloads"]:
            if w["plan"]["moves"]:
                console.print(Text(f"• {w['name']}: {w['plan']['text']}"))
    for text in document["warnings"]:
        console.print(Text(f"! {text}", style="yellow"))
    if any(w["cost"][when]["stale"] for w in document["workloads"] for when in ("today", "after")):
        console.print(Text("* on prices that are old or unverified", style="dim"))
    console.print(Text("Details: `unmoor assess --out report`, `unmoor explain WORKLOAD TOPIC`", style="dim"))
