"""A container on AWS: tasks of ECS Fargate behind a load balancer, with a certificate for their names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ...web import http as front
from . import fargate
from .balancer import PREFIX, Network, Own, Place, Shared, existing, group, open_port
from .certificate import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .certificate import Prove

    #: Writes the value of an existing secret, and returns the id of the new version. Its arguments are the secret's
    #: name, a description of it, and the options of the resource that writes.
    Fill = Callable[[str, Mapping[str, Any], pulumi.ResourceOptions], pulumi.Output[str]]

#: Days for which logs are kept.
LOG_DAYS = 30
#: Seconds in which a task that is being stopped may finish its requests.
_LEAVING_S = 30
#: The containers of a task.
WEB, APP = "web", "app"


@dataclass(frozen=True)
class Part:
    """One container and what runs in it. Empty `command` and `args` leave the image's own."""

    image: str
    command: Sequence[str]
    args: Sequence[str]
    env: Mapping[str, str]
    port: int


@dataclass(frozen=True)
class Task:
    """A task: the web server and the application, in thousandths of a core, MiB and GiB, and the number of tasks."""

    web: Part
    app: Part
    cpu: int
    memory: int
    disk_gib: int
    replicas: int
    grace_s: int
    secrets: Sequence[str] = ()  #: the application's secrets, by name


class Container(pulumi.ComponentResource):
    """A service of ECS on Fargate behind one load balancer: its own, that of the stack (`place`), or an existing one.

    A target group belongs to one load balancer (ELB user guide, "Quotas"), and a service that changes its own takes the
    old one's tasks away. So another load balancer is another service, which stands before the old one is removed.
    `hosts` are the names it answers to; `prove` publishes the record by which ACM verifies that a host is ours. Over
    plain HTTP only challenges go to the tasks; the rest is redirected to HTTPS. `fill` writes the values of secrets to
    Secrets Manager before a task can ask for them.
    """

    domain_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    arn: pulumi.Output[str]
    #: The values with which the progress of a release is read: cluster, service, task definition and log group.
    rollout: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        label: str = "",
        hosts: tuple[str, ...],
        prove: Prove,
        task: Task,
        network: Network,
        fill: Fill,
        place: Place | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:aws:Container", name, None, opts)
        self._inside = pulumi.ResourceOptions(parent=self)
        # The stack's name, where several share the account.
        name = f"{name}-{label}" if label else name
        self._name, self._task, self._network, self._fill = name, task, network, fill
        self._behind = name
        if network.balancer:
            place = existing(network.balancer, self._inside)
            self._behind = f"{name}-{hashlib.sha256(network.balancer.encode()).hexdigest()[:8]}"
        elif place:
            self._behind = f"{name}-small"
        balancer = Shared(self._behind, name, place, self._inside) if place else Own(name, network, self._inside)
        admitted = group(
            f"{self._behind}-tasks", balancer.vpc, [open_port(task.web.port, groups=balancer.groups)], self._inside
        )
        targets = self._targets(balancer.vpc)
        listening = balancer.listen(hosts, targets, certificate(name, hosts, prove, self._inside))
        self.rollout = self._service(targets, admitted, balancer.subnets, listening)
        self.domain_name, self.zone_id = balancer.domain_name, balancer.zone_id
        # The step that waits for old answers holds all that they lead to, because the engine, where it removes things,
        # follows no edge through what stays. Others share the ARN of a load balancer that is not the service's own.
        way = [balancer.arn] if isinstance(balancer, Own) else [targets.arn]
        self.arn = pulumi.Output.all(*way, self.rollout["tasks"], *(each.urn for each in listening)).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"domainName": self.domain_name})

    def _targets(self, vpc: pulumi.Input[str]) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            f"{self._behind}-targets",
            name_prefix=PREFIX,
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

    def _service(
        self,
        targets: aws.lb.TargetGroup,
        admitted: aws.ec2.SecurityGroup,
        public: pulumi.Input[Sequence[str]],
        listening: Sequence[pulumi.Resource],
    ) -> dict[str, pulumi.Output[str]]:
        network = self._network
        cluster = network.cluster or aws.ecs.Cluster(f"{self._name}-cluster", opts=self._inside).arn
        definition, log, region = self._definition()
        place = {
            "subnets": list(network.private_subnets) or public,
            "security_groups": [admitted.id],
            # Without a way out, and without an address, a task could not pull its image.
            "assign_public_ip": not network.private_subnets,
        }
        # The plug-in does not wait for the tasks, because it could not show their logs after a failure.
        service = aws.ecs.Service(
            f"{self._behind}-service",
            cluster=cluster,
            task_definition=definition.arn,
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
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=list(listening))),
        )
        return {
            "cluster": pulumi.Output.from_input(cluster),
            "tasks": service.id,
            "definition": definition.arn,
            "log": log.name,
            "region": region,
        }

    def _definition(self) -> tuple[aws.ecs.TaskDefinition, aws.cloudwatch.LogGroup, pulumi.Output[str]]:
        log = aws.cloudwatch.LogGroup(f"{self._name}-log", retention_in_days=LOG_DAYS, opts=self._inside)
        region = aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        secrets, versions = self._secrets(region)
        role = aws.iam.Role(
            f"{self._name}-starts",
            assume_role_policy=document("sts:AssumeRole", principal="ecs-tasks.amazonaws.com"),
            opts=self._inside,
        )
        # It starts tasks of public images: it writes their logs and reads their secrets. The application has no role of
        # its own.
        allowed = aws.iam.RolePolicy(
            f"{self._name}-writes-logs",
            role=role.id,
            policy=log.arn.apply(
                lambda arn: document(["logs:CreateLogStream", "logs:PutLogEvents"], resource=f"{arn}:*")
            ),
            opts=self._inside,
        )
        before: list[pulumi.Resource] = [allowed]
        if secrets:
            before.append(self._reads(role, secrets))
        task = self._task
        disk = {"size_in_gib": task.disk_gib} if task.disk_gib > fargate.DISK_GIB else None
        made = aws.ecs.TaskDefinition(
            f"{self._name}-task",
            family=self._name,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(fargate.units(task.cpu)),
            memory=str(task.memory),
            ephemeral_storage=disk,
            execution_role_arn=role.arn,
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            container_definitions=pulumi.Output.all(log.name, region, versions).apply(
                lambda known: _containers(task, *known)
            ),
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=before)),
        )
        return made, log, region

    def _secrets(self, region: pulumi.Output[str]) -> tuple[dict[str, pulumi.Output[str]], dict[str, Any]]:
        """Return the ARN of each secret, and that of its newest version. Inputs are kept in state, so none is a value.

        Tasks name the version (ECS developer guide, "Pass Secrets Manager secrets through environment variables"): a
        new value is a new deployment. ECS rolls it back with its value if it does not become healthy.
        """
        arns: dict[str, pulumi.Output[str]] = {}
        versions: dict[str, Any] = {}
        for name in self._task.secrets:
            secret = aws.secretsmanager.Secret(
                f"{self._name}-{name}",
                description=f"unmoor {self._name} {name}",
                # The operator of the update has the value, so a deleted secret is not kept for a month.
                recovery_window_in_days=0,
                opts=self._inside,
            )
            opts = pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(depends_on=[secret]))
            version = self._fill(name, {"arn": secret.arn, "region": region}, opts)
            arns[name], versions[name] = secret.arn, pulumi.Output.concat(secret.arn, ":::", version)
        return arns, versions

    def _reads(self, role: aws.iam.Role, secrets: Mapping[str, pulumi.Output[str]]) -> aws.iam.RolePolicy:
        """Let the task execution role read the secrets of this service, and no other."""
        arns = pulumi.Output.all(*secrets.values())
        return aws.iam.RolePolicy(
            f"{self._name}-reads-secrets",
            role=role.id,
            policy=arns.apply(lambda known: document("secretsmanager:GetSecretValue", resource=sorted(known))),
            opts=self._inside,
        )


def document(action: str | Sequence[str], *, principal: str = "", resource: str | Sequence[str] = "") -> str:
    """Return a policy of one statement, as JSON: trust for a principal, or rights on a resource."""
    who = {"Principal": {"Service": principal}} if principal else {"Resource": resource}
    statement = {"Effect": "Allow", "Action": action, **who}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)


def _containers(task: Task, log: str, region: str, secrets: Mapping[str, str]) -> str:
    """Return the containers of a task. A container that ends ends its task, as in a lease."""
    made = [_container(WEB, task.web, log, region), _container(APP, task.app, log, region)]
    if secrets:
        made[1]["secrets"] = [{"name": name, "valueFrom": arn} for name, arn in sorted(secrets.items())]
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
