"""CloudFront's refusals: references that lead nowhere, names without a certificate, things still in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .collections import SHAPES, Document, Store
from .xml import text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree import ElementTree as ET

#: A code and a sentence, as the service answers.
Refusal = tuple[str, str]

_BEHAVIORS = ("DefaultCacheBehavior", "CacheBehaviors/Items/CacheBehavior")
#: Which field of a behavior or origin names a document of which collection.
_REFERENCES = [
    *((f"{where}/CachePolicyId", "cache-policy") for where in _BEHAVIORS),
    *((f"{where}/OriginRequestPolicyId", "origin-request-policy") for where in _BEHAVIORS),
    *((f"{where}/ResponseHeadersPolicyId", "response-headers-policy") for where in _BEHAVIORS),
    ("Origins/Items/Origin/OriginAccessControlId", "origin-access-control"),
]
_FUNCTIONS = [f"{where}/FunctionAssociations/Items/FunctionAssociation/FunctionARN" for where in _BEHAVIORS]


def distribution(store: Store, own: str, config: ET.Element) -> Iterator[Refusal]:
    """Yield every reason to refuse a DistributionConfig; `own` is the distribution's id, empty for a new one."""
    reference = text(config, "CallerReference")
    for id_, other in store.documents["distribution"].items():
        if id_ != own and text(other.config, "CallerReference") == reference:
            fault = "The caller reference you attempted to create the distribution with is associated with another one."
            yield "DistributionAlreadyExists", fault
    yield from _origins(config)
    for path, collection in _REFERENCES:
        for id_ in texts(config, path):
            if id_ and id_ not in store.documents[collection]:
                yield SHAPES[collection].missing, f"The specified {SHAPES[collection].element} {id_} does not exist."
    for path in _FUNCTIONS:
        for arn in texts(config, path):
            function = store.functions.get(arn.rpartition("/")[2])
            if function is None or function.live is None:
                yield "InvalidFunctionAssociation", f"The function {arn} does not exist or is not published to LIVE."
    yield from _behaviors(config)
    yield from _names(store, own, config)


def _origins(config: ET.Element) -> Iterator[Refusal]:
    origins = texts(config, "Origins/Items/Origin/Id")
    for where in _BEHAVIORS:
        for target in texts(config, f"{where}/TargetOriginId"):
            if target not in origins:
                yield "NoSuchOrigin", f"One or more of your origins do not exist: {target}; choose from {origins}"
    for origin in config.findall("Origins/Items/Origin"):
        access, bucket = text(origin, "OriginAccessControlId"), text(origin, "DomainName")
        if access and ".s3" in bucket and origin.find("S3OriginConfig") is None:
            yield (
                "InvalidArgument",
                f"The origin {text(origin, 'Id')} needs an S3OriginConfig for an origin access control",
            )


_FORWARDED = "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior."
_TTL = "The parameter TTL cannot be used when a cache policy is associated to the cache behavior."


def _behaviors(config: ET.Element) -> Iterator[Refusal]:
    for behavior in [found for where in _BEHAVIORS for found in config.findall(where)]:
        policy, forwarded = bool(text(behavior, "CachePolicyId")), behavior.find("ForwardedValues") is not None
        if policy and forwarded:
            yield "InvalidArgument", _FORWARDED
        if not policy and not forwarded:
            yield "InvalidArgument", "A cache behavior needs a CachePolicyId or ForwardedValues."
        if policy and behavior.find("DefaultTTL") is not None:
            yield "InvalidArgument", _TTL


def _names(store: Store, own: str, config: ET.Element) -> Iterator[Refusal]:
    aliases = texts(config, "Aliases/Items/CNAME")
    arn = text(config, "ViewerCertificate/ACMCertificateArn")
    if aliases and not arn:
        fault = (
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted"
            " certificate that validates your authorization to use the domain name."
        )
        yield "InvalidViewerCertificate", fault
    elif arn:
        yield from _certificate(arn, aliases, store.certificates())
    for id_, other in store.documents["distribution"].items():
        taken = set(aliases) & set(texts(other.config, "Aliases/Items/CNAME"))
        if id_ != own and taken:
            fault = "One or more of the CNAMEs you provided are already associated with a different resource:"
            yield "CNAMEAlreadyExists", f"{fault} {', '.join(sorted(taken))}"


def _certificate(arn: str, aliases: list[str], certificates: Mapping[str, tuple[str, list[str]]]) -> Iterator[Refusal]:
    status, covered = certificates.get(arn, ("", []))
    if not arn.startswith("arn:aws:acm:us-east-1:") or status != "ISSUED":
        fault = (
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a"
            f" valid certificate chain. ({arn}: {status or 'not found'})"
        )
        yield "InvalidViewerCertificate", fault
        return
    for alias in aliases:
        if alias not in covered and "*." + alias.partition(".")[2] not in covered:
            fault = (
                "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME)"
                f" that you're trying to add: {alias}"
            )
            yield "InvalidViewerCertificate", fault


def users(store: Store, collection: str, id_: str) -> list[str]:
    """Return which distributions name the document."""
    paths = [path for path, where in _REFERENCES if where == collection]
    return _using(store, paths, id_)


def function_users(store: Store, name: str) -> list[str]:
    """Return which distributions run the function."""
    return _using(store, _FUNCTIONS, store.arn("function", name))


def certificate_users(store: Store, arn: str) -> list[str]:
    """Return which distributions show the certificate."""
    return _using(store, ["ViewerCertificate/ACMCertificateArn"], arn)


def _using(store: Store, paths: list[str], value: str) -> list[str]:
    every: dict[str, Document] = store.documents["distribution"]
    return [id_ for id_, document in every.items() if any(value in texts(document.config, path) for path in paths)]


def duplicate(store: Store, collection: str, own: str, name: str) -> bool:
    """Return whether another document of the collection has the name."""
    return any(id_ != own and other.name == name for id_, other in store.documents[collection].items())
