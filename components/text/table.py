"""The only writer of Markdown tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RULES = {"left": ":---", "right": "---:", "center": ":---:"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]], aligns: Sequence[str] = ()) -> list[str]:
    """Return the lines of a pipe table; each row is cut or filled to the width of the head.

    `aligns` is left, right, center or nothing by column. Cells are written unchanged: escape `|` and line ends before.
    """
    width = len(head)
    marks = [_RULES.get(align, "---") for align in (*aligns, *[""] * width)][:width]
    body = [[*map(str, row), *[""] * width][:width] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (list(head), marks, *body)]
