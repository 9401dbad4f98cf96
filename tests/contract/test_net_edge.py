"""The edge against the running processes.

It proves that the parts speak to each other and to standard clients; not that AWS behaves so.
"""

from __future__ import annotations

import gzip
import json
import time
from types import SimpleNamespace

import pytest

from sandbox.client import NotReached, get
from sandbox.net.tls import Authority
from sandbox.state import State

from .net_world import VERSION, until, values

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"

PAGE = b"<p>" + b"words " * 500


@pytest.fixture(scope="module")
def cdn(net):
    """Return a distribution as the docs site has it: private bucket, error page, challenge behaviour, two names."""
    net.s3.create_bucket(Bucket="pages")
    for key, body, said in (
        ("index.html", PAGE, "no-cache"),
        ("404.html", b"not here", "no-cache"),
        ("asset.js", b"one", "max-age=3600"),
        ("guide/index.html", b"the guide", "no-cache"),
        ("healthz", VERSION.encode(), "no-cache"),
    ):
        kind = "text/html" if key.endswith("html") else "text/plain"
        net.s3.put_object(Bucket="pages", Key=key, Body=body, ContentType=kind, CacheControl=said)
    names = ["www.dao.example", "direct-www.dao.example"]
    access = net.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "pages",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    function = publish_function(net)
    shared = {"ViewerProtocolPolicy": "allow-all", "Compress": True}
    content = {
        **shared,
        "TargetOriginId": "content",
        "CachePolicyId": OPTIMIZED,
        "ResponseHeadersPolicyId": SECURITY_HEADERS,
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [{"EventType": "viewer-request", "FunctionARN": function}],
        },
    }
    challenge = {**shared, "TargetOriginId": "peer", "CachePolicyId": DISABLED, "OriginRequestPolicyId": ALL_VIEWER}
    peer = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    bucket = {
        "Id": "content",
        "DomainName": "pages.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": access,
    }
    config = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Aliases": {"Quantity": 2, "Items": names},
        "Origins": {
            "Quantity": 2,
            "Items": [bucket, {"Id": "peer", "DomainName": "peer.dao.example", "CustomOriginConfig": peer}],
        },
        "DefaultCacheBehavior": content,
        "CacheBehaviors": {
            "Quantity": 2,
            "Items": [
                {**challenge, "PathPattern": "/.well-known/acme-challenge/*"},
                {**content, "PathPattern": "/secure/*", "ViewerProtocolPolicy": "redirect-to-https"},
            ],
        },
        "CustomErrorResponses": {
            "Quantity": 1,
            "Items": [
                {"ErrorCode": 403, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 1}
            ],
        },
        "ViewerCertificate": {"ACMCertificateArn": certificate(net, names), "SSLSupportMethod": "sni-only"},
    }
    made = net.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    for name in names:
        target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": made["DomainName"], "EvaluateTargetHealth": False}
        net.put(name, AliasTarget=target)
    allow(net, made["ARN"])
    assert until(lambda: values(net.ask(names[0])) and get(f"http://{names[0]}/healthz", net.state).status == 200)
    return SimpleNamespace(id=made["Id"], arn=made["ARN"], domain=made["DomainName"])


def certificate(net, names):
    acm = net.client("acm")
    arn = acm.request_certificate(DomainName=names[0], SubjectAlternativeNames=names[1:], ValidationMethod="DNS")
    arn = arn["CertificateArn"]
    for one in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
        net.put(one["ResourceRecord"]["Name"], "CNAME", values=[one["ResourceRecord"]["Value"]])
    assert "ISSUED" == acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    return arn


def publish_function(net):
    """Return a function that leads folders to their index, as sites need that have no index.html in their links."""
    code = b"function handler(event) { var r = event.request; r.uri = r.uri.replace(/[/]$/, '/index.html'); return r }"
    cloudfront, config = net.client("cloudfront"), {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="index", FunctionConfig=config, FunctionCode=code)
    cloudfront.publish_function(Name="index", IfMatch=made["ETag"])
    return made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def allow(net, arn):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::pages/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    net.s3.put_bucket_policy(Bucket="pages", Policy=json.dumps({"Statement": [statement]}))
    time.sleep(0.6)


def test_an_alias_leads_to_the_edge_with_the_alias_ttl(net, cdn):
    (found,) = net.ask("www.dao.example").answer
    assert found.ttl == 3
    assert str(found[0]).startswith("192.0.2.")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_edge_serves_each_name_over_http_and_trusted_https(net, cdn, scheme):
    with net.web() as web:
        for host in ("www.dao.example", "direct-www.dao.example", cdn.domain):
            answer = web.get(f"{scheme}://{host}/")
            assert (200, PAGE) == (answer.status_code, answer.content)
            assert ("br", "text/html") == (answer.headers["content-encoding"], answer.headers["content-type"])


def test_the_edge_sends_plain_bytes_to_who_takes_no_gzip_and_304_to_who_has_them(net, cdn):
    with net.web(headers={"Accept-Encoding": "identity"}) as web:
        answer = web.get("http://www.dao.example/index.html")
        assert "content-encoding" not in answer.headers
        again = web.get("http://www.dao.example/index.html", headers={"If-None-Match": answer.headers["etag"]})
        assert (304, b"") == (again.status_code, again.content)
        assert (200, b"") == ((head := web.head("http://www.dao.example/")).status_code, head.content)
    assert gzip.decompress(gzip.compress(PAGE)) == answer.content


def test_other_names_are_not_served(net, cdn):
    address = values(net.ask("www.dao.example"))[0]
    with net.web() as web:
        assert 403 == web.get(f"http://{address}/", headers={"Host": "stranger.dao.example"}).status_code
    with pytest.raises(NotReached, match="SSL"):
        get("https://stranger.dao.example/", net.state, address=address)
    assert 200 == get("https://www.dao.example/", net.state, address=address).status


def test_what_is_missing_is_the_error_page(net, cdn):
    with net.web() as web:
        answer = web.get("http://www.dao.example/no-such-page")
        assert (404, "not here") == (answer.status_code, answer.text)


def test_functions_and_header_policies_do_their_work(net, cdn):
    with net.web() as web:
        answer = web.get("https://www.dao.example/guide/")
        assert (200, "the guide") == (answer.status_code, answer.text)
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "max-age=31536000" == answer.headers["strict-transport-security"]


def test_methods_and_plain_http_are_refused_by_the_behaviour(net, cdn):
    with net.web() as web:
        assert 403 == web.post("http://www.dao.example/").status_code
        answer = web.get("http://www.dao.example/secure/x?y=z")
        assert (301, "https://www.dao.example/secure/x?y=z") == (answer.status_code, answer.headers["location"])


def test_a_challenge_passes_to_the_other_site_with_the_viewers_host(net, cdn, peer):
    net.state.publish_route("203.0.113.51", 80, peer.port)
    net.put("peer.dao.example", values=["203.0.113.51"])
    peer.body = b"token.key"
    with net.web() as web:
        for _ in range(2):
            assert "token.key" == web.get("http://www.dao.example/.well-known/acme-challenge/token?q=1").text
    path, headers, _ = peer.seen[-1]
    assert ("/.well-known/acme-challenge/token?q=1", "www.dao.example") == (path, headers["host"])
    assert 2 == len(peer.seen)


def test_what_is_kept_is_served_until_it_is_invalidated(net, cdn):
    url = "http://www.dao.example/asset.js"
    with net.web() as web:
        assert "one" == web.get(url).text
        net.s3.put_object(Bucket="pages", Key="asset.js", Body=b"two", CacheControl="max-age=3600")
        kept = web.get(url)
        assert ("one", "Hit from cloudfront") == (kept.text, kept.headers["x-cache"])
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "1"}
        net.client("cloudfront").create_invalidation(DistributionId=cdn.id, InvalidationBatch=batch)
        assert until(lambda: web.get(url).text == "two")


def test_a_bucket_that_does_not_let_this_distribution_in_answers_403(net, cdn):
    allow(net, cdn.arn[:-1] + "?")
    try:
        with net.web() as web:
            assert 403 == web.get("http://www.dao.example/never-asked-before").status_code
    finally:
        allow(net, cdn.arn)


def test_while_aws_is_down_the_edge_answers_nothing_and_dns_goes_on(net, cdn):
    net.state.start_fault("aws-down")
    try:
        for scheme in ("http", "https"):
            with pytest.raises(NotReached):
                get(f"{scheme}://www.dao.example/", net.state)
        assert values(net.ask("www.dao.example"))
    finally:
        net.state.end_fault("aws-down")
    assert 200 == get("http://www.dao.example/", net.state).status


def test_a_certificate_of_a_stranger_is_refused_and_one_can_look_all_the_same(net, cdn):
    stranger = Authority(State(net.state.root / "stranger"))
    net.state.publish_route("203.0.113.71", 443, net.state.route(values(net.ask("www.dao.example"))[0], 443)[1])
    assert 200 == get("https://www.dao.example/", net.state, address="203.0.113.71").status
    trusting = State(net.state.root / "stranger")
    trusting.prepare()
    trusting.publish_route("203.0.113.71", 443, net.state.route("203.0.113.71", 443)[1])
    with pytest.raises(NotReached, match="the certificate is not valid"):
        get("https://www.dao.example/", trusting, address="203.0.113.71")
    assert 200 == get("https://www.dao.example/", trusting, address="203.0.113.71", verify=False).status
    stranger.trust(net.state.ca.read_text())
    assert 200 == get("https://www.dao.example/", trusting, address="203.0.113.71").status
