"""A runbook as Markdown: to read, to print, and to run cell by cell in `runme`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..text.escape import markdown
from ..text.table import table
from .case import RING
from .table import parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .case import Case
    from .chapter import Chapter, Check, Step


def text(plain: str) -> str:
    """Keep a sentence from being read as Markdown or HTML; text in backticks stays code."""
    return markdown(plain, code=True)


def write(case: Case, only: Collection[str] = ()) -> str:
    """Return the runbook, or some of its chapters; the same plan gives the same text."""
    return "\n".join(_lines(case, only)) + "\n"


def _lines(case: Case, only: Collection[str]) -> Iterator[str]:
    of = case.plan
    named = {part: [c for c in chapters if not only or c.name in only] for part, chapters in parts(case).items()}
    yield from ("---", "shell: sh", "skipPrompts: true", "---", "")
    yield f"# Runbook of {of.name}, stack {text(case.stack)}"
    yield ""
    yield f"Written by `unmoor runbook` from plan `{case.hash[:12]}`: {of.host} is **{case.course}**,"
    yield f"version `{of.release.short}`. Write it again whenever the stack file has changed."
    yield ""
    rows = [(site.name, of.roles[site.name], site.target, site.site_host) for site in of.sites]
    yield from table(("site", "role", "on", "own name"), rows)
    yield ""
    failover = (
        f"A failover is seen by everyone within {of.failover_s} s."
        if len(of.sites) > 1
        else "There is no failover: one site only."
    )
    stores = ", ".join(f"{name} ({store.vendor})" for name, store in sorted(case.stores.items()))
    yield f"Stores: {stores}. {failover}" if stores else failover
    yield f"It costs {of.usd_month:.2f} USD a month. The way: {' → '.join(_at(case, course) for course in RING)}."
    for course in (each for each in case.adjacent if each in case.closed):
        yield f"No steps lead to {course}: {'; '.join(text(str(fault)) for fault in case.closed[course])}."
    yield ""
    yield "Commands are typed in the repository's root, where this file lies when `runme` runs it. Expected output is"
    yield "given line by line: `…` stands for anything, and other lines may come between."
    yield "`unmoor runbook --execute --chapter NAME` does one, checks each step, and stops at the first that fails."
    for part, chapters in named.items():
        if chapters:
            yield from ("", f"**{part}**", "")
            yield from (f"* [{text(c.title)}](#{c.name}), {c.hours:g} h" for c in chapters)
    for part, chapters in named.items():
        if chapters:
            yield from ("", f"## {part}")
            for chapter in chapters:
                yield from _chapter(chapter)


def _at(case: Case, course: object) -> str:
    return f"**{course}**" if course == case.course else str(course)


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield from ("", f'<a id="{chapter.name}"></a>', "", f"### {text(chapter.title)}", "", text(chapter.when))
    for number, step in enumerate(chapter.steps, 1):
        yield from _step(f"{chapter.name}-{step.name}", number, step)


def _step(name: str, number: int, step: Step) -> Iterator[str]:
    yield from ("", f"#### {number}. {text(step.title)}", "", text(step.why), "")
    agreed = f"**Approved by {text(step.approval)}:** \\_\\_\\_\\_\\_\\_\\_\\_. " if step.approval else ""
    yield from (f"{agreed}{step.hours:g} h.", "")
    yield from _check(name, step.do)
    yield from ("", "Verify:", "")
    yield from _check(f"{name}-verify", step.verify)
    if step.rollback:
        yield from ("", "Take it back:", "")
        yield from _cell(f"{name}-rollback", step.rollback)
    if step.otherwise:
        yield from ("", f"If it fails: {text(step.otherwise)}")


def _check(name: str, check: Check) -> Iterator[str]:
    yield from _cell(name, check.command)
    ends = "It ends with an error" if check.fails else "It ends well"
    again = f"; type it again until it does, for at most {check.within_s} s" if check.within_s else ""
    yield from ("", f"{ends} and prints{again}:", "")
    yield from _fence("text", check.shows)


def _cell(name: str, command: str) -> Iterator[str]:
    """Return a cell of `runme`: named, run unchanged, and excluded from `run --all`, which would end the workload."""
    attributes = {"excludeFromRunAll": "true", "interactive": "false", "name": name, "promptEnv": "false"}
    yield from _fence(f"sh {json.dumps(attributes, separators=(',', ':'))}", (command,))


def _fence(info: str, lines: Collection[str]) -> Iterator[str]:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{info}", *lines, fence)
