"""`unmoor review`: what a change of stack files does, as Markdown for a pull request."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import models as config
from ..config import yaml_text
from ..errors import ConfigError, UnmoorError
from ..limits import YAML_BYTES
from ..plan import neighbours
from ..plan.stack import project_of, topology
from ..project import registry, stack_file, stack_name
from ..review import approval, record
from ..review.comment import markdown
from ..review.review import review
from .approve import scope, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..assess.inventory import Inventory
    from ..config.models import StackConfig
    from ..registry import Registry
    from ..review.review import Review
    from ..topology import Topology

#: Files that determine what is built as much as a stack file does; no plan hash covers them. The project's folder is
#: the first in which Python looks for a module, so that any new one there can stand in for a package's.
_PROGRAM = (
    *("Pulumi.yaml", "pyproject.toml", "requirements", "uv.lock", "unmoor", "setup.sh"),
    *("components/", "sdl/", ".github/", ".venv"),
)
_MODULES = (".py", ".pyc", ".so", ".pth")


@click.command()
@click.option("--base", required=True, metavar="REF", help="What to compare with: a branch, a tag or a commit.")
@click.option(
    "--head",
    metavar="REF",
    help="Read the changed stack files from a commit and not from the working tree; nothing else of it is used, so "
    "that a pull request of a stranger can be reviewed.",
)
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    help="What workloads are and hold, for their risks; stacks/inventory.yaml without this, if there is one.",
)
@click.option(
    "--proofs",
    is_flag=True,
    help="Ask the stores that databases have at REF, with the keys of your shell, how old the proofs of restores are.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for one STACK, else a list of them.")
@click.argument("stacks", nargs=-1, metavar="[STACK…]")
def cli(
    base: str, head: str | None, inventory: Path | None, proofs: bool, as_json: bool, stacks: tuple[str, ...]
) -> int:
    """Show as Markdown what this working tree's stack files change, compared with REF.

    Without STACK every stack file is reviewed. Without --proofs the network is not used. Exit 1 when a change must not
    be merged: it is refused, or cannot be planned.

    \b
    In a pull request:      unmoor review --base main
    One stack, for jq:      unmoor review --base main prod --json | jq .changes
    """  # noqa: D301 click reads the backspace
    at = _Commits(base, _commit(base, "--base"), head, _commit(head, "--head") if head else None)
    paths = [stack_file(stack) for stack in stacks] or sorted(at.stack_files())
    known, notes = _inventory(inventory)
    there = _stacks(at)
    found: list[Review] = []
    broken: list[tuple[str, str]] = []
    for path in paths:
        try:
            found.append(_one(path, at, known, there, proofs=proofs))
        except UnmoorError as error:
            if len(stacks) == 1 and not as_json:
                raise
            broken.append((stack_name(path), str(error)))
    notes += [*_removed(at, stacks), *_program(at)]
    if as_json:
        plain = [one.plain() | {"notes": notes} for one in found]
        plain += [{"stack": name, "error": why} for name, why in broken]
        click.echo(json.dumps(plain[0] if len(stacks) == 1 else plain, indent=2))
    else:
        click.echo(markdown(found, broken, notes), nl=False)
    return 1 if broken or any(one.refused for one in found) else 0


@dataclass(frozen=True)
class _Commits:
    """What is compared: the base, and a commit or the working tree; names as they were given, and commits."""

    base: str
    base_commit: str
    head: str | None
    head_commit: str | None
    _texts: dict[Path, str | None] = field(default_factory=dict, compare=False)

    def before(self, path: Path) -> str | None:
        """Read a file as it was; None if it did not exist."""
        return _show(self.base_commit, path, self.base)

    def after(self, path: Path) -> str | None:
        """Read a file as it is, once; None if it does not exist."""
        if path not in self._texts:
            self._texts[path] = self._after(path)
        return self._texts[path]

    def _after(self, path: Path) -> str | None:
        if self.head_commit:
            return _show(self.head_commit, path, str(self.head))
        try:
            return yaml_text.file_text(path, yaml_text.STACK)
        except FileNotFoundError:
            return None

    def stack_files(self) -> list[Path]:
        """Return the stack files that exist now."""
        folder = stack_file("any").parent
        return _listed(self.head_commit, folder) if self.head_commit else list(folder.glob("Pulumi.*.yaml"))

    def source(self, path: Path, *, old: bool) -> str:
        """Return a file's name for a sentence."""
        ref = self.base if old else self.head
        return f"{path} at {ref}" if ref else str(path)


def _stacks(at: _Commits) -> dict[str, StackConfig]:
    """Return the stacks of the present stack files; one that cannot be read is reported in its own review."""
    texts: dict[str, str] = {}
    for path in sorted(at.stack_files()):
        with contextlib.suppress(UnmoorError):
            texts[stack_name(path)] = at.after(path) or ""
    return neighbours.parse(texts)


def _one(
    path: Path, at: _Commits, inventory: Inventory | None, there: Mapping[str, StackConfig], *, proofs: bool
) -> Review:
    known = registry(project_of(path))
    text = at.after(path)
    if text is None:
        config.load_document(path)  # raises with the names of those that exist
        raise ConfigError(f"{at.source(path, old=False)}: no such stack file")
    neighbouring = {name: there[name] for name in neighbours.compared(there, stack_name(path))}
    new = _planned(text, at.source(path, old=False), known, neighbouring)
    before = at.before(path)
    old: Topology | None = None
    notes: tuple[str, ...] = ()
    if before is not None:
        try:
            old = _planned(before, at.source(path, old=True), known, {})
        except UnmoorError as error:
            notes = (f"the base cannot be planned, so everything is shown as new. {error}",)
    if proofs and old:
        notes += tuple(_proved(old))
    mine = scope(path)
    return review(
        mine.stack,
        at.base,
        (old, new),
        known,
        _hours(old, new) if old else {},
        _risks(inventory, (old, new), known),
        _judgement(mine, path, at, new),
        notes,
    )


def _proved(old: Topology) -> Iterator[str]:
    """Return the age of the newest proof of each store of each database.

    The stores are those of the base, because a pull request must not choose where keys are used.
    """
    from ..kinds.postgres import sites
    from ..kinds.postgres.options import PostgresOptions
    from ..postgres import moves, proofs
    from ..postgres.settings import missing

    for plan in old.workloads:
        if not isinstance(plan.options, PostgresOptions):
            continue
        settings = sites.settings_of(plan)
        try:
            if found := missing(settings, passwords=False):
                raise ConfigError("; ".join(map(str, found)))
            kept, unread = proofs.kept(settings)
        except UnmoorError as error:
            yield f"{plan.name}: the age of its proofs of restores is not known. {error}"
            continue
        shown = [store for store in settings.archive if store in kept or not unread]
        yield from (f"{plan.name}: {moves.proof_line(each, kept.get(each), time.time()).strip()}" for each in shown)
        yield from (f"{plan.name}: a proof of restores cannot be read. {each}" for each in unread)


def _planned(text: str, source: str, known: Registry, neighbouring: Mapping[str, StackConfig]) -> Topology:
    document = yaml_text.load(text, source, yaml_text.STACK)
    settings = config.settings_of(document, source)
    try:
        others = config.settings_of_others(document["config"])
        return topology(settings, known, None, others=others, neighbouring=neighbouring)
    except UnmoorError as error:
        raise type(error)(f"{source}: {error.title}", error.faults) from None


def _judgement(mine: approval.Scope, path: Path, at: _Commits, new: Topology) -> approval.Judgement | None:
    """Judge the approvals by the chain of the base: a pull request cannot appoint judges."""
    file = record.file_for(path)
    texts = at.before(file), at.after(file)
    old, entries = (record.parse(text, str(file)) if text else () for text in texts)
    today = datetime.now(UTC).date()
    return approval.judge(mine, approval.tip(mine, old), wanted(new), entries, today)


def _hours(old: Topology, new: Topology) -> dict[str, float]:
    """Return the runbook's hours of every flip, by workload; equal flips are computed once."""
    from ..runbook.effort import hours

    before = {plan.name: plan for plan in old.workloads}
    flips = [(before[plan.name], plan) for plan in new.workloads if plan.name in before]
    made: dict[tuple[Any, ...], float] = {}
    found = {}
    for one, other in flips:
        key = (one.kind, one.mode, one.active, other.mode, other.active, new.require_approval)
        if key[1:3] != key[3:5]:
            if key not in made:
                made[key] = hours(one, other, new)
            found[one.name] = made[key]
    return found


def _inventory(given: Path | None) -> tuple[Inventory | None, list[str]]:
    """Read the inventory, if there is one; if it cannot be read, return a note, because reviews continue without it."""
    path = given or stack_file("any").with_name("inventory.yaml")
    if not given and not path.exists():
        return None, []
    from ..assess import reading

    try:
        return reading.load(path, datetime.now(UTC).date()), []
    except UnmoorError as error:
        return None, [f"there are no risks in this review, as the inventory cannot be read. {error}"]


def _risks(
    inventory: Inventory | None, plans: tuple[Topology | None, Topology], known: Registry
) -> dict[str, tuple[str, ...]]:
    """Return the risks of workloads whose plans differ; none without an inventory."""
    old, new = ({plan.name: plan for plan in one.workloads} if one else {} for one in plans)
    names = [name for name, plan in new.items() if old.get(name) != plan]
    if inventory is None or not names:
        return {}
    from ..review.risks import risks

    return risks(inventory, plans, known, names, datetime.now(UTC).date())


def _removed(at: _Commits, stacks: tuple[str, ...]) -> Iterator[str]:
    if stacks:
        return
    there = {path.name for path in at.stack_files()}
    for path in _listed(at.base_commit, stack_file("any").parent):
        if path.name not in there:
            yield (
                f"{path}: this stack file is removed. That destroys nothing: what the stack built stands, and is paid "
                f"for, until `pulumi destroy --stack {stack_name(path)}` runs with the old file"
            )


def _program(at: _Commits) -> Iterator[str]:
    """Warn when the program that builds changes too."""
    words = [at.base_commit, at.head_commit] if at.head_commit else [at.base_commit]
    # A file that is moved away is named, too: without renames both of its names are.
    names = _git("diff", "--name-only", "--no-renames", "-z", "--relative", *words, "--").stdout.split("\0")
    found = [name for name in names if name.startswith(_PROGRAM) or name.endswith(_MODULES)]
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        yield (
            f"the program that builds changes too, and no plan hash covers what it does: {', '.join(found[:3])}{more}; "
            "read those changes as well"
        )


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise ConfigError("git is not installed; a review compares two commits") from None


def _commit(ref: str, option: str) -> str:
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if found.returncode:
        raise ConfigError(f"{ref}: no such branch, tag or commit here; fetch it, or choose another with {option}")
    return found.stdout.strip()


def _listed(commit: str, folder: Path) -> list[Path]:
    names = _git("ls-tree", "-z", "--name-only", commit, f"./{folder.as_posix()}/").stdout.split("\0")
    return [Path(name) for name in names if Path(name).match("Pulumi.*.yaml")]


def _show(commit: str, path: Path, ref: str) -> str | None:
    """Read a file of a commit; None if it does not exist. Raises ConfigError if it is too large."""
    name = f"{commit}:{'' if path.is_absolute() else './'}{path.as_posix()}"
    size = _git("cat-file", "-s", name)
    if size.returncode:
        return None
    if int(size.stdout) > YAML_BYTES:
        raise ConfigError(f"{path} at {ref}: it is larger than {YAML_BYTES:,} bytes; at most that much is read")
    return _git("show", name).stdout
