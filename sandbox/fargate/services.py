"""Services: as many healthy tasks of the newest deployment as wanted, and the older tasks until then.

Sources: ECS developer guide, "Deploy Amazon ECS services by replacing tasks" (100 and 200 percent: new tasks first),
"Deployment circuit breaker" (threshold: half of the desired count, at least 3 and at most 200), "Service event
messages" ("is unhealthy in … due to …") and "Stopped tasks error codes" ("Task failed ELB health checks in …"); ELB
user guide, "Health checks for target groups" (a new target is healthy after one check; reason codes).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError

from ..faults import NEVER_GREEN
from .task import Task

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from ..akash.container import Watchdog
    from ..state import State

#: Seconds between two checks of a target that has not answered yet. A load balancer keeps its interval there too; here
#: that would only be waiting.
FIRST_LOOKS_S = 0.5
#: Seconds in which a target that leaves gets no new requests before SIGTERM. A load balancer waits until requests in
#: progress are answered, for at most `deregistration_delay`.
LEAVING_S = 2.0
#: The account's path for the values of secrets.
_SECRETS_PATH = "/_sandbox/tasks/secrets"
#: Bounds of the circuit breaker's threshold.
_LEAST, _MOST = 3, 200
#: Events that ECS shows of a service (the same guide, "Service event messages").
_EVENTS = 100
#: The description of `Target.Timeout`.
_TIMED_OUT = "Request timed out"


@dataclass
class Deployment:
    """One deployment of a service."""

    id: str
    definition: str
    tasks: list[Task] = field(default_factory=list)
    failed: int = 0
    completed: bool = False
    tripped: bool = False
    reason: str = ""


@dataclass
class Service:
    """A service, its deployments newest first, and what it reports next."""

    arn: str
    wanted: dict[str, Any]
    deployments: dict[str, Deployment] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    back: dict[str, str] | None = None
    #: The events that ECS noted of it, newest first.
    events: list[str] = field(default_factory=list)
    #: Stopped tasks, oldest first. ECS shows them for one hour.
    stopped: list[dict[str, Any]] = field(default_factory=list)


class Services:
    """All services of the account."""

    def __init__(self, state: State, watchdog: Watchdog) -> None:
        self._state, self._watchdog = state, watchdog
        self._services: dict[str, Service] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._turn = itertools.count()
        self._killed = False
        #: Lines of logs that were not sent to the account yet.
        self._logged: list[dict[str, Any]] = []

    def targets(self, group: str) -> list[int]:
        """Return the local ports behind a target group that accept requests, beginning with another one each time.

        If none is healthy, all that were checked count (ELB user guide: "fail open").
        """
        found = [
            (task, task.ports[one["containerPort"]])
            for service in self._services.values()
            for one in service.wanted["balancers"]
            if one["targetGroupArn"] == group
            for deployment in service.deployments.values()
            for task in deployment.tasks
            if not task.leaving and not task.refused
        ]
        ports = [port for task, port in found if task.healthy] or [
            port for task, port in found if task.healthy is False
        ]
        start = next(self._turn) % len(ports) if ports else 0
        return ports[start:] + ports[:start]

    def report(self) -> dict[str, Any]:
        """Return the state of the services for ECS."""
        services = {arn: self._state_of(one) for arn, one in self._services.items()}
        return {"services": services, "logged": list(self._logged)}

    def received(self, report: dict[str, Any]) -> None:
        """Drop the lines that were sent to the account."""
        del self._logged[: len(report["logged"])]

    def _state_of(self, one: Service) -> dict[str, Any]:
        desired = int(one.wanted["desired"])
        states = {}
        for each in one.deployments.values():
            running = sum(task.running for task in each.tasks)
            state = "FAILED" if each.tripped else "COMPLETED" if each.completed else "IN_PROGRESS"
            states[each.id] = {
                "runningCount": running,
                "pendingCount": max(desired - running, 0),
                "failedTasks": each.failed,
                "rolloutState": state,
                "rolloutStateReason": each.reason or f"ECS deployment {each.id} {state.lower().replace('_', ' ')}.",
            }
        tasks = [
            {"id": task.id, "definition": each.definition, "named": [one["name"] for one in task.definition]}
            for each in one.deployments.values()
            for task in each.tasks
            if not task.leaving
        ]
        known = {"deployments": states, "gone": list(one.gone), "back": one.back, "events": one.events[:_EVENTS]}
        return known | {"tasks": tasks, "stopped": list(one.stopped)}

    async def follow(self, wanted: dict[str, Any], session: ClientSession) -> None:
        """Take one step towards what ECS wants."""
        now = {one["arn"]: one for one in wanted["services"]}
        for arn in self._services.keys() - now.keys():
            for each in self._services.pop(arn).deployments.values():
                for task in each.tasks:
                    self._end(task)
        for arn, one in now.items():
            service = self._services.setdefault(arn, Service(arn, one))
            service.wanted = one
            self._know(service, one["deployments"])
            await self._step(service, wanted, session)

    def _know(self, service: Service, wanted: list[dict[str, Any]]) -> None:
        ids = [each["id"] for each in wanted]
        service.gone = [each for each in service.gone if each in ids]
        if service.back and ids[0] != service.back["from"]:
            service.back = None
        for each in wanted:
            if each["id"] not in service.deployments and each["id"] not in service.gone:
                service.deployments[each["id"]] = Deployment(each["id"], each["taskDefinition"])
        service.deployments = {each: service.deployments[each] for each in ids if each in service.deployments}

    async def _step(self, service: Service, wanted: dict[str, Any], session: ClientSession) -> None:
        desired, (newest, *older) = int(service.wanted["desired"]), service.deployments.values()
        for each in (newest, *older):
            await self._look(service, each, wanted, session)
        if newest.tripped:
            self._take_back(service, newest, older)
            return
        for task in newest.tasks[desired:]:
            self._leave(newest, task)
        await self._start(newest, desired, wanted["definitions"][newest.definition], session)
        if sum(bool(task.healthy) for task in newest.tasks) >= desired:
            for each in older:
                for task in list(each.tasks):
                    self._leave(each, task)
                if not each.tasks:
                    service.gone.append(each.id)
            newest.completed = newest.completed or all(not each.tasks for each in older)

    async def _start(
        self, deployment: Deployment, desired: int, definition: dict[str, Any], session: ClientSession
    ) -> None:
        while len(deployment.tasks) < desired:
            id_ = secrets.token_hex(4)
            task = Task(id_, definition["containers"], self._state.root / "fargate" / id_)
            known = await self._secrets(definition, session)
            task.refused = known.get("failed", "")
            if not task.refused:
                task.start(self._state, self._watchdog, known["values"])
            deployment.tasks.append(task)

    async def _secrets(self, definition: dict[str, Any], session: ClientSession) -> dict[str, Any]:
        """Return what a task's containers get from Secrets Manager, asked in the name of its role."""
        arns = [each["valueFrom"] for one in definition["containers"] for each in one.get("secrets") or ()]
        if not arns:
            return {"values": {}}
        url = f"http://127.0.0.1:{self._state.port('aws')}{_SECRETS_PATH}"
        question = json.dumps({"role": definition["role"], "arns": arns}).encode()
        async with session.post(url, data=question, headers={"X-Sandbox": "data-plane"}) as answer:
            found: dict[str, Any] = json.loads(await answer.read())
            return found

    async def _look(
        self, service: Service, deployment: Deployment, wanted: dict[str, Any], session: ClientSession
    ) -> None:
        self._kill_one(deployment)
        for task in list(deployment.tasks):
            self._logged += task.logged()
            await self._check(service, task, wanted["targets"], session)
            late = time.monotonic() - task.since > service.wanted["grace"]
            group = self._ill(service, task, wanted) if late else ""
            why = task.failed or (f"Task failed ELB health checks in (target-group {group})" if group else "")
            if not why or task.leaving:
                continue
            deployment.tasks.remove(task)
            self._logged += task.logged()
            service.stopped.append({**task.ended(why), "definition": deployment.definition})
            self._end(task)
            if not deployment.completed:
                deployment.failed += 1
            named = f"(service {service.arn.rpartition('/')[2]}) (task {task.id})"
            if not task.failed:
                place = f"(port {next(iter(task.ports))}) is unhealthy in (target-group {group})"
                service.events.insert(0, f"{named} {place} due to (reason {task.ill}).")
            service.events.insert(0, f"{named} stopped: {why}")
        threshold = min(max(int(service.wanted["desired"]) // 2, _LEAST), _MOST)
        if service.wanted["breaker"].get("enable") and not deployment.completed and deployment.failed >= threshold:
            deployment.tripped, deployment.reason = True, "ECS deployment circuit breaker: tasks failed to start."

    def _kill_one(self, deployment: Deployment) -> None:
        """End one task, once for each time that this fault is started."""
        broken = self._state.fault("task-killed") is not None
        if broken and not self._killed and deployment.tasks:
            for container in deployment.tasks[0].containers:
                container.kill()
            self._killed = True
        self._killed = self._killed and broken

    @staticmethod
    def _ill(service: Service, task: Task, wanted: dict[str, Any]) -> str:
        """Return the target group in which a task is unhealthy."""
        groups = [one["targetGroupArn"] for one in service.wanted["balancers"]]
        return next((arn for arn in groups if task.failures >= wanted["targets"][arn]["unhealthy"]), "")

    async def _check(self, service: Service, task: Task, groups: dict[str, Any], session: ClientSession) -> None:
        for one in service.wanted["balancers"]:
            group = groups.get(one["targetGroupArn"])
            pause = group["interval"] if group and task.healthy else FIRST_LOOKS_S
            if group is None or task.leaving or task.refused or time.monotonic() - task.looked < pause:
                continue
            task.looked = time.monotonic()
            unheard = self._state.fault(NEVER_GREEN) is not None and not task.healthy
            task.ill = _TIMED_OUT if unheard else await _ill(session, task.ports[one["containerPort"]], group)
            if not task.ill:
                task.healthy, task.failures = True, 0
            else:
                task.failures += 1
                if task.healthy and task.failures >= group["unhealthy"]:
                    task.healthy = False

    def _take_back(self, service: Service, newest: Deployment, older: list[Deployment]) -> None:
        for task in list(newest.tasks):
            self._leave(newest, task)
        kept = next((each for each in older if each.completed), None)
        if kept and service.wanted["breaker"].get("rollback"):
            service.back = {"from": newest.id, "to": kept.id}

    def _leave(self, deployment: Deployment, task: Task) -> None:
        """Take a task out of the load balancer, and end it when its requests are answered."""
        if not task.leaving:
            task.leaving = True
            self._later(self._depart(deployment, task))

    async def _depart(self, deployment: Deployment, task: Task) -> None:
        await asyncio.sleep(LEAVING_S)
        await task.stop()
        deployment.tasks.remove(task)

    def _end(self, task: Task) -> None:
        task.leaving = True
        self._later(task.stop())

    def _later(self, work: Any) -> None:
        running = asyncio.create_task(work)
        self._ending.add(running)
        running.add_done_callback(self._ending.discard)

    def end(self) -> None:
        """End everything at once."""
        for service in self._services.values():
            for each in service.deployments.values():
                for task in each.tasks:
                    task.kill()


async def _ill(session: ClientSession, port: int, group: dict[str, Any]) -> str:
    """Check a target; return what is wrong as `Target.ResponseCodeMismatch` and its like describe it, or nothing."""
    try:
        async with session.get(f"http://127.0.0.1:{port}{group['path']}", allow_redirects=False) as answer:
            await answer.read()
            fits = str(answer.status) == str(group["matcher"])
            return "" if fits else f"Health checks failed with these codes: [{answer.status}]"
    except TimeoutError:
        return _TIMED_OUT
    except ClientError:
        return "Health checks failed"
