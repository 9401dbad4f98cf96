"""Decide the next step towards a leased, running deployment from an observation: pure, no clock, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ....errors import LeaseLost, MarketError, NoAcceptableBid, NobodyBid, NotReady
from .bids import cheapest, none_will_do
from .observed import RUNNING, UNSEEN, Deployment, Lease, Observed, Since, dollars, reason
from .steps import (
    AwaitBids,
    AwaitNames,
    AwaitOpening,
    AwaitReady,
    AwaitSight,
    AwaitUpdate,
    CloseDeployment,
    Done,
    GiveUp,
    OpenDeployment,
    SendManifest,
    Step,
    TakeBid,
    UpdateManifest,
)

if TYPE_CHECKING:
    from .request import Request

_REFRESH = "run `pulumi up --refresh`, which rents again"


def decide(want: Request, seen: Observed) -> Step:
    """Return the next step; the same observation always gives the same step."""
    if seen.spare:
        return CloseDeployment(seen.spare[0], "it is a second one of the same name")
    if seen.deployment and seen.deployment.state == UNSEEN and (step := _unseen(want, seen, seen.deployment)):
        return step
    if seen.open is None:
        return _opening(want, seen)
    if seen.lease is None:
        return _bidding(want, seen, seen.open)
    if seen.lease.state not in RUNNING:
        return _lost(want, seen.open, f"its lease is {reason(seen.lease)}")
    return _running(want, seen, seen.open, seen.lease)


def _unseen(want: Request, seen: Observed, held: Deployment) -> Step | None:
    """Wait for a deployment that reads do not show; return None once that has lasted longer than any known lag."""
    if seen.since.unseen is None or seen.now - seen.since.unseen < want.patience.unseen:
        return AwaitSight(held.id)
    if want.id:
        away = f"akash: the market has not shown deployment {want.id} for {want.patience.unseen:.0f} s"
        return GiveUp(MarketError, f"{away}; try again, or {_REFRESH}")
    return None


def _opening(want: Request, seen: Observed) -> Step:
    if want.id:
        return GiveUp(LeaseLost, f"akash: deployment {want.id} is closed; {_REFRESH}")
    since, patience = seen.since, want.patience
    if since.asked is not None and seen.now - since.asked < patience.appearing:
        return AwaitOpening(want.name)
    if since.unnamed is not None and seen.now - since.unnamed < patience.naming:
        return AwaitNames(seen.unnamed)
    if since.openings >= patience.openings:
        return GiveUp(MarketError, f"akash: {since.openings} deployments in a row came to nothing; try again later")
    return OpenDeployment(want.name, want.deposit_usd)


def _updating(want: Request, seen: Observed, found: Deployment) -> Step | None:
    """Bring a deployment to the wanted manifest; return None if it has it.

    A hash that the market does not know counts as ours once this run has put the manifest there.

    An update that succeeded and changed nothing ends the run: a repetition would never end.
    """
    put = seen.since.put
    if found.version == want.version or (not found.version and put is not None):
        return None
    if put is None:
        return UpdateManifest(found.id)
    if seen.now - put < want.patience.updating:
        return AwaitUpdate(found.id)
    why = f"akash: the manifest of deployment {found.id} was taken, and its hash is {found.version} instead of"
    leased = seen.lease is not None or bool(want.id)
    return GiveUp(
        MarketError,
        f"{why} {want.version}" + "; report it with the document" * leased,
        close="" if leased else found.id,
        advice="report it with the document",
    )


def _bidding(want: Request, seen: Observed, found: Deployment) -> Step:
    if step := _updating(want, seen, found):
        return step
    since, patience = seen.since, want.patience
    waited = seen.now - (since.opened or 0.0)
    listened = seen.now - since.first_bid if since.first_bid is not None else None
    best = cheapest(want, seen)
    if best and listened is not None and listened >= patience.bid_window:
        return TakeBid(found.id, best)
    if not best and not want.id and seen.bids and all(bid.state == "closed" for bid in seen.bids):
        return CloseDeployment(found.id, "its bids have expired, and no provider bids twice on one order")
    if any(bid.state == "active" for bid in seen.bids):  # Reads lag: its lease is not shown yet.
        return _taken(want, seen, found)
    out_of_patience = waited >= patience.bidding if listened is None else listened >= patience.refusal
    if not best and out_of_patience:
        why = none_will_do(want, seen, found.id)
        error = NoAcceptableBid if seen.bids else NobodyBid
        return GiveUp(error, why, close=found.id, advice="try later, or raise the ceiling")
    return AwaitBids(found.id, len(seen.bids))


def _taken(want: Request, seen: Observed, found: Deployment) -> Step:
    """Wait for the lease of an accepted bid. It costs and may serve already, so the deployment is not closed."""
    if seen.now - (seen.since.opened or 0.0) < want.patience.bidding:
        return AwaitBids(found.id, len(seen.bids))
    why = f"akash: a bid on deployment {found.id} was taken, and the market has not shown its lease"
    return GiveUp(MarketError, f"{why} for {want.patience.bidding:.0f} s; try again")


def _lost(want: Request, found: Deployment, why: str, shun: str = "") -> Step:
    if want.id:
        return GiveUp(LeaseLost, f"akash: deployment {found.id} is lost: {why}; {_REFRESH}")
    return CloseDeployment(found.id, why, shun)


def _running(want: Request, seen: Observed, found: Deployment, lease: Lease) -> Step:
    if lease.price > want.ceiling:
        over = f"for {dollars(lease.price)}, over the ceiling of {dollars(want.ceiling)}"
        return GiveUp(MarketError, f"akash: deployment {found.id} is leased {over}; close it, or raise the ceiling")
    if lease.provider in want.avoid | seen.neighbours and not want.id:
        return CloseDeployment(found.id, f"{lease.provider} is to be avoided", shun=lease.provider)
    update, since = _updating(want, seen, found), seen.since
    if since.refused is not None and (step := _silent(want, found, lease, seen.now - since.refused)):
        return step
    if update and lease.state == "reclaiming":
        return _lost(want, found, f"{lease.provider} is taking it back, and takes no new manifest", shun=lease.provider)
    return update or _readiness(want, seen, found, lease)


def _readiness(want: Request, seen: Observed, found: Deployment, lease: Lease) -> Step:
    since, patience = seen.since, want.patience
    missing = shortfall(want, seen)
    if not missing:
        return Done(found.id, lease.provider, lease.price)
    if since.leased is not None and seen.now - since.leased >= patience.ready:
        why = f"akash: deployment {found.id} is not ready after {patience.ready:.0f} s at {lease.provider}: {missing}"
        return GiveUp(NotReady, f"{why}; correct the document and run it again")
    unanswered = since.sent is None or seen.now - since.sent >= patience.manifest
    if seen.services is None and unanswered:
        return SendManifest(found.id, lease.provider)
    return AwaitReady(found.id, missing)


def _silent(want: Request, found: Deployment, lease: Lease, for_s: float) -> Step | None:
    """Leave a provider that neither accepts a manifest nor shows a status, if nothing can serve from there yet.

    A deployment that stood before this run may serve while its provider's gateway is silent. That ends the run and
    closes nothing.
    """
    if want.id and for_s >= want.patience.answer:
        why = f"akash: {lease.provider} does not answer, so deployment {found.id} takes no new manifest"
        return GiveUp(MarketError, f"{why}; what runs there is left as it is, try again later")
    if not want.id and for_s >= want.patience.silence:
        return CloseDeployment(found.id, f"{lease.provider} does not answer", shun=lease.provider)
    return None


def shortfall(want: Request, seen: Observed) -> str:
    """Return what a running lease still lacks; empty if it lacks nothing."""
    if seen.services is None:
        return "its provider shows no status yet"
    wanted = want.data["services"]
    for name in wanted:
        service = seen.services.get(name)
        if service is None or not service.ready:
            return f"{service.available if service else 0} of {service.total if service else 1} of {name} available"
    if want.leased_ip and not seen.ips.get(want.service):
        return f"no address for {want.service}" + f" ({seen.refused})" * bool(seen.refused)
    names = frozenset(seen.uris.get(want.service, ()))
    if missing := sorted(want.hosts - names):
        return f"its ingress does not lead {', '.join(missing)} to {want.service}"
    if want.hosts and names == want.hosts:
        return f"its ingress has no name of its own for {want.service}"
    return ""


def learn(since: Since, step: Step, now: float, *, took: bool | None) -> Since:
    """Update a run's memory with a step's outcome: `took` is True if it had an effect, False if none, or None."""
    match step:
        case OpenDeployment() if took:
            since = replace(since, id="", asked=None, openings=since.openings + 1, put=now)
        case OpenDeployment() if took is None:
            since = replace(since, asked=now, openings=since.openings + 1)
        case TakeBid() if took:
            since = replace(since, sent=now, refused=None)
        case SendManifest() | UpdateManifest() if took:
            since = replace(since, put=now, sent=now, refused=None)
        case SendManifest() | UpdateManifest() if since.refused is None:
            since = replace(since, refused=now)
        case CloseDeployment(shun=provider) if provider:
            since = replace(since, shunned=since.shunned | {provider})
    return since
