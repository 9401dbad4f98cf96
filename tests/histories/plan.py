"""The orders and faults of a history, chosen by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

SITES = ("aws", "akash")
#: Moments of the protocol at which a process can be killed: before or after the action of this name.
MOMENTS = ("claimed", "writing", "frozen", "freeze", "archive", "promote", "demote", "permit")


@dataclass(frozen=True)
class Happening:
    """One order or fault: its time (seconds), its name and its values."""

    at: float
    what: str
    given: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.at:6.1f} s  {self.what} {' '.join(f'{key}={value}' for key, value in self.given.items())}".rstrip()
        )


@dataclass(frozen=True)
class Plan:
    """A history before it runs. Equal plans always run equally. Times are in seconds."""

    seed: int
    kind: str  # writer or singleton
    happenings: tuple[Happening, ...]
    ttl: float = 12.0
    hand_over: float = 25.0
    for_s: float = 110.0
    strict: bool = True
    careless: bool = False
    sites: tuple[str, ...] = SITES
    #: Seconds that each site's clock gains in a second. Clocks of computers drift less than this.
    drift: tuple[float, ...] = (0.0, 0.0)


def planned(kind: str, seed: int) -> Plan:
    """Return the plan of a seed: a shape that broke other systems, or random happenings."""
    chance = random.Random(f"{kind}-{seed}")
    sites = SITES if chance.random() < 0.8 else (*SITES, "hetzner")
    shape = chance.choice(SHAPES[kind])
    happenings = shape(chance, sites)
    drift = tuple(chance.uniform(-0.01, 0.01) for _ in sites)
    careless = shape is SHAPES[kind][0] and chance.random() < 0.2
    return Plan(
        seed, kind, tuple(sorted(happenings, key=lambda each: each.at)), sites=sites, drift=drift, careless=careless
    )


def _order(at: float, to: str, *, lossy: bool = False, withdrawn_after: float | None = None) -> Happening:
    given: dict[str, Any] = {"to": to, "lossy": lossy}
    return Happening(at, "order", given if withdrawn_after is None else given | {"withdrawn_after": withdrawn_after})


def _at_random(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    return [_any(chance, sites, chance.uniform(8, 90)) for _ in range(chance.randint(1, 7))]


def _there_and_back(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Fail over and back, which made both sites writable in cloudnative-pg #9273."""
    second = chance.uniform(20, 60)
    moves = [_order(10, sites[1], lossy=chance.random() < 0.2), _order(10 + second, sites[0])]
    return moves + [_any(chance, sites, chance.uniform(8, 90)) for _ in range(chance.randint(0, 2))]


def _lost_in_transition(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Kill or pause a site, or lose answers, during a move: cloudnative-pg #11074 lost its token there."""
    faults = [_hit(chance, chance.choice(sites[:2]), 9.5)]
    if chance.random() < 0.5:
        faults.append(
            Happening(9.5, "lose_answers", {"site": chance.choice(sites[:2]), "for_s": chance.uniform(5, 30)})
        )
    return [_order(10, sites[1]), *faults]


def _two_operators(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Let two operators promote different sites, or one site twice, while the first move is in progress."""
    at, silent = 12.0, chance.random() < 0.5
    dead = [Happening(9, "kill", {"site": sites[0], "down": 60.0, "machine": True, "lost": False})] if silent else []
    orders = [_order(at, sites[-1], lossy=silent), _order(at + chance.uniform(0, 8), sites[1], lossy=silent)]
    return dead + orders + [_any(chance, sites, chance.uniform(12, 40)) for _ in range(chance.randint(0, 2))]


def _stale_primary(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Cut off, pause or kill the writer, promote the other site, and let the first one come back."""
    gone = chance.choice(("cut", "pause", "kill"))
    given: dict[str, Any] = {"site": sites[0], "for_s": chance.uniform(20, 60)}
    if gone == "kill":
        given = {"site": sites[0], "down": chance.uniform(10, 50), "machine": chance.random() < 0.5, "lost": False}
    return [Happening(9, gone, given), _order(11, sites[1], lossy=True), _any(chance, sites, chance.uniform(20, 60))]


def _clock_jumps(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Make the other site's wall clock jump while the writer is silent for too short a time to be replaced."""
    at = chance.uniform(12, 40)
    silent = Happening(at, chance.choice(("pause", "cut")), {"site": sites[0], "for_s": chance.uniform(8, 18)})
    jump = Happening(at + chance.uniform(0.5, 6), "jump", {"site": sites[1], "by": chance.choice((20, 3600))})
    return [silent, jump, _order(at, sites[1], lossy=True)]


def _no_longer_writable(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Let a site read the record but not write it, as with a revoked key, and promote the other one."""
    at = chance.uniform(12, 30)
    site, for_s = chance.choice(sites[:2]), chance.uniform(20, 60)
    revoked = [Happening(at, "unwritable", {"site": site, "for_s": for_s})]
    if chance.random() < 0.5:
        revoked.append(Happening(at + 1, "lag", {"site": site, "for_s": for_s, "by": chance.uniform(10, 30)}))
    return [*revoked, _order(at + 1, sites[1], lossy=True), _any(chance, sites, chance.uniform(12, 60))]


def _archive_down(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Order a move while the writer cannot archive, or the other site cannot replay."""
    at, site = chance.uniform(9, 15), chance.choice(sites[:2])
    down = Happening(at - 1, "unarchived", {"site": site, "for_s": chance.uniform(10, 60)})
    return [down, _order(at, sites[1], lossy=chance.random() < 0.5), _any(chance, sites, chance.uniform(12, 60))]


def _paused_in_a_renewal(chance: random.Random, sites: tuple[str, ...]) -> list[Happening]:
    """Pause the holder between a renewal and its answer, or before a permission takes effect, and promote the other."""
    at = chance.uniform(12, 30)
    moment, after = chance.choice((("writing", True), ("writing", False), ("permit", False)))
    given = {"site": sites[0], "moment": moment, "after": after, "pause": chance.uniform(15, 45)}
    return [Happening(at, "pause_at", given), _order(at + 6, sites[1], lossy=True)]


def _hit(chance: random.Random, site: str, at: float) -> Happening:
    """Kill or pause a process at a moment of the protocol: before an action, or between it and its answer."""
    given: dict[str, Any] = {"site": site, "moment": chance.choice(MOMENTS), "after": chance.random() < 0.5}
    if chance.random() < 0.4:
        return Happening(at, "pause_at", given | {"pause": chance.uniform(5, 45)})
    down = chance.choice((1.0, 5.0, 20.0, 40.0))
    return Happening(at, "kill_at", given | {"down": down, "machine": chance.random() < 0.5})


def _any(chance: random.Random, sites: tuple[str, ...], at: float) -> Happening:  # noqa: PLR0911 one for each fault
    site, for_s = chance.choice(sites), chance.uniform(2, 35)
    what = chance.choice((
        "order", "order", "kill", "kill", "kill_at", "pause", "cut", "store_down", "lose_answers", "delay", "lag",
        "unarchived", "unwritable", "jump", "stop",
    ))  # fmt: skip
    if what == "order":
        patience = chance.choice((None, None, chance.uniform(1, 20)))
        return _order(at, site, lossy=chance.random() < 0.35, withdrawn_after=patience)
    if what == "kill":
        machine = chance.random() < 0.5
        lost = machine and chance.random() < 0.2
        return Happening(
            at, what, {"site": site, "down": chance.choice((0.5, 5, 30)), "machine": machine, "lost": lost}
        )
    if what == "kill_at":
        return _hit(chance, site, at)
    if what == "store_down":
        return Happening(at, what, {"for_s": for_s})
    if what == "jump":
        return Happening(at, what, {"site": site, "by": chance.choice((-3600, -20, 20, 3600))})
    if what == "lag":
        return Happening(at, what, {"site": site, "for_s": for_s, "by": chance.uniform(1, 15)})
    return Happening(at, what, {"site": site, "for_s": for_s})


SHAPES = {
    "writer": (
        _at_random, _at_random, _there_and_back, _lost_in_transition, _two_operators, _stale_primary, _clock_jumps,
        _no_longer_writable, _paused_in_a_renewal, _archive_down,
    ),
    "singleton": (
        _at_random, _at_random, _lost_in_transition, _stale_primary, _clock_jumps, _no_longer_writable,
        _paused_in_a_renewal,
    ),
}  # fmt: skip
