"""The step that waits for ECS, with the sandbox's account: a failed release shows its reason and its last logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from components.errors import StepError
from components.kinds.service import rollout
from tests.contract.aws_account import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.aws_account import Account

VALUE = "canary-of-a-log-5b1f-77aa"
GROUP = "api-aws-log-1234567"
IMAGE = "ghcr.io/dao-example/api:1.0@sha256:" + "4c" * 32


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(tmp_path_factory.mktemp("aws")) as made:
        yield made


class Standing:
    """A service with a running release in the account, and a world of tasks that reports what a test sets."""

    def __init__(self, world: Account) -> None:
        self.world, self.ecs = world, world.client("ecs")
        self.cluster = self.ecs.create_cluster(clusterName="api-aws-cluster")["cluster"]["clusterArn"]
        self.first = self.definition("1")
        self.service = self.ecs.create_service(
            cluster=self.cluster, serviceName="api-aws-service", taskDefinition=self.first, desiredCount=1
        )["service"]["serviceArn"]

    def definition(self, greeting: str) -> str:
        containers = [
            {
                "name": name,
                "image": IMAGE,
                "essential": True,
                "memory": 128,
                "environment": [{"name": "G", "value": greeting}],
            }
            for name in ("web", "app")
        ]
        made = self.ecs.register_task_definition(
            family="api-aws", containerDefinitions=containers, executionRoleArn="arn:aws:iam::123456789012:role/x"
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def update(self, definition: str) -> dict[str, str]:
        """Begin a deployment; return the ids of all deployments by definition."""
        self.ecs.update_service(cluster=self.cluster, service=self.service, taskDefinition=definition)
        (found,) = self.ecs.describe_services(cluster=self.cluster, services=[self.service])["services"]
        return {each["taskDefinition"]: each["id"] for each in found["deployments"]}

    def report(self, logged: list[dict[str, Any]], **state: Any) -> None:
        """Report as the world of tasks does."""
        known = {"deployments": {}, "gone": [], "back": None, "events": [], "tasks": [], "stopped": [], **state}
        body = {"services": {self.service: known}, "logged": logged}
        httpx.post(f"{self.world.url()}/_sandbox/tasks", content=json.dumps(body), trust_env=False).raise_for_status()

    def take(self, definition: str, **more: Any) -> dict[str, Any]:
        given = {
            "site": "api-aws",
            "cluster": self.cluster,
            "tasks": self.service,
            "definition": definition,
            "log": GROUP,
            "region": "us-east-1",
            "stack": "dao/prod",
            "timeout_s": 60,
            **more,
        }
        time = iter(range(0, 10_000, 2))
        return rollout.take(
            given,
            lambda _: None,
            client=lambda name, **_: self.world.client(name),
            clock=lambda: float(next(time)),
            sleep=lambda _: None,
        )


@pytest.fixture(scope="module")
def standing(world: Account) -> Standing:
    world.client("logs").create_log_group(logGroupName=GROUP)
    return Standing(world)


def state(rollout_state: str, reason: str = "") -> dict[str, Any]:
    counts = {"runningCount": 1, "pendingCount": 0, "failedTasks": 0}
    return {**counts, "rolloutState": rollout_state, "rolloutStateReason": reason}


def test_a_release_that_is_up_is_done(standing: Standing) -> None:
    ids = standing.update(standing.first)
    standing.report([], deployments={ids[standing.first]: state("COMPLETED")})
    assert standing.take(standing.first) == {"definition": standing.first.rpartition("/")[2]}


def test_a_release_that_ecs_takes_back_shows_why_and_what_was_logged_last(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", VALUE)
    bad = standing.definition("2")
    ids = standing.update(bad)
    ended = {
        "id": "0a1b2c3d",
        "definition": bad,
        "why": "Essential container in task exited",
        "containers": [{"name": "web", "exitCode": 0}, {"name": "app", "exitCode": 1}],
    }
    lines = [f"line {number}" for number in range(30)] + [f"\x1b[31mcannot log in with {VALUE}"]
    reason = "ECS deployment circuit breaker: tasks failed to start."
    standing.report(
        [{"group": GROUP, "stream": "app/app/0a1b2c3d", "lines": lines}],
        deployments={ids[bad]: state("FAILED", reason)},
        stopped=[ended],
    )
    with pytest.raises(StepError) as caught:
        standing.take(bad)
    shown = str(caught.value)
    assert f"api-aws: ECS has taken the release back, and what served goes on: {reason}" in shown
    assert "task: Essential container in task exited" in shown
    assert "task: container app: exit 1" in shown
    assert "app: \\x1b[31mcannot log in with ***" in shown
    assert "app: line 29" in shown
    assert "line 2\n" not in shown
    assert VALUE not in shown


def test_a_task_without_a_log_is_named_by_its_reason_alone(standing: Standing) -> None:
    bad = standing.definition("3")
    ids = standing.update(bad)
    why = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
    ended = {"id": "ffff0000", "definition": bad, "why": why, "containers": [{"name": "app"}]}
    standing.report([], deployments={ids[bad]: state("FAILED", "tasks failed to start.")}, stopped=[ended])
    with pytest.raises(StepError, match="its containers logged nothing") as caught:
        standing.take(bad)
    assert f"task: {why}" in str(caught.value)


def test_a_deployment_that_is_over_is_named_with_what_tries_it_again(standing: Standing) -> None:
    with pytest.raises(StepError, match="run `pulumi up --refresh` to try again"):
        standing.take(standing.definition("4"))


def test_a_release_that_never_comes_up_ends_the_wait_with_how_it_stands(standing: Standing) -> None:
    slow = standing.definition("5")
    standing.update(slow)
    with pytest.raises(StepError, match=r"has not brought the release up in 6\d s: 0 of 1 run"):
        standing.take(slow)


@pytest.mark.parametrize(
    ("deployment", "wanted"),
    [
        ({"status": "PRIMARY", "rolloutState": "COMPLETED"}, "completed"),
        ({"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}, "waiting"),
        ({"status": "PRIMARY", "rolloutState": "FAILED"}, "failed"),
        ({"status": "ACTIVE", "rolloutState": "COMPLETED"}, "failed"),
        ({"taskDefinition": "other", "status": "PRIMARY", "rolloutState": "COMPLETED"}, "gone"),
    ],
)
def test_a_release_is_judged_by_its_own_deployment(deployment: dict[str, str], wanted: str) -> None:
    one = {"taskDefinition": "ours", "runningCount": 0, "desiredCount": 1, **deployment}
    assert rollout.verdict([one], "ours")[0] == wanted
