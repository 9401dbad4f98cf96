"""A first inventory from a few answers: the rest is what is usual for the work, and marked for checking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .discover.seen import workload_name
from .history import vendor
from .inventory import USUAL_STATE, State, Work

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

#: Works in which people leave their names or addresses.
_PERSONAL = frozenset({Work.FORUM, Work.MAIL, Work.DATABASE_APP})


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers about one workload. `usd_month` is None if it is not known; `gb` is the size of its data."""

    title: str
    work: Work
    compute: str
    hosts: tuple[str, ...] = ()
    usd_month: float | None = None
    gb: float = 0.0
    importance: str = "moderate"
    edge: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Answers about the DAO as a whole."""

    name: str
    registrar: str = ""
    dns: str = ""


def state(work: Work, compute: str) -> State:
    """Return what a workload usually keeps; a vendor's own finished service is external, where the work may be."""
    managed = vendor(compute, {}).managed
    usual = USUAL_STATE.get(work, State.NONE)
    leaves = work in {Work.DOCS, Work.FRONTEND, Work.FORUM}
    return State.EXTERNAL if managed and not leaves else usual


def workload(answers: Answers, about: About) -> dict[str, Any]:
    """Return one workload of the inventory as plain data."""
    keeps = state(answers.work, answers.compute)
    made: dict[str, Any] = {
        "title": answers.title,
        "work": str(answers.work),
        "state": str(keeps),
        "importance": answers.importance,
    }
    if answers.hosts:
        made["hosts"] = list(answers.hosts)
    made["cost"] = (
        {"unknown": "put the last invoice here"}
        if answers.usd_month is None
        else {"stated": {"usd_month": answers.usd_month, "source": "answered in `unmoor inventory init`"}}
    )
    if answers.gb or keeps is State.DATABASE:
        personal = answers.work in _PERSONAL
        made["data"] = {"gb": answers.gb or 5, "confidentiality": "personal" if personal else "public"}
    named = {"registrar": about.registrar, "dns": about.dns} if answers.hosts else {}
    parties = {**named, "edge": answers.edge, "compute": answers.compute}
    if keeps is State.DATABASE and not vendor(answers.compute, {}).managed:
        parties["database"] = answers.compute
    made["parties"] = {layer: party for layer, party in parties.items() if party}
    return made


def document(about: About, answers: Iterable[Answers], on: date) -> dict[str, Any]:
    """Return the whole inventory as plain data; of two workloads with one name, the second gets a number."""
    workloads: dict[str, Any] = {}
    for one in answers:
        base = name = workload_name(one.title)
        number = 2
        while name in workloads:
            name, number = f"{base[:36]}-{number}", number + 1
        workloads[name] = workload(one, about)
    return {"dao": {"name": about.name}, "as_of": on, "workloads": workloads}
