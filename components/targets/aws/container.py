"""A container on AWS: tasks of ECS Fargate behind a load balancer, with a certificate for their names."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
#: Days for which logs are kept.
LOG_DAYS = 30
#: Seconds for which a task that leaves may finish its requests.
_LEAVING_S = 30
#: Load balancers and target groups have at most 32 characters, so AWS completes this; the tag Name has the whole name.
_PREFIX = "unmoor"
#: The containers of a task.
WEB, APP = "web", "app"
_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Part:
    """One container: what runs in it. Empty `command` and `args` leave what the image has."""

    image: str
    command: Sequence[str]
    args: Sequence[str]
    env: Mapping[str, str]
    port: int


@dataclass(frozen=True)
class Task:
    """What a task is: the web server and the application, in thousandths of a core, MiB and GiB, and how many run."""

    web: Part
    app: Part
    cpu: int
    memory: int
    disk_gib: int
    replicas: int
    grace_s: int


@dataclass(frozen=True)
class Network:
    """What there is already: ids of a VPC and its subnets, the ARN of a cluster. Without a VPC the default one."""

    vpc: str | None
    subnets: Sequence[str]
    private_subnets: Sequence[str]
    cluster: str | None


class Container(pulumi.ComponentResource):
    """A service of ECS on Fargate that one load balancer alone reaches.

    `hosts` are the names it answers to, the first being the certificate's subject; `prove` publishes the record by
    which ACM sees that a host is ours. Over plain HTTP challenges alone go to the tasks, and the rest to HTTPS.
    """

    domain_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        hosts: tuple[str, ...],
        prove: Prove,
        task: Task,
        network: Network,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:aws:Container", name, None, opts)
        self._inside = pulumi.ResourceOptions(parent=self)
        self._name, self._task, self._network = name, task, network
        vpc, public = self._places()
        balancing = self._group("visitors", vpc, [_open(port, cidr=_ANYWHERE) for port in front.PORTS.values()])
        admitted = self._group("tasks", vpc, [_open(task.web.port, group=balancing.id)])
        balancer = aws.lb.LoadBalancer(
            f"{name}-balancer",
            name_prefix=_PREFIX,
            load_balancer_type="application",
            subnets=public,
            security_groups=[balancing.id],
            # A request may be as long in coming as it may in the container.
            idle_timeout=300,
            drop_invalid_header_fields=True,
            tags={"Name": name},
            opts=self._inside,
        )
        targets = self._targets(vpc)
        listening = self._listeners(balancer, targets, certificate(name, hosts, prove, self._inside))
        self._service(targets, admitted, public, listening)
        self.domain_name, self.zone_id, self.arn = balancer.dns_name, balancer.zone_id, balancer.arn
        self.register_outputs({"domainName": self.domain_name})

    def _places(self) -> tuple[pulumi.Input[str], pulumi.Input[Sequence[str]]]:
        """Return the VPC and its public subnets."""
        if self._network.vpc:
            return self._network.vpc, list(self._network.subnets)
        asking = pulumi.InvokeOptions(parent=self)
        vpc = aws.ec2.get_vpc_output(default=True, opts=asking).id
        filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "default-for-az", "values": ["true"]}]
        found = aws.ec2.get_subnets_output(filters=filters, opts=asking)
        return vpc, found.ids.apply(lambda ids: sorted(ids)[: fargate.ZONES])

    def _group(self, what: str, vpc: pulumi.Input[str], ingress: Sequence[Mapping[str, Any]]) -> aws.ec2.SecurityGroup:
        everywhere = {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [_ANYWHERE]}
        return aws.ec2.SecurityGroup(
            f"{self._name}-{what}",
            description=f"unmoor {self._name} {what}",
            vpc_id=vpc,
            ingress=list(ingress),
            egress=[everywhere],
            tags={"Name": f"{self._name}-{what}"},
            opts=self._inside,
        )

    def _targets(self, vpc: pulumi.Input[str]) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            f"{self._name}-targets",
            name_prefix=_PREFIX,
            port=self._task.web.port,
            protocol="HTTP",
            target_type="ip",
            vpc_id=vpc,
            deregistration_delay=_LEAVING_S,
            health_check={
                "path": front.HEALTH_PATH,
                "matcher": "200",
                "interval": 10,
                "timeout": 5,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            tags={"Name": self._name},
            opts=self._inside,
        )

    def _listeners(
        self, balancer: aws.lb.LoadBalancer, targets: aws.lb.TargetGroup, valid: aws.acm.CertificateValidation
    ) -> list[pulumi.Resource]:
        forward = {"type": "forward", "target_group_arn": targets.arn}
        to_https = {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}
        secure = aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=_TLS,
            certificate_arn=valid.certificate_arn,
            default_actions=[forward],
            opts=self._inside,
        )
        plain = aws.lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[{"type": "redirect", "redirect": to_https}],
            opts=self._inside,
        )
        challenges = aws.lb.ListenerRule(
            f"{self._name}-challenges",
            listener_arn=plain.arn,
            priority=1,
            actions=[forward],
            conditions=[{"path_pattern": {"values": [front.CHALLENGE_PATH]}}],
            opts=self._inside,
        )
        return [secure, plain, challenges]

    def _service(
        self,
        targets: aws.lb.TargetGroup,
        admitted: aws.ec2.SecurityGroup,
        public: pulumi.Input[Sequence[str]],
        listening: Sequence[pulumi.Resource],
    ) -> None:
        network = self._network
        cluster = network.cluster or aws.ecs.Cluster(f"{self._name}-cluster", opts=self._inside).arn
        place = {
            "subnets": list(network.private_subnets) or public,
            "security_groups": [admitted.id],
            # Without a way out, and without an address, a task could not even pull its image.
            "assign_public_ip": not network.private_subnets,
        }
        aws.ecs.Service(
            f"{self._name}-service",
            cluster=cluster,
            task_definition=self._definition().arn,
            desired_count=self._task.replicas,
            launch_type="FARGATE",
            network_configuration=place,
            load_balancers=[
                {"target_group_arn": targets.arn, "container_name": WEB, "container_port": self._task.web.port}
            ],
            deployment_circuit_breaker={"enable": True, "rollback": True},
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            health_check_grace_period_seconds=self._task.grace_s,
            wait_for_steady_state=True,
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=list(listening))),
        )

    def _definition(self) -> aws.ecs.TaskDefinition:
        log = aws.cloudwatch.LogGroup(f"{self._name}-log", retention_in_days=LOG_DAYS, opts=self._inside)
        role = aws.iam.Role(
            f"{self._name}-starts",
            assume_role_policy=_document("sts:AssumeRole", principal="ecs-tasks.amazonaws.com"),
            opts=self._inside,
        )
        # It starts tasks of public images, so it writes their logs and does nothing else. The application has no role.
        allowed = aws.iam.RolePolicy(
            f"{self._name}-writes-logs",
            role=role.id,
            policy=log.arn.apply(
                lambda arn: _document(["logs:CreateLogStream", "logs:PutLogEvents"], resource=f"{arn}:*")
            ),
            opts=self._inside,
        )
        task = self._task
        disk = {"size_in_gib": task.disk_gib} if task.disk_gib > fargate.DISK_GIB else None
        region = aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        return aws.ecs.TaskDefinition(
            f"{self._name}-task",
            family=self._name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(fargate.units(task.cpu)),
            memory=str(task.memory),
            ephemeral_storage=disk,
            execution_role_arn=role.arn,
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            container_definitions=pulumi.Output.all(log.name, region).apply(lambda known: _containers(task, *known)),
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=[allowed])),
        )


def _open(port: int, *, cidr: str = "", group: pulumi.Input[str] | None = None) -> dict[str, Any]:
    """Admit a port, from addresses or from a group."""
    source = {"security_groups": [group]} if group is not None else {"cidr_blocks": [cidr]}
    return {"protocol": "tcp", "from_port": port, "to_port": port, **source}


def _document(action: str | Sequence[str], *, principal: str = "", resource: str = "") -> str:
    who = {"Principal": {"Service": principal}} if principal else {"Resource": resource}
    statement = {"Effect": "Allow", "Action": action, **who}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)


def _containers(task: Task, log: str, region: str) -> str:
    """Write the containers of a task, each of which ends the task when it ends, as one does in a lease."""
    made = [_container(WEB, task.web, log, region), _container(APP, task.app, log, region)]
    return json.dumps(made, sort_keys=True)


def _container(name: str, part: Part, log: str, region: str) -> dict[str, Any]:
    words = {"entryPoint": list(part.command), "command": list(part.args)}
    return {
        "name": name,
        "image": part.image,
        "essential": True,
        "environment": [{"name": key, "value": value} for key, value in sorted(part.env.items())],
        "portMappings": [{"containerPort": part.port, "hostPort": part.port, "protocol": "tcp"}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": log, "awslogs-region": region, "awslogs-stream-prefix": name},
        },
    } | {key: value for key, value in words.items() if value}
