"""`unmoor init`: write a first stack file, and the missing files of a project."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.models import LABEL_CHARS, Mode
from ..errors import ConfigError
from ..project import registry, root, stack_file
from ..resolver import VARIABLE
from .assess import INVENTORY

if TYPE_CHECKING:
    from ..begin.answers import Answers
    from ..begin.found import Findings

_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@click.command()
@click.option("--stack", "-s", default="prod", show_default=True, help="Name of the stack.")
@click.option("--host", help="Public name of the site, as docs.dao.example.")
@click.option("--zone", help="Zone that the name lies in; offered: the account's.")
@click.option("--site", help="Folder of the built site; offered: that of the project's generator.")
@click.option(
    "--store",
    "stores",
    multiple=True,
    metavar="VENDOR=BUCKET[,SETTING=VALUE…]",
    help="A store for every version; give it once a vendor. Settings: public_url, endpoint, region, access_key, "
    "secret_key; the last two are names of variables.",
)
@click.option("--workload", help="Name of the workload; default the first part of the host.")
@click.option("--region", default="us-east-1", show_default=True, help="AWS region of the site and of the AWS store.")
@click.option(
    "--mode", type=click.Choice([str(mode) for mode in Mode]), default=str(Mode.CENTRALIZED), show_default=True
)
@click.option("--from-inventory", "inventoried", metavar="WORKLOAD", help="Take name and host from the inventory.")
@click.option(
    "--inventory", "-i", type=click.Path(path_type=Path), default=INVENTORY, show_default=True, help="That inventory."
)
@click.option("--resolver", envvar=VARIABLE, help="Ask this one, HOST or HOST:PORT; default the machine's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(
    stack: str, inventoried: str | None, inventory: Path, resolver: str | None, as_json: bool, **given: Any
) -> None:
    """Write stacks/Pulumi.NAME.yaml, and what else a project needs and does not have.

    \b
    Ask for what is needed:       unmoor init
    Ask nothing:                  unmoor init --host docs.dao.example --store aws=dao-example-bundles
    Take a workload you listed:   unmoor init --from-inventory docs

    What can be found is offered: zones of the account, where the host leads today, the folder of the generator. Every
    answer is a flag; without a terminal, every one that is missing is listed. The stack is planned before anything is
    written, and a file that exists is never changed.
    """  # noqa: D301 click reads the backspace
    from ..begin import answers as asked
    from ..begin import found

    here, path = root(), _free(stack)
    findings = found.Findings()
    if inventoried:
        findings.answers |= found.from_inventory(inventory, inventoried, date.today())  # noqa: DTZ011 the operator's day
    found.project(findings, here)
    given = {**given, "store": given.pop("stores")}
    host = _name(_answer("host", given, findings))
    if not given["zone"]:
        found.zone(findings, host, found.zones(findings, registry(here)))
    if host:
        found.today(findings, host, resolver)
    if faults := asked.missing(given | {"host": host}, findings.answers):
        if not can_ask():
            raise ConfigError("answers are missing, and there is no terminal to ask at", faults)
        _show(findings)
    answers = _answers({**given, "host": host}, findings)
    if found.holds(here / answers.site, here):
        raise ConfigError(
            f"--site: {answers.site} holds the project itself, which would be published; choose a folder of its own"
        )
    _write(here, path, stack, answers, findings, as_json=as_json)


def can_ask() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty()


def _free(stack: str) -> Path:
    """Return the path of a stack file that does not exist yet."""
    if not _STACK.fullmatch(stack):
        raise ConfigError(f"--stack: {stack!r} is not a stack's name; use letters, digits, hyphens and underscores")
    path = stack_file(stack)
    if path.exists():
        raise ConfigError(f"{path} exists already; edit it, or choose another name with --stack")
    return path


def _show(findings: Findings) -> None:
    for note in findings.notes:
        click.echo(note, err=True)
    findings.notes.clear()


def _answer(flag: str, given: dict[str, Any], findings: Findings) -> str:
    """Return an answer that was given or found; ask for it if a person can be asked."""
    from ..begin.answers import QUESTIONS

    question = next(each for each in QUESTIONS if each.flag == flag)
    if given.get(flag):
        return str(given[flag])
    offer = findings.answers.get(flag)
    if not can_ask():
        return offer.value if offer else ""
    words = f"{question.words} ({offer.source})" if offer else f"{question.words}, such as {question.example}"
    return str(click.prompt(words, default=offer.value if offer else None, err=True)).strip()


def _name(text: str) -> str:
    """Return a name of the DNS as it is compared."""
    return text.strip().lower().rstrip(".")


def _answers(given: dict[str, Any], findings: Findings) -> Answers:
    from ..begin.answers import Answers
    from ..begin.found import chosen

    zone, site = _answer("zone", given, findings), _answer("site", given, findings)
    host = given["host"]
    return Answers(
        host=host,
        zone=_name(zone),
        site=site,
        stores=given["store"] or _stores(),
        workload=chosen(given, findings.answers, "workload") or host.partition(".")[0],
        region=given["region"],
        mode=given["mode"],
        options=findings.options,
    )


def _stores() -> tuple[str, ...]:
    """Ask for stores one by one until the answer is empty."""
    from ..begin.answers import QUESTIONS

    question = next(each for each in QUESTIONS if each.flag == "store")
    stores: list[str] = []
    while not stores or stores[-1]:
        words = (
            f"{question.words}, such as {question.example}" if not stores else "Another store (nothing ends the list)"
        )
        stores.append(
            str(click.prompt(words, default=None if not stores else "", show_default=False, err=True)).strip()
        )
    return tuple(stores[:-1])


def _write(here: Path, path: Path, stack: str, answers: Answers, findings: Findings, *, as_json: bool) -> None:
    """Plan the stack, write every missing file, the stack file last, and print what comes next."""
    from ..begin import answers as asked
    from ..begin import files
    from ..deploy.credentials import variables
    from ..plan import neighbours
    from ..plan.stack import topology
    from .schema import schema

    known = registry(here)
    neighbouring = neighbours.read(here / "stacks", stack)
    settings, faults = asked.settings(answers)
    if faults:
        raise ConfigError("the answers make no stack", faults)
    if neighbours.alike(settings, neighbouring, known):
        # `label` may be written in this form.
        label = re.sub(r"[^a-z0-9]+", "-", stack.lower())[:LABEL_CHARS].strip("-")
        answers = replace(answers, label=label)
        settings, _ = asked.settings(answers)
    plan = topology(
        settings, known, here, built=False, others={"aws:region": answers.region}, neighbouring=neighbouring
    )
    needed, now = variables(plan, known), variables(plan, known, now=True)
    facts = files.Facts(_project(here), stack, answers.region, findings.build, needed, (here / "setup.sh").exists())
    stacked = path.relative_to(here) if path.is_absolute() else Path("stacks", path.name)
    findings.notes += files.lacking(here, facts)
    wanted = [
        *files.program(facts).items(),
        ("stacks/schema.json", json.dumps(schema(), indent=2, sort_keys=True) + "\n"),
        *files.workflows(facts).items(),
        (str(stacked), asked.text(answers)),
    ]
    files.demand(here, [name for name, _ in wanted])
    written, kept = files.write(here, wanted)
    result = {
        "folder": str(here),
        "written": written,
        "kept": kept,
        "notes": findings.notes,
        "export": now,
        "later": [name for name in needed if name not in now],
        "next": [
            *([findings.build] if findings.build else []),
            f"{facts.command} doctor --stack {stack}",
            f"pulumi stack init {stack}",
            f"pulumi preview --stack {stack}",
        ],
    }
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        _print(result, findings)


def _print(result: dict[str, Any], findings: Findings) -> None:
    """Print what was written and what comes next, and the project's folder where that is not the current one."""
    below = "" if Path(result["folder"]) == Path.cwd() else f"in {result['folder']}"
    if below:
        click.echo(f"{below}:")
    for name in result["written"]:
        click.echo(f"wrote {name}")
    for name in result["kept"]:
        click.echo(f"kept {name}, which was there")
    _show(findings)
    click.echo(f"for updates, export: {', '.join(result['export']) or 'nothing'}; and have AWS credentials")
    if result["later"]:
        click.echo(f"for sites elsewhere, later: {', '.join(result['later'])}")
    click.echo(f"next, {below}:" if below else "next:")
    for command in result["next"]:
        for line in command.splitlines():
            click.echo(f"  {line}")


def _project(here: Path) -> str:
    """Return a name for a new Pulumi project: that of its folder, up to the 100 characters that Pulumi takes."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", here.name).strip("-.")
    return name[:100].rstrip("-.") or "dao"
