"""Certificates, and the wait until their validation records have taken effect."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from components.provider.server import UNKNOWN, Failure
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found, nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.server import Context

#: Seconds for which a certificate may stay unvalidated; the official plugin waits 75 minutes.
PATIENCE_S = 30.0
_POLL_S = 0.2


def _acm(aws: Connection, of: dict[str, Any]) -> Any:
    return aws.client("acm", of.get("region", ""))


def _faults(news: dict[str, Any]) -> Iterator[Failure]:
    if "domainName" not in news:
        yield Failure("domainName", "missing required property: the sandbox requests certificates and imports none")
    if news.get("validationMethod", "DNS") not in ("DNS", UNKNOWN):
        yield Failure("validationMethod", f"the sandbox validates through DNS only, not {news['validationMethod']}")


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    names = news.get("subjectAlternativeNames")
    more = {"SubjectAlternativeNames": names} if names else {}
    answer = _acm(aws, news).request_certificate(DomainName=news["domainName"], ValidationMethod="DNS", **more)
    return str(answer["CertificateArn"])


def _describe(aws: Connection, arn: str, of: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return dict(_acm(aws, of).describe_certificate(CertificateArn=arn)["Certificate"])
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            return None
        raise


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    found = _describe(aws, id_, known)
    if found is None:
        return None
    names = [name for name in found["SubjectAlternativeNames"] if name != found["DomainName"]]
    given = known.get("subjectAlternativeNames")
    inputs = {"domainName": found["DomainName"], "validationMethod": "DNS"}
    inputs["subjectAlternativeNames"] = sorted([*names, *({found["DomainName"]} & set(given or []))])
    tags = _acm(aws, known).list_tags_for_certificate(CertificateArn=id_)["Tags"]
    computed = {
        "arn": id_,
        "domainValidationOptions": _options(found),
        "status": found["Status"],
        "type": found["Type"],
        "notBefore": "",
        "notAfter": "",
        "pendingRenewal": False,
        "renewalEligibility": found.get("RenewalEligibility", "INELIGIBLE"),
        "renewalSummaries": [],
        "validationEmails": [],
    }
    if given is None:
        computed["subjectAlternativeNames"] = sorted({found["DomainName"], *names})
        del inputs["subjectAlternativeNames"]
    return Found(inputs, computed, {tag["Key"]: tag.get("Value", "") for tag in tags})


def _options(found: dict[str, Any]) -> list[dict[str, str]]:
    options = [
        {
            "domainName": one["DomainName"],
            "resourceRecordName": one["ResourceRecord"]["Name"],
            "resourceRecordType": one["ResourceRecord"]["Type"],
            "resourceRecordValue": one["ResourceRecord"]["Value"],
        }
        for one in found.get("DomainValidationOptions", [])
    ]
    return sorted(options, key=lambda one: (one["domainName"] != found["DomainName"], one["domainName"]))


def _delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    with gone("ResourceNotFoundException"):
        _acm(aws, outputs).delete_certificate(CertificateArn=id_)


def _tag(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    acm = aws.client("acm", id_.split(":")[3])
    removed = sorted(set(old) - set(new))
    if removed:
        acm.remove_tags_from_certificate(CertificateArn=id_, Tags=[{"Key": key} for key in removed])
    if new:
        tags = [{"Key": key, "Value": value} for key, value in sorted(new.items())]
        acm.add_tags_to_certificate(CertificateArn=id_, Tags=tags)


# -- validation


def _validate(aws: Connection, news: dict[str, Any], ctx: Context) -> str:
    arn = news["certificateArn"]
    found = _describe(aws, arn, news)
    if found is None:
        raise UnmoorError(f"creating ACM Certificate Validation ({arn}): couldn't find the certificate")
    wanted = {one["resourceRecordName"].rstrip(".") for one in _options(found)}
    if "validationRecordFqdns" in news:
        missing = wanted - {name.rstrip(".") for name in news["validationRecordFqdns"]}
        if missing:
            raise UnmoorError(
                f"creating ACM Certificate Validation ({arn}): missing DNS validation record:"
                f" {', '.join(sorted(missing))}; name it in validationRecordFqdns"
            )
    patience = ctx.timeout_s or PATIENCE_S
    end = time.monotonic() + patience
    while found["Status"] != "ISSUED":
        if time.monotonic() > end or ctx.cancelled.is_set():
            raise UnmoorError(
                f"creating ACM Certificate Validation ({arn}): waiting for completion: timeout while waiting for state"
                f" to become 'ISSUED' (last state: '{found['Status']}', timeout: {patience:g}s): no hosted zone has the"
                f" CNAME {', '.join(sorted(wanted))}; the official plugin would wait 75 minutes"
            )
        time.sleep(_POLL_S)
        found = _describe(aws, arn, news) or found
    return str(found["CreatedAt"])


def _read_validation(aws: Connection, _id: str, known: dict[str, Any]) -> Found | None:
    found = _describe(aws, known["certificateArn"], known)
    if found is None or found["Status"] != "ISSUED":
        return None
    return Found({name: known[name] for name in ("certificateArn", "validationRecordFqdns") if name in known}, {})


def _keep(_aws: Connection, _id: str, _outputs: dict[str, Any]) -> None:
    pass


ACM = {
    "aws:acm/certificate:Certificate": AwsType(
        title="ACM Certificate",
        inputs=frozenset({"domainName", "subjectAlternativeNames", "validationMethod"}),
        replaces=frozenset({"domainName", "subjectAlternativeNames", "validationMethod", "region"}),
        computed=frozenset(
            {
                *("arn", "domainValidationOptions", "notAfter", "notBefore", "pendingRenewal", "renewalEligibility"),
                *("renewalSummaries", "status", "type", "validationEmails", "subjectAlternativeNames"),
            }
        ),
        create=_create,
        read=_read,
        update=nothing,
        delete=_delete,
        faults=_faults,
        tag=_tag,
        defaults={"validationMethod": "DNS"},
    ),
    "aws:acm/certificateValidation:CertificateValidation": AwsType(
        title="ACM Certificate Validation",
        inputs=frozenset({"certificateArn", "validationRecordFqdns"}),
        replaces=frozenset({"certificateArn", "validationRecordFqdns", "region"}),
        computed=frozenset(),
        create=_validate,
        read=_read_validation,
        update=nothing,
        delete=_keep,
    ),
}
