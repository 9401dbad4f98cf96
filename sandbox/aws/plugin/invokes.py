"""The functions of the plugin that the workloads call: who and where we are, zones, networks, load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components.errors import UnmoorError

from .connection import ACCOUNT, Connection, speaking
from .types import balancers

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.provider.server import Failure

    Answer = tuple[dict[str, Any], list[Failure]]


def _caller(_aws: Connection, _arguments: dict[str, Any]) -> dict[str, Any]:
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/sandbox", "id": ACCOUNT, "userId": "AIDASANDBOX"}


def _region(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    region = arguments.get("region") or aws.region
    endpoint = f"ec2.{region}.amazonaws.com"
    return {"id": region, "name": region, "region": region, "description": region, "endpoint": endpoint}


def _zone(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    name, id_ = arguments.get("name", "").rstrip(".").lower(), arguments.get("zoneId")
    if bool(name) == bool(id_):
        raise UnmoorError("one of `name,zoneId` must be specified")
    route53 = aws.client("route53")
    found = [
        zone
        for page in route53.get_paginator("list_hosted_zones").paginate()
        for zone in page["HostedZones"]
        if (id_ and zone["Id"].endswith(f"/{id_}")) or (name and zone["Name"].rstrip(".") == name)
    ]
    if len(found) != 1:
        raise UnmoorError(f"{'no' if not found else 'multiple'} matching Route 53 Hosted Zone found: {name or id_}")
    zone, own = found[0], found[0]["Id"].rpartition("/")[2]
    servers = sorted(route53.get_hosted_zone(Id=own)["DelegationSet"]["NameServers"])
    return {
        "arn": f"arn:aws:route53:::hostedzone/{own}",
        "callerReference": zone["CallerReference"],
        "comment": zone["Config"].get("Comment", ""),
        "id": own,
        "name": zone["Name"].rstrip("."),
        "nameServers": servers,
        "primaryNameServer": servers[0],
        "privateZone": zone["Config"].get("PrivateZone", False),
        "resourceRecordSetCount": zone["ResourceRecordSetCount"],
        "tags": {},
        "zoneId": own,
    }


def _vpc(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Find one VPC (getVpc): the default one, or that of an id."""
    filters = [{"Name": "isDefault", "Values": ["true"]}] if arguments.get("default") else []
    ids = {"VpcIds": [arguments["id"]]} if arguments.get("id") else {}
    found = aws.client("ec2").describe_vpcs(Filters=filters, **ids)["Vpcs"]
    if len(found) != 1:
        raise UnmoorError(f"{'no' if not found else 'multiple'} matching EC2 VPC found")
    one = found[0]
    return {"id": one["VpcId"], "cidrBlock": one["CidrBlock"], "default": one["IsDefault"], "state": one["State"]}


def _subnets(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Find subnets by filters (getSubnets); their order means nothing."""
    filters = [{"Name": one["name"], "Values": one["values"]} for one in arguments.get("filters") or ()]
    found = aws.client("ec2").describe_subnets(Filters=filters)["Subnets"]
    return {"id": aws.region, "ids": [one["SubnetId"] for one in reversed(found)]}


def _subnet(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Find a subnet by its id (getSubnet)."""
    one = aws.client("ec2").describe_subnets(SubnetIds=[arguments["id"]])["Subnets"][0]
    return {"id": one["SubnetId"], "vpcId": one["VpcId"], "availabilityZone": one["AvailabilityZone"]}


def _parameter(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter of Systems Manager (getParameter). moto has recordings of AWS's public parameters."""
    one = aws.client("ssm").get_parameter(Name=arguments["name"])["Parameter"]
    shown = {"arn": one["ARN"], "type": one["Type"], "version": one["Version"]}
    return {"id": one["Name"], "name": one["Name"], "value": one["Value"], "insecureValue": one["Value"], **shown}


def _balancer(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Find a load balancer by its ARN (getLoadBalancer)."""
    arn = arguments["arn"]
    found = balancers.read(aws, arn)
    if found is None:
        raise UnmoorError(f"reading ELBv2 Load Balancer ({arn}): couldn't find resource")
    return {**found.inputs, **found.computed, "id": arn, "tags": found.tags}


def _listener(aws: Connection, arguments: dict[str, Any]) -> dict[str, Any]:
    """Find a listener by its load balancer and port (getListener)."""
    arn, port = arguments["loadBalancerArn"], int(arguments["port"])
    listed = aws.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
    found = next((one for one in listed if int(one["Port"]) == port), None)
    if found is None:
        raise UnmoorError(f"no ELBv2 Listener found for Load Balancer {arn} and port {port}")
    given = {"loadBalancerArn": arn, "port": port, "protocol": found["Protocol"]}
    return {**given, "arn": found["ListenerArn"], "id": found["ListenerArn"]}


_TABLE: dict[str, Callable[[Connection, dict[str, Any]], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:route53/getZone:getZone": _zone,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:ec2/getSubnets:getSubnets": _subnets,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:lb/getLoadBalancer:getLoadBalancer": _balancer,
    "aws:lb/getListener:getListener": _listener,
}


def functions(aws: Connection) -> dict[str, Callable[[dict[str, Any]], Answer]]:
    """Return every function by token; `getCallerIdentity` and `getRegion` need no call to AWS."""

    def call(
        token: str, of: Callable[[Connection, dict[str, Any]], dict[str, Any]]
    ) -> Callable[[dict[str, Any]], Answer]:
        def answer(arguments: dict[str, Any]) -> Answer:
            with speaking(f"invoking {token}"):
                return of(aws, arguments), []

        return answer

    return {token: call(token, of) for token, of in _TABLE.items()}
