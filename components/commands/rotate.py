"""`unmoor rotate`: hand the values of secrets to every site again, by an update that repeats those steps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from ..config import held
from ..config.models import load_document
from ..deploy import credentials
from ..errors import ConfigError
from ..plan.stack import project_of
from ..project import registry, root, stack_file, stack_name
from .plan import choose, load
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..registry import Registry
    from ..topology import WorkloadPlan

#: The beginning of a path to a secret in the options of a workload.
_SECRETS = "secrets."


@click.command()
@click.argument("workload")
@click.argument("names", nargs=-1, metavar="[SECRET]...")
@stack_option()
@click.option("--yes", is_flag=True, help="Update without asking.")
def cli(workload: str, names: tuple[str, ...], stack: str, yes: bool) -> None:
    """Hand the values of WORKLOAD's secrets to its sites, and restart the application with them.

    \b
    Export the new values first, or set them with `pulumi config set --secret unmoor-secret:VARIABLE`, then:
      unmoor rotate api               every secret of the workload
      unmoor rotate api API_TOKEN     this one; a lease on Akash gets all of them

    It runs `pulumi up`, which shows its changes and asks. On AWS new tasks start with the new values, and the old tasks
    continue until those are healthy. On Akash the application restarts within seconds. Revoke the old value at its
    issuer once every site has the new one. A new lease gets the values from the update that rents it.
    """  # noqa: D301 click reads the backspace
    path = stack_file(stack)
    known = registry(project_of(path))
    topology = load(path, built=False)
    (plan,) = choose(topology, (workload,), stack)
    steps = resources(plan, known, names)
    if faults := credentials.secrets_missing(topology, known, sealed=held.sealed(load_document(path)["config"])):
        raise ConfigError("the values cannot be handed over", faults)
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise ConfigError("pulumi is not on PATH; install it, and run this again")
    words = [pulumi, "up", "--stack", stack_name(path), *_file(path), *(["--yes", "--skip-preview"] if yes else [])]
    sys.exit(subprocess.call([*words, *(f"--replace=**::{step}" for step in steps)]))


def resources(plan: WorkloadPlan, known: Registry, names: Iterable[str]) -> list[str]:
    """Return the names of the resources that hand over the named secrets of a workload, or all of them."""
    there = sorted(path.removeprefix(_SECRETS) for path in known.kinds[plan.kind].secrets(plan.options))
    if not there:
        raise ConfigError(f"{plan.name} has no secrets; name them as `secrets` in its options")
    if unknown := sorted(set(names) - set(there)):
        raise click.BadParameter(f"{plan.name} has no secret {', '.join(unknown)}; choose from {', '.join(there)}")
    wanted = sorted(set(names)) or there
    on = known.implementations(plan.kind)
    return [step for site in plan.sites for step in on[site.target].delivers(site, wanted)]


def _file(path: Path) -> list[str]:
    """Return the stack file's path if Pulumi would not find it by the stack's name."""
    ours = root() / "stacks" / path.name
    return [] if path.resolve() == ours.resolve() else ["--config-file", str(path.resolve())]
