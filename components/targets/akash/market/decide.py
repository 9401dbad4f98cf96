"""Decides the next step towards a leased, running deployment from what the market shows: pure, no clock, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ....errors import LeaseLost, MarketError, NoAcceptableBid
from .bids import cheapest, none_will_do
from .observed import RUNNING, Deployment, Lease, Observed, Since
from .steps import (
    AwaitBids,
    AwaitOpening,
    AwaitReady,
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
    """Name the next step; the same look at the market always gives the same step."""
    if seen.spare:
        return CloseDeployment(seen.spare[0], "it is a second one of the same name")
    if seen.open is None:
        return _opening(want, seen)
    if seen.lease is None:
        return _bidding(want, seen, seen.open)
    if seen.lease.state not in RUNNING:
        return _lost(
            want, seen.open, f"its lease is {seen.lease.state}" + f" ({seen.lease.reason})" * bool(seen.lease.reason)
        )
    return _running(want, seen, seen.open, seen.lease)


def _opening(want: Request, seen: Observed) -> Step:
    if want.id:
        return GiveUp(LeaseLost, f"akash: deployment {want.id} is closed; {_REFRESH}")
    since = seen.since
    if since.asked is not None and seen.now - since.asked < want.patience.appearing:
        return AwaitOpening(want.name)
    if since.openings >= want.patience.openings:
        return GiveUp(MarketError, f"akash: {since.openings} deployments in a row came to nothing; try again later")
    return OpenDeployment(want.name, want.deposit_usd)


def _bidding(want: Request, seen: Observed, found: Deployment) -> Step:
    if found.version != want.version:
        return UpdateManifest(found.id)
    since, patience = seen.since, want.patience
    waited = seen.now - (since.opened or 0.0)
    listened = seen.now - since.first_bid if since.first_bid is not None else None
    best = cheapest(want, seen)
    if best and listened is not None and listened >= patience.bid_window:
        return TakeBid(found.id, best)
    if not best and not want.id and seen.bids and all(bid.state == "closed" for bid in seen.bids):
        return CloseDeployment(found.id, "its bids have expired, and nobody bids twice on one order")
    out_of_patience = waited >= patience.bidding if listened is None else listened >= patience.refusal
    if not best and out_of_patience:
        why = none_will_do(want, seen, found.id)
        return GiveUp(NoAcceptableBid, why, close=found.id, advice="try later, or raise the ceiling")
    return AwaitBids(found.id, len(seen.bids))


def _lost(want: Request, found: Deployment, why: str, shun: str = "") -> Step:
    if want.id:
        return GiveUp(LeaseLost, f"akash: deployment {found.id} is lost: {why}; {_REFRESH}")
    return CloseDeployment(found.id, why, shun)


def _running(want: Request, seen: Observed, found: Deployment, lease: Lease) -> Step:
    since, patience = seen.since, want.patience
    stale, why = found.version != want.version, ""
    if since.refused is not None and seen.now - since.refused >= patience.silence:
        why = f"{lease.provider} does not answer"
    elif stale and lease.state == "reclaiming":
        why = f"{lease.provider} is taking it back, and takes no new manifest"
    if why:
        return _lost(want, found, why, shun=lease.provider)
    if stale:
        return UpdateManifest(found.id)
    missing = shortfall(want, seen)
    if not missing:
        return Done(found.id, lease.provider, lease.price)
    if since.leased is not None and seen.now - since.leased >= patience.ready:
        why = f"akash: deployment {found.id} is not ready after {patience.ready:.0f} s at {lease.provider}: {missing}"
        return GiveUp(MarketError, f"{why}; read its log, correct the document and run it again")
    unanswered = since.sent is None or seen.now - since.sent >= patience.manifest
    if seen.services is None and unanswered:
        return SendManifest(found.id, lease.provider)
    return AwaitReady(found.id, missing)


def shortfall(want: Request, seen: Observed) -> str:
    """Say what a running lease still lacks; empty if nothing."""
    if seen.services is None:
        return "its provider shows no status yet"
    wanted = want.data["services"]
    for name in wanted:
        service = seen.services.get(name)
        if service is None or not service.ready:
            return f"{service.available if service else 0} of {service.total if service else 1} of {name} available"
    if want.leased_ip and not seen.ips.get(want.service):
        return f"no address for {want.service}"
    names = frozenset(seen.uris.get(want.service, ()))
    if missing := sorted(want.hosts - names):
        return f"its ingress does not lead {', '.join(missing)} to {want.service}"
    if want.hosts and names == want.hosts:
        return f"its ingress has no name of its own for {want.service}"
    return ""


def learn(since: Since, step: Step, now: float, *, took: bool | None) -> Since:
    """Add to a run's memory how a step went: it `took` effect, it did not, or (None) nobody knows."""
    if isinstance(step, OpenDeployment) and took is not False:
        return replace(since, asked=None if took else now, openings=since.openings + 1)
    if isinstance(step, TakeBid | SendManifest | UpdateManifest) and took:
        return replace(since, sent=now, refused=None)
    if isinstance(step, SendManifest | UpdateManifest) and since.refused is None:
        return replace(since, refused=now)
    if isinstance(step, CloseDeployment) and step.shun:
        return replace(since, shunned=since.shunned | {step.shun})
    return since
