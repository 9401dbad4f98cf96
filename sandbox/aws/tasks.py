"""What ECS and its load balancers ask of the world that runs tasks, and what that world reports.

moto stores what it gets and runs nothing. Here deployments begin and end: an update begins one next to the running one.
It ends when the world of tasks has started it, or has rolled it back (ECS developer guide, "Amazon ECS deployment
circuit breaker").
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.acm.models import acm_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random
from moto.secretsmanager.exceptions import SecretNotFoundException, SecretsManagerClientError
from moto.secretsmanager.models import secretsmanager_backends

from . import machines, simulation, task_reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moto.ecs.models import Service, TaskDefinition
    from moto.elbv2.models import FakeListener, FakeLoadBalancer

#: The path at which the world of tasks asks and reports.
PATH = "/_sandbox/tasks"
#: The path at which it asks for the values of secrets, as the agent of a starting task does.
SECRETS_PATH = "/_sandbox/tasks/secrets"
_REGION = "us-east-1"
_UNABLE = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret"
)


def exchange(report: bytes) -> bytes:
    """Accept a report of the world of tasks, if there is one, and return what it should run."""
    if report:
        _take(json.loads(report))
    return json.dumps(_snapshot()).encode()


def services() -> list[Service]:
    """Return every service that is not deleted."""
    backend = ecs_backends[DEFAULT_ACCOUNT_ID][_REGION]
    return [one for one in list(backend.services.values()) if one.status != "INACTIVE"]


def balancers() -> list[FakeLoadBalancer]:
    """Return every load balancer."""
    return list(elbv2_backends[DEFAULT_ACCOUNT_ID][_REGION].load_balancers.values())


def listeners() -> Iterator[FakeListener]:
    """Yield every listener."""
    for balancer in balancers():
        yield from list(balancer.listeners.values())


def _snapshot() -> dict[str, Any]:
    backend = ecs_backends[DEFAULT_ACCOUNT_ID][_REGION]
    found = services()
    wanted = {each["taskDefinition"] for one in found for each in one.deployments}
    groups = elbv2_backends[DEFAULT_ACCOUNT_ID][_REGION].target_groups
    return {
        "machines": machines.snapshot(),
        "volumes": machines.volumes(),
        "balancers": [
            {"arn": one.arn, "name": one.dns_name, "listeners": [_listener(each) for each in one.listeners.values()]}
            for one in balancers()
        ],
        "targets": {
            arn: {
                "path": one.health_check_path,
                "interval": int(one.health_check_interval_seconds),
                "matcher": one.matcher["HttpCode"],
                "unhealthy": int(one.unhealthy_threshold_count),
            }
            for arn, one in list(groups.items())
        },
        "services": [
            {
                "arn": one.arn,
                "desired": one.desired_count,
                "grace": getattr(one, "health_check_grace_period_seconds", 0) or 0,
                "breaker": (getattr(one, "deployment_configuration", None) or {}).get("deploymentCircuitBreaker") or {},
                "balancers": one.load_balancers,
                "deployments": [
                    {key: each[key] for key in ("id", "taskDefinition", "status")} for each in one.deployments
                ],
            }
            for one in found
        ],
        "definitions": {arn: _definition(backend.describe_task_definition(arn)) for arn in wanted},
    }


def _definition(found: TaskDefinition) -> dict[str, Any]:
    return {"role": found.execution_role_arn or "", "containers": found.container_definitions}


def secrets(asked: bytes, *, missing: bool) -> bytes:
    """Return the values of secrets that a role may read, by ARN, or why its task cannot start.

    The sentence is the ECS agent's ("Troubleshooting Amazon ECS ResourceInitializationError errors" in its guide).
    """
    question = json.loads(asked)
    values = {}
    for arn in question["arns"]:
        secret, _, version = arn.partition(":::")
        why, values[arn] = _secret(question["role"], secret, version, missing=missing)
        if why:
            return json.dumps({"failed": f"{_UNABLE} {arn} from secrets manager: {why}"}).encode()
    return json.dumps({"values": values}).encode()


def _secret(role: str, arn: str, version: str, *, missing: bool) -> tuple[str, str]:
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    if simulation.decision(simulation.policies(iam, role), "secretsmanager:GetSecretValue", arn, {}) != "allowed":
        denied = "is not authorized to perform: secretsmanager:GetSecretValue"
        return f"AccessDeniedException: User: {role} {denied} on resource: {arn}", ""
    try:
        if missing:
            raise SecretNotFoundException
        manager = secretsmanager_backends[DEFAULT_ACCOUNT_ID][_REGION]
        found = manager.get_secret_value(arn, version, "" if version else "AWSCURRENT")
    except SecretsManagerClientError as error:
        return f"{error.error_type}: {error.message}", ""
    return "", str(found["SecretString"])


def _listener(one: FakeListener) -> dict[str, Any]:
    rules = sorted((each for each in one.rules.values() if not each.is_default), key=lambda each: int(each.priority))
    return {
        "arn": one.arn,
        "port": int(one.port),
        "protocol": one.protocol,
        "certificates": [certified(each) for each in dict.fromkeys(filter(None, [one.certificate, *one.certificates]))],
        "default": one.default_actions[0].data,
        "rules": [{"conditions": each.conditions, "action": each.actions[0].data} for each in rules],
    }


def certified(arn: str) -> list[str]:
    """Return the names of a certificate that is issued; none before that."""
    backend = acm_backends[DEFAULT_ACCOUNT_ID][arn.split(":")[3]]
    if arn not in backend._certificates:  # noqa: SLF001 moto has no other way to look without the API
        return []
    found = backend.describe_certificate(arn)
    return [found.common_name, *found.sans] if found.status == "ISSUED" else []


def _take(report: dict[str, Any]) -> None:
    task_reports.ship(report["logged"], _REGION)
    by_arn = {one.arn: one for one in services()}
    for arn, state in report["services"].items():
        service = by_arn.get(arn)
        if service is None:
            continue
        task_reports.keep(service, state, _REGION)
        back = state.get("back")
        if back and service.deployments[0]["id"] == back["from"]:
            failed, kept = service.deployments[0], next(d for d in service.deployments if d["id"] == back["to"])
            failed["status"], kept["status"] = "ACTIVE", "PRIMARY"
            service.task_definition = kept["taskDefinition"]
            service.deployments = [kept, *(each for each in service.deployments if each is not kept)]
        service.deployments = [each for each in service.deployments if each["id"] not in state["gone"]]
        for each in service.deployments:
            each.update(state["deployments"].get(each["id"], {}))
        service.running_count = sum(each["runningCount"] for each in service.deployments)
        service.pending_count = max(service.desired_count - service.running_count, 0)
        task_reports.note(service, state["events"])


def begin(service: Service, definition: str) -> None:
    """Begin a deployment of a definition next to what runs."""
    for each in service.deployments:
        each["status"] = "ACTIVE"
    now, known = utcnow(), service.deployments[0] if service.deployments else {}
    new = {
        **known,
        "id": f"ecs-svc/{mock_random.randint(0, 32**12)}",
        "taskDefinition": definition,
        "status": "PRIMARY",
        "desiredCount": service.desired_count,
        "runningCount": 0,
        "pendingCount": service.desired_count,
        "failedTasks": 0,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "in progress.",
        "createdAt": now,
        "updatedAt": now,
    }
    service.deployments = [new, *service.deployments]


def updating(original: Callable[..., Service]) -> Callable[..., Service]:
    """Let an update begin a deployment; moto's own runs all of it at once."""

    def update(self: EC2ContainerServiceBackend, properties: dict[str, Any]) -> Service:
        service = self._get_service(properties.get("cluster", "default"), properties["service"].split("/")[-1])
        running, before = service.running_count, service.task_definition
        service = original(self, properties)
        service.running_count, service.pending_count = running, max(service.desired_count - running, 0)
        if service.task_definition != before:
            begin(service, str(service.task_definition))
        for each in service.deployments[:1]:
            each["desiredCount"] = service.desired_count
        return service

    return update
