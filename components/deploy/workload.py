"""Topology in, Pulumi resources out, ordered so that a record moves only to a site that was seen to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ..dns.route53 import records as dns
from ..kinds.static.backup import bundle
from ..plan.topology import Form, RecordType, Role
from .command import drain, step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..kind import Endpoint, Kind, Realized
    from ..plan.topology import Site, Topology, WorkloadPlan


def deploy(topology: Topology, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Register everything a topology names, and return the stack's outputs.

    Nothing is decided here. Outputs are plain values, so that a preview shows a flip as
    `~ mode: "centralized" => "active-standby"` and what it costs.
    """
    zone_id = aws.route53.get_zone_output(name=topology.zone).zone_id
    for plan in topology.workloads:
        Workload(plan, kinds[plan.kind], zone_id)
    return {"workloads": {plan.name: outputs(plan) for plan in topology.workloads}}


def outputs(plan: WorkloadPlan) -> dict[str, Any]:
    """Say what a workload is, in the words of its stack file, for previews and other stacks."""
    return {
        "mode": str(plan.mode),
        "active": str(plan.active),
        "url": plan.url,
        "hosts": [plan.host, *(site.direct for site in plan.sites)],
        "sites": {record.site: str(record.role) for record in plan.records},
        "version": plan.backup.version,
        "usd_month": plan.usd_month,
    }


class Workload(pulumi.ComponentResource):
    """One workload: its bundle in every store, its sites, and the records that point at them."""

    def __init__(
        self,
        plan: WorkloadPlan,
        kind: Kind,
        zone_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:index:Workload", plan.name, None, opts)
        self._plan = plan
        self._zone_id = zone_id
        kept = bundle(plan.backup, pulumi.ResourceOptions(parent=self))
        standing: dict[str, Realized] = {}
        # By name, not by role: which of two sites avoids the other must not change with a flip.
        for site in sorted(plan.sites, key=lambda site: site.name):
            beside = [
                standing[other.name] for other in plan.sites if other.name in standing and other.target == site.target
            ]
            opts_of_site = pulumi.ResourceOptions(parent=self, depends_on=[kept])
            standing[site.name] = kind.on[site.target].realize(site.name, site, beside, opts_of_site)
        if plan.authorities:
            dns.caa_record(f"{plan.host}-caa", plan.host, plan.authorities, zone_id, self._after())
        # Primary first, to its end: who is probed next is asked to be as good as the one that answers.
        settled: list[pulumi.Resource] = []
        for site in plan.sites:
            settled = [self._point(site, standing[site.name], settled)]
        self.register_outputs({})

    def _point(self, site: Site, realized: Realized, settled: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Make the names of a site: direct name first, then a probe, only then the failover record, and a last look."""
        record = next(r for r in self._plan.records if r.site == site.name)
        stands = self._after(realized)
        allowed = []
        if record.type is RecordType.A and site.authority:
            allowed = [dns.caa_record(f"{site.name}-caa", site.direct, [site.authority], self._zone_id, self._after())]
        direct = dns.direct_record(site, realized.endpoint, record.type, self._zone_id, stands)
        check = dns.health_check(site, self._after(realized, direct))
        asked = _probe(site, record.role, realized.endpoint)
        gate = {"zone_id": self._zone_id, "direct": site.direct}
        proof = step(f"{site.name}-probe", "probe", asked | gate, self._after(direct, *settled))
        # Deleted in the opposite order: the record, then the wait, then the site.
        wait = drain(f"{site.name}-drain", site.ttl, realized.identity, self._after(realized, direct, check, *allowed))
        points = dns.failover_record(record, site, realized.endpoint, check, self._zone_id, self._after(proof, wait))
        seen: pulumi.Resource = step(f"{site.name}-confirm", "probe", asked | {"moved": True}, self._after(points))
        return seen

    def _after(self, *these: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(these))


def _probe(site: Site, role: Role, endpoint: pulumi.Output[Endpoint]) -> dict[str, Any]:
    """Ask a site for its version as a visitor would, at its own address, before any name leads to it.

    The role is in the input although no answer depends on it: when roles swap, the input changes, and
    the site is probed again before its record moves.
    """
    return {
        "url": site.health_url,
        "address": endpoint.apply(lambda e: e.ipv4 if site.form is Form.ADDRESS else e.name),  # type: ignore[union-attr]
        "version": site.content.version,
        "role": str(role),
    }
