"""Releases that ECS takes back: what served goes on, and the step that waits names the reason and the last lines.

The account and the machines of AWS are processes of the sandbox, and tasks run as local processes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from components.errors import StepError
from components.kinds.service import rollout
from sandbox.faults import NEVER_GREEN, UNPULLED
from sandbox.state import REPOSITORY
from tests.contract.akash_world import wait
from tests.contract.aws_account import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.aws_account import Account

GROUP = "api-aws-log"
IMAGE = "docker.io/library/python:3.13-alpine@sha256:" + "4c" * 32
#: A server with a health address, and one without.
WELL = "echo $0 begins >&2; echo $0 > index.html; echo $0 > healthz; "
ILL = "echo $0 begins >&2; echo 'unmoor: the application answers 404 to /health' >&2; "
SERVE = 'exec python3 -m http.server "$HTTP_PORT" --bind 127.0.0.1'


@contextlib.contextmanager
def machines(account: Account) -> Iterator[None]:
    """Run the machines of AWS."""
    command = [sys.executable, "-m", "sandbox.fargate"]
    environment = {**os.environ, **account.env}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, start_new_session=True) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


class Service:
    """A service behind a load balancer, as a deployment of ours registers it."""

    def __init__(self, account: Account) -> None:
        self._account, self._ecs, self.state = account, account.client("ecs"), account.state
        elb, ec2 = account.client("elbv2"), account.client("ec2")
        account.client("logs").create_log_group(logGroupName=GROUP)
        nets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
        (balancer,) = elb.create_load_balancer(Name="api", Subnets=nets)["LoadBalancers"]
        (targets,) = elb.create_target_group(
            Name="api", Protocol="HTTP", Port=80, TargetType="ip", VpcId=balancer["VpcId"], HealthCheckPath="/healthz"
        )["TargetGroups"]
        self.targets, self._host = targets["TargetGroupArn"], balancer["DNSName"].lower()
        forward = [{"Type": "forward", "TargetGroupArn": self.targets}]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward
        )
        self._cluster = self._ecs.create_cluster(clusterName="api")["cluster"]["clusterArn"]
        self._service = ""
        self._place = {"awsvpcConfiguration": {"subnets": nets, "securityGroups": balancer["SecurityGroups"]}}

    def release(self, name: str, script: str) -> str:
        """Register a release; return the ARN of its task definition."""
        log = {"awslogs-group": GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
        container = {
            "name": "web",
            "image": IMAGE,
            "essential": True,
            "entryPoint": ["sh", "-c"],
            "command": [script + SERVE, name],
            "environment": [{"name": "HTTP_PORT", "value": "80"}],
            "portMappings": [{"containerPort": 80}],
            "logConfiguration": {"logDriver": "awslogs", "options": log},
        }
        given = {"family": "api", "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
        given["executionRoleArn"] = "arn:aws:iam::123456789012:role/api"
        made = self._ecs.register_task_definition(
            containerDefinitions=[container], requiresCompatibilities=["FARGATE"], **given
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, definition: str) -> None:
        """Begin a deployment of a release."""
        if self._service:
            self._ecs.update_service(cluster=self._cluster, service=self._service, taskDefinition=definition)
            return
        made = self._ecs.create_service(
            cluster=self._cluster,
            serviceName="api",
            taskDefinition=definition,
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration=self._place,
            loadBalancers=[{"targetGroupArn": self.targets, "containerName": "web", "containerPort": 80}],
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )
        self._service = made["service"]["serviceArn"]

    def take(self, definition: str) -> dict[str, Any]:
        """Take the step that waits for a release."""
        given = {
            "site": "api-aws",
            "cluster": self._cluster,
            "tasks": self._service,
            "definition": definition,
            "log": GROUP,
            "region": "us-east-1",
            "stack": "dao/prod",
            "timeout_s": 120,
            "health": "/health",
            "option": "workloads.api.options.health.path",
        }
        client = self._account.client
        return rollout.take(
            given, lambda _: None, client=lambda name, **_: client(name), sleep=lambda _: time.sleep(0.2)
        )

    def answer(self) -> str:
        """Return the page that the load balancer gives a visitor."""
        address = wait(lambda: self.state.host(self._host))
        _, port = wait(lambda: self.state.route(address, 80))
        return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).raise_for_status().text.strip()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("tasks")) as account, machines(account):
        made = Service(account)
        first = made.release("first", WELL)
        made.serve(first)
        made.take(first)
        yield made


@contextlib.contextmanager
def broken(service: Service, fault: str) -> Iterator[None]:
    """Break something for a while; nothing, if no fault is named."""
    if not fault:
        yield
        return
    service.state.start_fault(fault)
    try:
        yield
    finally:
        service.state.end_fault(fault)


#: What is broken, what the release runs, and what the error names.
BAD = {
    "image that cannot be pulled": (
        UNPULLED,
        WELL,
        ["task: CannotPullContainerError: pull image manifest", "dial tcp: i/o timeout", "containers logged nothing"],
    ),
    "health that is never green": (
        NEVER_GREEN,
        WELL,
        ["task: Task failed ELB health checks in (target-group ", "its load balancer: Request timed out", "begins"],
    ),
    "health path that is not there": (
        "",
        ILL,
        [
            "task: Task failed ELB health checks in (target-group ",
            "its load balancer: Health checks failed with these codes: [404]",
            "workloads.api.options.health.path: the application answers 404 to /health, and 200 alone means that",
            "name a path that it answers so",
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_release_that_does_not_come_up_is_taken_back_and_what_served_goes_on(name: str, service: Service) -> None:
    fault, script, words = BAD[name]
    bad = service.release(name.replace(" ", "-"), script)
    with broken(service, fault):
        service.serve(bad)
        with pytest.raises(StepError, match="ECS has taken the release back, and what served goes on") as caught:
            service.take(bad)
        assert service.answer() == "first"
    shown = str(caught.value)
    assert [each for each in words if each not in shown] == [], shown


def test_what_could_not_start_starts_once_the_registry_answers_again(service: Service) -> None:
    good = service.release("second", WELL)
    service.serve(good)
    service.take(good)
    wait(lambda: service.answer() == "second")
