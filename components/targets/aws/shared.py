"""Checks of an existing load balancer before a container gets a place at it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ...needs import not_ready, ready
from ...web import http as front
from . import STACK, account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...needs import Finding


def look(arn: str, site: str, stack: str, hosts: Sequence[str]) -> Iterator[Finding]:
    """Check the listeners of a load balancer, and other rules for the `hosts` of a site.

    Rules are tried in the order of their priority, so an older rule for the same host would get its visitors (ELB user
    guide, "Listener rules"). Ours have the site's name in the tag Name, and the stack, `PROJECT/STACK`, in its own tag:
    another stack may have a site of the same name.
    """
    from botocore.exceptions import ClientError

    elb = account.client("elbv2")
    try:
        found = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    except ClientError as error:
        if "NotFound" not in error.response["Error"]["Code"]:
            raise
        yield not_ready(f"there is no load balancer {arn}", "correct `aws.balancer`, or take it out to get one")
        return
    by_port = {int(one["Port"]): one for one in found}
    missing = {
        scheme.upper(): port
        for scheme, port in front.PORTS.items()
        if by_port.get(port, {}).get("Protocol") != scheme.upper()
    }
    for scheme, port in missing.items():
        yield not_ready(
            f"{arn} has no listener for {scheme} on port {port}", "add one to it; its default action is free"
        )
    taken = [
        (host, rule)
        for port in front.PORTS.values()
        if port in by_port
        for rule in _others(elb, by_port[port]["ListenerArn"], {"Name": site, STACK: stack})
        for host in hosts
        if any(fnmatchcase(host, pattern) for pattern in _patterns(rule))
    ]
    for host, rule in taken:
        yield not_ready(
            f"rule {rule['RuleArn'].rpartition('/')[2]} of the load balancer leads {host} elsewhere",
            f"remove it (aws elbv2 delete-rule --rule-arn {rule['RuleArn']}), or choose another host",
        )
    if not (taken or missing):
        yield ready(f"the load balancer of {site} has its listeners, and no rule of others for {', '.join(hosts)}")


def _others(elb: Any, listener: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rules of a listener that do not have the tags of this site."""
    pages = elb.get_paginator("describe_rules").paginate(ListenerArn=listener)
    rules = [rule for page in pages for rule in page["Rules"] if not rule["IsDefault"]]
    ours = set()
    for start in range(0, len(rules), 20):  # the most that one call accepts
        asked = elb.describe_tags(ResourceArns=[rule["RuleArn"] for rule in rules[start : start + 20]])
        ours |= {
            one["ResourceArn"]
            for one in asked["TagDescriptions"]
            if tags.items() <= {each["Key"]: each["Value"] for each in one["Tags"]}.items()
        }
    return [rule for rule in rules if rule["RuleArn"] not in ours]


def _patterns(rule: dict[str, Any]) -> list[str]:
    """Return the hosts that a rule names, with `*` and `?` as the load balancer reads them."""
    named = [each for each in rule["Conditions"] if each["Field"] == "host-header"]
    if not named:
        return ["*"]  # a rule without hosts is for every host
    return [value.lower() for each in named for value in each.get("HostHeaderConfig", {}).get("Values", ())]
