"""`unmoor runbook`: the steps for a workload, written from its plan, or carried out one by one."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import models as config
from ..config.own_names import KIND
from ..errors import ConfigError
from ..plan.stack import project_of
from ..project import registry, stack_file, stack_name
from ..runbook import journal, shell, times
from ..runbook.case import Case, case
from ..runbook.execution import Report, State, World, execute
from ..runbook.markdown import write
from ..runbook.table import chapters, parts
from ..runbook.vendor import OLD_ADDRESSES
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runbook.chapter import Chapter, Outcome, Step


@click.command()
@click.argument("workload")
@stack_option()
@click.option("--chapter", "-c", "wanted", multiple=True, metavar="NAME", help="Only this chapter; may be given again.")
@click.option("--list", "only_list", is_flag=True, help="Print which chapters apply, with their steps and hours.")
@click.option("--execute", "carry_out", is_flag=True, help="Carry the named chapters out, step by step.")
@click.option("--from", "start", metavar="STEP", help="With --execute: go on at this step of the chapter.")
@click.option("--yes", is_flag=True, help="With --execute: do not ask for approvals; needs --approved-by.")
@click.option("--approved-by", metavar="NAME", help="Who has agreed to the steps that need it.")
@click.option("--json", "as_json", is_flag=True, help="With --execute or --list: print one JSON object.")
def cli(
    workload: str,
    stack: str,
    wanted: tuple[str, ...],
    only_list: bool,
    carry_out: bool,
    start: str | None,
    yes: bool,
    approved_by: str | None,
    as_json: bool,
) -> int:
    """Write what an operator does for WORKLOAD, from its plan: commands, expected output, verify, the way back.

    Markdown on standard output; its cells run in runme as they are. With --execute the named chapters are carried out:
    each command is run, what it prints is checked, then its verify; the first failure stops, and --from goes on
    there. The minutes that each step took are printed next to those planned, and kept in .runbook/times.jsonl.
    Exit 1 when a step failed or was not approved.
    """
    _usage(wanted, carry_out=carry_out, start=start, yes=yes, approved_by=approved_by)
    if carry_out:
        return _execute(workload, stack, wanted, start, _approver(yes, approved_by), as_json=as_json)
    now = _case(workload, stack)
    for name in wanted:
        _named(now, name)
    if only_list:
        _list(now, wanted, as_json=as_json)
    else:
        click.echo(write(now, wanted), nl=False)
    return 0


def _usage(wanted: tuple[str, ...], *, carry_out: bool, start: str | None, yes: bool, approved_by: str | None) -> None:
    if not carry_out and (start or yes or approved_by):
        raise click.UsageError("--from, --yes and --approved-by go with --execute")
    if carry_out and not wanted:
        raise click.UsageError("name what to execute with --chapter; `--list` prints the chapters")
    if start and len(wanted) != 1:
        raise click.UsageError("--from goes on in one chapter; name one --chapter")
    if yes and not approved_by:
        raise click.UsageError("--yes asks no questions; name who has agreed with --approved-by NAME")


def _case(workload: str, stack: str) -> Case:
    path = stack_file(stack)
    name = stack_name(path)
    document = config.load_document(path)
    read, faults = config.read(config.settings_of(document, str(path)))
    if read is None:
        raise ConfigError("the stack configuration is not valid", faults)
    if workload not in read.workloads:
        choice = ", ".join(read.workloads)
        raise click.BadParameter(f"no workload {workload} in {stack}; choose from {choice}")
    if read.workloads[workload].kind == KIND:
        why = f"{workload} are the stack's name servers, which move between no sides; docs/names.md has what to do"
        raise click.BadParameter(f"{why} when one is lost")
    root = project_of(path)
    return replace(
        case(name, read, workload, registry(root), root, config.settings_of_others(document["config"])),
        old_site=_old_site(root),
    )


def _old_site(root: Path) -> str:
    """Return where a vendor published the pages before, from the list of old addresses; "" without a list."""
    listed = root / OLD_ADDRESSES
    if not listed.is_file():
        return ""
    from ..content.redirects import read

    try:
        return read(listed)[0]
    except ConfigError as error:  # an unreadable list does not prevent a runbook
        click.echo(f"{error}; the chapter about leaving the vendor is left out", err=True)
        return ""


def _named(now: Case, name: str) -> Chapter:
    known = {chapter.name: chapter for chapter in chapters(now)}
    if name not in known:
        raise click.BadParameter(
            f"no chapter {name} for {now.plan.name}, which is {now.course}"
            f"{config.did_you_mean(name, known)}; choose from {', '.join(known)}"
        )
    return known[name]


def _list(now: Case, wanted: tuple[str, ...], *, as_json: bool) -> None:
    found = {part: [c for c in each if not wanted or c.name in wanted] for part, each in parts(now).items()}
    if as_json:
        rows = [_row(part, chapter) for part, each in found.items() for chapter in each]
        click.echo(json.dumps({"workload": now.plan.name, "stack": now.stack, "chapters": rows}, indent=2))
        return
    for each in found.values():
        for chapter in each:
            name = click.style(f"{chapter.name:<20}", bold=True)
            click.echo(f"{name}  {chapter.hours:>5g} h  {chapter.title}")
            if wanted:
                for step in chapter.steps:
                    click.echo(f"    {step.name:<20} {step.title}")


def _row(part: str, chapter: Chapter) -> dict[str, Any]:
    return {
        "name": chapter.name,
        "part": part,
        "title": chapter.title,
        "hours": chapter.hours,
        "steps": [step.name for step in chapter.steps],
    }


def _approver(yes: bool, approved_by: str | None) -> Callable[[Step], str]:
    """Return the function that asks for an approval: with --yes it asks nothing; without a terminal it answers no."""

    def ask(step: Step) -> str:
        if yes and approved_by:
            return approved_by
        if not sys.stdin.isatty():
            return ""
        if approved_by:
            agreed = click.confirm(f"      {approved_by}, as {step.approval}: go on?", default=False, err=True)
            return approved_by if agreed else ""
        question = f"      this needs {step.approval}; who agrees? (a name; nothing stops)"
        return str(click.prompt(question, default="", show_default=False, err=True)).strip()

    return ask


def _execute(
    workload: str, stack: str, wanted: tuple[str, ...], start: str | None, ask: Callable[[Step], str], *, as_json: bool
) -> int:
    """Execute chapters one by one, each written from the stack file as it is by then."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    finished: list[tuple[Chapter, list[Report]]] = []
    try:
        for name in wanted:
            chapter, kept = _chapter(workload, stack, name, start)
            reports: list[Report] = []
            finished.append((chapter, reports))
            try:
                execute(chapter, _world(ask), _before(chapter, start), reports.append)
            finally:
                _timed(stack, workload, chapter, reports)
            if _left(chapter, reports):
                break
            kept.unlink()
    finally:
        resume = _resume(workload, stack, *finished[-1]) if finished else ""
        if resume:
            click.echo(f"go on with: {resume}", err=True)
    if as_json:
        rows = [{"name": each.name, "steps": [asdict(report) for report in reports]} for each, reports in finished]
        found = {"workload": workload, "stack": stack, "ok": not resume, "resume": resume or None, "chapters": rows}
        click.echo(json.dumps(found, indent=2))
    return 1 if resume else 0


def _timed(stack: str, workload: str, chapter: Chapter, reports: list[Report]) -> None:
    """Record how long each step took, and print it next to the plan."""
    found = times.rows(stack, workload, chapter, reports, f"{datetime.now(UTC):%Y-%m-%d}")
    times.append(Path(journal.FOLDER) / times.FILE, found)
    for line in times.table(found):
        click.echo(line, err=True)


def _chapter(workload: str, stack: str, name: str, start: str | None) -> tuple[Chapter, Path]:
    """Return a chapter to execute, and its journal; to continue, the chapter that was begun."""
    kept = Path(journal.FOLDER) / journal.name(stack_name(stack_file(stack)), workload, name)
    chapter = journal.read(kept) if start else None
    if chapter is None:
        chapter = _named(_case(workload, stack), name)
    _before(chapter, start)
    journal.write(kept, chapter)
    return chapter, kept


def _before(chapter: Chapter, start: str | None) -> list[str]:
    """Return the steps before the one to continue at."""
    names = [step.name for step in chapter.steps]
    if start is None:
        return []
    if start not in names:
        raise click.BadParameter(f"no step {start} in chapter {chapter.name}; choose from {', '.join(names)}")
    return names[: names.index(start)]


def _left(chapter: Chapter, reports: list[Report]) -> list[Step]:
    done = {report.step for report in reports if report.state in {State.DONE, State.SKIPPED}}
    return [step for step in chapter.steps if step.name not in done]


def _resume(workload: str, stack: str, chapter: Chapter, reports: list[Report]) -> str:
    """Return the command that continues where a chapter stopped; nothing if it is done."""
    left = _left(chapter, reports)
    line = ["./unmoor", "runbook", workload, "--stack", stack, "--execute", "--chapter", chapter.name, "--from"]
    return shlex.join([*line, left[0].name]) if left else ""


def _world(ask: Callable[[Step], str]) -> World:
    hidden = shell.secrets(os.environ)

    def progress(line: str) -> None:
        click.echo(shell.hide(line, hidden), err=True)

    def run(command: str, limit_s: float, show: bool) -> Outcome:
        return shell.run(command, limit_s, (lambda line: progress(f"      | {line}")) if show else None)

    return World(run, ask, progress, time.monotonic, time.sleep)
