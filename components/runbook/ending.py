"""Chapters that end something: old credentials, or a workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.models import PROJECT
from . import checks
from .case import CLOUD_KEY
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def rotate(case: Case) -> Iterator[Chapter]:
    """Replace the credentials, and verify the new ones before the old ones end."""
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
                checks.refill(case) if case.keeps else checks.up(case, "--refresh"),
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
        f"When {of.host} is not needed any more. What the stores hold stays there: they outlive the stack.",
        (
            *_kept(case),
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
                checks.kept(of, case.stores[min(case.stores)]) if case.keeps else checks.unanswered(of),
                0.1,
                rollback=rollback,
            ),
        ),
    )


def _kept(case: Case) -> Iterator[Step]:
    of = case.plan
    if case.keeps:
        yield Step(
            "kept",
            "The content is safe",
            "From the store that is asked last, since the others are asked first in all that follows.",
            checks.kept(of, case.stores[max(case.stores)]),
            checks.status(case, of),
            0.25,
        )
