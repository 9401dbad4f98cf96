"""Move a database's writer: read what is known, name what forbids the move, and follow it to its end."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault, StepError
from ..limits import DATABASE_STATE_BYTES
from ..stores.record import State as Holding
from ..text.escape import outside
from ..writer import switch
from . import proofs
from .agent import State, records
from .database import FEW
from .reading import read
from .server import lsn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..stores.record import Record
    from ..stores.s3 import OpenStore
    from .proofs import Proof
    from .settings import Settings

#: Seconds after which a site's last report no longer counts as its state.
FRESH_S = 60


@dataclass(frozen=True)
class Known:
    """What is known of a database from outside: the record, the last report of each site, and the proofs.

    `unread`: what could not be read, and why. `locks`: the object lock of each store that has one.
    """

    record: Record | None
    sites: dict[str, State]
    proofs: dict[str, Proof]
    unread: tuple[str, ...] = ()
    locks: dict[str, str] = field(default_factory=dict)


def known(settings: Settings) -> Known:
    """Read the record, reports, proofs and locks; name what cannot be read. StepError if the record cannot be read."""
    record = records(settings).read()[0]
    store, sites, failed = proofs.opened(settings, settings.witness.store), dict[str, State](), list[str]()
    for site in settings.sites:
        try:
            state = reported(settings, store, site)
        except StepError as error:
            failed.append(str(error))
            continue
        if state is not None:
            sites[site] = state
    kept, unread = proofs.kept(settings)
    return Known(record, sites, kept, tuple(failed + unread), _locks(settings))


def _locks(settings: Settings) -> dict[str, str]:
    """Return the object lock of each store of the archive that has one. A store that does not answer is left out."""
    found = {}
    for store in settings.archive:
        with contextlib.suppress(StepError):
            if lock := proofs.opened(settings, store).lock():
                found[store] = lock
    return found


def reported(settings: Settings, store: OpenStore, site: str) -> State | None:
    """Return the last report of a site, None if there is none. Raises StepError if it cannot be read."""
    content = store.read(f"{settings.prefix}/{site}.json", DATABASE_STATE_BYTES)
    return None if content is None else parse(content, site)


def parse(content: bytes, site: str) -> State | None:
    """Parse the report of a site; return None if it is invalid, or of another site."""
    state = read(State, content, ("role", "epoch", "at"), lambda found: lsn(found.position or "0/0"))
    return state if state and state.site == site else None


def silent(state: State | None, now: float) -> str:
    """Return why a site's last report does not show its state, as a part of a sentence; "" if it does.

    The age of a report from the future is unknown. `now`: seconds since 1970.
    """
    if state is None or now - state.at > FRESH_S:
        return "has not reported lately; start its agent, and see its log"
    return "" if state.at - now <= FRESH_S else "has a report from the future; set its clock, or this machine's"


def planned(settings: Settings, of: Known, to: str, now: float) -> list[Fault]:
    """Return why the writer cannot move to a site without loss. `now`: seconds since 1970."""
    found = proofs.refused(of.proofs.values(), settings.archive, now, settings.proof_max_age_days)
    state = of.sites.get(to)
    if of.record is None:
        found.append(Fault("", "there is no record of a writer; `unmoor switch NAME --first SITE` begins one"))
    elif of.record.holder != to and (why := silent(state, now)):
        found.append(Fault(f"sites.{to}", why))
    elif of.record.holder != to and state is not None and state.role != "standby":
        found.append(Fault(f"sites.{to}", f"is not a standby yet but {outside(state.role)}; wait until it follows"))
    return found + unlike(of, to)


def unlike(of: Known, to: str) -> list[Fault]:
    """Return what would make a site misread its copy: another version of PostgreSQL, or another order of text."""
    state, writer = of.sites.get(to), of.sites.get(of.record.holder) if of.record else None
    if state is None or writer is None or of.record is None or of.record.holder == to:
        return []
    found = []
    if state.collation:
        why = f"orders text differently from its indexes: {outside(state.collation)}"
        found.append(Fault(f"sites.{to}", f"{why}; run the same image at both sites"))
    if state.major and writer.major and state.major != writer.major:
        why = f"has PostgreSQL {state.major}, and {outside(writer.site)} has {writer.major}"
        found.append(Fault(f"sites.{to}", f"{why}; run the same version at both"))
    return found


def slow(settings: Settings, of: Known) -> list[str]:
    """Return what will make a planned move take longer."""
    writer = of.sites.get(of.record.holder) if of.record else None
    if writer is None or writer.unarchived <= FEW:
        return []
    waits = f"{writer.unarchived} segments of the WAL wait for a store"
    most = f"it writes on until they are there, but not longer than {settings.witness.hand_over_s:g} s"
    return [f"{outside(writer.site)}: {waits}; {most}, and is frozen for the rest. `unmoor status` shows how many wait"]


def lossy(settings: Settings, of: Known, to: str, now: float) -> list[Fault]:
    """Return what an operator has to accept before a site is promoted that may lack the newest writes."""
    found = []
    state = of.sites.get(to)
    if state is None or state.role != "standby" or silent(state, now):
        found.append(Fault(f"sites.{to}", "does not report as a standby; what it has is not known"))
        return found
    behind = math.inf if state.changed_at is None else now - state.changed_at
    if behind > settings.max_lag_s and not _has_all(state, of.sites.get(of.record.holder) if of.record else None):
        newest = "no transaction" if state.changed_at is None else f"nothing of the last {behind:.0f} s"
        found.append(Fault(f"sites.{to}", f"has {newest}; up to {settings.max_lag_s:g} s are allowed (`max_lag_s`)"))
    return found + unlike(of, to)


def _has_all(state: State, writer: State | None) -> bool:
    """Return whether a standby has replayed up to the position of the writer's last report."""
    if writer is None or not writer.position or not state.position:
        return False
    return lsn(state.position) >= lsn(writer.position)


def move(settings: Settings, to: str, *, accept_loss: bool, within_s: float, report: Callable[[str], None]) -> Record:
    """Order that a site becomes the writer, or continue such an order, and follow it to its end.

    Raises StepError if the writer has not moved after `within_s` seconds; the order is then withdrawn if it can be.
    """
    keeper = records(settings)
    order = switch.order(keeper, to, lossy=accept_loss)
    return switch.follow(keeper, order, to, within_s, report)


def first(settings: Settings, site: str) -> None:
    """Write the record of a new database, whose first writer is a site. Raises StepError if there is a record."""
    switch.create(records(settings), settings.workload, site)


def lines(settings: Settings, of: Known, now: float) -> list[str]:
    """Return what is known as lines for an operator. `now`: seconds since 1970."""
    record = of.record
    if record is None:
        return ["no record of a writer"]
    found = [f"writer {outside(record.holder)}, epoch {record.epoch}, {record.state}"]
    if record.order:
        found.append(f"  a move to {outside(record.order.to)} is under way")
    if record.note:
        found.append(f"  {outside(record.note)}")
    found += [_site(site, of.sites.get(site), now) for site in settings.sites]
    for store in settings.archive:
        lock = f"; objects are locked for {of.locks[store]}" if store in of.locks else ""
        found.append(proof_line(store, of.proofs.get(store), now) + lock)
    return [*found, *(f"  not read: {outside(each)}" for each in of.unread)]


def _site(site: str, state: State | None, now: float) -> str:
    if state is None:
        return f"  {site:<12} has never reported"
    text = f"  {site:<12} {outside(state.role)}, reported {now - state.at:.0f} s ago"
    if state.role == "standby" and state.changed_at:
        text += f", newest transaction {max(0.0, state.at - state.changed_at):.0f} s before that"
    if state.archived_at:
        text += f", archived last {max(0.0, state.at - state.archived_at):.0f} s before that"
    if state.unarchived:
        text += f", {state.unarchived} segments wait for a store"
    if state.collation:
        text += f"; orders text differently from its indexes: {outside(state.collation)}"
    return text + (f"; {outside(state.fault)}" if state.fault else "")


def proof_line(store: str, proof: Proof | None, now: float) -> str:
    """Return a line for an operator about the proof of a store."""
    if proof is None:
        return f"  store {store:<12} no restore is proved"
    if proof.fault:
        return f"  store {store:<12} NOT restorable: {outside(proof.fault)}"
    days = (now - proof.at) / 86400
    size = f"{proof.bytes / 1e6:,.1f} MB in {proof.restore_s:.1f} s"
    return f"  store {store:<12} restore proved {days:.1f} days ago: {size}"


def well(settings: Settings, of: Known, now: float) -> bool:
    """Return whether one site writes, the other follows, both report, and both stores are proved."""
    holder = of.record.holder if of.record else ""
    return well_at(settings, of, now, {site: site == holder for site in settings.sites})


def well_at(settings: Settings, of: Known, now: float, standing: Mapping[str, bool]) -> bool:
    """Return whether both stores are proved, and each site of `standing` writes (True) or follows (False)."""
    if of.record is None or of.record.state is not Holding.WRITING or of.unread:
        return False
    if not standing.get(of.record.holder):
        return False
    roles = {site: "primary" if writes else "standby" for site, writes in standing.items()}
    fits: Iterable[bool] = (
        site in of.sites
        and of.sites[site].role == role
        and not silent(of.sites[site], now)
        and not of.sites[site].fault
        and not of.sites[site].collation
        for site, role in roles.items()
    )
    return all(fits) and not proofs.refused(of.proofs.values(), settings.archive, now, settings.proof_max_age_days)


def demanded(title: str, found: list[Fault]) -> None:
    """Raise ConfigError if anything forbids a move."""
    if found:
        raise ConfigError(title, found)
