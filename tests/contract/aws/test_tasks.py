"""Tasks and load balancers in the sandbox: what AWS refuses is refused, and what was registered reads back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.akash.container import Container
from sandbox.fargate.services import Deployment, Service, Services
from sandbox.fargate.task import Task
from tests.contract.authority import self_signed
from tests.contract.plugin_client import EngineError

from .inputs import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.aws_account import Account
    from tests.contract.plugin_client import Plugin, Stood

GROUP, BALANCER = "aws:ec2/securityGroup:SecurityGroup", "aws:lb/loadBalancer:LoadBalancer"
TARGETS, LISTENER = "aws:lb/targetGroup:TargetGroup", "aws:lb/listener:Listener"
RULE, CLUSTER = "aws:lb/listenerRule:ListenerRule", "aws:ecs/cluster:Cluster"
DEFINITION, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
ROLE, LOG = "aws:iam/role:Role", "aws:cloudwatch/logGroup:LogGroup"
SHOWN = "aws:lb/listenerCertificate:ListenerCertificate"
POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_ALL = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}


@pytest.fixture
def vpc(plugin: Plugin) -> str:
    return str(plugin.invoke("aws:ec2/getVpc:getVpc", default=True)["id"])


@pytest.fixture
def subnets(plugin: Plugin, vpc: str) -> list[str]:
    filters = [{"name": "vpc-id", "values": [vpc]}, {"name": "default-for-az", "values": ["true"]}]
    return sorted(plugin.invoke("aws:ec2/getSubnets:getSubnets", filters=filters)["ids"])


class Stack:
    """Resources in the order of creation; they are deleted in reverse."""

    def __init__(self, plugin: Plugin, vpc: str, subnets: list[str]) -> None:
        self.plugin, self.vpc, self.subnets = plugin, vpc, subnets
        self.stood: list[Stood] = []

    def make(self, token: str, name: str, inputs: dict[str, Any]) -> Stood:
        self.stood.append(self.plugin.create(token, name, inputs))
        return self.stood[-1]

    def group(self, name: str, **rule: Any) -> Stood:
        ingress = [{"protocol": "tcp", "fromPort": 80, "toPort": 80, **rule}]
        inputs = {"description": name, "vpcId": self.vpc, "ingress": ingress, "egress": [_ALL]}
        return self.make(GROUP, name, inputs)

    def balancer(self, group: Stood) -> Stood:
        inputs = {"namePrefix": "unmoor", "subnets": self.subnets[:2], "securityGroups": [group.id]}
        return self.make(BALANCER, "balancer", {**inputs, "idleTimeout": 300, "dropInvalidHeaderFields": True})

    def targets(self) -> Stood:
        check = {"path": "/healthz", "matcher": "200", "interval": 10, "timeout": 5, "healthyThreshold": 2}
        inputs = {"namePrefix": "unmoor", "port": 80, "protocol": "HTTP", "targetType": "ip", "vpcId": self.vpc}
        more = {"deregistrationDelay": 30, "healthCheck": {**check, "unhealthyThreshold": 3}}
        return self.make(TARGETS, "targets", {**inputs, **more})

    def definition(self, **more: Any) -> Stood:
        return self.make(DEFINITION, "task", definition(**more))


def definition(image: str = "docker.io/library/python:3", **more: Any) -> dict[str, Any]:
    container = {"name": "web", "image": image, "essential": True, "portMappings": [{"containerPort": 80}]}
    return {
        "family": "api-aws",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": json.dumps([container | more.pop("container", {})]),
        **more,
    }


SECRET = "aws:secretsmanager/secret:Secret"


@pytest.fixture
def stack(plugin: Plugin, vpc: str, subnets: list[str]) -> Iterator[Stack]:
    made = Stack(plugin, vpc, subnets)
    yield made
    for each in reversed(made.stood):
        plugin.delete(each)


def test_everything_of_a_service_reads_back_as_it_was_registered(stack: Stack, plugin: Plugin, aws: Account) -> None:
    visitors = stack.group("visitors", cidrBlocks=["0.0.0.0/0"])
    tasks = stack.group("tasks", securityGroups=[visitors.id])
    balancer, targets = stack.balancer(visitors), stack.targets()
    to = {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}
    listener = stack.make(
        LISTENER,
        "http",
        {
            "loadBalancerArn": balancer.id,
            "port": 80,
            "protocol": "HTTP",
            "defaultActions": [{"type": "redirect", "redirect": to}],
        },
    )
    forward = [{"type": "forward", "targetGroupArn": targets.id}]
    paths = [{"pathPattern": {"values": ["/.well-known/acme-challenge/*"]}}]
    stack.make(RULE, "rule", {"listenerArn": listener.id, "priority": 1, "conditions": paths, "actions": forward})
    cluster = stack.make(CLUSTER, "cluster", {})
    log = stack.make(LOG, "log", {"retentionInDays": 30})
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = stack.make(ROLE, "role", {"assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": [trust]})})
    write = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": f"{log.outputs['arn']}:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [write]})
    stack.make(ROLE_POLICY, "policy", {"role": role.id, "policy": policy})
    stack.definition(executionRoleArn=role.outputs["arn"])
    inputs = {
        "cluster": cluster.id,
        "taskDefinition": stack.stood[-1].outputs["arn"],
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "subnets": stack.subnets[:2],
            "securityGroups": [tasks.id],
            "assignPublicIp": True,
        },
        "loadBalancers": [{"targetGroupArn": targets.id, "containerName": "web", "containerPort": 80}],
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "healthCheckGracePeriodSeconds": 60,
    }
    stack.make(SERVICE, "service", inputs)
    for each in stack.stood:
        seen = plugin.read(each)
        assert seen is not None, each.id
        assert plugin.diff(each, seen.inputs) == {}, each.id
    output = refused(aws.client("ec2").delete_security_group, GroupId=tasks.id)
    assert output.startswith("DependencyViolation"), "a task has it"
    assert balancer.outputs["zoneId"] == "Z35SXDOTRQ7X7K"


@pytest.fixture
def imported(aws: Account, tmp_path: Path) -> Iterator[list[str]]:
    """Import two certificates, which are issued at once; yield their ARNs. They are deleted after their users."""
    acm, made = aws.client("acm"), []
    for name in ("first.example", "second.example"):
        certificate, key = self_signed(name, tmp_path / name, days=30)
        given = {"Certificate": certificate.read_bytes(), "PrivateKey": key.read_bytes()}
        made.append(str(acm.import_certificate(**given)["CertificateArn"]))
    yield made
    for arn in made:
        acm.delete_certificate(CertificateArn=arn)


def test_names_of_a_prefix_are_never_the_same(stack: Stack) -> None:
    names = {stack.targets().outputs["name"] for _ in range(3)}
    assert {(name[:6], len(name)) for name in names} == {("unmoor", 32)}
    assert len(names) == 3


def test_a_place_at_a_load_balancer_that_is_there_reads_back(
    imported: list[str], stack: Stack, plugin: Plugin, aws: Account
) -> None:
    """Rules without a priority get the next free one, and listeners are found by their port."""
    group = stack.group("shared", cidrBlocks=["0.0.0.0/0"])
    balancer, targets = stack.balancer(group), stack.targets()
    first, second = imported
    forward = [{"type": "forward", "targetGroupArn": targets.id}]
    listener = {"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "defaultActions": forward}
    secure = stack.make(LISTENER, "https", {**listener, "certificateArn": first, "sslPolicy": POLICY})
    found = plugin.invoke("aws:lb/getLoadBalancer:getLoadBalancer", arn=balancer.id)
    assert (found["vpcId"], found["securityGroups"]) == (stack.vpc, [group.id])
    assert (found["subnets"], found["dnsName"]) == (sorted(stack.subnets[:2]), balancer.outputs["dnsName"])
    asked = {"loadBalancerArn": balancer.id, "port": 443}
    assert plugin.invoke("aws:lb/getListener:getListener", **asked)["arn"] == secure.id
    with pytest.raises(EngineError, match="no ELBv2 Listener found"):
        plugin.invoke("aws:lb/getListener:getListener", loadBalancerArn=balancer.id, port=80)
    shown = stack.make(SHOWN, "shown", {"listenerArn": secure.id, "certificateArn": second})
    rules = [
        stack.make(
            RULE,
            host,
            {
                "listenerArn": secure.id,
                "conditions": [{"hostHeader": {"values": [host]}}, {"pathPattern": {"values": ["/x/*"]}}],
                "actions": forward,
                "tags": {"Name": "api-aws"},
            },
        )
        for host in ("a.dao.example", "b.dao.example")
    ]
    found = aws.client("elbv2").describe_rules(ListenerArn=secure.id)["Rules"]
    assert {one["RuleArn"]: one["Priority"] for one in found if not one["IsDefault"]} == {
        rules[0].id: "1",
        rules[1].id: "2",
    }
    for each in (shown, *rules):
        seen = plugin.read(each)
        assert seen is not None, each.id
        assert plugin.diff(each, seen.inputs) == {}, each.id


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return f"{caught.value.response['Error']['Code']}: {caught.value.response['Error']['Message']}"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"memory": "700"}, "No Fargate configuration exists for given values"),
        ({"memory": "1536"}, "No Fargate configuration exists for given values"),
        ({"cpu": "300"}, "No Fargate configuration exists for given values"),
        ({"image": "ghcr.io/nobody/else:1"}, "no program stands for the image ghcr.io/nobody/else"),
        ({"container": {"command": ["x" * 70_000]}}, r"Max allowed length is '65536' bytes"),
    ],
)
def test_a_task_definition_that_cannot_run_is_refused(plugin: Plugin, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=re.escape(sentence)):
        plugin.create(DEFINITION, "bad", definition(**change))


def test_a_service_needs_a_target_group_that_a_listener_leads_to(stack: Stack, aws: Account) -> None:
    group = stack.group("alone", cidrBlocks=["0.0.0.0/0"])
    targets, cluster, task = stack.targets(), stack.make(CLUSTER, "alone", {}), stack.definition()
    place = {"subnets": stack.subnets[:2], "securityGroups": [group.id]}
    output = refused(
        aws.client("ecs").create_service,
        cluster=cluster.id,
        serviceName="x",
        taskDefinition=task.outputs["arn"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": place},
        loadBalancers=[{"targetGroupArn": targets.id, "containerName": "web", "containerPort": 80}],
    )
    assert "does not have an associated load balancer" in output


def test_a_load_balancer_needs_two_zones(stack: Stack, aws: Account) -> None:
    output = refused(aws.client("elbv2").create_load_balancer, Name="one", Subnets=stack.subnets[:1])
    assert "two different Availability Zones" in output
    assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_a_listener_needs_a_certificate_that_is_issued(stack: Stack, aws: Account, plugin: Plugin) -> None:
    balancer, targets = stack.balancer(stack.group("tls", cidrBlocks=["0.0.0.0/0"])), stack.targets()
    pending = stack.make(CERTIFICATE, "pending", {"domainName": "x.dao.example", "validationMethod": "DNS"})
    make = aws.client("elbv2").create_listener
    given = {"LoadBalancerArn": balancer.id, "Protocol": "HTTPS", "Port": 443}
    actions = [{"Type": "forward", "TargetGroupArn": targets.id}]
    certificates = [{"CertificateArn": pending.id}]
    output = refused(make, **given, DefaultActions=actions, Certificates=certificates)
    assert output.startswith("UnsupportedCertificate")
    assert "must be specified" in refused(make, **given, DefaultActions=actions)


def test_a_target_group_belongs_to_one_load_balancer(stack: Stack, aws: Account) -> None:
    group, targets, elb = stack.group("both", cidrBlocks=["0.0.0.0/0"]), stack.targets(), aws.client("elbv2")
    forward = [{"type": "forward", "targetGroupArn": targets.id}]
    closed = [{"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}]
    first, other = (
        stack.make(
            LISTENER,
            "http",
            {"loadBalancerArn": stack.balancer(group).id, "defaultActions": does, "port": 80, "protocol": "HTTP"},
        )
        for does in (forward, closed)
    )
    seen = stack.plugin.read(other)
    assert seen is not None
    assert stack.plugin.diff(other, seen.inputs) == {}
    given = {"Priority": 1, "Actions": [{"Type": "forward", "TargetGroupArn": targets.id}]}
    given["Conditions"] = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.dao.example"]}}]
    assert refused(elb.create_rule, ListenerArn=other.id, **given).startswith("TargetGroupAssociationLimit")
    rule = elb.create_rule(ListenerArn=first.id, **given)["Rules"][0]["RuleArn"]
    elb.delete_rule(RuleArn=rule)


def test_a_security_group_that_a_load_balancer_has_stays(stack: Stack, aws: Account) -> None:
    group = stack.group("held", cidrBlocks=["0.0.0.0/0"])
    stack.balancer(group)
    assert refused(aws.client("ec2").delete_security_group, GroupId=group.id).startswith("DependencyViolation")


def test_an_alias_to_a_load_balancer_names_its_zone(aws: Account, zone: str) -> None:
    target = {"DNSName": "x-1.us-east-1.elb.amazonaws.com", "EvaluateTargetHealth": False}
    record = {"Name": "lb.dao.example", "Type": "A"}

    def change(hosted: str) -> dict[str, Any]:
        of = {**record, "AliasTarget": {**target, "HostedZoneId": hosted}}
        return {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": of}]}

    call = aws.client("route53").change_resource_record_sets
    output = refused(call, HostedZoneId=zone, ChangeBatch=change("Z2FDTNDATAQYW2"))
    assert "does not lie within the target zone" in output
    call(HostedZoneId=zone, ChangeBatch=change("Z35SXDOTRQ7X7K"))
    remove = change("Z35SXDOTRQ7X7K")
    remove["Changes"][0]["Action"] = "DELETE"
    call(HostedZoneId=zone, ChangeBatch=remove)


def test_a_secret_has_no_value_until_one_is_put_into_it_and_none_is_shown(stack: Stack, aws: Account) -> None:
    made = stack.make(SECRET, "api-aws-TOKEN", {"description": "unmoor api-aws TOKEN", "recoveryWindowInDays": 0})
    manager = aws.client("secretsmanager")
    with pytest.raises(ClientError, match="can't find the specified secret value for staging label: AWSCURRENT"):
        manager.get_secret_value(SecretId=made.id)
    manager.put_secret_value(SecretId=made.id, SecretString="canary")
    read = stack.plugin.read(made)
    assert read is not None
    assert "canary" not in str(read.outputs)
    stack.plugin.delete(stack.stood.pop())
    assert manager.list_secrets()["SecretList"] == []


def test_a_task_starts_with_the_version_that_its_role_may_read_and_else_gives_the_reason(
    stack: Stack, aws: Account
) -> None:
    """ECS developer guide, "Pass Secrets Manager secrets" and "ResourceInitializationError errors"."""
    made = stack.make(SECRET, "api-aws-TOKEN", {"recoveryWindowInDays": 0})
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = stack.make(ROLE, "role", {"assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": [trust]})})
    manager = aws.client("secretsmanager")

    def asked(version: str = "") -> dict[str, Any]:
        arn = f"{made.id}:::{version}" if version else made.id
        question = json.dumps({"role": role.outputs["arn"], "arns": [arn]}).encode()
        answer = httpx.post(f"{aws.url()}/_sandbox/tasks/secrets", content=question, trust_env=False).json()
        return answer if "failed" in answer else {"value": answer["values"][arn]}

    assert "AccessDeniedException" in asked()["failed"]
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": made.id}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    stack.make(ROLE_POLICY, "reads", {"role": role.id, "policy": policy})
    assert "can't find the specified secret" in asked()["failed"]
    first, second = (
        manager.put_secret_value(SecretId=made.id, SecretString=text)["VersionId"] for text in ("one", "two")
    )
    assert [asked(first), asked(second), asked()] == [{"value": "one"}, {"value": "two"}, {"value": "two"}]
    aws.state.start_fault("secret-missing")
    try:
        assert asked(second)["failed"].startswith("ResourceInitializationError: unable to pull secrets")
    finally:
        aws.state.end_fault("secret-missing")


def test_a_task_that_could_not_start_is_no_target_and_counts_as_failed(aws: Account) -> None:
    refused = Task("1", [], aws.state.root / "none", refused="ResourceInitializationError: unable to pull secrets")
    balancers = {"balancers": [{"targetGroupArn": "group", "containerPort": 80}]}
    services = Services(aws.state, None)  # type: ignore[arg-type] it starts nothing here
    one = Service("arn", balancers, {"d": Deployment("d", "task:1", [refused])})
    services._services["arn"] = one
    assert services.targets("group") == []
    assert (refused.running, refused.failed) == (False, refused.refused)


def test_a_container_that_starts_again_keeps_the_status_with_which_it_ended(aws: Account) -> None:
    class Running:
        def poll(self) -> None:
            """Go on."""

    folder = aws.state.root / "none"
    again = Container("x", [], [], {}, folder, folder, folder, {}, {}, None)  # type: ignore[arg-type] it starts nothing
    again._process = Running()  # type: ignore[assignment]
    assert again.exited is None
    again._ended = 3
    assert again.exited == 3
