"""Clusters, task definitions and services of ECS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found, nothing

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context

#: Seconds for a service to be deleted; the official plug-in waits 20 minutes.
PATIENCE_S = 180.0
_POLL_S = 0.3


def _ecs(aws: Connection) -> Any:
    return aws.client("ecs")


# -- clusters


def _create_cluster(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    return str(_ecs(aws).create_cluster(clusterName=news["name"])["cluster"]["clusterArn"])


def _read_cluster(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    found = _ecs(aws).describe_clusters(clusters=[id_], include=["TAGS"])["clusters"]
    if not found or found[0]["status"] == "INACTIVE":
        return None
    return Found({"name": found[0]["clusterName"]}, {"arn": id_}, tags.read(found[0].get("tags") or ()))


def _delete_cluster(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("ClusterNotFoundException"):
        _ecs(aws).delete_cluster(cluster=id_)


# -- task definitions


def _create_definition(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    platform, disk = news.get("runtimePlatform"), news.get("ephemeralStorage")
    more = {
        "cpu": news.get("cpu"),
        "memory": news.get("memory"),
        "networkMode": news.get("networkMode"),
        "executionRoleArn": news.get("executionRoleArn"),
        "taskRoleArn": news.get("taskRoleArn"),
        "runtimePlatform": platform,
        "ephemeralStorage": disk and {"sizeInGiB": int(disk["sizeInGib"])},
    }
    made = _ecs(aws).register_task_definition(
        family=news["family"],
        containerDefinitions=json.loads(news["containerDefinitions"]),
        requiresCompatibilities=news.get("requiresCompatibilities") or ["EC2"],
        **{key: value for key, value in more.items() if value},
    )
    return str(made["taskDefinition"]["family"])


def _read_definition(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        answer = _ecs(aws).describe_task_definition(taskDefinition=known.get("arn") or id_, include=["TAGS"])
    except ClientError as error:
        if code(error) == "ClientException":
            return None
        raise
    found = answer["taskDefinition"]
    if found["status"] == "INACTIVE":
        return None
    disk = found.get("ephemeralStorage")
    inputs = {
        "family": found["family"],
        "containerDefinitions": _as_given(known.get("containerDefinitions"), found["containerDefinitions"]),
        "requiresCompatibilities": found.get("requiresCompatibilities"),
        "cpu": found.get("cpu"),
        "memory": found.get("memory"),
        "networkMode": found.get("networkMode"),
        "executionRoleArn": found.get("executionRoleArn"),
        "taskRoleArn": found.get("taskRoleArn"),
        "runtimePlatform": found.get("runtimePlatform"),
        "ephemeralStorage": {"sizeInGib": disk["sizeInGiB"]} if disk else None,
    }
    arn = found["taskDefinitionArn"]
    computed = {"arn": arn, "arnWithoutRevision": arn.rpartition(":")[0], "revision": found["revision"]}
    shown = {key: value for key, value in inputs.items() if value is not None}
    return Found(shown, computed, tags.read(answer.get("tags") or ()))


def _as_given(given: Any, found: list[dict[str, Any]]) -> str:
    """Return the text that was given while it means what AWS shows beyond its own defaults, as the plugin does."""
    wanted = json.loads(given) if isinstance(given, str) else []
    same = len(wanted) == len(found) and all(
        one.get(key) == value for a, one in zip(wanted, found, strict=True) for key, value in a.items()
    )
    return str(given) if same else json.dumps(found, sort_keys=True)


def _delete_definition(aws: Connection, _id: str, outputs: dict[str, Any]) -> None:
    with gone("ClientException"):
        _ecs(aws).deregister_task_definition(taskDefinition=outputs["arn"])


def _tag_definition(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    arn = _ecs(aws).describe_task_definition(taskDefinition=id_)["taskDefinition"]["taskDefinitionArn"]
    tags.of_ecs(aws, arn, old, new)


# -- services


def _network(news: dict[str, Any]) -> dict[str, Any]:
    given = news["networkConfiguration"]
    address = "ENABLED" if given.get("assignPublicIp") else "DISABLED"
    place = {key: given[key] for key in ("subnets", "securityGroups") if key in given}
    return {"awsvpcConfiguration": place | {"assignPublicIp": address}}


def _deployment(news: dict[str, Any]) -> dict[str, Any]:
    numbers = {
        "minimumHealthyPercent": news.get("deploymentMinimumHealthyPercent"),
        "maximumPercent": news.get("deploymentMaximumPercent"),
    }
    breaker = news.get("deploymentCircuitBreaker")
    return {key: int(value) for key, value in numbers.items() if value is not None} | (
        {"deploymentCircuitBreaker": breaker} if breaker else {}
    )


def _create_service(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    balancers = [
        {
            "targetGroupArn": one["targetGroupArn"],
            "containerName": one["containerName"],
            "containerPort": int(one["containerPort"]),
        }
        for one in news.get("loadBalancers") or ()
    ]
    made = _ecs(aws).create_service(
        cluster=news["cluster"],
        serviceName=news["name"],
        taskDefinition=news["taskDefinition"],
        desiredCount=int(news.get("desiredCount", 0)),
        launchType=news.get("launchType", "EC2"),
        networkConfiguration=_network(news),
        loadBalancers=balancers,
        deploymentConfiguration=_deployment(news),
        healthCheckGracePeriodSeconds=int(news.get("healthCheckGracePeriodSeconds", 0)),
    )
    return str(made["service"]["serviceArn"])


def _service(aws: Connection, arn: str, cluster: Any) -> Any:
    try:
        found = _ecs(aws).describe_services(cluster=cluster, services=[arn], include=["TAGS"])["services"]
    except ClientError as error:
        if code(error) == "ClusterNotFoundException":
            return None
        raise
    return found[0] if found and found[0]["status"] != "INACTIVE" else None


def _read_service(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    found = _service(aws, id_, known.get("cluster"))
    if found is None:
        return None
    place = found["networkConfiguration"]["awsvpcConfiguration"]
    inputs = {
        "name": found["serviceName"],
        "cluster": found["clusterArn"],
        "taskDefinition": found["taskDefinition"],
        "desiredCount": found["desiredCount"],
        "launchType": found["launchType"],
        "networkConfiguration": {
            "subnets": place["subnets"],
            "securityGroups": place["securityGroups"],
            "assignPublicIp": place.get("assignPublicIp") == "ENABLED",
        },
        "loadBalancers": found["loadBalancers"],
    }
    configured = found.get("deploymentConfiguration") or {}
    for name, api in (
        ("deploymentMinimumHealthyPercent", "minimumHealthyPercent"),
        ("deploymentMaximumPercent", "maximumPercent"),
        ("deploymentCircuitBreaker", "deploymentCircuitBreaker"),
    ):
        if api in configured:
            inputs[name] = configured[api]
    if "healthCheckGracePeriodSeconds" in found:
        inputs["healthCheckGracePeriodSeconds"] = found["healthCheckGracePeriodSeconds"]
    return Found(inputs, {"arn": id_}, tags.read(found.get("tags") or ()))


def _update_service(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _ecs(aws).update_service(
        cluster=news["cluster"],
        service=id_,
        taskDefinition=news["taskDefinition"],
        desiredCount=int(news.get("desiredCount", 0)),
        networkConfiguration=_network(news),
        deploymentConfiguration=_deployment(news),
        healthCheckGracePeriodSeconds=int(news.get("healthCheckGracePeriodSeconds", 0)),
    )


def _delete_service(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    cluster = outputs["cluster"]
    if _service(aws, id_, cluster) is None:
        return
    with gone("ServiceNotFoundException", "ServiceNotActiveException"):
        _ecs(aws).update_service(cluster=cluster, service=id_, desiredCount=0)
        _ecs(aws).delete_service(cluster=cluster, service=id_, force=True)
    end = time.monotonic() + PATIENCE_S
    while _service(aws, id_, cluster) is not None:
        if time.monotonic() > end:
            raise UnmoorError(f"deleting ECS Service ({id_}): its tasks do not end")
        time.sleep(_POLL_S)


_DEFINED = frozenset(
    {
        *("family", "containerDefinitions", "requiresCompatibilities", "cpu", "memory", "networkMode"),
        *("executionRoleArn", "taskRoleArn", "runtimePlatform", "ephemeralStorage"),
    }
)
ECS = {
    "aws:ecs/cluster:Cluster": AwsType(
        title="ECS Cluster",
        inputs=frozenset({"name"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn"}),
        create=_create_cluster,
        read=_read_cluster,
        update=nothing,
        delete=_delete_cluster,
        name="name",
        tag=tags.of_ecs,
    ),
    # A definition never changes: every other one is a new revision.
    "aws:ecs/taskDefinition:TaskDefinition": AwsType(
        title="ECS Task Definition",
        inputs=_DEFINED,
        replaces=_DEFINED,
        computed=frozenset({"arn", "arnWithoutRevision", "revision"}),
        create=_create_definition,
        read=_read_definition,
        update=nothing,
        delete=_delete_definition,
        tag=_tag_definition,
    ),
    "aws:ecs/service:Service": AwsType(
        title="ECS Service",
        inputs=frozenset(
            {
                *("name", "cluster", "taskDefinition", "desiredCount", "launchType", "networkConfiguration"),
                *("loadBalancers", "deploymentCircuitBreaker", "deploymentMinimumHealthyPercent"),
                *("deploymentMaximumPercent", "healthCheckGracePeriodSeconds"),
            }
        ),
        replaces=frozenset({"name", "cluster", "launchType", "loadBalancers"}),
        computed=frozenset({"arn"}),
        create=_create_service,
        read=_read_service,
        update=_update_service,
        delete=_delete_service,
        name="name",
        tag=tags.of_ecs,
        defaults={"deploymentMinimumHealthyPercent": 100, "deploymentMaximumPercent": 200},
    ),
}
