"""`unmoor approve`: record that a signer agrees to a plan, beside the stack file."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import click

from ..errors import ConfigError
from ..project import stack_file
from ..review import approval
from .which import stack_option


@click.command()
@click.argument("plan", metavar="HASH")
@stack_option()
@click.option("--signer", help="Who agrees; git's user.email unless given.")
def cli(plan: str, stack: str, signer: str | None) -> None:
    """Record that a signer approved the plan HASH, as `unmoor review` printed it.

    Commit the file it writes: with `require_approval: true`, an update whose plan nobody approved is refused.
    """
    path = approval.approvals_file(stack_file(stack))
    if not stack_file(stack).exists():
        raise ConfigError(f"{stack_file(stack)}: no such stack file")
    who = signer or _git_email()
    today = datetime.now(UTC).date().isoformat()
    if approval.record(path, approval.Approval(plan, who, today)):
        click.echo(f"{who} approved {plan[:12]} on {today}; commit {path}")
    else:
        click.echo(f"{who} had approved {plan[:12]} already")


def _git_email() -> str:
    found = subprocess.run(["git", "config", "user.email"], capture_output=True, text=True, check=False)
    if not found.stdout.strip():
        raise ConfigError("nobody to record; name the signer with --signer")
    return found.stdout.strip()
