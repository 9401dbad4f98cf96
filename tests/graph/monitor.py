"""A monitor that records every registration as the engine would receive it, and answers with what a cloud would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws  # noqa: F401 loaded once, before time is measured or loops are made
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import set_root_resource

from components.deploy.workload import deploy
from components.plan.stack import topology
from components.project import builtin

if TYPE_CHECKING:
    from components.registry import Registry
    from components.topology import Topology

#: What a cloud answers beyond the inputs, by type: only what the program reads.
ANSWERS: dict[str, Any] = {
    "aws:s3/bucket:Bucket": lambda n, i: {
        "bucket": f"{n}-0a1b2c3",
        "arn": f"arn:aws:s3:::{n}-0a1b2c3",
        "bucketRegionalDomainName": f"{n}-0a1b2c3.s3.us-east-1.amazonaws.com",
    },
    "aws:cloudfront/distribution:Distribution": lambda n, i: {
        "domainName": "d111111abcdef8.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",
        "arn": "arn:aws:cloudfront::123456789012:distribution/E1",
    },
    "aws:acm/certificate:Certificate": lambda n, i: {
        "arn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
        "domainValidationOptions": [
            {
                "domainName": host,
                "resourceRecordName": f"_x.{host}.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_y.acm-validations.aws.",
            }
            for host in [i["domainName"], *i.get("subjectAlternativeNames", [])]
        ],
    },
    "aws:cloudwatch/logGroup:LogGroup": lambda n, i: {"name": n, "arn": f"arn:aws:logs:us-east-1:1:log-group:{n}"},
    "aws:secretsmanager/secret:Secret": lambda n, i: {"arn": f"arn:aws:secretsmanager:us-east-1:1:secret:{n}-Ab12Cd"},
    "command:local:Command": lambda n, i: (
        {"stdout": '{"version":"v1"}'} if "step secret" in i.get("create", "") else {}
    ),
    "aws:lb/loadBalancer:LoadBalancer": lambda n, i: {
        "arn": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/x/1",
        "dnsName": "x-1.us-east-1.elb.amazonaws.com",
        "zoneId": "Z35SXDOTRQ7X7K",
    },
    "aws:lb/targetGroup:TargetGroup": lambda n, i: {
        "arn": f"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/{n}/1"
    },
    "aws:lb/listener:Listener": lambda n, i: {"arn": f"arn:aws:elasticloadbalancing:us-east-1:1:listener/app/{n}/1"},
    "aws:ecs/cluster:Cluster": lambda n, i: {"arn": "arn:aws:ecs:us-east-1:1:cluster/x"},
    "aws:ecs/taskDefinition:TaskDefinition": lambda n, i: {"arn": "arn:aws:ecs:us-east-1:1:task-definition/x:1"},
    "aws:ec2/eip:Eip": lambda n, i: {"publicIp": "198.51.100.7"},
    "aws:ec2/instance:Instance": lambda n, i: {"availabilityZone": "us-east-1a"},
    "aws:route53/record:Record": lambda n, i: {"fqdn": i.get("name", "")},
    "unmoor:akash:Deployment": lambda n, i: {
        "address": "203.0.113.7",
        "dseq": "1",
        "owner": "akash1owner",
        "provider": "akash1host",
        "hostUri": "https://host.example:8443",
        "version": "00",
        "uris": ["docs.dao.example", "docs-akash.dao.example", "abc.ingress.host.example"],
        "usdMonth": 5.5,
        "priceUactBlock": "12",
    },
    "unmoor:akash:Account": lambda n, i: {
        "balanceUsd": 12.5,
        "escrowUsd": 5.0,
        "runwayDays": dict.fromkeys(i["deployments"], 41.5) | {"another": 1.0},
    },
}


class Cloud(pulumi.runtime.Mocks):
    """Answers registrations and invokes."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        more = ANSWERS.get(args.typ, lambda _n, _i: {})(args.name, args.inputs)
        if args.resource_id:  # it is read, and not made
            return args.resource_id, {**args.inputs, **more, "bucket": args.resource_id}
        return f"{args.name}-id", {**args.inputs, **more}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        known = {
            "aws:route53/getZone:getZone": {"zoneId": "Z1", "id": "Z1", "name": args.args.get("name")},
            "aws:ec2/getVpc:getVpc": {"id": "vpc-1"},
            "aws:ec2/getSubnets:getSubnets": {"ids": ["subnet-3", "subnet-1", "subnet-2"]},
            "aws:ec2/getSubnet:getSubnet": {
                "id": args.args.get("id"),
                "vpcId": "vpc-1",
                "availabilityZone": "us-east-1a",
            },
            "aws:ssm/getParameter:getParameter": {"value": "ami-1", "insecureValue": "ami-1", "name": "x"},
            "aws:lb/getLoadBalancer:getLoadBalancer": {
                "arn": args.args.get("arn"),
                "dnsName": "shared.elb.amazonaws.com",
                "zoneId": "Z35SXDOTRQ7X7K",
                "vpcId": "vpc-9",
                "subnets": ["subnet-8", "subnet-9"],
                "securityGroups": ["sg-9"],
            },
            "aws:lb/getListener:getListener": {"arn": f"listener-{args.args.get('port', 0):g}"},
            "aws:index/getRegion:getRegion": {"region": "us-east-1"},
        }
        return known[args.token]


@dataclass
class Registered:
    """One resource as it was registered."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    dependencies: frozenset[str]
    request: Any


@dataclass
class Graph:
    """All resources of one run of the program."""

    resources: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    topology: Topology | None = None

    @property
    def urns(self) -> set[str]:
        return set(self.resources)

    def named(self, name: str) -> Registered:
        (found,) = [r for r in self.resources.values() if r.name == name]
        return found

    def of_type(self, type_: str) -> list[Registered]:
        return [r for r in self.resources.values() if r.type == type_]

    def inside(self, urn: str) -> set[str]:
        """Everything that a component is made of, components themselves left out: those are only names."""
        children = [r for r in self.resources.values() if r.parent == urn]
        return {r.urn for r in children if r.request.custom}.union(*(self.inside(r.urn) for r in children))

    def behind(self, urn: str) -> set[str]:
        """Everything a resource waits for, directly or not; a component stands for all its children."""
        seen: set[str] = set()
        todo = list(self.resources[urn].dependencies)
        while todo:
            this = todo.pop()
            if this in seen:
                continue
            seen.add(this)
            if this in self.resources:
                todo += self.resources[this].dependencies
                todo += [r.urn for r in self.resources.values() if r.parent == this]
        return seen


class Recorder(mocks.MockMonitor):
    """The SDK's mock monitor, which also keeps each request."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(Cloud())
        self.graph = graph

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802 the protocol's name
        response = super().RegisterResource(request)
        if request.type == "pulumi:pulumi:Stack":
            return response
        assert response.urn not in self.graph.resources, f"registered twice: {response.urn}"
        self.graph.resources[response.urn] = Registered(
            urn=response.urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=rpc.deserialize_properties(request.object),
            dependencies=frozenset(request.dependencies)
            | {urn for d in request.propertyDependencies.values() for urn in d.urns},
            request=request,
        )
        return response


def run(
    settings: dict[str, Any],
    root: Path,
    *,
    preview: bool = False,
    registry: Registry | None = None,
    opts: pulumi.ResourceOptions | None = None,
    stack: str = "test",
) -> Graph:
    """Run the program against the recorder and return the graph it registered."""
    known = registry or builtin()
    graph = Graph()
    loops: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def made() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    loop = made()
    asyncio.set_event_loop(loop)
    # The SDK's mock monitor makes a loop in each of its threads and closes none.
    asyncio.new_event_loop = made
    try:
        # The SDK keeps the stack resource of an earlier program, which has no URN for children if that failed early.
        set_root_resource(None)  # type: ignore[arg-type]
        mocks.set_mocks(Cloud(), "unmoor", stack, preview, monitor=Recorder(graph))

        def program() -> None:
            graph.topology = topology(settings, known, root)
            graph.outputs = deploy(graph.topology, known, opts)

        from pulumi.runtime.stack import run_pulumi_func

        loop.run_until_complete(run_pulumi_func(program))
    finally:
        asyncio.new_event_loop = make
        asyncio.set_event_loop(None)
        for one in loops:
            one.close()
    return graph
