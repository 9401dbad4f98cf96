"""The load balancer before a container: one of its own, or a place at one that others use too."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ...web import http as front
from . import fargate
from .certificate import certificate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .certificate import Prove

#: TLS 1.2 with forward secrecy and 1.3 (ELB user guide, "Security policies").
_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
#: Load balancers and target groups have at most 32 characters, so AWS completes this prefix; the tag Name has the whole
#: name.
PREFIX = "unmoor"
ANYWHERE = "0.0.0.0/0"
_TO_HTTPS = {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
_CHALLENGES = {"path_pattern": {"values": [front.CHALLENGE_PATH]}}


@dataclass(frozen=True)
class Network:
    """What exists already: ids of a VPC and its subnets, the ARNs of a cluster and of a load balancer.

    Without a VPC and a load balancer the default VPC is used.
    """

    vpc: str | None = None
    subnets: Sequence[str] = ()
    private_subnets: Sequence[str] = ()
    cluster: str | None = None
    balancer: str | None = None


@dataclass(frozen=True)
class Place:
    """A load balancer, and where tasks behind it stand: its security groups, its listeners for HTTPS and HTTP."""

    vpc: pulumi.Input[str]
    subnets: pulumi.Input[Sequence[str]]
    groups: pulumi.Input[Sequence[str]]
    domain_name: pulumi.Input[str]
    zone_id: pulumi.Input[str]
    arn: pulumi.Input[str]
    secure: pulumi.Input[str]
    plain: pulumi.Input[str]

    @classmethod
    def of(cls, outputs: Mapping[str, Any] | None) -> Place | None:
        """Return the place that the outputs of a stack's load balancer describe; None where there is none."""
        return cls(**{each.name: outputs[each.name] for each in fields(cls)}) if outputs else None


def existing(arn: str, inside: pulumi.ResourceOptions) -> Place:
    """Look up a load balancer of the account, and its listeners on ports 443 and 80."""
    asking = pulumi.InvokeOptions(parent=inside.parent)
    found = aws.lb.get_load_balancer_output(arn=arn, opts=asking)
    secure, plain = (
        aws.lb.get_listener_output(load_balancer_arn=found.arn, port=port, opts=asking).arn
        for port in (front.PORTS["https"], front.PORTS["http"])
    )
    return Place(
        found.vpc_id, found.subnets, found.security_groups, found.dns_name, found.zone_id, found.arn, secure, plain
    )


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
        secure, plain = self.listeners(forward, valid)
        challenges = aws.lb.ListenerRule(
            f"{self._name}-challenges",
            listener_arn=plain.arn,
            priority=1,
            actions=[forward],
            conditions=[_CHALLENGES],
            opts=self._inside,
        )
        return [secure, plain, challenges]

    def listeners(
        self, action: Mapping[str, Any], valid: aws.acm.CertificateValidation
    ) -> tuple[aws.lb.Listener, aws.lb.Listener]:
        """Listen on both ports: HTTPS does `action` with requests that no rule takes, and HTTP leads to HTTPS."""
        secure = aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=self.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=_TLS,
            certificate_arn=valid.certificate_arn,
            default_actions=[action],
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
        return secure, plain


class OfStack(pulumi.ComponentResource):
    """The load balancer that services of a stack share. It shows `answer` at its own `hosts`, and 404 at unknown ones.

    `prove` publishes the record by which ACM verifies that a host is ours: a listener needs a certificate of its own
    before any service brings one. `place` is what a service needs to know.
    """

    domain_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    arn: pulumi.Output[str]
    place: Mapping[str, pulumi.Output[Any]]

    def __init__(
        self,
        name: str,
        *,
        label: str,
        hosts: tuple[str, ...],
        prove: Prove,
        answer: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:aws:Balancer", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        name = f"{name}-{label}" if label else name
        own = Own(name, Network(), inside)
        secure, plain = own.listeners(_closed(404, ""), certificate(name, hosts, prove, inside))
        aws.lb.ListenerRule(
            f"{name}-itself",
            listener_arn=secure.arn,
            priority=1,
            actions=[_closed(200, answer)],
            conditions=[{"host_header": {"values": list(hosts)}}],
            tags={"Name": name},
            opts=inside,
        )
        self.domain_name, self.zone_id, self.arn = own.domain_name, own.zone_id, own.arn
        known = Place(own.vpc, own.subnets, own.groups, own.domain_name, own.zone_id, own.arn, secure.arn, plain.arn)
        self.place = {each.name: pulumi.Output.from_input(getattr(known, each.name)) for each in fields(known)}
        self.register_outputs({"domainName": self.domain_name})


class Shared:
    """A place at a load balancer that others use too: rules for our names at its listeners on ports 443 and 80.

    `name` begins the names of resources, and `site` is the tag Name of rules. The rules get the next free priorities:
    existing rules come before them, and the default action after them.
    """

    def __init__(self, name: str, site: str, place: Place, inside: pulumi.ResourceOptions) -> None:
        self._name, self._site, self._place, self._inside = name, site, place, inside
        self.vpc, self.subnets, self.groups = place.vpc, place.subnets, place.groups
        self.domain_name, self.zone_id = (pulumi.Output.from_input(each) for each in (place.domain_name, place.zone_id))

    def listen(
        self, hosts: Sequence[str], targets: aws.lb.TargetGroup, valid: aws.acm.CertificateValidation
    ) -> list[pulumi.Resource]:
        """Lead requests for `hosts` to the targets; return the resources that must exist before they can be used."""
        forward, ours = {"type": "forward", "target_group_arn": targets.arn}, {"host_header": {"values": list(hosts)}}
        secure, plain = self._place.secure, self._place.plain
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
            tags={"Name": self._site},
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=list(behind))),
        )


def _closed(status: int, text: str) -> dict[str, Any]:
    """Return an action that answers by itself."""
    answer = {"content_type": "text/plain", "status_code": str(status)} | ({"message_body": text} if text else {})
    return {"type": "fixed-response", "fixed_response": answer}


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
