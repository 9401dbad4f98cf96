"""Running and stopped tasks of the world of tasks in ECS, and their logs in CloudWatch Logs.

moto has only tasks that are started by hand, and no logs. Sources: the API references of ECS (`Task`, ListTasks,
DescribeTasks: stopped tasks are shown for at least one hour) and of CloudWatch Logs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import unix_time_millis, utcnow
from moto.ecs.models import EC2ContainerServiceBackend
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from moto.ecs.models import Service

#: The attribute of moto's service with its tasks as ECS describes them, by ARN.
_HELD = "sandbox_tasks"


def keep(service: Service, report: dict[str, Any], region: str) -> None:
    """Store the running and the stopped tasks of a service."""
    known: dict[str, dict[str, Any]] = getattr(service, _HELD, {})
    cluster = service.cluster_arn.rpartition("/")[2]
    found = {}
    for one in (*report["stopped"], *report["tasks"]):
        arn = f"arn:aws:ecs:{region}:{DEFAULT_ACCOUNT_ID}:task/{cluster}/{one['id']}"
        ended = "why" in one
        shown = {
            "taskArn": arn,
            "clusterArn": service.cluster_arn,
            "taskDefinitionArn": one["definition"],
            "group": f"service:{service.name}",
            "lastStatus": "STOPPED" if ended else "RUNNING",
            "desiredStatus": "STOPPED" if ended else "RUNNING",
            "createdAt": known.get(arn, {}).get("createdAt") or utcnow(),
            "containers": one.get("containers") or [{"name": name, "lastStatus": "RUNNING"} for name in one["named"]],
        }
        if ended:
            shown |= {"stoppedReason": one["why"], "stoppedAt": known.get(arn, {}).get("stoppedAt") or utcnow()}
        found[arn] = shown
    setattr(service, _HELD, found)


def note(service: Service, messages: list[str]) -> None:
    """Note the events of a service, newest first."""
    known = {each["message"]: each for each in service.events}
    new = ({"id": str(mock_random.uuid4()), "createdAt": utcnow(), "message": message} for message in messages)
    service.events = [known.get(each["message"], each) for each in new]


def ship(logged: Iterable[dict[str, Any]], region: str) -> None:
    """Write lines of containers to their streams, as a task's log driver does. Lines of a deleted group are dropped."""
    backend = logs_backends[DEFAULT_ACCOUNT_ID][region]
    now = int(unix_time_millis(utcnow()))
    for one in logged:
        if one["group"] in backend.groups:
            backend.ensure_log_stream(one["group"], one["stream"])
            events = [{"timestamp": now, "message": line} for line in one["lines"]]
            backend.put_log_events(one["group"], one["stream"], events)


def install(services: Callable[[], list[Service]]) -> None:
    """Make moto's ECS list and describe these tasks too."""
    backend: Any = EC2ContainerServiceBackend
    listed, described = backend.list_tasks, backend.describe_tasks

    def held() -> dict[str, dict[str, Any]]:
        return {arn: one for service in services() for arn, one in getattr(service, _HELD, {}).items()}

    def list_tasks(self: Any, cluster: Any = None, *more: Any) -> list[Any]:
        _, _, _, name, status = (*more, *[None] * 5)[:5]
        cluster_arn = self._get_cluster(cluster).arn
        ours = [
            SimpleNamespace(task_arn=arn)
            for arn, one in held().items()
            if one["clusterArn"] == cluster_arn
            and name in (None, one["group"].partition(":")[2])
            and one["desiredStatus"] == (status or "RUNNING")
        ]
        return [*listed(self, cluster, *more), *ours]

    def describe_tasks(self: Any, cluster: str, tasks: list[str]) -> list[Any]:
        found = held()
        return [*described(self, cluster, tasks), *(found[arn] for arn in tasks if arn in found)]

    backend.list_tasks, backend.describe_tasks = list_tasks, describe_tasks
