"""Add to moto AWS's refusals of tasks and load balancers that moto accepts.

Sources: the ECS developer guide ("Task definition parameters for Fargate"), the API references of ECS, EC2 and Elastic
Load Balancing; the sentences follow the services' own.
"""

# ruff: noqa: N818 the service's codes name its exceptions

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import ELBv2Backend, elbv2_backends

from sandbox import images

from . import machines, record_rules, task_reports, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

#: CPU units of Fargate and their memory in MiB: the smallest, the largest and the step ("Task size").
_FARGATE = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}
#: "The maximum size of a task definition is 64 KiB" (ECS service quotas).
_LARGEST = 65_536
#: Zones in which a load balancer has to stand (CreateLoadBalancer, `Subnets`).
_ZONES = 2


class _Client(ServiceException):  # type: ignore[misc]
    def __init__(self, message: str) -> None:
        super().__init__("ClientException", message)


class _Parameter(ServiceException):  # type: ignore[misc]
    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class _Elb(ServiceException):  # type: ignore[misc]
    pass


class _DependencyViolation(EC2ClientError):  # type: ignore[misc]
    def __init__(self, group: str) -> None:
        super().__init__("DependencyViolation", f"resource {group} has a dependent object")


def _register(original: Callable[..., Any]) -> Callable[..., Any]:
    def register(self: EC2ContainerServiceBackend, family: str, containers: list[dict[str, Any]], **more: Any) -> Any:
        if "FARGATE" in (more.get("requires_compatibilities") or ()):
            _size(more.get("cpu"), more.get("memory"))
        size = len(json.dumps(containers, separators=(",", ":")))
        if size > _LARGEST:
            raise _Client(f"Actual length: '{size}'. Max allowed length is '{_LARGEST}' bytes.")
        for container in containers:
            if why := images.unknown(container["image"]):
                raise _Client(why)
        return original(self, family, containers, **more)

    return register


def _size(cpu: str | None, memory: str | None) -> None:
    least, most, step = _FARGATE.get(int(cpu or 0), (1, 0, 1))
    wanted = int(memory or 0)
    if not (least <= wanted <= most and (wanted % step == 0 or wanted == least)) or (cpu == "256" and wanted == 1536):
        raise _Client("No Fargate configuration exists for given values.")


def _create_service(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(self: EC2ContainerServiceResponse) -> Any:
        groups = elbv2_backends[DEFAULT_ACCOUNT_ID][self.region].target_groups
        for one in self._get_param("loadBalancers") or ():
            arn = one["targetGroupArn"]
            if arn not in groups:
                raise _Parameter(f"The specified target group {arn} does not exist.")
            if not groups[arn].load_balancer_arns:
                raise _Parameter(
                    f"The target group with targetGroupArn {arn} does not have an associated load balancer."
                )
        answer = original(self)
        service = answer.result["service"]
        service.deployment_configuration = self._get_param("deploymentConfiguration")
        service.health_check_grace_period_seconds = self._get_int_param("healthCheckGracePeriodSeconds")
        return answer

    return create


def _delete_cluster(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(self: EC2ContainerServiceBackend, name: str) -> Any:
        arn = self._get_cluster(name).arn
        if any(one.cluster_arn == arn for one in tasks.services()):
            code = "ClusterContainsServicesException"
            raise ServiceException(code, "The Cluster cannot be deleted while Services are active.")
        return original(self, name)

    return delete


def _delete_group(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(self: EC2Backend, name: str | None = None, group_id: str | None = None) -> Any:
        of_tasks = [
            group
            for one in tasks.services()
            for group in one.network_configuration["awsvpcConfiguration"]["securityGroups"]
        ]
        of_balancers = [group for one in tasks.balancers() for group in one.security_groups]
        admitted = [
            rule.source_group.get("GroupId")
            for groups in ec2_backends[DEFAULT_ACCOUNT_ID][self.region_name].groups.values()
            for each in groups.values()
            if each.id != group_id
            for rule in each.ingress_rules
        ]
        if group_id in (*of_tasks, *of_balancers, *admitted):
            raise _DependencyViolation(str(group_id))
        return original(self, name, group_id)

    return delete


def _create_balancer(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(self: ELBv2Backend, *arguments: Any, **named: Any) -> Any:
        made = original(self, *arguments, **named)
        if made.type == "application" and len({each.availability_zone for each in made.subnets}) < _ZONES:
            del self.load_balancers[made.arn]
            message = "At least two subnets in two different Availability Zones must be specified"
            raise _Elb("ValidationError", message)
        made.canonical_hosted_zone_id = record_rules.BALANCER_ZONES.get(self.region_name, made.canonical_hosted_zone_id)
        return made

    return create


def _create_listener(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(self: ELBv2Backend, load_balancer_arn: str, protocol: str, port: str, **named: Any) -> Any:
        certificate = named.get("certificate")
        if protocol == "HTTPS" and not certificate:
            raise _Elb("ValidationError", "A certificate must be specified for HTTPS listeners")
        if certificate and not tasks.certified(certificate):
            needs = "must have a fully-qualified domain name, a supported signature, and a supported key size."
            raise _Elb("UnsupportedCertificate", f"The certificate '{certificate}' {needs}")
        found = self.load_balancers.get(load_balancer_arn)
        if found and any(str(each.port) == str(port) for each in found.listeners.values()):
            raise _Elb("DuplicateListener", "A listener already exists on this port for this load balancer")
        return original(self, load_balancer_arn, protocol, port, **named)

    return create


def _association(self: ELBv2Backend, balancer: str, actions: list[dict[str, Any]]) -> None:
    """Refuse a target group that another load balancer leads to (API reference, TargetGroupAssociationLimit)."""
    led = {
        (action.data.get("TargetGroupArn"), one.arn)
        for one in self.load_balancers.values()
        for listener in one.listeners.values()
        for action in (*listener.default_actions, *(each for rule in listener.rules.values() for each in rule.actions))
    }
    for arn in filter(None, (action.get("TargetGroupArn") for action in actions)):
        if any(group == arn and other != balancer for group, other in led):
            why = f"The following target groups cannot be associated with more than one load balancer: {arn}"
            raise _Elb("TargetGroupAssociationLimit", why)


def _create_rule(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(self: ELBv2Backend, listener_arn: str, conditions: Any, priority: Any, actions: Any, **more: Any) -> Any:
        for one in self.load_balancers.values():
            if listener_arn in one.listeners:
                _association(self, one.arn, actions)
        return original(self, listener_arn, conditions, priority, actions, **more)

    return create


def users(certificate: str) -> list[str]:
    """Return the listeners that use a certificate."""
    return [each.arn for each in tasks.listeners() if each.certificate == certificate]


def install() -> None:
    """Install the rules in moto."""
    task_reports.install(tasks.services)
    ecs = EC2ContainerServiceBackend
    ecs.register_task_definition = _register(ecs.register_task_definition)
    ecs.update_service = tasks.updating(ecs.update_service)
    ecs.delete_cluster = _delete_cluster(ecs.delete_cluster)
    EC2ContainerServiceResponse.create_service = _create_service(EC2ContainerServiceResponse.create_service)
    EC2Backend.allocate_address = machines.allocating(EC2Backend.allocate_address)
    EC2Backend.delete_security_group = _delete_group(EC2Backend.delete_security_group)
    ELBv2Backend.create_load_balancer = _create_balancer(ELBv2Backend.create_load_balancer)
    ELBv2Backend.create_listener = _create_listener(ELBv2Backend.create_listener)
    ELBv2Backend.create_rule = _create_rule(ELBv2Backend.create_rule)
