"""Proofs that a database can be restored: results of drills, kept in every store. A move of the writer demands them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..errors import Fault, StepError
from ..limits import DATABASE_PROOF_BYTES
from ..stores.s3 import OpenStore
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Settings

_DAY_S = 86400


@dataclass(frozen=True)
class Proof:
    """A restore that was made from a store and checked, or failed for the reason `fault`.

    `at`: when it ended; `as_of`: the moment that it restored; both in seconds since 1970. `compared`: how many tables
    had the counted number of rows. `indexes`: how many B-tree indexes were checked against their tables.
    """

    workload: str
    store: str
    at: float
    fault: str = ""
    backup: str = ""
    as_of: float | None = None
    bytes: int = 0
    restore_s: float = 0.0
    check_s: float = 0.0
    compared: int = 0
    rows: int = 0
    indexes: int = 0
    checks: tuple[str, ...] = field(default=())


def opened(settings: Settings, store: str) -> OpenStore:
    """Open a store of a database."""
    return OpenStore(store, settings.stores[store])


def keep(settings: Settings, proof: Proof) -> list[str]:
    """Write a proof to every store of the archive; return the stores that did not take it, with the reason."""
    return put(settings, settings.archive, f"proof-{proof.store}.json", proof)


def put(settings: Settings, stores: Iterable[str], name: str, what: Any) -> list[str]:
    """Write a dataclass to stores, as JSON; return the stores that did not take it, with the reason."""
    failed = []
    for store in stores:
        try:
            opened(settings, store).write(f"{settings.prefix}/{name}", json.dumps(asdict(what)).encode())
        except StepError as error:
            failed.append(str(error))
    return failed


def kept(settings: Settings) -> tuple[dict[str, Proof], list[str]]:
    """Return the newest proof of each store, from any store that keeps it, and what could not be read."""
    found, failed = dict[str, Proof](), []
    for place in settings.archive:
        there = opened(settings, place)
        for store in settings.archive:
            try:
                content = there.read(f"{settings.prefix}/proof-{store}.json", DATABASE_PROOF_BYTES)
            except StepError as error:
                failed.append(str(error))
                break
            proof = None if content is None else parse(content, settings.workload, store)
            if proof and (store not in found or proof.at > found[store].at):
                found[store] = proof
    return found, failed


def parse(content: bytes, workload: str, store: str) -> Proof | None:
    """Parse a proof; return None if it is invalid, or of another workload or store."""
    proof = read(Proof, content, (each.name for each in fields(Proof)))
    return proof if proof and (proof.workload, proof.store) == (workload, store) and proof.at >= 0 else None


def refused(proofs: Iterable[Proof], stores: Iterable[str], now: float, max_age_days: float) -> list[Fault]:
    """Return why the writer must not move: a fault for each store without a good proof of the last `max_age_days`.

    A proof from the future does not count, because its age is unknown. `now`: seconds since 1970.
    """
    newest = {proof.store: proof for proof in sorted(proofs, key=lambda each: each.at)}
    found = []
    for store in stores:
        proof = newest.get(store)
        if proof is None:
            why = "no restore from it is proved"
        elif proof.fault:
            why = f"the last restore from it failed: {proof.fault}"
        elif now - proof.at > max_age_days * _DAY_S:
            why = f"the last proof is {(now - proof.at) / _DAY_S:.1f} days old, of {max_age_days:g} allowed"
        elif proof.at - now > _DAY_S / 24:
            why = "its proof is dated in the future"
        else:
            continue
        found.append(Fault(f"archive.{store}", f"{why}; run `unmoor drill`"))
    return found
