"""`unmoor approve`: show a signer what a plan changes, and record the signature next to the stack file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import yaml_text
from ..config.models import did_you_mean
from ..config.signers import KeyKind, kind_of
from ..errors import ConfigError, Fault
from ..limits import SIGNATURE_BYTES
from ..plan.canonical import plan_hash
from ..project import root, stack_file, stack_name
from ..review import approval, record, signatures
from ..review.approval import Approved, Scope, Wanted
from ..review.text import money, plain
from .plan import load
from .which import stack_option

if TYPE_CHECKING:
    from datetime import date

    from ..topology import Topology

#: The fewest digits of a hash that name a plan.
_FEWEST = 12


@click.command()
@click.argument("plan", metavar="HASH")
@stack_option()
@click.option(
    "--signer",
    required=True,
    envvar="UNMOOR_SIGNER",
    show_envvar=True,
    metavar="NAME",
    help="Who signs: a name under `signers.keys`.",
)
@click.option(
    "--ssh-key",
    envvar="UNMOOR_SSH_KEY",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Sign with this SSH key, or its .pub by the agent.",
)
@click.option(
    "--gpg-key", envvar="UNMOOR_GPG_KEY", show_envvar=True, metavar="ID", help="Sign with this key of your GPG keyring."
)
@click.option(
    "--signature",
    metavar="TEXT",
    help="The signature that a wallet, or another machine, made over the sentence that is printed; - reads it from "
    "standard input.",
)
@click.option("--expires", metavar="DATE", help=f"Last day (UTC) that it counts; in {approval.DAYS} days without this.")
@click.option(
    "--replaces",
    type=click.IntRange(min=0),
    metavar="NUMBER",
    help="The approval whose plan is deployed, where that is not the last in the file; 0 for a first plan.",
)
def cli(
    plan: str,
    stack: str,
    signer: str,
    ssh_key: Path | None,
    gpg_key: str | None,
    signature: str | None,
    expires: str | None,
    replaces: int | None,
) -> None:
    """Approve the plan HASH, as `unmoor review` printed it; its first 12 digits are enough.

    What is approved is shown, and refused when HASH is not the plan of the stack in this working tree. Without a key
    or a signature the sentence to sign is printed and nothing is written. A wallet signs it with personal_sign.

    \b
    SSH key:  unmoor approve 6fbeb1d2a9c0 -s prod --signer alice --ssh-key ~/.ssh/id_ed25519
    GPG key:  unmoor approve 6fbeb1d2a9c0 -s prod --signer carol --gpg-key carol@dao.example
    Wallet:   unmoor approve 6fbeb1d2a9c0 -s prod --signer bob
              unmoor approve 6fbeb1d2a9c0 -s prod --signer bob --expires DATE --signature 0x…
    Commit the file that it writes.
    """  # noqa: D301 click reads the backspace
    if sum(each is not None for each in (ssh_key, gpg_key, signature)) > 1:
        raise click.UsageError("give one of --ssh-key, --gpg-key and --signature")
    path, today = stack_file(stack), datetime.now(UTC).date()
    topology = load(path, built=False)
    want = wanted(topology)
    _same(plan, want.plan, stack_name(path))
    mine, file = scope(path), record.file_for(path)
    entries = record.read(file)
    before = _before(mine, entries, replaces)
    key = _key(signer, before, want)
    until = approval.expiry(expires, today)
    entry = _entry(before, want)
    text = approval.sentence(mine, entry.number, entry.after, want, until)
    _show(topology, mine, before)
    made = _signature(text, ssh_key, gpg_key, signature)
    if made is None:
        _explain(text, plan, stack, signer, until, kind_of(key))
        return
    wrong = signatures.verify(key, text, made)
    if wrong:
        raise ConfigError(f"this signature is not {signer}'s over this sentence: {wrong}; nothing was written")
    kept = record.add(entries, entry, record.Approval(signer=signer, expires=until, signature=made.strip() + "\n"))
    record.write(file, kept)
    _end(mine, before, want, kept, today, signer, file)


def scope(path: Path) -> Scope:
    """Return the subject of a stack file's approvals; the project's name is that of its Pulumi.yaml."""
    file = root(path.resolve().parent) / "Pulumi.yaml"
    project = yaml_text.load_file(file) if file.exists() else {}
    name = project.get("name") if isinstance(project, dict) else None
    return Scope(str(name or "unmoor"), stack_name(path))


def wanted(topology: Topology) -> Wanted:
    """Return the plan to approve."""
    return Wanted(plan_hash(topology), topology.signers, topology.require_approval)


def _same(given: str, plan: str, stack: str) -> None:
    if len(given) < _FEWEST or not plan.startswith(given.lower()):
        raise ConfigError(
            f"{given[:80]!r} is not the plan of {stack} in this working tree, which is {plan}; check out the change "
            f"that you reviewed, and give at least {_FEWEST} digits of its hash"
        )


def _before(mine: Scope, entries: tuple[record.Entry, ...], replaces: int | None) -> Approved | None:
    if replaces is None:
        return approval.tip(mine, entries)
    if replaces == 0:
        return None
    found = approval.tip(mine, [one for one in entries if one.number <= replaces])
    if found is None or found.number != replaces:
        raise ConfigError(f"--replaces: there is no approval {replaces} with a quorum in this file")
    return found


def _key(signer: str, before: Approved | None, want: Wanted) -> str:
    judges = before.signers if before else want.signers
    if judges is None:
        raise ConfigError("this stack names no signers", [Fault("signers", "name who approves, and a quorum")])
    if signer not in judges.keys:
        whose = "the last approved plan" if before else "this plan"
        raise ConfigError(
            f"--signer: {signer[:40]!r} is not a signer of {whose}{did_you_mean(signer, judges.keys)}; choose from "
            f"{', '.join(sorted(judges.keys))}"
        )
    return judges.keys[signer]


def _entry(before: Approved | None, want: Wanted) -> record.Entry:
    number, after = (before.number + 1, before.plan) if before else (1, "")
    return record.Entry(number=number, plan=want.plan, after=after, signers=want.signers if want.required else None)


def _show(topology: Topology, mine: Scope, before: Approved | None) -> None:
    """Print the plan to standard error, so that only the sentence is piped to a wallet."""
    total = sum(plan.usd_month for plan in topology.workloads)
    lines = [f"Plan of {mine.stack}: {money(total)} a month, {len(topology.workloads)} workloads"]
    for plan in topology.workloads:
        sites = ", ".join(f"{site.name} ({plan.roles[site.name]})" for site in plan.sites)
        lines.append(f"  {plan.name}: {plan.mode}, {plan.host or 'no host'}, {money(plan.usd_month)}: {sites}")
        lines += [f"    {control}" for control in plan.central]
    judges = before.signers if before else topology.signers
    lines.append(
        f"It replaces {f'plan {before.plan[:12]}, approval {before.number}' if before else 'no approved plan'}"
    )
    lines.append(f"It is judged by {judges}{'' if before else ', named by itself, as it is the first'}")
    lines.append(f"The next plan is judged by {topology.signers if topology.require_approval else 'no signer'}")
    lines.append(f"What it changes: ./unmoor review --base main {mine.stack}\n")
    click.echo("\n".join(lines), err=True)


def _signature(text: str, ssh_key: Path | None, gpg_key: str | None, signature: str | None) -> str | None:
    if ssh_key:
        return signatures.sign_ssh(ssh_key, text)
    if gpg_key:
        return signatures.sign_gpg(gpg_key, text)
    return sys.stdin.read(SIGNATURE_BYTES) if signature == "-" else signature


def _explain(text: str, plan: str, stack: str, signer: str, until: str, kind: KeyKind) -> None:
    how = {
        KeyKind.ETHEREUM: "Sign exactly this sentence with personal_sign in the wallet, then run:",
        KeyKind.SSH: f"Sign it with `ssh-keygen -Y sign -n {signatures.NAMESPACE} -f KEY`, or run:",
        KeyKind.GPG: "Sign it with `gpg --armor --detach-sign`, or run:",
    }[kind]
    with_ = {KeyKind.ETHEREUM: "--signature 0x…", KeyKind.SSH: "--ssh-key FILE", KeyKind.GPG: "--gpg-key ID"}[kind]
    click.echo(
        f"{how}\n  ./unmoor approve {plan} --stack {stack} --signer {signer} --expires {until} {with_}\n", err=True
    )
    click.echo(text, nl=False)


def _end(
    mine: Scope,
    before: Approved | None,
    want: Wanted,
    kept: tuple[record.Entry, ...],
    today: date,
    signer: str,
    file: Path,
) -> None:
    found = approval.judge(mine, before, want, kept, today)
    have = f"{len(found.agreed)} of {found.by.quorum}" if found else plain(None)
    more = "" if found and found.complete else f"; missing: {found.missing}" if found else ""
    click.echo(f"{signer} approved {want.plan[:12]}: {have} needed{more}; commit {file}")
