"""How each service names and changes the tags of its resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.aws.plugin.connection import Connection

    Tag = Callable[[Connection, str, dict[str, str], dict[str, str]], None]


def capital(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as most services write them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def small(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as ECS writes them."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def read(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    """Read either form."""
    return {(one.get("Key") or one["key"]): one.get("Value", one.get("value", "")) for one in tags}


def _gone(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return sorted(set(old) - set(new))


def of_ec2(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Change the tags of any EC2 resource from old to new."""
    ec2: Any = aws.client("ec2")
    if gone := _gone(old, new):
        ec2.delete_tags(Resources=[id_], Tags=[{"Key": key} for key in gone])
    if new:
        ec2.create_tags(Resources=[id_], Tags=capital(new))


def of_elb(aws: Connection, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Change the tags of any load balancer resource from old to new."""
    elb: Any = aws.client("elbv2")
    if gone := _gone(old, new):
        elb.remove_tags(ResourceArns=[arn], TagKeys=gone)
    if new:
        elb.add_tags(ResourceArns=[arn], Tags=capital(new))


def of_ecs(aws: Connection, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Change the tags of any ECS resource from old to new."""
    ecs: Any = aws.client("ecs")
    if gone := _gone(old, new):
        ecs.untag_resource(resourceArn=arn, tagKeys=gone)
    if new:
        ecs.tag_resource(resourceArn=arn, tags=small(new))
