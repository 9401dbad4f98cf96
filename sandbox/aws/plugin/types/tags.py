"""How each service names and changes the tags of what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.aws.plugin.connection import Connection

    Tag = Callable[[Connection, str, dict[str, str], dict[str, str]], None]


def capital(tags: dict[str, str]) -> list[dict[str, str]]:
    """Write tags as most services do."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def small(tags: dict[str, str]) -> list[dict[str, str]]:
    """Write tags as ECS does."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def read(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    """Read either."""
    return {(one.get("Key") or one["key"]): one.get("Value", one.get("value", "")) for one in tags}


def _gone(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return sorted(set(old) - set(new))


def of_ec2(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Turn the tags of anything of EC2 from old to new."""
    ec2: Any = aws.client("ec2")
    if gone := _gone(old, new):
        ec2.delete_tags(Resources=[id_], Tags=[{"Key": key} for key in gone])
    if new:
        ec2.create_tags(Resources=[id_], Tags=capital(new))


def of_elb(aws: Connection, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Turn the tags of anything of a load balancer from old to new."""
    elb: Any = aws.client("elbv2")
    if gone := _gone(old, new):
        elb.remove_tags(ResourceArns=[arn], TagKeys=gone)
    if new:
        elb.add_tags(ResourceArns=[arn], Tags=capital(new))


def of_ecs(aws: Connection, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Turn the tags of anything of ECS from old to new."""
    ecs: Any = aws.client("ecs")
    if gone := _gone(old, new):
        ecs.untag_resource(resourceArn=arn, tagKeys=gone)
    if new:
        ecs.tag_resource(resourceArn=arn, tags=small(new))
