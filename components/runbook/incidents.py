"""Chapters for days on which another party is gone: what to look at, what to do, and what not to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checks
from .case import CLOUD, RENTED
from .chapter import Chapter, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config.models import Store
    from ..topology import WorkloadPlan
    from .case import Case
    from .chapter import Check

#: Seconds that a registry may take to change glue.
_GLUE_S = 2 * 86_400


def cloud_gone(case: Case) -> Iterator[Chapter]:
    """Describe what to do while AWS answers nothing; what visitors see depends on the mode."""
    of = case.plan
    here = [site for site in of.sites if site.target == CLOUD]
    down = len(here) == len(of.sites)
    why = (
        f"{here[0].name} is the only site, so visitors get nothing, and no record can be changed while AWS is away. "
        "Inform people; nothing here brings it back sooner."
        if down
        else f"Route 53 leads visitors to the site that answers, within {of.failover_s} s, by records that are there. "
        "Change nothing: not DNS, not the stack."
        if here
        else f"No site of {of.name} is there. Route 53's name servers go on answering; records cannot be changed."
    )
    others = {name: store for name, store in sorted(case.stores.items()) if store.vendor != CLOUD}
    yield Chapter(
        "aws-gone",
        "AWS is gone",
        "When AWS reports it, or two people in two places do not reach it.",
        (
            Step(
                "confirm",
                "See who is reached",
                why,
                checks.status(case, of, gone=(CLOUD,)),
                checks.unanswered(of) if down else checks.visit(of, without=CLOUD),
                0.25,
                otherwise="It is not the whole of AWS: see its health page, and the chapter that asks if all is well.",
            ),
            *(_safe(of, name, store) for name, store in others.items()),
        ),
    )


def account_closed(case: Case) -> Iterator[Chapter]:
    """Return the runbook for a closed AWS account: what is left, and what to do about the zone."""
    of, zone = case.plan, case.topology.zone
    alone = zone.own is not None and len(zone.authorities) == 1
    others = {name: store for name, store in sorted(case.stores.items()) if store.vendor != CLOUD}
    why = (
        "The zone stands on name servers of your own, so names lead to sites elsewhere as before."
        if alone
        else "The zone went with the account, so every name fails, those of sites elsewhere too. Print the zone with "
        "`unmoor zone file`, give each site's address with --at, upload it to another DNS vendor, take the DS out "
        "where there is one, and name that vendor's servers at the registrar."
    )
    yield Chapter(
        "account-closed",
        "AWS has closed the account",
        "When AWS has written so, or every call is answered with AccessDenied and the zone with REFUSED.",
        (
            Step("confirm", "See what visitors get", why, _sites(case, alone=alone), _visitors(case, alone=alone), 0.5),
            *(_safe(of, name, store) for name, store in others.items()),
        ),
    )


def _sites(case: Case, *, alone: bool) -> Check:
    """Return a check that sites elsewhere are well if names lead to them, else that not every site answers."""
    return checks.status(case, case.plan, gone=(CLOUD,)) if alone else checks.unwell(case)


def _visitors(case: Case, *, alone: bool) -> Check:
    of = case.plan
    elsewhere = any(site.target != CLOUD for site in of.sites)
    return checks.visit(of, without=CLOUD) if alone and elsewhere else checks.unanswered(of)


def _safe(of: WorkloadPlan, name: str, store: Store) -> Step:
    """Return the steps that confirm that a store elsewhere has the content."""
    return Step(
        f"store-{name}",
        f"The content is safe at {store.vendor}",
        "Any host that serves files can stand in with it, once DNS can be changed.",
        checks.kept(of, store),
        checks.listed(of, store),
        0.25,
    )


def name_server_lost(case: Case) -> Iterator[Chapter]:
    """Return the runbook for a lost name server: rent it again, and change the glue: a stranger may get the address."""
    if case.topology.zone.own is not None:
        registrar = case.topology.zone.delegation.registrar if case.topology.zone.delegation else "the registrar"
        yield Chapter(
            "name-server-lost",
            "A name server is lost",
            "When `unmoor status` or `unmoor zone check` names a server of the stack that does not answer.",
            (
                Step(
                    "confirm",
                    "See which one it is",
                    "Another one answers, and visitors notice nothing yet. The next tenant of the lost address is "
                    "asked for your names, and resolvers that do not validate believe it.",
                    checks.zone(case, differs="…"),
                    checks.visit(case.plan),
                    0.1,
                ),
                Step(
                    "rent",
                    "Rent again",
                    "The refresh drops the lost lease; another one is rented, gets the key, and answers the zone at "
                    "another address, which the servers' own names have from then on.",
                    checks.up(case, "--refresh"),
                    checks.outputs(case, case.plan),
                    0.25,
                    otherwise="Take the lost server's glue out at the registrar first; then wait for a bid.",
                ),
                Step(
                    "glue",
                    "Change the glue",
                    f"Give the new address of the server at {registrar}, under host names or glue: what is printed has "
                    "both. It takes hours at some registries, and is repeated until all agree.",
                    checks.zone(case, differs="change it first"),
                    checks.zone(case, within_s=_GLUE_S),
                    0.5,
                    otherwise="See at the registrar whether the change was taken, and ask it why not.",
                ),
            ),
        )


def cloud_back(case: Case) -> Iterator[Chapter]:
    """Describe what to do when AWS answers again."""
    yield Chapter(
        "aws-back",
        "AWS is back",
        "When AWS reports that it is over. Traffic returns by itself."
        + (" Then consider the chapter about a standby." if len(case.plan.sites) == 1 else ""),
        (
            well(case),
            Step(
                "drift",
                "Nothing was lost or changed meanwhile",
                "The clouds are asked what there is.",
                checks.preview(case, "--refresh", "--expect-no-changes"),
                checks.outputs(case, case.plan),
                0.25,
                otherwise="The chapter about deploying mends what the preview shows.",
            ),
        ),
    )


def lease_lost(case: Case) -> Iterator[Chapter]:
    """Rent again after a lease was closed."""
    of = case.plan
    if checks.rents(of):
        dark = len(of.sites) == 1
        yield Chapter(
            "lease-lost",
            "A lease is lost",
            "When a site on Akash does not answer: its provider has gone, has closed the lease, or the escrow ran dry.",
            (
                Step(
                    "confirm",
                    "See which site it is",
                    "It is the only one, so visitors get nothing until the next steps are done."
                    if dark
                    else f"The other site answers within {of.failover_s} s. Take the next steps at once all the same.",
                    checks.unwell(case),
                    checks.unanswered(of) if dark else checks.visit(of, without=RENTED),
                    0.1,
                ),
                Step(
                    "runway",
                    "See that it was not the money",
                    "Without rent the next lease would close as well.",
                    checks.runway(case),
                    checks.balance(),
                    0.1,
                    otherwise="Top the account up in Akash Console, under Billing, before you go on.",
                ),
                Step(
                    "rent",
                    "Rent again",
                    "The refresh asks the network and drops what is gone; then another lease is rented, its site is "
                    "asked for the version, and the records follow. It costs what it cost before.",
                    checks.up(case, "--refresh"),
                    checks.status(case, of),
                    0.25,
                    otherwise="Without an acceptable bid the error names the rule that refused each: wait and take the "
                    "step again, or raise options.budget_usd_month. What stands is left as it is.",
                ),
                seen(case),
            ),
        )


def chain_halted(case: Case) -> Iterator[Chapter]:
    """Wait while Akash makes no blocks: leases keep running, and none can be opened, changed or closed."""
    if checks.rents(case.plan):
        yield Chapter(
            "chain-halted",
            "The chain is halted",
            "When Akash makes no blocks: an upgrade, or worse. Leases run on; none can be opened, changed or closed.",
            (
                well(case),
                Step(
                    "hands-off",
                    "Wait with every change",
                    "No flip, no update, no destroy until blocks come again: half a change is worse than none. The "
                    "stack file and the stack must still agree.",
                    checks.outputs(case, case.plan),
                    checks.plan(case, case.plan),
                    0.25,
                    otherwise="Another person edited the stack file: leave it, and do not update yet.",
                ),
            ),
        )


def dns_gone(case: Case) -> Iterator[Chapter]:
    """Wait while Route 53 accepts no changes: answers and failover keep working."""
    of = case.plan
    failover = (
        f"A failover still happens by itself, within {of.failover_s} s."
        if len(of.sites) > 1
        else "There is no failover: one site only."
    )
    yield Chapter(
        "dns-gone",
        "DNS cannot be changed",
        "When Route 53's control plane is away: names are answered, and no record can be edited.",
        (
            well(case),
            Step(
                "hands-off",
                "Wait with every change",
                f"{failover} A flip would stop half-way, at the records: wait.",
                checks.planned(case, of),
                checks.visit(of),
                0.25,
            ),
        ),
    )


def well(case: Case, otherwise: str = "Something else is wrong as well: turn to its chapter.") -> Step:
    """Verify that every site answers."""
    return Step(
        "well",
        "See that every site answers",
        "Each at its own name, and the host as visitors see it.",
        checks.status(case, case.plan),
        checks.visit(case.plan),
        0.1,
        otherwise=otherwise,
    )


def seen(case: Case) -> Step:
    """Verify what visitors see."""
    return Step(
        "seen",
        "See what visitors see",
        f"Everyone has followed after {case.plan.failover_s} s at most.",
        checks.visit(case.plan),
        checks.outputs(case, case.plan),
        0.1,
    )
