"""`unmoor sdl`: check, mend, price, hash and compare Akash documents, offline."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..files import write as put_in_place
from ..limits import SDL_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..targets.akash.sdl.document import Document, Report

#: Warnings that nearly every published document has: one line each, after the rarer ones.
COMMON = {
    "unpinned-image": "name images by their digests",
    "no-audit": "ask for audited providers",
    "no-reclamation": "ask for notice: reclamation: {min_window: 24h}",
}
FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
JSON = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON value a line.")
BUDGET = click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Budget in USD a month.")


@click.group()
def cli() -> None:
    """Check, mend, price, hash and compare Akash documents (SDL). Offline.

    FILE may be - for standard input. Exit status: 0 fine, 1 refused, 2 usage.
    """


def _read(name: str) -> bytes:
    """Read at most one byte more than a document may have, which is enough to refuse a larger file."""
    if name == "-":
        return sys.stdin.buffer.read(SDL_BYTES + 1) if sys.stdin else b""
    try:
        with Path(name).open("rb") as file:
            return file.read(SDL_BYTES + 1)
    except OSError as fault:
        raise click.UsageError(f"cannot read {name}: {fault.strerror}") from None


def _raw(text: str) -> None:
    """Print a document byte for byte, for programs."""
    if sys.stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def _refused(name: str, report: Report) -> None:
    click.echo(f"{name}: refused", err=True)
    for problem in report.errors:
        click.echo(f"  - {problem}", err=True)


def _accepted(files: tuple[str, ...]) -> list[tuple[str, Document]]:
    """Read documents that must be valid; print the problems of an invalid one, and exit with 1."""
    from ..targets.akash.sdl import document as sdl

    read, bad = [], False
    for name in files:
        document, report = sdl.examine(_read(name), name)
        if document is None or report.errors:
            bad = True
            _refused(name, report)
        else:
            read.append((name, document))
    if bad:
        sys.exit(1)
    return read


@cli.command()
@FILES
@JSON
@BUDGET
def check(files: tuple[str, ...], budget: float | None, *, as_json: bool) -> None:
    """Print what the network would refuse, and what is unwise."""
    from ..targets.akash.sdl import document as sdl

    refused = warnings = 0
    for name in files:
        _, report = sdl.examine(_read(name), name, budget)
        refused += not report.accepted
        warnings += len(report.warnings)
        _tell_json(name, report) if as_json else _tell(name, report)
    if not as_json and len(files) > 1:
        click.echo(f"{len(files)} files: {len(files) - refused} accepted, {refused} refused, {warnings} warning(s)")
    sys.exit(1 if refused else 0)


def _tell(name: str, report: Report) -> None:
    verdict = click.style("accepted", fg="green") if report.accepted else click.style("refused", fg="red")
    click.echo(f"{name}: {verdict}, {len(report.errors)} error(s), {len(report.warnings)} warning(s)")
    telling = [problem for problem in report.warnings if problem.rule not in COMMON]
    for level, colour, problems in (("error", "red", report.errors), ("warning", "yellow", telling)):
        for problem in problems:
            click.echo(f"  {click.style(level, fg=colour)}: {problem}")
    for rule, do in COMMON.items():
        at = [str(problem.line) for problem in report.warnings if problem.rule == rule and problem.line]
        if at:
            more = f" and {len(at) - 5} more" if len(at) > 5 else ""
            where = f"line{'s' if len(at) > 1 else ''} {', '.join(at[:5])}{more}"
            click.echo(f"  {click.style('advice', dim=True)}: {do} ({where}) [{rule}]")


def _tell_json(name: str, report: Report) -> None:
    def plain(problems: Any) -> list[dict[str, Any]]:
        return [{"path": e.path, "line": e.line, "rule": e.rule, "message": e.message} for e in problems]

    verdict = {"file": name, "accepted": report.accepted}
    click.echo(json.dumps(verdict | {"errors": plain(report.errors), "warnings": plain(report.warnings)}))


@cli.command()
@FILES
def fix(files: tuple[str, ...]) -> None:
    """Mend what has one right answer, in place, and show the change.

    uakt becomes uact, text is quoted, a port without `to` gets one, and what the official tools read apart is written
    so that they agree. An image's digest is yours to choose. With - the mended document goes to standard output.
    """
    from ..targets.akash.sdl import document as sdl
    from ..targets.akash.sdl.fix import fixed
    from ..targets.akash.sdl.text import decode

    refused = False
    for name in files:
        raw = _read(name)
        after = fixed(raw, name)
        report = sdl.examine(raw if after is None else after, name)[1]
        if report.errors:
            refused = True
            _refused(name, report)
        if after is None:
            continue
        before = decode(raw)
        if name == "-":
            _raw(after)
        elif after != before:
            put_in_place(Path(name), after)
        _show(name, before, after)
    sys.exit(1 if refused else 0)


def _show(name: str, before: str, after: str) -> None:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    hidden = sorted(_secrets(before), key=len, reverse=True)
    for line in lines:
        for word in hidden:
            line = line.replace(word, "…")  # noqa: PLW2901 it is the same line, with less in it
        colour = {"+": "green", "-": "red"}.get(line[0])
        click.echo(click.style(line, fg=colour) if colour else line, err=name == "-")


def _secrets(source: str) -> set[str]:
    """Return the words of a readable document that may be secrets: credentials, values of variables, arguments."""
    from ..targets.akash.sdl.text import read

    services = read(source).get("services")
    found: set[str] = set()
    for service in services.values() if isinstance(services, dict) else ():
        for key in ("credentials", "env", "args", "command"):
            found.update(_words(service.get(key) if isinstance(service, dict) else None))
    return {word for word in found if len(word) > 3}


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _words(item)
    elif value is not None:
        yield str(value).partition("=")[2] or str(value)


def _print(value: Any, *, as_json: bool) -> None:
    from ..targets.akash.sdl.manifest import canonical

    if as_json:
        _raw(canonical(value) + "\n")
    else:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@cli.command()
@FILES
@JSON
def manifest(files: tuple[str, ...], *, as_json: bool) -> None:
    """Print the manifest; with --json, byte for byte what is hashed."""
    from ..targets.akash.sdl import manifest as made

    for _, document in _accepted(files):
        _print(made.manifest(document.data), as_json=as_json)


@cli.command()
@FILES
@JSON
@click.option(
    "--form",
    type=click.Choice(["chain", "go"]),
    default="chain",
    show_default=True,
    help="The JSON of the chain's REST interface, or of the official Go tools.",
)
def groups(files: tuple[str, ...], form: str, *, as_json: bool) -> None:
    """Print what would be ordered on the chain."""
    from ..targets.akash.sdl import groups as made

    for _, document in _accepted(files):
        _print(made.go_groups(document.data) if form == "go" else made.groups(document.data), as_json=as_json)


@cli.command(name="hash")
@FILES
@JSON
def hash_(files: tuple[str, ...], *, as_json: bool) -> None:
    """Print the hash by which the chain knows the manifest."""
    from ..targets.akash.sdl import manifest as made

    for name, document in _accepted(files):
        version = made.version(made.manifest(document.data)).hex()
        if as_json:
            click.echo(json.dumps({"file": name, "hash": version}))
        else:
            click.echo(version if len(files) == 1 else f"{version}  {name}")


@cli.command()
@FILES
@JSON
@BUDGET
def price(files: tuple[str, ...], budget: float | None, *, as_json: bool) -> None:
    """Print the monthly formula price with its parts, and what the ceiling lets be charged."""
    from ..targets.akash.sdl import price as made

    for name, document in _accepted(files):
        asked, ceiling = made.usd_month(document.data), made.ceiling_usd_month(document.data)
        parts = [(part.name, float(part.amount), float(part.usd)) for part in asked.parts]
        of_budget = {} if budget is None else made.ceilings(document.data, budget)
        shares = [{"placement": p, "profile": c, "uact_block": str(uact)} for (p, c), uact in of_budget.items()]
        if as_json:
            row = {"file": name, "usd_month": float(asked), "ceiling_usd_month": float(ceiling)}
            row["parts"] = [dict(zip(("name", "amount", "usd_month"), part, strict=True)) for part in parts]
            click.echo(json.dumps(row | ({} if budget is None else {"budget_usd_month": budget, "ceilings": shares})))
            continue
        click.echo(f"{name}: ${asked.usd:,.2f} a month by the formula; the ceiling lets ${ceiling:,} be charged")
        for part, amount, usd in parts:
            click.echo(f"  {part:<10} {amount:>10,.3f} {_UNITS.get(part, 'GiB'):<7} ${usd:,.4f}")
        for share in shares:
            where = f"{share['placement']}.{share['profile']}"
            click.echo(f"  ${budget:,.2f} a month: {where} at {share['uact_block']} uact a block")


_UNITS = {"cpu": "cores", "endpoint": "", "ip": "", "gpu": ""}


@cli.command()
@click.argument("old")
@click.argument("new")
@JSON
def diff(old: str, new: str, *, as_json: bool) -> None:
    """Print what differs: what a running deployment takes in place, and what needs a new one, and why."""
    from ..targets.akash.sdl.changes import changes

    (_, before), (_, after) = _accepted((old, new))
    for change in changes(before.data, after.data):
        if as_json:
            click.echo(json.dumps({"path": change.path, "kind": change.kind, "why": change.why}))
        else:
            colour = "yellow" if change.kind == "replace" else "green"
            click.echo(f"{click.style(f'{change.kind:<8}', fg=colour)} {change.path}: {change.why}")


@cli.command()
@click.option("--markdown", is_flag=True, help="As the page of the manual.")
def rules(*, markdown: bool) -> None:
    """Print every rule by name."""
    from ..targets.akash.sdl.rules import RULES
    from ..targets.akash.sdl.rules.page import page

    if markdown:
        click.echo(page(RULES), nl=False)
        return
    for rule in RULES.values():
        click.echo(f"{rule.level:<8} {rule.name:<24} {rule.claim}")
