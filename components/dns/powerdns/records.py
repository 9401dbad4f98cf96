"""The zone of own name servers in a deployment. Proofs for issuers are entries like all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi

from ...deploy.command import run
from .authority import given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...authority import ProofRecord
    from ...topology import OwnServers, ZonePlan

#: The TTL in seconds of a proof.
_PROOF_TTL = 300


@dataclass(frozen=True)
class Zone:
    """A zone on own name servers. Its handle holds what a program needs to read it from the stores."""

    authority: str
    plan: ZonePlan
    own: OwnServers

    @classmethod
    def of(cls, authority: str, zone: ZonePlan, opts: pulumi.InvokeOptions) -> Zone:  # noqa: ARG003 nothing is asked
        """Return the zone of a stack that has name servers."""
        if zone.own is None:
            raise AssertionError("a plan refuses this authority without servers")
        return cls(authority, zone, zone.own)

    @property
    def handle(self) -> Mapping[str, Any]:
        """What a program needs to read the zone: the authority's name, and the stores."""
        known = given(self.plan, self.own, "", {})
        return {"authority": self.authority} | {name: known[name] for name in ("zone", "folder", "stores")}

    def register(self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
        """Register an entry. Plans of this authority have actions for that instead."""
        return self._entry(name, what, opts)

    def _entry(self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        inputs = given(self.plan, self.own, name, {}) | {"entry": dict(what), "stack": stack}
        made: pulumi.CustomResource = run(name, "zone-entry", inputs, opts, removes=True)
        return made

    def prove(self, name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        """Publish a proof, and return its name once every server answers it."""
        proof = {"host": record.name, "type": record.type, "ttl": _PROOF_TTL, "values": [record.value]}
        mark = f"{self.authority}:"
        # The stack's first authority gets a bare name, and another one becomes the first while the zone moves.
        own = name if name.startswith(mark) else f"{mark}{name}"
        made = self._entry(own, {"sets": [proof]}, opts)
        published = pulumi.Output.all(record.name, made.id)
        return published.apply(lambda known: str(known[0]).rstrip("."))
