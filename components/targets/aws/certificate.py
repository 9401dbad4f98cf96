"""A certificate of ACM for names of the zone, valid once each name's proof is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from ...authority import ProofRecord
from . import subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pulumi

    #: Publishes a proof record as a resource of that name, and returns the names at which it is published.
    Prove = Callable[[str, ProofRecord, pulumi.ResourceOptions], Sequence[pulumi.Output[str]]]


def certificate(
    name: str, hosts: tuple[str, ...], prove: Prove, inside: pulumi.ResourceOptions, region: str | None = None
) -> aws.acm.CertificateValidation:
    """Register a certificate for `hosts`; return what waits until it is valid.

    `region` is where it is used; None is the provider's.
    """
    first = subject(hosts) or hosts[0]
    asked = aws.acm.Certificate(
        f"{name}-certificate",
        domain_name=first,
        subject_alternative_names=[host for host in hosts if host != first],
        validation_method="DNS",
        region=region,
        opts=inside,
    )
    proofs = [proof for host in hosts for proof in _proof(name, host, asked, prove, inside)]
    return aws.acm.CertificateValidation(
        f"{name}-certificate-valid",
        certificate_arn=asked.arn,
        validation_record_fqdns=proofs,
        region=region,
        opts=inside,
    )


def _proof(
    name: str, host: str, asked: aws.acm.Certificate, prove: Prove, inside: pulumi.ResourceOptions
) -> Sequence[pulumi.Output[str]]:
    """Publish the record by which ACM verifies that a host is ours."""
    wanted = asked.domain_validation_options.apply(
        lambda options: next(option for option in options if option.domain_name == host)
    )
    record = ProofRecord(wanted.resource_record_name, wanted.resource_record_type, wanted.resource_record_value)
    return prove(f"{name}-proof-{host}", record, inside)
