"""Chapters for normal days: start, fund, approve, deploy, check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checks
from .chapter import Chapter, Check, Step
from .moves import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def before(case: Case) -> Iterator[Chapter]:
    """Verify that this machine and this shell are able to do it."""
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
                "The stack file is what you expect",
                f"Offline. Every fault of stacks/Pulumi.{case.stack}.yaml is listed at once.",
                checks.plan(case, case.plan),
                checks.planned(case, case.plan),
                0.25,
            ),
            Step(
                "stack",
                "The stack exists",
                "It is made if there is none yet; its state lies where `pulumi login` leads.",
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
    """Verify that the rent is paid for weeks."""
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
        otherwise="Top the account up in Akash Console, under Billing; the holder of the treasury approves it.",
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
                    Check(f"./unmoor review --base HEAD {case.stack}", (f"Plan `{case.hash}`, …",)),
                    checks.planned(case, case.plan),
                    1,
                ),
                sign(case, case.hash),
            ),
        )


def deploy(case: Case) -> Iterator[Chapter]:
    """Deploy the stack file: for the first time, or with new content."""
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
    """Verify that all is well, and that nothing was changed by hand."""
    yield Chapter(
        "check",
        "See that all is well",
        "Every day, by a timer; and by hand when a fault is reported.",
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
                    f"{site.name} answers at {site.site_host}",
                    "Its health and its first page, without the failover record.",
                    checks.visit_site(case.plan, site),
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
