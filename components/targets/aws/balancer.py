"""The load balancer before a container: one of its own, or a place at an existing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ...web import http as front
from . import fargate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .container import Network

#: TLS 1.2 with forward secrecy and 1.3 (ELB user guide, "Security policies").
_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
#: Load balancers and target groups have at most 32 characters, so AWS completes this prefix; the tag Name has the whole
#: name.
PREFIX = "unmoor"
ANYWHERE = "0.0.0.0/0"
_TO_HTTPS = {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
_CHALLENGES = {"path_pattern": {"values": [front.CHALLENGE_PATH]}}


class Own:
    """A load balancer for one container. Over plain HTTP only challenges go to the tasks; the rest goes to HTTPS."""

    def __init__(self, name: str, network: Network, inside: pulumi.ResourceOptions) -> None:
        self._name, self._inside = name, inside
        self.vpc, self.subnets = self._places(network)
        ports = [open_port(port, cidr=ANYWHERE) for port in front.PORTS.values()]
        visitors = group(f"{name}-visitors", self.vpc, ports, inside)
        self._balancer = aws.lb.LoadBalancer(
            f"{name}-balancer",
            name_prefix=PREFIX,
            load_balancer_type="application",
            subnets=self.subnets,
            security_groups=[visitors.id],
            # A request may take as long to arrive as it may in the container.
            idle_timeout=300,
            drop_invalid_header_fields=True,
            tags={"Name": name},
            opts=inside,
        )
        self.groups: pulumi.Input[Sequence[str]] = [visitors.id]
        self.domain_name, self.zone_id = self._balancer.dns_name, self._balancer.zone_id
        self.arn = self._balancer.arn

    def _places(self, network: Network) -> tuple[pulumi.Input[str], pulumi.Input[Sequence[str]]]:
        """Return the VPC and its public subnets."""
        if network.vpc:
            return network.vpc, list(network.subnets)
        asking = pulumi.InvokeOptions(parent=self._inside.parent)
        vpc = aws.ec2.get_vpc_output(default=True, opts=asking).id
        filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "default-for-az", "values": ["true"]}]
        found = aws.ec2.get_subnets_output(filters=filters, opts=asking)
        return vpc, found.ids.apply(lambda ids: sorted(ids)[: fargate.ZONES])

    def listen(
        self,
        hosts: Sequence[str],  # noqa: ARG002 every request is for these hosts
        targets: aws.lb.TargetGroup,
        valid: aws.acm.CertificateValidation,
    ) -> list[pulumi.Resource]:
        """Lead every request to the targets; return the resources that must exist before the targets can be used."""
        forward = {"type": "forward", "target_group_arn": targets.arn}
        secure = aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=self.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=_TLS,
            certificate_arn=valid.certificate_arn,
            default_actions=[forward],
            opts=self._inside,
        )
        plain = aws.lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=self.arn,
            port=80,
            protocol="HTTP",
            default_actions=[_TO_HTTPS],
            opts=self._inside,
        )
        challenges = aws.lb.ListenerRule(
            f"{self._name}-challenges",
            listener_arn=plain.arn,
            priority=1,
            actions=[forward],
            conditions=[_CHALLENGES],
            opts=self._inside,
        )
        return [secure, plain, challenges]


class Shared:
    """A place at an existing load balancer: rules for our names at its listeners on ports 443 and 80.

    The rules get the next free priorities: existing rules come before them, and the default action after them.
    """

    def __init__(self, name: str, network: Network, inside: pulumi.ResourceOptions) -> None:
        self._name, self._inside = name, inside
        self._asking = pulumi.InvokeOptions(parent=inside.parent)
        found = aws.lb.get_load_balancer_output(arn=network.balancer, opts=self._asking)
        self.vpc: pulumi.Input[str] = found.vpc_id
        self.subnets: pulumi.Input[Sequence[str]] = found.subnets
        self.groups: pulumi.Input[Sequence[str]] = found.security_groups
        self.domain_name, self.zone_id, self.arn = found.dns_name, found.zone_id, found.arn

    def listen(
        self, hosts: Sequence[str], targets: aws.lb.TargetGroup, valid: aws.acm.CertificateValidation
    ) -> list[pulumi.Resource]:
        """Lead requests for `hosts` to the targets; return the resources that must exist before they can be used."""
        forward, ours = {"type": "forward", "target_group_arn": targets.arn}, {"host_header": {"values": list(hosts)}}
        secure, plain = (
            aws.lb.get_listener_output(load_balancer_arn=self.arn, port=port, opts=self._asking).arn
            for port in (front.PORTS["https"], front.PORTS["http"])
        )
        shown = aws.lb.ListenerCertificate(
            f"{self._name}-shown", listener_arn=secure, certificate_arn=valid.certificate_arn, opts=self._inside
        )
        served = self._rule("https", secure, forward, [ours])
        challenges = self._rule("challenges", plain, forward, [ours, _CHALLENGES])
        # It comes after the rule for challenges, because it matches their requests too.
        return [shown, served, challenges, self._rule("http", plain, _TO_HTTPS, [ours], [challenges])]

    def _rule(
        self,
        what: str,
        listener: pulumi.Input[str],
        action: Mapping[str, Any],
        conditions: Sequence[Mapping[str, Any]],
        behind: Sequence[pulumi.Resource] = (),
    ) -> aws.lb.ListenerRule:
        return aws.lb.ListenerRule(
            f"{self._name}-{what}",
            listener_arn=listener,
            actions=[action],
            conditions=conditions,
            tags={"Name": self._name},
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=list(behind))),
        )


def group(
    name: str, vpc: pulumi.Input[str], ingress: Sequence[Mapping[str, Any]], opts: pulumi.ResourceOptions
) -> aws.ec2.SecurityGroup:
    """Register a group that reaches everything and is reached as `ingress` allows."""
    everywhere = {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [ANYWHERE]}
    return aws.ec2.SecurityGroup(
        name,
        description=f"unmoor {name.rpartition('-')[0]} {name.rpartition('-')[2]}",
        vpc_id=vpc,
        ingress=list(ingress),
        egress=[everywhere],
        tags={"Name": name},
        opts=opts,
    )


def open_port(port: int, *, cidr: str = "", groups: pulumi.Input[Sequence[str]] = ()) -> dict[str, Any]:
    """Return a rule that admits a port, from addresses or from groups."""
    source = {"cidr_blocks": [cidr]} if cidr else {"security_groups": groups}
    return {"protocol": "tcp", "from_port": port, "to_port": port, **source}
