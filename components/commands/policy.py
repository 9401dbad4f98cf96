"""`unmoor policy`: the rights at AWS that a stack needs, as policies of IAM, and the trust policy for GitHub's jobs."""

from __future__ import annotations

import json
import re

import click

from ..errors import ConfigError
from ..plan.stack import project_of
from ..project import registry, stack_file, stack_name
from .plan import load
from .which import stack_option

_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
_ACCOUNT = re.compile(r"\d{12}")


@click.command()
@click.argument("role", type=click.Choice(["operator", "preview", "writer"]))
@stack_option()
@click.option("--trust", metavar="OWNER/NAME", help="Print who may take the role instead: jobs of this repository.")
@click.option("--account", help="With --trust: the account's number; default the one of this shell.")
def cli(role: str, stack: str, trust: str | None, account: str | None) -> None:
    """Print the policy of ROLE as JSON, made from what the stack's plan registers.

    \b
    operator   all that `pulumi up`, `destroy` and `unmoor doctor` use
    preview    what reads: `pulumi preview`, with a refresh too
    writer     the objects of the stack's workloads in stores at AWS, and nothing else

    \b
    Make a role that a repository's protected environment takes:
      aws iam create-role --role-name unmoor-prod \\
        --assume-role-policy-document "$(unmoor policy operator --trust dao/infra)"
      aws iam put-role-policy --role-name unmoor-prod --policy-name unmoor \\
        --policy-document "$(unmoor policy operator)"

    Records may be changed only under the stack's own names. A stack that gets another workload needs its policy again.
    """  # noqa: D301 click reads the backspace
    from ..doctor import project, rights, run, stores

    path = stack_file(stack)
    topology, folder = load(path, built=False), project_of(path)
    if trust is not None:
        click.echo(_json(rights.trust(role, _repository(trust), stack_name(path), _account(account))))
        return
    kept = stores.grants(topology)
    if role == "writer" and not kept:
        raise ConfigError(f"{path}: no store of the stack is at AWS, so a writer needs no policy there")
    granted = (*run.grants(topology, registry(folder)), *rights.state(project.backend(project.settings(folder))))
    click.echo(_json(rights.policy(rights.chosen(role, granted, kept))))


def _json(document: object) -> str:
    return json.dumps(document, indent=2)


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise ConfigError(f"--trust: {text!r} is not a repository; write OWNER/NAME, such as dao/infra")
    return text


def _account(given: str | None) -> str:
    """Return the account's number. Raises ConfigError if it is no number, or AWS cannot be asked for it."""
    if given is None:
        from botocore.exceptions import BotoCoreError, ClientError

        from ..targets.aws.account import client

        try:
            given = str(client("sts").get_caller_identity()["Account"])
        except (BotoCoreError, ClientError) as error:
            raise ConfigError(f"AWS does not know this shell ({error}); give --account") from None
    if not _ACCOUNT.fullmatch(given):
        raise ConfigError(f"--account: {given!r} is not the number of an account; it has twelve digits")
    return given
