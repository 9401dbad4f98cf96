"""Add to moto, in this process, the rules of AWS that it lacks: Route 53, bucket policies, certificates.

moto is patched at its backends' methods, so every client meets the same rules. The contract tests verify these seams.
"""

# ruff: noqa: N818 the service's codes name its exceptions

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.route53.models import FakeZone, HealthCheck, RecordSet, Route53Backend, route53_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeDeleteMarker, PublicAccessBlock, S3Backend

from . import bucket_policy, check_rules, record_rules

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = threading.RLock()


class _Route53Refusal(ServiceException):  # type: ignore[misc]
    def __init__(self, code: str, faults: list[str]) -> None:
        super().__init__(code, "[" + ", ".join(faults) + "]" if code == "InvalidChangeBatch" else "; ".join(faults))


class _S3Refusal(S3ClientError):  # type: ignore[misc]
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)


class _ResourceInUse(ServiceException):  # type: ignore[misc]
    def __init__(self, arn: str) -> None:
        super().__init__("ResourceInUseException", f"Certificate {arn} is in use.")


def zones() -> list[FakeZone]:
    """Return every hosted zone of the account."""
    return list(route53_backends[DEFAULT_ACCOUNT_ID]["aws"].zones.values())


def record_sets(zone: FakeZone) -> list[dict[str, Any]]:
    """Return the record sets of a zone as the API shapes them."""
    return [_shaped(record) for record in zone.rrsets]


_FIELDS = {
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "HealthCheckId": "health_check_id",
    "AliasTarget": "alias_target",
    "Failover": "failover",
    "GeoLocation": "geo_location",
    "MultiValueAnswer": "multi_value_answer",
    "TTL": "ttl",
    "ResourceRecords": "resource_records",
}


def _shaped(record: RecordSet) -> dict[str, Any]:
    found = {name: getattr(record, attribute) for name, attribute in _FIELDS.items()}
    return {"Name": record.name, "Type": record.type} | {
        name: value for name, value in found.items() if value is not None
    }


def _change_records(self: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    with _lock:
        zone = self.get_hosted_zone(zoneid)
        known = [(_shaped(record), record) for record in zone.rrsets]
        changes = [(change["Action"], change["ResourceRecordSet"]) for change in change_list]
        faults, after = record_rules.refusals(zone.name, [shape for shape, _ in known], changes, self.health_checks)
        if faults:
            raise _Route53Refusal("InvalidChangeBatch", faults)
        kept = {id(shape): record for shape, record in known}
        zone.rrsets = [kept.get(id(shape)) or _unshaped(shape) for shape in after]


def _unshaped(record: dict[str, Any]) -> RecordSet:
    values = [one["Value"] for one in record.get("ResourceRecords") or []]
    return RecordSet({**record, "Name": record_rules.key(record)[0], "ResourceRecords": values})


def _create_zone(original: Callable[..., FakeZone]) -> Callable[..., FakeZone]:
    def create(self: Route53Backend, *names: str, caller_reference: str = "", **named: Any) -> FakeZone:
        with _lock:
            if any(zone.caller_reference == caller_reference for zone in self.zones.values()):
                fault = f"A hosted zone has already been created with the caller reference {caller_reference}"
                raise _Route53Refusal("HostedZoneAlreadyExists", [fault])
            zone = original(self, *names, caller_reference=caller_reference, **named)
            for record in zone.rrsets:  # moto wraps the values of a new zone's SOA once too often
                record.records = [one["Value"] if isinstance(one, dict) else one for one in record.records]
            return zone

    return create


def _config(arguments: dict[str, Any]) -> dict[str, Any]:
    names = {
        "type": "Type",
        "ip_address": "IPAddress",
        "fqdn": "FullyQualifiedDomainName",
        "port": "Port",
        "resource_path": "ResourcePath",
        "search_string": "SearchString",
        "request_interval": "RequestInterval",
        "failure_threshold": "FailureThreshold",
        "children": "ChildHealthChecks",
    }
    return {name: arguments[key] for key, name in names.items() if arguments.get(key) is not None}


def _create_check(original: Callable[..., HealthCheck]) -> Callable[..., HealthCheck]:
    def create(self: Route53Backend, caller_reference: str, health_check_args: dict[str, Any]) -> HealthCheck:
        with _lock:
            _refuse_check(health_check_args, self)
            port = check_rules.ENDPOINT_TYPES.get(health_check_args["type"])
            if port is not None and not health_check_args.get("port"):
                health_check_args["port"] = port
            for check in self.health_checks.values():
                if check.caller_reference == caller_reference:
                    wanted = HealthCheck(check.id, caller_reference, health_check_args)
                    wanted.set_children(health_check_args.get("children") or [])
                    wanted.set_regions(health_check_args.get("regions") or [])
                    if check.health_check_config == wanted.health_check_config:
                        return check
                    fault = f"A health check with the caller reference {caller_reference} exists with other settings"
                    raise _Route53Refusal("HealthCheckAlreadyExists", [fault])
            return original(self, caller_reference, health_check_args)

    return create


def _update_check(original: Callable[..., HealthCheck]) -> Callable[..., HealthCheck]:
    def update(self: Route53Backend, health_check_id: str, health_check_args: dict[str, Any]) -> HealthCheck:
        with _lock:
            check = self.get_health_check(health_check_id)
            given = {name: value for name, value in health_check_args.items() if value is not None}
            _refuse_check(_arguments(check) | given, self)
            original(self, health_check_id, health_check_args)
            check.health_check_version += 1
            return check

    return update


def _arguments(check: HealthCheck) -> dict[str, Any]:
    names = ("ip_address", "fqdn", "port", "resource_path", "search_string", "request_interval", "failure_threshold")
    return {name: getattr(check, name) for name in names} | {"type": check.type_, "children": check.children or []}


def _refuse_check(arguments: dict[str, Any], backend: Route53Backend) -> None:
    faults = list(check_rules.refusals(_config(arguments), backend.health_checks))
    if faults:
        raise _Route53Refusal("InvalidInput", faults)


def _delete_check(original: Callable[..., None]) -> Callable[..., None]:
    def delete(self: Route53Backend, health_check_id: str) -> None:
        with _lock:
            self.get_health_check(health_check_id)
            records = [record for zone in self.zones.values() for record in record_sets(zone)]
            children = {check.id: check.children or [] for check in self.health_checks.values()}
            users = check_rules.users(health_check_id, records, children)
            if users:
                fault = f"The health check {health_check_id} is in use by {', '.join(users)}"
                raise _Route53Refusal("HealthCheckInUse", [fault])
            original(self, health_check_id)

    return delete


def _create_bucket(original: Callable[..., FakeBucket]) -> Callable[..., FakeBucket]:
    def create(self: S3Backend, *arguments: Any, **named: Any) -> FakeBucket:
        bucket = original(self, *arguments, **named)
        bucket.public_access_block = PublicAccessBlock(*[True] * 4)  # as for every new bucket since April 2023
        return bucket

    return create


def _put_policy(original: Callable[..., None]) -> Callable[..., None]:
    def put(self: S3Backend, bucket_name: str, policy: bytes) -> None:
        faults = bucket_policy.faults(policy, bucket_name)
        if faults:
            raise _S3Refusal("MalformedPolicy", faults[0])
        block = self.get_bucket(bucket_name).public_access_block
        if block and block.block_public_policy and bucket_policy.is_public(policy):
            raise _S3Refusal(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the"
                " BlockPublicPolicy setting in S3 Block Public Access.",
            )
        original(self, bucket_name, policy)

    return put


def _permission(self: FakeBucket, action: str, resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    answers = {"allow": PermissionResult.PERMITTED, "deny": PermissionResult.DENIED, "": PermissionResult.NEUTRAL}
    found = bucket_policy.verdict(self.policy, action, resource)
    block = self.public_access_block
    # S3 user guide, "Blocking public access": with RestrictPublicBuckets a public policy lets in the owner's account.
    if found == "allow" and block and block.restrict_public_buckets and bucket_policy.is_public(self.policy):
        found = ""
    return answers[found]


def _describe_certificate(original: Callable[..., CertBundle]) -> Callable[..., CertBundle]:
    def describe(self: AWSCertificateManagerBackend, arn: str) -> CertBundle:
        bundle = original(self, arn)
        if bundle.status == "PENDING_VALIDATION" and not unvalidated(bundle):
            bundle.status = "ISSUED"
        return bundle

    return describe


def unvalidated(bundle: CertBundle) -> list[str]:
    """Return the names of the validation records that no hosted zone has, or has with another value."""
    found = {
        (record.name.lower(), value.rstrip("."))
        for zone in zones()
        for record in zone.rrsets
        for value in record.records or []
        if record.type == "CNAME"
    }
    options = bundle.describe()["Certificate"]["DomainValidationOptions"]
    wanted = {(one["ResourceRecord"]["Name"].lower(), one["ResourceRecord"]["Value"].rstrip(".")) for one in options}
    return sorted(name for name, _ in wanted - found)


def _delete_certificate(original: Callable[..., None], users: Callable[[str], list[str]]) -> Callable[..., None]:
    def delete(self: AWSCertificateManagerBackend, arn: str) -> None:
        if users(arn):
            raise _ResourceInUse(arn)
        original(self, arn)

    return delete


def install(certificate_users: Callable[[str], list[str]]) -> None:
    """Install the rules; `certificate_users` returns the distributions that use a certificate."""
    Route53Backend.change_resource_record_sets = _change_records
    Route53Backend.create_hosted_zone = _create_zone(Route53Backend.create_hosted_zone)
    Route53Backend.create_health_check = _create_check(Route53Backend.create_health_check)
    Route53Backend.update_health_check = _update_check(Route53Backend.update_health_check)
    Route53Backend.delete_health_check = _delete_check(Route53Backend.delete_health_check)
    S3Backend.create_bucket = _create_bucket(S3Backend.create_bucket)
    S3Backend.put_bucket_policy = _put_policy(S3Backend.put_bucket_policy)
    FakeBucket.get_permission = _permission
    FakeDeleteMarker.dispose = lambda _marker: None  # moto 5.2.5 asks for it when the last version of a key goes
    describe = AWSCertificateManagerBackend.describe_certificate
    AWSCertificateManagerBackend.describe_certificate = _describe_certificate(describe)
    delete = AWSCertificateManagerBackend.delete_certificate
    AWSCertificateManagerBackend.delete_certificate = _delete_certificate(delete, certificate_users)
