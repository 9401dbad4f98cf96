"""`unmoor review`: what a change of stack files does, as Markdown for a pull request."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import models as config
from ..errors import ConfigError
from ..limits import YAML_BYTES
from ..plan.canonical import plan_hash
from ..plan.stack import topology
from ..project import registry, stack_file
from ..review import approval
from ..review.comment import markdown
from ..review.review import review

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..assess.assessment import Assessment
    from ..registry import Registry
    from ..review.review import Review
    from ..topology import Topology


@click.command()
@click.option("--base", required=True, metavar="REF", help="What to compare with: a branch, a tag or a commit.")
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    default=Path("stacks/inventory.yaml"),
    show_default=True,
    help="For risk, downtime and hours; left out of the review when there is none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("stacks", nargs=-1, metavar="[STACK…]")
def cli(base: str, inventory: Path, as_json: bool, stacks: tuple[str, ...]) -> int:
    """Say in Markdown what this working tree's stack files do, compared with REF.

    Without STACK every stack file is reviewed. Exit 1 when a change must not be merged.
    """
    commit = _commit(base)
    paths = [stack_file(stack) for stack in stacks] or sorted(Path("stacks").glob("Pulumi.*.yaml"))
    found = [_one(path, base, commit, inventory) for path in paths]
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], indent=2))
    else:
        click.echo("\n".join(markdown(one) for one in found), nl=False)
    return 1 if any(one.refused for one in found) else 0


def _plain(one: Review) -> dict[str, Any]:
    return dataclasses.asdict(one) | {"refused": one.refused, "usd_month": one.usd_month}


def _one(path: Path, base: str, commit: str, inventory: Path) -> Review:
    name = path.name.split(".")[1] if path.name.startswith("Pulumi.") else str(path)
    new_settings = config.load_file(path)
    old_settings = _settings_at(commit, path, base)
    known = registry(path.resolve().parent.parent)
    new = topology(new_settings, known, None)
    old = _at_base(old_settings, path, base) if old_settings is not None else None
    plan = plan_hash(new)
    return review(
        name,
        base,
        (old, new),
        (_assess(old_settings, old, inventory, name, known), _assess(new_settings, new, inventory, name, known, old)),
        known,
        tuple(one.signer for one in approval.read(approval.approvals_file(path)) if one.plan == plan),
    )


def _at_base(settings: Mapping[str, Any], path: Path, base: str) -> Topology:
    try:
        return topology(settings, registry(Path.cwd()), None)
    except ConfigError as error:
        raise ConfigError(f"{path} at {base}: {error.title}", error.faults) from None


def _assess(
    settings: Mapping[str, Any] | None,
    plan: Topology | None,
    inventory: Path,
    name: str,
    known: Registry,
    base: Topology | None = None,
) -> Assessment | None:
    """Assess the workloads of a stack that the inventory knows, by their plan; nothing where there is no inventory.

    With a `base` its plan is what stands today.
    """
    if settings is None or plan is None or not inventory.exists():
        return None
    from ..assess import adapter, assessment, courses, reading
    from ..prices.book import book

    today = datetime.now(UTC).date()
    stack, _ = config.read(settings)
    if stack is None:
        return None
    what = reading.load(inventory, today)
    standing = adapter.planned(base, known) if base else None
    course, _ = courses.from_stack(what, stack, name, adapter.planned(plan, known), standing)
    return assessment.assess(what, course, book(), today, origin=f"stack {name}")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigError("git is not installed; a review compares two commits") from None


def _commit(base: str) -> str:
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if found.returncode:
        raise ConfigError(f"{base}: no such branch, tag or commit here; fetch it, or choose another with --base")
    return found.stdout.strip()


def _settings_at(commit: str, path: Path, base: str) -> dict[str, Any] | None:
    """Read a stack file as it was; None when it did not exist. Raises ConfigError when it does not parse."""
    name = f"{commit}:./{path.as_posix()}"
    size = _git("cat-file", "-s", name)
    if size.returncode:
        return None
    if int(size.stdout) > YAML_BYTES:
        raise ConfigError(f"{path} at {base}: it is larger than {YAML_BYTES:,} bytes; at most that much is read")
    found = _git("show", name)
    return config.parse(found.stdout, f"{path} at {base}")
