"""Chapters about content: restore it from the stores, roll it back, and roll it forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.models import PROJECT
from . import checks
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def restore_drill(case: Case) -> Iterator[Chapter]:
    """Restore the content from each store: a backup that was never restored proves nothing."""
    of = case.plan
    if not case.pinnable:
        return
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
                for name, store in sorted(case.stores.items())
            ),
            Step(
                "restore",
                "The version unpacks into a folder",
                "From the first store that answers; the hash is checked before anything is written.",
                Check(
                    f"rm -rf {target} && ./unmoor restore {of.name} {target} --version {of.release.id} "
                    f"{checks.stack(case)}",
                    (f"…version {of.release.id}…from store …",),
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
    if not case.pinnable or of.release.pinned:
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
                f"The {of.retain} newest, newest first.",
                Check(f"./unmoor restore {of.name} --list {flag}", (f"{of.release.id}…",)),
                checks.status(case, of),
                0.1,
            ),
            Step(
                "pin",
                "Name the version in the stack file",
                "Both sides then serve it from the stores; Pulumi writes the line.",
                Check(
                    f'pulumi config set --path {key} "${{VERSION:-{of.release.id}}}" --plaintext {flag} && '
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
    if not case.pinnable or not of.release.pinned:
        return
    yield Chapter(
        "roll-forward",
        "Serve the folder's content again",
        f"When the content is right again. Now version {of.release.short} is named in the stack file.",
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
                rollback=f"pulumi config set --path {key} {of.release.id} --plaintext {flag}",
            ),
            *_agree(case),
            *_serve(
                case, f"pulumi config set --path {key} {of.release.id} --plaintext {flag} && {checks.update(case)}"
            ),
        ),
    )


def _option(workload: str) -> str:
    return f"{PROJECT}:workloads.{workload}.options.version"


def _agree(case: Case) -> Iterator[Step]:
    """Let a signer approve the working tree as it is then: its hash is not known when the runbook is written."""
    if case.topology.require_approval:
        flag = checks.stack(case)
        review = f"./unmoor review --base HEAD --json {case.stack}"
        hash_of = f"{review} | {checks.PYTHON} 'import json, sys; print(json.load(sys.stdin)[\"hash\"])'"
        yield Step(
            "sign",
            "Let a signer approve the plan",
            "The version is part of the plan, and this stack refuses an update that its signers have not approved.",
            Check(f'./unmoor approve "$({hash_of})" {flag}', ("… approved …",)),
            Check(f'grep -m 1 "$({hash_of})" stacks/approvals.{case.stack}.yaml', ("plan: …",)),
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
        f"Pages are asked for again each time, so {case.plan.failover_s} s are enough for everyone.",
        checks.answered(case.plan),
        checks.outputs(case, case.plan),
        0.1,
        rollback=rollback,
    )
