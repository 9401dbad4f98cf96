"""The account: its two doors, strangers, faults, and what is left at the end."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.contract.aws_account import Account
from tests.contract.plugin_client import EngineError, Plugin, Stood, running

from .inputs import (
    BUCKET,
    CERTIFICATE,
    DISTRIBUTION,
    FUNCTION,
    FUNCTION_INPUTS,
    HEADERS,
    HEADERS_INPUTS,
    RECORD,
    control,
    distribution,
    refusal,
    simple,
)


def test_the_plugin_speaks_to_the_sandbox_only(aws: Account) -> None:
    with running("sandbox.aws.plugin", {**aws.env, "AWS_ENDPOINT_URL": ""}) as plugin:
        with pytest.raises(EngineError, match=r"speaks to the sandbox only, not to AWS \(AWS_ENDPOINT_URL\)"):
            plugin.configure(region="us-east-1")
        with pytest.raises(EngineError, match=r"not to https://s3\.amazonaws\.com \(endpoint s3\)"):
            plugin.configure(endpoints=json.dumps([{"": aws.url(), "s3": "https://s3.amazonaws.com"}]))


def test_the_stores_are_two_accounts_and_anybody_may_read_their_bundles(aws: Account) -> None:
    import httpx

    for door, bucket in (("aws", "dao-example-aws"), ("storj", "dao-example-storj")):
        s3 = aws.client("s3", door)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        s3.put_object(Bucket=bucket, Key="docs/x.tar", Body=b"bundle")
        assert httpx.get(f"{aws.url(door)}/{bucket}/docs/x.tar").text == "bundle"
    assert httpx.get(f"{aws.url('storj')}/dao-example-aws/docs/x.tar").status_code == 404
    assert httpx.get(f"{aws.url()}/dao-example-storj/docs/x.tar").status_code == 404


def test_a_stranger_reads_no_private_bucket(aws: Account) -> None:
    import httpx

    s3 = aws.client("s3")
    s3.create_bucket(Bucket="not-for-strangers")
    s3.put_object(Bucket="not-for-strangers", Key="k", Body=b"x")
    assert httpx.get(f"{aws.url()}/not-for-strangers/k").status_code == 403
    s3.delete_object(Bucket="not-for-strangers", Key="k")
    s3.delete_bucket(Bucket="not-for-strangers")


FAULTS = {
    "aws-down": ({"route53 read", "route53 write", "s3", "store"}, "storj"),
    "dns-control-plane-down": ({"route53 write"}, ""),
    "aws-account-suspended": ({"route53 read", "route53 write", "s3", "store"}, ""),
    "aws-account-closed": ({"route53 read", "route53 write", "s3", "store"}, ""),
    "store-gone-aws": ({"store"}, ""),
    "store-gone-storj": ({"storj"}, ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_what_it_names_and_nothing_else(aws: Account, zone: str, fault: str) -> None:
    import httpx

    head = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/{}/aws4_request, SignedHeaders=, Signature="
    }

    def status(method: str, path: str, service: str, door: str = "aws", **headers: str) -> int:
        signed = {name: value.format(service) for name, value in head.items()}
        return httpx.request(method, f"{aws.url(door)}{path}", headers={**signed, **headers}, content=b"").status_code

    asked = {
        "route53 read": lambda **more: status("GET", "/2013-04-01/hostedzone", "route53", **more),
        "route53 write": lambda **more: status("DELETE", "/2013-04-01/healthcheck/none", "route53", **more),
        "s3": lambda **more: status("GET", "/", "s3", **more),
        "store": lambda **more: status("GET", "/dao-example-aws", "s3", **more),
        "storj": lambda **more: status("GET", "/dao-example-storj", "s3", "storj", **more),
    }
    sound = {name: {ask(), ask(**{"X-Sandbox": "data-plane"})} for name, ask in asked.items()}
    aws.state.start_fault(fault)
    try:
        broken = {name for name, ask in asked.items() if ask() not in sound[name]}
        inside = {name for name, ask in asked.items() if ask(**{"X-Sandbox": "data-plane"}) not in sound[name]}
    finally:
        aws.state.end_fault(fault)
    assert broken == FAULTS[fault][0]
    buckets = {"store"} if fault.startswith("aws-account") else broken if fault.startswith("store-gone") else set()
    assert inside == buckets, "the edge reads buckets as anyone does, and what else AWS asks itself goes on"
    assert all(ask() in sound[name] for name, ask in asked.items())


@pytest.mark.parametrize(
    ("fault", "api", "bucket"),
    [
        ("aws-account-suspended", (403, "OptInRequired"), (403, "AllAccessDisabled")),
        ("aws-account-closed", (403, "InvalidClientTokenId"), (404, "NoSuchBucket")),
    ],
)
def test_every_api_of_a_lost_account_answers_so_that_clients_read_why(
    aws: Account, fault: str, api: tuple[int, str], bucket: tuple[int, str]
) -> None:
    """In each protocol: XML of two kinds, queries and JSON."""
    calls = {
        "route53": lambda client: client.list_hosted_zones(),
        "sts": lambda client: client.get_caller_identity(),
        "acm": lambda client: client.list_certificates(),
        "cloudfront": lambda client: client.list_distributions(),
        "s3": lambda client: client.get_object(Bucket="dao-example-aws", Key="k"),
    }
    aws.state.start_fault(fault)
    try:
        for service, call in calls.items():
            with pytest.raises(ClientError) as caught:
                call(aws.client(service))
            answer = caught.value.response
            found = answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
            assert found == (bucket if service == "s3" else api), service
    finally:
        aws.state.end_fault(fault)
    assert aws.client("route53").list_hosted_zones()["HostedZones"]


def test_a_fault_reads_as_what_it_is(plugin: Plugin, aws: Account, zone: str) -> None:
    aws.state.start_fault("dns-control-plane-down")
    try:
        said = refusal(plugin, RECORD, "r", simple(zone, "down.dao.example"))
    finally:
        aws.state.end_fault("dns-control-plane-down")
    assert "StatusCode: 503, ServiceUnavailable: The Route 53 control plane in us-east-1 is down." in said
    assert "mend dns-control-plane-down" in said


def test_the_inventory_names_everything_and_is_empty_at_the_end(
    plugin: Plugin, aws: Account, zone: str, check: Stood, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.aws import inventory

    monkeypatch.setenv("UNMOOR_SANDBOX", aws.env["UNMOOR_SANDBOX"])
    stood = [
        check,
        plugin.create(RECORD, "r", simple(zone, "seen.dao.example")),
        plugin.create(BUCKET, "b", {"bucket": "seen-bucket"}),
        control(plugin, "seen-oac"),
        plugin.create(FUNCTION, "f", {**FUNCTION_INPUTS, "name": "seen-function"}),
        plugin.create(HEADERS, "c", {**HEADERS_INPUTS, "name": "seen-headers"}),
        plugin.create(CERTIFICATE, "z", {"domainName": "seen.dao.example"}),
        plugin.create(DISTRIBUTION, "d", distribution()),
    ]
    assert set(inventory.objects()) == (
        {
            f"health check {check.id}",
            "record seen.dao.example. A",
            "bucket seen-bucket",
            "origin access control seen-oac-0001020",
            "function seen-function",
            "response headers policies seen-headers",
            "certificate seen.dao.example",
            f"distribution {stood[-1].id}",
        }
    )
    for one in reversed(stood):
        plugin.delete(one)
    assert inventory.objects() == []
