"""Chapters for days on which nothing is wrong: start, fund, deploy, check, rehearse, roll back, rotate, end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import PROJECT
from . import checks
from .case import CLOUD_KEY, bound_s
from .chapter import Chapter, Check, Step
from .moves import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def before(case: Case) -> Iterator[Chapter]:
    """See that this machine and this shell can do it at all."""
    flag = checks.stack(case)
    named = ", ".join(case.secrets)
    yield Chapter(
        "before",
        "Before you start",
        "Once for each machine and each operator.",
        (
            Step(
                "tools",
                "The tools are there",
                "The rest of this runbook is typed in the repository's root, in a POSIX shell.",
                Check(
                    "pulumi version && curl --version && openssl version && tar --version",
                    ("v3.…", "curl …", "…SSL …", "…tar…"),
                ),
                Check("./unmoor --version", ("unmoor, version …",)),
                0.5,
                otherwise="Install the one that was not found; `./setup.sh` makes .venv.",
            ),
            Step(
                "plan",
                "The stack file says what you think",
                f"Offline. Every fault of stacks/Pulumi.{case.stack}.yaml would be said at once.",
                checks.plan(case, case.plan),
                checks.planned(case, case.plan),
                0.25,
            ),
            Step(
                "stack",
                "The stack exists",
                "It is made if there is none yet; its state lies where `pulumi login` says.",
                Check(f"pulumi stack select --create {case.stack} && pulumi stack ls", (f"{case.stack}*…",)),
                Check(f"pulumi stack --show-name {flag}", (case.stack,)),
                0.1,
            ),
            Step(
                "credentials",
                "The credentials are set",
                f"Only names are printed. AWS is reached by its usual chain, the others by {named or 'nothing'}; and "
                "Pulumi wants its passphrase or its key.",
                checks.names_set(case),
                checks.balance(),
                0.25,
                otherwise="Export what is missing in this shell; never write it into a file of the repository.",
            ),
        ),
    )


def fund(case: Case) -> Iterator[Chapter]:
    """See that the rent is paid for weeks."""
    if case.rent_usd_month:
        yield Chapter(
            "fund",
            "Fund, and see how long it lasts",
            f"Before the first lease, then every week: escrow that runs dry closes leases, and a closed one is gone. "
            f"Keep {checks.RUNWAY_DAYS} days.",
            (_runway(case),),
        )


def _runway(case: Case) -> Step:
    return Step(
        "runway",
        "Count the days of rent",
        f"All leases of this stack cost {case.rent_usd_month:.2f} USD a month where {case.plan.name} rents most.",
        checks.runway(case),
        checks.balance(),
        0.25,
        otherwise="Top the account up in Akash Console, under Billing; whoever holds the treasury approves it.",
    )


def deploy(case: Case) -> Iterator[Chapter]:
    """Make the stack file so: for the first time, or with new content."""
    signed = (sign(case, case.hash),) if case.topology.require_approval else ()
    yield Chapter(
        "deploy",
        "Deploy",
        "For the first time, and whenever the content or the stack file has changed.",
        (
            *signed,
            Step(
                "preview",
                "See what it will do",
                "Read the list before you agree to it; a line with `-` removes something.",
                checks.preview(case),
                checks.planned(case, case.plan),
                0.25,
            ),
            Step(
                "update",
                "Make it so",
                f"The version goes into every store, then to each site; afterwards it all costs "
                f"{case.plan.usd_month:.2f} USD a month.",
                checks.up(case),
                checks.status(case, case.plan),
                0.5,
                otherwise="Read the last error, mend what it names, and take the step again: what was done is kept. To "
                "serve what was served before, see the chapter about rolling back.",
                approval=case.owner,
            ),
            Step(
                "seen",
                "See what visitors see",
                "What counts is the answer from outside.",
                checks.visit(case.plan),
                checks.outputs(case, case.plan),
                0.1,
            ),
        ),
    )


def check(case: Case) -> Iterator[Chapter]:
    """See that all is well, and that nobody has changed anything by hand."""
    yield Chapter(
        "check",
        "See that all is well",
        "Every day, by a timer; and by hand when somebody says that something is wrong.",
        (
            Step(
                "sites",
                "Every site serves the version",
                "Each is asked at its own name, as a browser would, certificate included.",
                checks.status(case, case.plan),
                checks.visit(case.plan),
                0.1,
                otherwise="Turn to the chapter about what is lost: a lease, AWS, or a certificate.",
            ),
            *(
                Step(
                    f"site-{site.name}",
                    f"{site.name} answers at {site.direct}",
                    "Its health and its first page, without the failover record.",
                    checks.visit(case.plan, site.direct),
                    checks.page(site),
                    0.1,
                )
                for site in case.plan.sites
            ),
            Step(
                "drift",
                "Nothing differs from the stack file",
                "The clouds are asked what there is. A lease that has gone, or a record edited by hand, shows here.",
                checks.preview(case, "--refresh", "--expect-no-changes"),
                checks.outputs(case, case.plan),
                0.1,
                otherwise="If the preview is what you want, the chapter about deploying mends it.",
            ),
        ),
    )


def restore_drill(case: Case) -> Iterator[Chapter]:
    """Bring the content back from each store: a backup that nobody restored is none."""
    of = case.plan
    target = f'"${{TMPDIR:-/tmp}}"/restore-drill-{of.name}'
    yield Chapter(
        "restore-drill",
        "Restore drill",
        "Every month. It reads, and changes nothing.",
        (
            *(
                Step(
                    f"store-{name}",
                    f"Store {name} gives the version back",
                    "Fetched without credentials, with nothing of ours, as a container does when it starts.",
                    checks.kept(of, store),
                    checks.listed(of, store),
                    0.1,
                    otherwise="Turn to the chapter about filling the stores again.",
                )
                for name, store in sorted(of.backup.stores.items())
            ),
            Step(
                "restore",
                "The version unpacks into a folder",
                "From the first store that answers; the hash is checked before anything is written.",
                Check(
                    f"rm -rf {target} && ./unmoor restore {of.name} {target} --version {of.backup.version} "
                    f"{checks.stack(case)}",
                    (f"…version {of.backup.version}…from store …",),
                    limit_s=600,
                ),
                Check(f"ls {target}", ("index.html",)),
                0.25,
                rollback=f"rm -rf {target}",
            ),
        ),
    )


def roll_back(case: Case) -> Iterator[Chapter]:
    """Serve a kept version in place of the folder's content."""
    of, flag = case.plan, checks.stack(case)
    key = _option(of.name)
    if of.backup.folder is None:
        return
    yield Chapter(
        "roll-back",
        "Roll back the content",
        "When what was published is wrong. `export VERSION=` with a hash of the list makes it that one; without it, "
        "this is a rehearsal with the version that is served now.",
        (
            Step(
                "versions",
                "See which versions are kept",
                f"The {of.backup.retain} newest, newest first.",
                Check(f"./unmoor restore {of.name} --list {flag}", (f"{of.backup.version}…",)),
                checks.status(case, of),
                0.1,
            ),
            Step(
                "pin",
                "Name the version in the stack file",
                "Both sides then serve it from the stores; Pulumi writes the line.",
                Check(
                    f'pulumi config set --path {key} "${{VERSION:-{of.backup.version}}}" --plaintext {flag} && '
                    f"pulumi config get --path {key} {flag}",
                    ("…",),
                ),
                checks.planned(case, of),
                0.1,
                rollback=f"pulumi config rm --path {key} {flag}",
            ),
            *_agree(case),
            *_serve(case, f"pulumi config rm --path {key} {flag} && {checks.update(case)}"),
        ),
    )


def roll_forward(case: Case) -> Iterator[Chapter]:
    """Serve the folder's content again."""
    of, flag = case.plan, checks.stack(case)
    key = _option(of.name)
    if of.backup.folder is not None:
        return
    yield Chapter(
        "roll-forward",
        "Serve the folder's content again",
        f"When the content is right again. Now version {of.backup.version[:12]} is named in the stack file.",
        (
            Step(
                "unpin",
                "Take the version out of the stack file",
                "The next update serves what the folder holds then.",
                Check(
                    f"pulumi config rm --path {key} {flag} && ./unmoor plan {of.name} {flag}",
                    (f"{of.name} {of.kind}, {of.mode}, …",),
                ),
                checks.planned(case, of),
                0.1,
                rollback=f"pulumi config set --path {key} {of.backup.version} --plaintext {flag}",
            ),
            *_agree(case),
            *_serve(
                case, f"pulumi config set --path {key} {of.backup.version} --plaintext {flag} && {checks.update(case)}"
            ),
        ),
    )


def _option(workload: str) -> str:
    return f"{PROJECT}:workloads.{workload}.options.version"


def _agree(case: Case) -> Iterator[Step]:
    """Let a signer approve whatever the working tree has become: its hash is not known when this is written."""
    if case.topology.require_approval:
        flag = checks.stack(case)
        review = f"./unmoor review --base HEAD --json {case.stack}"
        hash_of = f"{review} | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)[0][\"plan\"])'"
        yield Step(
            "sign",
            "Let a signer approve the plan",
            "The version is part of the plan, and this stack refuses an update whose plan nobody approved.",
            Check(f'./unmoor approve "$({hash_of})" {flag}', ("… approved …",)),
            Check(f'grep -m 1 "$({hash_of})" stacks/approvals.{case.stack}.yaml', ("- plan: …",)),
            0.25,
            approval="a signer who has read `unmoor review`",
        )


def _serve(case: Case, rollback: str) -> Iterator[Step]:
    yield Step(
        "update",
        "Serve it",
        "Each site is asked for the version before its record may point at it.",
        checks.up(case),
        checks.well(case),
        0.25,
        rollback=rollback,
        approval=case.owner,
    )
    yield Step(
        "seen",
        "See what visitors see",
        f"Pages are asked for again each time, so {bound_s(case.plan)} s are enough for everyone.",
        checks.answered(case.plan),
        checks.outputs(case, case.plan),
        0.1,
        rollback=rollback,
    )


def rotate(case: Case) -> Iterator[Chapter]:
    """Change the credentials, and see that the new ones work before the old ones end."""
    yield Chapter(
        "rotate",
        "Rotate the credentials",
        "Every 90 days, when an operator leaves, and at once when one may have been seen. Make new ones at each vendor "
        "first, export them in this shell, and revoke the old ones only after the last step.",
        (
            Step(
                "names",
                "The new credentials are set",
                "Only names are printed.",
                checks.names_set(case),
                checks.balance(),
                1,
                otherwise="The Console refuses the key: make another, under API Keys.",
            ),
            Step(
                "use",
                "Every door opens with them",
                "The clouds are asked what there is, and the version is put into every store again.",
                checks.refill(case),
                checks.status(case, case.plan),
                0.25,
                otherwise="The error names the door that did not open. The old ones still work: do not revoke yet.",
                approval=case.owner,
            ),
            Step(
                "leaks",
                "None of them lies in the state",
                "Credentials come from the environment and go nowhere. Now revoke the old ones at each vendor.",
                checks.no_leak(case, CLOUD_KEY),
                checks.visit(case.plan),
                0.5,
                otherwise="Revoke the one that is named, at its vendor, and make another.",
            ),
        ),
    )


def approve(case: Case) -> Iterator[Chapter]:
    """Let a signer read and approve the plan of the working tree."""
    if case.topology.require_approval:
        yield Chapter(
            "approve",
            "Approve a change",
            "Before an update of a stack that requires it. A signer does this, on a machine of their own.",
            (
                Step(
                    "review",
                    "Read what the change does",
                    "Compared with the last commit; name another with --base.",
                    Check(f"./unmoor review --base HEAD {case.stack}", (f"## {case.stack}: …", f"Plan `{case.hash}`")),
                    checks.planned(case, case.plan),
                    1,
                ),
                sign(case, case.hash),
            ),
        )


def decommission(case: Case) -> Iterator[Chapter]:
    """End a workload, and leave its content in the stores."""
    of, flag = case.plan, checks.stack(case)
    if case.alone:
        remove = Check(f"pulumi destroy --yes --skip-preview {flag}", ("Destroying (…):", "Resources:"), limit_s=3600)
        rollback = checks.update(case)
        left = Check(f"pulumi stack {flag}", ("No resources currently in this stack",))
    else:
        key = f"{PROJECT}:workloads.{of.name}"
        remove = Check(f"pulumi config rm --path {key} {flag} && {checks.update(case)}", ("Resources:",), limit_s=3600)
        rollback = f"git checkout -- stacks/Pulumi.{case.stack}.yaml && {checks.update(case)}"
        left = checks.preview(case, "--expect-no-changes")
    yield Chapter(
        "decommission",
        f"End {of.name}",
        f"When nobody needs {of.host} any more. The bundles stay in the stores, which outlive the stack.",
        (
            Step(
                "kept",
                "The content is safe",
                "From the store that is asked last, since the others are asked first in all that follows.",
                checks.kept(of, of.backup.stores[max(of.backup.stores)]),
                checks.status(case, of),
                0.25,
            ),
            Step(
                "remove",
                f"Remove {', '.join(site.name for site in of.sites)}",
                "Records go first; what they led to is removed when no resolver remembers it.",
                remove,
                checks.unanswered(of),
                0.5,
                rollback=rollback,
                approval=case.owner,
            ),
            Step(
                "left",
                "Nothing is left",
                "What is left would go on costing.",
                left,
                checks.kept(of, of.backup.stores[min(of.backup.stores)]),
                0.1,
                rollback=rollback,
            ),
        ),
    )
