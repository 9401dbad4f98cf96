"""Looks at a certificate and a bucket that are to be used: each against the sandbox's account, well and not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from components.kinds.static.objects import MANIFEST
from components.needs import State
from components.plan.stack import topology
from components.project import builtin
from components.targets.aws import account as aws
from components.targets.aws import existing
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.needs import Finding

HOSTS = ("docs.dao.example", "docs-aws.dao.example")
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"


pytestmark = pytest.mark.usefixtures("signed_in")


def only(found: Iterable[Finding]) -> Finding:
    (finding,) = found
    return finding


def certificate(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> list[Finding]:
    """Look at a certificate as ACM describes it (API reference, CertificateDetail)."""
    detail = {
        "CertificateArn": ARN,
        "DomainName": HOSTS[0],
        "SubjectAlternativeNames": list(HOSTS),
        "Type": "AMAZON_ISSUED",
        "Status": "ISSUED",
    } | changed

    class Acm:
        def describe_certificate(self, CertificateArn: str) -> Any:  # noqa: N803 the API's
            assert CertificateArn == ARN
            return {"Certificate": detail}

    monkeypatch.setattr(aws, "client", lambda service, region="": Acm())
    return list(existing.certificate(ARN, HOSTS))


def test_an_issued_certificate_that_names_every_host_is_ready(monkeypatch):
    assert only(certificate(monkeypatch)).state is State.READY
    wild = certificate(monkeypatch, SubjectAlternativeNames=["*.dao.example"])
    assert only(wild).state is State.READY


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"SubjectAlternativeNames": [HOSTS[0]]}, "does not name docs-aws.dao.example"),
        ({"SubjectAlternativeNames": ["*.example"]}, "does not name docs-aws.dao.example, docs.dao.example"),
        ({"Status": "PENDING_VALIDATION"}, "is pending validation"),
        ({"Type": "IMPORTED"}, "was imported: AWS does not renew it"),
    ],
)
def test_a_certificate_that_would_fail_late_is_not_ready(monkeypatch, changed, sentence):
    finding = only(certificate(monkeypatch, **changed))
    assert finding.state is State.NOT_READY
    assert sentence in finding.sentence
    assert "request one from ACM" in finding.mend


def test_a_certificate_of_another_account_is_not_ready(account):
    finding = only(existing.certificate(ARN, HOSTS))
    assert (finding.state, finding.sentence) == (State.NOT_READY, f"{ARN} is not in this account")


def look(name: str) -> Finding:
    return only(existing.bucket(name, HOSTS[1], ["unmoor docs-aws"], MANIFEST))


def test_an_empty_bucket_is_free_and_one_that_is_missing_is_not(account):
    assert look("dao-none").state is State.NOT_READY
    account.client("s3").create_bucket(Bucket="dao-empty")
    assert look("dao-empty").state is State.READY


def test_a_bucket_of_another_account_and_a_key_without_rights_are_one_sentence(account, monkeypatch):
    account.client("s3").create_bucket(Bucket="dao-theirs")
    real = aws.client

    def client(service: str) -> Any:
        made = real(service)
        if service == "s3":
            stub = Stubber(made)
            owner = {"Bucket": "dao-theirs", "ExpectedBucketOwner": "123456789012"}
            stub.add_client_error("head_bucket", "403", "Forbidden", 403, expected_params=owner)
            stub.activate()
        return made

    monkeypatch.setattr(aws, "client", client)
    finding = look("dao-theirs")
    assert finding.state is State.NOT_READY
    assert finding.sentence == "bucket dao-theirs is another account's, or this identity has no right to list it"
    assert "aws s3 mb" not in finding.mend, "the name is taken"


def test_a_bucket_with_objects_of_others_is_refused_before_publishing_would_remove_them(account):
    client = account.client("s3")
    client.create_bucket(Bucket="dao-full")
    client.put_object(Bucket="dao-full", Key="report.pdf", Body=b"x")
    finding = look("dao-full")
    assert finding.state is State.NOT_READY
    assert "holds objects that no release of docs-aws.dao.example put there, such as report.pdf" in finding.sentence
    client.put_object(Bucket="dao-full", Key="healthz", Body=b"ok")
    assert look("dao-full").state is State.NOT_READY, "that is no mark of ours"
    client.put_object(Bucket="dao-full", Key="healthz", Body=b"v", Metadata={"version": "v", "settled": "v"})
    assert look("dao-full").state is State.READY
    for number in range(60):
        client.put_object(Bucket="dao-full", Key=f"assets/{number}.js", Body=b"x")
    assert look("dao-full").state is State.READY, "the mark comes late in the listing"


def test_a_policy_of_others_is_never_replaced(account):
    client = account.client("s3")
    client.create_bucket(Bucket="dao-policy")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::dao-policy/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_bucket_policy(Bucket="dao-policy", Policy=json.dumps(policy))
    finding = look("dao-policy")
    assert finding.state is State.NOT_READY
    assert "has a policy of its own" in finding.sentence


def test_an_update_looks_at_both_before_it_builds(tmp_path):
    site_folder(tmp_path)
    options = {"site": "site", "existing": {"certificate": ARN, "bucket": "dao-empty"}}
    (plan,) = topology(settings(options=options), builtin(), tmp_path).workloads
    (site,) = plan.sites
    checks = builtin().implementations("static")["aws"].checks(site, plan, "unmoor/prod")
    names = ("CloudFront of docs-aws", "certificate of docs-aws", "bucket of docs-aws")
    assert {each.name: each.late for each in checks} == dict.fromkeys(names, True)
