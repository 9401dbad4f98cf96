"""Chapters that repair our own parts: a store, a certificate, an update that was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checks
from .chapter import Chapter, Check, Step
from .incidents import well

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def store_gone(case: Case) -> Iterator[Chapter]:
    """Describe one store that does not answer: sites keep running, others hold the content, publishing waits."""
    of = case.plan
    for name, store in sorted(case.stores.items()):
        others = [(other, kept) for other, kept in sorted(case.stores.items()) if other != name]
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
    if not case.keeps:
        return
    stores = [case.stores[name] for name in sorted(case.stores)]
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
                    checks.kept(of, case.stores[name]),
                    checks.listed(of, case.stores[name]),
                    0.1,
                )
                for name in sorted(case.stores)
            ),
        ),
    )


def certificate(case: Case) -> Iterator[Chapter]:
    """Repair a certificate that is missing, old, or for another name, so that browsers refuse the site."""
    of = case.plan
    if certified := [site for site in of.sites if site.scheme == "https"]:
        yield Chapter(
            "certificate",
            "A certificate is missing",
            "When a browser refuses a site, or `unmoor status` counts fewer than 14 days.",
            (
                well(case, otherwise=_CERTIFICATE),
                *(
                    Step(
                        f"site-{site.name}",
                        f"{site.name} shows a good one at {site.site_host}",
                        "The chain, the name and the date are checked as a browser does.",
                        checks.visit_site(of, site),
                        checks.page(site),
                        0.25,
                        otherwise=_CERTIFICATE,
                    )
                    for site in certified
                ),
            ),
        )


_CERTIFICATE = (
    "The site asks its authority again by itself, every few minutes. If that takes longer than an hour: does a CAA "
    "record of the zone name another authority, and does http:// at the site's own name answer? Then deploy again."
)


def interrupted(case: Case) -> Iterator[Chapter]:
    """Release the lock of a killed update, and let another update finish."""
    of = case.plan
    yield Chapter(
        "interrupted",
        "An update was interrupted",
        "When a machine died under `pulumi up`, and the next one reports a locked stack. Make sure first that no "
        "other person works on it.",
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
                otherwise="If it ends with `failed to load checkpoint`, a file of the state was cut off: "
                f"`./unmoor mend {checks.stack(case)}` makes it readable, and the step can be taken again.",
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
