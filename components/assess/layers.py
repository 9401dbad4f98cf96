"""The layers that a workload stands on, and the effect when the only party in a layer goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Effect(StrEnum):
    """What users see when a layer fails."""

    DOWN = "down"
    DEGRADED = "degraded"
    FROZEN = "frozen"


#: The weight of each effect in the score: a stop counts three times as much as a nuisance.
WEIGHT: Mapping[Effect, int] = {Effect.DOWN: 3, Effect.DEGRADED: 1, Effect.FROZEN: 1}


@dataclass(frozen=True)
class Layer:
    """One layer: what fails with it, whether it answers users itself, and what would help."""

    key: str
    title: str
    effect: Effect
    means: str
    lowers: str
    #: it serves users' requests, so its party's outages are the workload's
    serving: bool = False
    #: it exists only once unmoor runs the workload
    ours: bool = False


LAYERS: Mapping[str, Layer] = {
    layer.key: layer
    for layer in (
        Layer("registrar", "Registrar", Effect.DOWN, "the name stops working for everyone within a day",
              "a second domain at another registrar"),
        Layer("dns", "DNS", Effect.DOWN, "no name of the workload resolves once caches run out",
              "a second authority with a static answer, as octoDNS keeps one"),
        Layer("edge", "CDN and TLS", Effect.DOWN, "readers get errors, or nothing",
              "a standby that serves TLS by itself", serving=True),
        Layer("compute", "Compute", Effect.DOWN, "nothing answers",
              "a standby at another company", serving=True),
        Layer("database", "Database", Effect.DOWN, "pages fail; the data may be lost with the account",
              "archives in two stores, and a standby that replays them", serving=True),
        Layer("storage", "File storage", Effect.DEGRADED, "uploads and pictures are missing",
              "a second store at another company"),
        Layer("mail", "Mail", Effect.DEGRADED, "no sign-up, no notification, no newsletter",
              "a second relay, with its SPF and DKIM already in DNS"),
        Layer("ci", "CI", Effect.FROZEN, "what runs keeps running, and cannot be changed",
              "a deploy that also runs from a laptop"),
        Layer("images", "Image registry", Effect.FROZEN, "what runs keeps running, and cannot be started anew",
              "images pinned by digest, with a copy in a second registry"),
        Layer("certificates", "Certificate authority", Effect.FROZEN, "browsers refuse it when its certificate ends",
              "a second ACME authority in CAA and in the configuration", ours=True),
        Layer("rental", "Who rents", Effect.FROZEN, "leases run until the escrow is used up, and cannot be changed",
              "the chain rail with own keys next to the managed Console", ours=True),
        Layer("state", "Pulumi state", Effect.FROZEN, "what runs keeps running; changes wait for a copy of the state",
              "a copied state file, or a second bucket", ours=True),
    )
}  # fmt: skip

#: What an inventory may name; the others come with the plan.
Named = Literal["registrar", "dns", "edge", "compute", "database", "storage", "mail", "ci", "images"]
