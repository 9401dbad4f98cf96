"""Load balancers, target groups, listeners and their rules."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.lens import Lens, field, struct
from sandbox.aws.plugin.resource import AwsType, Found, nothing

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context

# -- load balancers


def _named(news: dict[str, Any]) -> str:
    """Return the name, or the prefix with 26 more characters (terraform-plugin-sdk, `id.PrefixedUniqueId`)."""
    return str(news.get("name") or f"{news['namePrefix']}{secrets.token_hex(13)}")


def _shown_name(name: str, known: dict[str, Any]) -> dict[str, str]:
    """Return the prefix of a name that AWS completes, else the name."""
    prefix = known.get("namePrefix")
    return {"namePrefix": prefix} if prefix and name.startswith(prefix) else {"name": name}


def _elb(aws: Connection) -> Any:
    return aws.client("elbv2")


def _create_balancer(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _elb(aws).create_load_balancer(
        Name=_named(news),
        Subnets=news["subnets"],
        SecurityGroups=news["securityGroups"],
        Scheme="internal" if news.get("internal") else "internet-facing",
        Type=news.get("loadBalancerType", "application"),
    )
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    _set_attributes(aws, arn, news)
    return str(arn)


_ATTRIBUTES = {
    "idleTimeout": "idle_timeout.timeout_seconds",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
}


def _set_attributes(aws: Connection, arn: str, news: dict[str, Any]) -> None:
    given = [
        {"Key": api, "Value": str(int(news[name]) if name == "idleTimeout" else news[name]).lower()}
        for name, api in _ATTRIBUTES.items()
        if name in news
    ]
    if given:
        _elb(aws).modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=given)


def _read_balancer(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        found = _elb(aws).describe_load_balancers(LoadBalancerArns=[id_])["LoadBalancers"][0]
    except ClientError as error:
        if code(error) in ("LoadBalancerNotFound", "LoadBalancerNotFoundException"):
            return None
        raise
    has = {
        one["Key"]: one["Value"]
        for one in _elb(aws).describe_load_balancer_attributes(LoadBalancerArn=id_)["Attributes"]
    }
    inputs = _shown_name(found["LoadBalancerName"], known) | {
        "loadBalancerType": found["Type"],
        "subnets": [one["SubnetId"] for one in found["AvailabilityZones"]],
        "securityGroups": found["SecurityGroups"],
        "internal": found.get("Scheme") == "internal",  # moto keeps none where none was given
        "idleTimeout": int(has.get(_ATTRIBUTES["idleTimeout"], 60)),
        "dropInvalidHeaderFields": has.get(_ATTRIBUTES["dropInvalidHeaderFields"]) == "true",
        "enableDeletionProtection": has.get(_ATTRIBUTES["enableDeletionProtection"]) == "true",
    }
    computed = {
        "name": found["LoadBalancerName"],
        "arn": id_,
        "arnSuffix": id_.partition("loadbalancer/")[2],
        "dnsName": found["DNSName"],
        "zoneId": found["CanonicalHostedZoneId"],
        "vpcId": found["VpcId"],
    }
    return Found(inputs, computed, _elb_tags(aws, id_))


def _elb_tags(aws: Connection, arn: str) -> dict[str, str]:
    return tags.read(_elb(aws).describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def _update_balancer(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _elb(aws).set_security_groups(LoadBalancerArn=id_, SecurityGroups=news["securityGroups"])
    _set_attributes(aws, id_, news)


def _delete_balancer(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("LoadBalancerNotFound"):
        _elb(aws).delete_load_balancer(LoadBalancerArn=id_)


# -- target groups

_CHECK = {
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}
_DELAY = "deregistration_delay.timeout_seconds"


def _check(given: dict[str, Any]) -> dict[str, Any]:
    made = {api: given[name] if name == "path" else int(given[name]) for name, api in _CHECK.items() if name in given}
    return made | ({"Matcher": {"HttpCode": given["matcher"]}} if "matcher" in given else {})


def _create_targets(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _elb(aws).create_target_group(
        Name=_named(news),
        Port=int(news["port"]),
        Protocol=news["protocol"],
        TargetType=news.get("targetType", "instance"),
        VpcId=news["vpcId"],
        **_check(news.get("healthCheck") or {}),
    )
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    _set_delay(aws, arn, news)
    return arn


def _set_delay(aws: Connection, arn: str, news: dict[str, Any]) -> None:
    given = [{"Key": _DELAY, "Value": str(int(news.get("deregistrationDelay", 300)))}]
    _elb(aws).modify_target_group_attributes(TargetGroupArn=arn, Attributes=given)


def _read_targets(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        found = _elb(aws).describe_target_groups(TargetGroupArns=[id_])["TargetGroups"][0]
    except ClientError as error:
        if code(error) in ("TargetGroupNotFound", "TargetGroupNotFoundException"):
            return None
        raise
    has = _elb(aws).describe_target_group_attributes(TargetGroupArn=id_)["Attributes"]
    delay = next((one["Value"] for one in has if one["Key"] == _DELAY), "300")
    inputs = _shown_name(found["TargetGroupName"], known) | {
        "port": found["Port"],
        "protocol": found["Protocol"],
        "targetType": found["TargetType"],
        "vpcId": found["VpcId"],
        "deregistrationDelay": int(delay),
        "healthCheck": {name: found[api] for name, api in _CHECK.items()} | {"matcher": found["Matcher"]["HttpCode"]},
    }
    computed = {
        "name": found["TargetGroupName"],
        "arn": id_,
        "arnSuffix": id_.rpartition(":")[2],
        "loadBalancerArns": found["LoadBalancerArns"],
    }
    return Found(inputs, computed, _elb_tags(aws, id_))


def _update_targets(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _elb(aws).modify_target_group(TargetGroupArn=id_, **_check(news.get("healthCheck") or {}))
    _set_delay(aws, id_, news)


def _delete_targets(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("TargetGroupNotFound"):
        _elb(aws).delete_target_group(TargetGroupArn=id_)


# -- listeners and rules


def _number(value: Any) -> Any:
    return int(value)


_NUMBER = Lens(_number, _number)
_REDIRECT = struct("port", "protocol", "statusCode")
_FIXED = struct("contentType", "messageBody", "statusCode")
_ACTION = struct(
    "type",
    field("targetGroupArn"),
    field("redirect", _REDIRECT, api="RedirectConfig"),
    field("fixedResponse", _FIXED, api="FixedResponseConfig"),
)
_ACTIONS = Lens(
    lambda value: [_ACTION.to_api(one) for one in value],
    lambda value: [_ACTION.from_api(one) for one in value],
)


def _listener(news: dict[str, Any]) -> dict[str, Any]:
    more = {"SslPolicy": news["sslPolicy"]} if news.get("sslPolicy") else {}
    certificates = {"Certificates": [{"CertificateArn": news["certificateArn"]}]} if news.get("certificateArn") else {}
    actions = _ACTIONS.to_api(news["defaultActions"])
    return {"Protocol": news["protocol"], "Port": int(news["port"]), "DefaultActions": actions, **more, **certificates}


def _create_listener(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _elb(aws).create_listener(LoadBalancerArn=news["loadBalancerArn"], **_listener(news))
    return str(made["Listeners"][0]["ListenerArn"])


def _read_listener(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    try:
        found = _elb(aws).describe_listeners(ListenerArns=[id_])["Listeners"]
    except ClientError as error:
        if code(error) in ("ListenerNotFound", "LoadBalancerNotFound"):
            return None
        raise
    if not found:
        return None
    one = found[0]
    inputs = {
        "loadBalancerArn": one["LoadBalancerArn"],
        "port": int(one["Port"]),
        "protocol": one["Protocol"],
        "defaultActions": _ACTIONS.from_api(one["DefaultActions"]),
    }
    if one["Protocol"] == "HTTPS":
        inputs |= {"sslPolicy": one["SslPolicy"], "certificateArn": one["Certificates"][0]["CertificateArn"]}
    return Found(inputs, {"arn": id_}, _elb_tags(aws, id_))


def _update_listener(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _elb(aws).modify_listener(ListenerArn=id_, **_listener(news))


def _delete_listener(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("ListenerNotFound", "LoadBalancerNotFound"):
        _elb(aws).delete_listener(ListenerArn=id_)


#: Conditions: their names here, and in the API.
_CONDITIONS = {"pathPattern": ("path-pattern", "PathPatternConfig"), "hostHeader": ("host-header", "HostHeaderConfig")}


def _conditions(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for one in given:
        ((name, what),) = one.items()
        if name not in _CONDITIONS:
            raise UnmoorError(f"the sandbox knows rules by {' and '.join(_CONDITIONS)}, not by {name}")
        named, config = _CONDITIONS[name]
        made.append({"Field": named, config: {"Values": what["values"]}})
    return made


def _shown_conditions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {field: (name, config) for name, (field, config) in _CONDITIONS.items()}
    shown = ((*names[each["Field"]], each) for each in found)
    return [{name: {"values": each[config]["Values"]}} for name, config, each in shown]


def _next_priority(aws: Connection, listener: str) -> int:
    """Return the priority after the highest (terraform-provider-aws, `aws_lb_listener_rule`, without `priority`)."""
    rules = _elb(aws).describe_rules(ListenerArn=listener)["Rules"]
    return max((int(one["Priority"]) for one in rules if not one["IsDefault"]), default=0) + 1


def _create_rule(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    made = _elb(aws).create_rule(
        ListenerArn=news["listenerArn"],
        Priority=int(news["priority"]) if "priority" in news else _next_priority(aws, news["listenerArn"]),
        Conditions=_conditions(news["conditions"]),
        Actions=_ACTIONS.to_api(news["actions"]),
    )
    return str(made["Rules"][0]["RuleArn"])


def _read_rule(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        found = _elb(aws).describe_rules(RuleArns=[id_])["Rules"]
    except ClientError as error:
        if code(error) in ("RuleNotFound", "ListenerNotFound"):
            return None
        raise
    if not found:
        return None
    one = found[0]
    inputs = {
        "listenerArn": known.get("listenerArn"),
        "conditions": _shown_conditions(one["Conditions"]),
        "actions": _ACTIONS.from_api(one["Actions"]),
    } | ({"priority": int(one["Priority"])} if "priority" in known else {})
    return Found(inputs, {"arn": id_}, _elb_tags(aws, id_))


def _update_rule(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    conditions, actions = _conditions(news["conditions"]), _ACTIONS.to_api(news["actions"])
    _elb(aws).modify_rule(RuleArn=id_, Conditions=conditions, Actions=actions)


def _delete_rule(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("RuleNotFound", "ListenerNotFound"):
        _elb(aws).delete_rule(RuleArn=id_)


# -- certificates that a listener shows by SNI


def _create_shown(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    listener, certificate = news["listenerArn"], news["certificateArn"]
    _elb(aws).add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])
    return f"{listener}_{certificate}"  # as the official plug-in writes it


def _read_shown(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    listener, _, certificate = id_.partition("_")
    try:
        listed = _elb(aws).describe_listener_certificates(ListenerArn=listener)["Certificates"]
    except ClientError as error:
        if code(error) in ("ListenerNotFound", "LoadBalancerNotFound"):
            return None
        raise
    if certificate not in [one["CertificateArn"] for one in listed]:
        return None
    return Found({"listenerArn": listener, "certificateArn": certificate}, {}, {})


def _delete_shown(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    listener, _, certificate = id_.partition("_")
    with gone("ListenerNotFound"):
        _elb(aws).remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])


def read(aws: Connection, arn: str) -> Found | None:
    """Return a load balancer of any owner by its ARN."""
    return _read_balancer(aws, arn, {})


BALANCERS = {
    "aws:lb/listenerCertificate:ListenerCertificate": AwsType(
        title="ELBv2 Listener Certificate",
        inputs=frozenset({"listenerArn", "certificateArn"}),
        replaces=frozenset({"listenerArn", "certificateArn"}),
        computed=frozenset(),
        create=_create_shown,
        read=_read_shown,
        update=nothing,
        delete=_delete_shown,
    ),
    "aws:lb/loadBalancer:LoadBalancer": AwsType(
        title="ELBv2 application Load Balancer",
        inputs=frozenset(
            {
                *("name", "namePrefix", "loadBalancerType", "subnets", "securityGroups", "internal", "idleTimeout"),
                *("dropInvalidHeaderFields", "enableDeletionProtection"),
            }
        ),
        replaces=frozenset({"name", "namePrefix", "loadBalancerType", "subnets", "internal"}),
        computed=frozenset({"name", "arn", "arnSuffix", "dnsName", "zoneId", "vpcId"}),
        create=_create_balancer,
        read=_read_balancer,
        update=_update_balancer,
        delete=_delete_balancer,
        name="name",
        tag=tags.of_elb,
        defaults={"idleTimeout": 60, "loadBalancerType": "application"},
    ),
    "aws:lb/targetGroup:TargetGroup": AwsType(
        title="ELBv2 Target Group",
        inputs=frozenset(
            {
                *("name", "namePrefix", "port", "protocol", "targetType", "vpcId", "deregistrationDelay"),
                "healthCheck",
            }
        ),
        replaces=frozenset({"name", "namePrefix", "port", "protocol", "targetType", "vpcId"}),
        computed=frozenset({"name", "arn", "arnSuffix", "loadBalancerArns"}),
        create=_create_targets,
        read=_read_targets,
        update=_update_targets,
        delete=_delete_targets,
        name="name",
        tag=tags.of_elb,
        defaults={"deregistrationDelay": 300, "targetType": "instance"},
    ),
    "aws:lb/listener:Listener": AwsType(
        title="ELBv2 Listener",
        inputs=frozenset({"loadBalancerArn", "port", "protocol", "sslPolicy", "certificateArn", "defaultActions"}),
        replaces=frozenset({"loadBalancerArn"}),
        computed=frozenset({"arn"}),
        create=_create_listener,
        read=_read_listener,
        update=_update_listener,
        delete=_delete_listener,
        tag=tags.of_elb,
    ),
    "aws:lb/listenerRule:ListenerRule": AwsType(
        title="ELBv2 Listener Rule",
        inputs=frozenset({"listenerArn", "priority", "conditions", "actions"}),
        replaces=frozenset({"listenerArn"}),
        computed=frozenset({"arn"}),
        create=_create_rule,
        read=_read_rule,
        update=_update_rule,
        delete=_delete_rule,
        tag=tags.of_elb,
    ),
}
