"""Chapters for days on which something is wrong: what to look at, what to do, and what not to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import front
from . import checks
from .case import CLOUD, bound_s
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def cloud_gone(case: Case) -> Iterator[Chapter]:
    """AWS answers nothing: what visitors see depends on the mode."""
    of = case.plan
    here = [site for site in of.sites if site.target == CLOUD]
    down = len(here) == len(of.sites)
    why = (
        f"{here[0].name} is the only site, so visitors get nothing, and no record can be changed while AWS is away. "
        "Tell people; nothing here brings it back sooner."
        if down
        else f"Route 53 leads visitors to the site that answers, within {bound_s(of)} s, by records that are there. "
        "Change nothing: not DNS, not the stack."
        if here
        else f"No site of {of.name} is there. Route 53's name servers go on answering; records cannot be changed."
    )
    others = {name: store for name, store in sorted(of.backup.stores.items()) if store.vendor != CLOUD}
    yield Chapter(
        "aws-gone",
        "AWS is gone",
        "When AWS says so, or two people in two places do not reach it.",
        (
            Step(
                "confirm",
                "See who is reached",
                why,
                checks.status(case, of, gone=(CLOUD,)),
                checks.unanswered(of) if down else checks.visit(of),
                0.25,
                otherwise="It is not the whole of AWS: see its health page, and the chapter that asks if all is well.",
            ),
            *(
                Step(
                    f"store-{name}",
                    f"The content is safe at {store.vendor}",
                    "Any host that serves files can stand in with it, once DNS can be changed.",
                    checks.kept(of, store),
                    checks.listed(of, store),
                    0.25,
                )
                for name, store in others.items()
            ),
        ),
    )


def cloud_back(case: Case) -> Iterator[Chapter]:
    """AWS answers again."""
    yield Chapter(
        "aws-back",
        "AWS is back",
        "When AWS says that it is over. Traffic returns by itself."
        + (" Then consider the chapter about a standby." if len(case.plan.sites) == 1 else ""),
        (
            _well(case),
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
    """A lease was closed: rent again."""
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
                    else f"The other site answers within {bound_s(of)} s. Take the next steps at once all the same.",
                    checks.unwell(case),
                    checks.unanswered(of) if dark else checks.visit(of),
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
                _seen(case),
            ),
        )


def chain_halted(case: Case) -> Iterator[Chapter]:
    """Akash makes no blocks: leases run on, and nothing can be rented."""
    if checks.rents(case.plan):
        yield Chapter(
            "chain-halted",
            "The chain is halted",
            "When Akash makes no blocks: an upgrade, or worse. Leases run on; none can be opened, changed or closed.",
            (
                _well(case),
                Step(
                    "hands-off",
                    "Wait with every change",
                    "No flip, no update, no destroy until blocks come again: half a change is worse than none. The "
                    "stack file and the stack must still say the same.",
                    checks.outputs(case, case.plan),
                    checks.plan(case, case.plan),
                    0.25,
                    otherwise="Somebody edited the stack file: leave it, and do not update yet.",
                ),
            ),
        )


def dns_gone(case: Case) -> Iterator[Chapter]:
    """Route 53 takes no changes: answers and failover go on."""
    of = case.plan
    failover = (
        f"A failover still happens by itself, within {bound_s(of)} s."
        if len(of.sites) > 1
        else "There is no failover: one site only."
    )
    yield Chapter(
        "dns-gone",
        "DNS cannot be changed",
        "When Route 53's control plane is away: names are answered, and no record can be edited.",
        (
            _well(case),
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


def store_gone(case: Case) -> Iterator[Chapter]:
    """One store does not answer: sites go on, the others hold the content, publishing waits."""
    of = case.plan
    for name, store in sorted(of.backup.stores.items()):
        others = [(other, kept) for other, kept in sorted(of.backup.stores.items()) if other != name]
        holds = (
            f"{', '.join(other for other, _ in others)} still holds every version."
            if others
            else "No other store holds the content!"
        )
        yield Chapter(
            f"store-gone-{name}",
            f"Store {name} is gone",
            f"When {store.vendor} gives no bundles. Sites go on serving; publishing waits until it is back. {holds}",
            (
                Step(
                    "confirm",
                    f"See that it is {name}",
                    "Asked as a container does that starts anew; visitors notice nothing.",
                    checks.unreadable(of, store),
                    checks.visit(of),
                    0.1,
                ),
                *(
                    Step(
                        f"store-{other}",
                        f"Store {other} holds the version",
                        "A lease that starts now fetches it here.",
                        checks.kept(of, kept),
                        checks.listed(of, kept),
                        0.1,
                    )
                    for other, kept in others
                ),
            ),
        )


def refill(case: Case) -> Iterator[Chapter]:
    """Fill the stores again, after one was gone or a drill found a bundle missing."""
    of = case.plan
    stores = [of.backup.stores[name] for name in sorted(of.backup.stores)]
    yield Chapter(
        "refill",
        "Fill the stores again",
        "When a store is back, or the restore drill found a bundle missing. To give a store up, name another in the "
        "stack file first.",
        (
            Step(
                "refill",
                "Put the version into every store",
                "What is there already is left; each is then asked as anyone could.",
                checks.refill(case),
                checks.kept(of, stores[0]),
                0.25,
                otherwise="The error names the store that refused, and why.",
            ),
            *(
                Step(
                    f"store-{name}",
                    f"Store {name} gives it back",
                    "Fetched without credentials.",
                    checks.kept(of, of.backup.stores[name]),
                    checks.listed(of, of.backup.stores[name]),
                    0.1,
                )
                for name in sorted(of.backup.stores)
            ),
        ),
    )


def certificate(case: Case) -> Iterator[Chapter]:
    """A browser refuses a site: its certificate is missing, old, or for another name."""
    of = case.plan
    if front.SCHEME == "https":
        yield Chapter(
            "certificate",
            "A certificate is missing",
            "When a browser refuses a site, or `unmoor status` counts fewer than 14 days.",
            (
                _well(case, otherwise=_CERTIFICATE),
                *(
                    Step(
                        f"site-{site.name}",
                        f"{site.name} shows a good one at {site.direct}",
                        "The chain, the name and the date are checked as a browser does.",
                        checks.visit(of, site.direct),
                        checks.page(site),
                        0.25,
                        otherwise=_CERTIFICATE,
                    )
                    for site in of.sites
                ),
            ),
        )


_CERTIFICATE = (
    "The site asks its authority again by itself, every few minutes. If that takes longer than an hour: does a CAA "
    "record of the zone name another authority, and does http:// at the site's own name answer? Then deploy again."
)


def interrupted(case: Case) -> Iterator[Chapter]:
    """An update was killed: give its lock back and let another finish."""
    of = case.plan
    yield Chapter(
        "interrupted",
        "An update was interrupted",
        "When a machine died under `pulumi up`, and the next one says that the stack is locked. Ask first that nobody "
        "else is at it.",
        (
            Step(
                "unlock",
                "Give the lock back",
                "What was made is in the state or is found again by its name; nothing is rented twice.",
                Check(
                    f"pulumi cancel --yes {checks.stack(case)}",
                    ("The currently running update for … has been canceled!",),
                ),
                checks.visit(of),
                0.1,
                approval=case.owner,
            ),
            Step(
                "finish",
                "Finish it",
                "The clouds are asked what there is, and what is missing is made.",
                checks.up(case, "--refresh"),
                checks.status(case, of),
                0.25,
                otherwise="Read the last error, mend what it names, and take the step again.",
            ),
        ),
    )


def _well(case: Case, otherwise: str = "Something else is wrong as well: turn to its chapter.") -> Step:
    return Step(
        "well",
        "See that every site answers",
        "Each at its own name, and the host as visitors see it.",
        checks.status(case, case.plan),
        checks.visit(case.plan),
        0.1,
        otherwise=otherwise,
    )


def _seen(case: Case) -> Step:
    return Step(
        "seen",
        "See what visitors see",
        f"Everyone has followed after {bound_s(case.plan)} s at most.",
        checks.visit(case.plan),
        checks.outputs(case, case.plan),
        0.1,
    )
