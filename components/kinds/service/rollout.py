"""Wait until ECS has brought a release up. If it fails, report the reason and the last logs of its containers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...config import held
from ...errors import Fault, StepError
from ...limits import FAULT_CHARS, QUOTE_CHARS
from ...stores.s3 import made
from ...text.escape import outside
from ...text.hidden import hide, last
from ...web.caddy.upstream import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Seconds between two checks, and for which ECS may not show a new deployment yet.
_PAUSE, _UNSEEN_S = 2.0, 30.0
#: Seconds to wait for the logs of a task that has ended, because its log driver sends them late.
_LOGS_S = 10.0
#: The most tasks of one call (ECS API reference, DescribeTasks).
_DESCRIBED = 100
#: The name of what ECS itself notes, among those of containers.
_TASK = "task"
#: How ELB describes that our web server answers for an application that is not well.
_UNWELL = "Health checks failed with these codes: [503]"


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    client: Callable[..., Any] = made,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Wait until ECS completes the deployment of `definition`, of the service `tasks` in `cluster`.

    Raises StepError if ECS stops the deployment, or after `timeout_s` seconds, with the reason of the last stopped task
    and the last lines that its containers wrote to the group `log`. Values of the environment and of the `stack`'s
    secrets are hidden. Where the application is not well by its path `health`, the error has what to change at
    `option`, a path in the stack file.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    ecs = client("ecs", region_name=given["region"])
    start, shown, seen = clock(), "", False
    while True:
        late = clock() - start
        try:
            state, why = verdict(_deployments(ecs, given), given["definition"])
        except (BotoCoreError, ClientError) as error:
            state, why = "unseen", outside(error)
        seen = seen or state == "waiting"
        if state == "completed":
            return {"definition": given["definition"].rpartition("/")[2]}
        if state == "failed" or (state == "gone" and (seen or late > _UNSEEN_S)):
            raise _failure(given, f"ECS has taken the release back, and what served goes on: {why}", client, sleep)
        if late > float(given["timeout_s"]):
            raise _failure(given, f"ECS has not brought the release up in {late:.0f} s: {why}", client, sleep)
        if why != shown:
            report(f"waiting for the tasks of {given['site']}: {why}")
            shown = why
        sleep(_PAUSE)


def verdict(deployments: list[Mapping[str, Any]], definition: str) -> tuple[str, str]:
    """Return the state of a task definition's deployment (`completed`, `failed`, `gone`, `waiting`) and the reason."""
    found = next((each for each in deployments if each["taskDefinition"] == definition), None)
    if found is None:
        return "gone", "its deployment is over; run `pulumi up --refresh` to try again"
    why = outside(found.get("rolloutStateReason") or "no reason is given")
    if found["status"] != "PRIMARY" or found.get("rolloutState") == "FAILED":
        return "failed", why
    if found.get("rolloutState") == "COMPLETED":
        return "completed", why
    return "waiting", f"{found['runningCount']} of {found['desiredCount']} run, {found.get('failedTasks', 0)} failed"


def _deployments(ecs: Any, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    services = ecs.describe_services(cluster=given["cluster"], services=[given["tasks"]])["services"]
    return [one for service in services for one in service["deployments"]]


def _failure(
    given: Mapping[str, Any], why: str, client: Callable[..., Any], sleep: Callable[[float], None]
) -> StepError:
    """Return the failure with the reason and the logs of the newest task of the release."""
    try:
        values = held.all_values(given["stack"])
        found = list(_words(given, client, sleep))
        faults = [
            Fault(name, line)
            for name, lines in found
            # Why an image cannot be pulled stands behind its name and digest.
            for line in last(lines, values, FAULT_CHARS if name == _TASK else QUOTE_CHARS)
        ]
        faults = [*_to_change(given, [line for _, lines in found for line in lines]), *faults]
        title = hide(f"{given['site']}: {why}", values)
    except Exception as error:  # noqa: BLE001 an unreadable log must not hide the failure
        return StepError(f"{given['site']}: {why}; its log cannot be read ({outside(error)})")
    if not any(name != _TASK for name, _ in found):
        return StepError(f"{title}; its containers logged nothing", faults)
    return StepError(f"{title}; its last task, and what its containers logged last", faults)


def _to_change(given: Mapping[str, Any], lines: list[str]) -> list[Fault]:
    """Return what the stack file has to change where the application, or its web server for it, refuses its health."""
    health, option = given.get("health", ""), given.get("option", "")
    ill = bool(health) and any(_UNWELL in line for line in lines)
    why = f"by {health} the application is not well; it has to answer 200 there"
    return refused(lines, health, option) or ([Fault(option, why)] if ill else [])


def _words(
    given: Mapping[str, Any], client: Callable[..., Any], sleep: Callable[[float], None]
) -> Iterator[tuple[str, list[str]]]:
    """Yield why the newest task of the release stopped, and the last lines of each of its containers.

    Why its load balancer found it unhealthy stands in the service's events alone, which are the newest first.
    """
    ecs, logs = (client(name, region_name=given["region"]) for name in ("ecs", "logs"))
    task = _newest(ecs, given)
    if task is None:
        return
    id_, waited = task["taskArn"].rpartition("/")[2], 0.0
    (service,) = ecs.describe_services(cluster=given["cluster"], services=[given["tasks"]])["services"]
    events = [each["message"] for each in service["events"] if f"(task {id_})" in each["message"]]
    unhealthy = [message.rpartition("(reason ")[2].rstrip(").") for message in events if " is unhealthy in " in message]
    reasons = (
        [task.get("stoppedReason") or ""]
        + [f"its load balancer: {reason}" for reason in unhealthy[:1]]
        + [
            f"container {one['name']}: {one.get('reason') or ''} exit {one.get('exitCode', 'unknown')}"
            for one in task["containers"]
            if one.get("reason") or one.get("exitCode")
        ]
    )
    yield _TASK, [reason for reason in reasons if reason]
    while True:
        read = [
            (one["name"], _lines(logs, given["log"], f"{one['name']}/{one['name']}/{id_}"))
            for one in task["containers"]
        ]
        if any(lines for _, lines in read) or waited >= _LOGS_S:
            break
        sleep(_PAUSE)
        waited += _PAUSE
    yield from ((name, lines) for name, lines in read if lines)


def _newest(ecs: Any, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the task of the release that stopped last, else a running one. ECS lists stopped tasks for one hour."""
    where = {"cluster": given["cluster"], "serviceName": given["tasks"].rpartition("/")[2]}
    for status in ("STOPPED", "RUNNING"):
        arns = ecs.list_tasks(**where, desiredStatus=status)["taskArns"][:_DESCRIBED]
        tasks = ecs.describe_tasks(cluster=given["cluster"], tasks=arns)["tasks"] if arns else []
        own = [each for each in tasks if each["taskDefinitionArn"] == given["definition"]]
        if own:
            newest: dict[str, Any] = max(own, key=_when)
            return newest
    return None


def _when(task: Mapping[str, Any]) -> str:
    return str(task.get("stoppedAt") or task.get("createdAt") or "")


def _lines(logs: Any, group: str, stream: str) -> list[str]:
    from botocore.exceptions import ClientError

    try:
        found = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=50, startFromHead=False)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
    return [str(each["message"]) for each in found["events"]]
