"""What CloudFront decides about a request, as tables."""

from __future__ import annotations

import pytest

from sandbox.net import headers
from sandbox.net.cache import Cache
from sandbox.net.distribution import Behaviour, compresses, invalidates, lifetime, read
from sandbox.net.policy import allows
from sandbox.net.wire import Response

ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
THING = "arn:aws:s3:::site/index.html"


def statement(**changes):
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::site/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
    } | changes


INSECURE = {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Action=["s3:Get*"])], True),
        ([statement(Action="s3:PutObject")], False),
        ([statement(Resource="arn:aws:s3:::other/*")], False),
        ([statement(Principal={"AWS": "arn:aws:iam::1:root"})], False),
        ([statement(Condition={"StringEquals": {"AWS:SourceArn": ARN[:-1] + "2"}})], False),
        ([statement(Condition={"ArnLike": {"aws:SourceArn": ARN[:-1] + "*"}})], True),
        ([statement(Condition={"StringNotEquals": {"aws:SourceArn": "another"}})], False),
        ([statement(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], False),
        ([statement(), statement(Effect="Deny", Principal="*", Action="s3:*", Condition=INSECURE)], True),
        ([statement(), statement(Effect="Deny", Principal="*", Action="s3:*", Condition={})], False),
    ],
)
def test_a_bucket_policy_lets_one_distribution_in(statements, allowed):
    assert allowed == allows({"Statement": statements}, "s3:GetObject", THING, ARN)


def distribution(**config):
    behaviour = {"TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all"}
    origins = {"Items": [{"Id": "site", "DomainName": "my.site.s3.us-east-1.amazonaws.com"}]}
    defaults = {"Enabled": True, "DefaultCacheBehavior": behaviour, "Origins": origins}
    facts = {"Id": "E1", "ARN": ARN, "DomainName": "d1.cloudfront.net", "Status": "Deployed"}
    return facts | {"DistributionConfig": defaults | config}


def no_policies(_: str):
    return {}


def test_the_bucket_is_the_origins_name_before_s3():
    assert "my.site" == read(distribution(), no_policies).origins["site"].bucket


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/index.html", "*"),
        ("/.well-known/acme-challenge/t", "/.well-known/acme-challenge/*"),
        ("/.well-known/other", "*"),
        ("/a/b.jpg", "*.jpg"),
        ("/images/a1.png", "images/a?.png"),
        ("/images/a12.png", "*"),
        ("/Images/a1.png", "*"),
    ],
)
def test_the_first_pattern_that_covers_a_path_counts(path, pattern):
    more = [{"PathPattern": one} for one in ("/.well-known/acme-challenge/*", "*.jpg", "images/a?.png")]
    shared = {"TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all"}
    shape = distribution(CacheBehaviors={"Items": [one | shared for one in more]})
    assert pattern == read(shape, no_policies).behaviour(path).pattern


OPTIMIZED = (1, 86_400, 31_536_000)


@pytest.mark.parametrize(
    ("ttls", "said", "seconds"),
    [
        (OPTIMIZED, "", 86_400),
        (OPTIMIZED, "max-age=60", 60),
        (OPTIMIZED, "public, max-age=60, s-maxage=30", 30),
        (OPTIMIZED, "no-cache", 1),
        (OPTIMIZED, "no-store", 1),
        (OPTIMIZED, "max-age=0", 1),
        (OPTIMIZED, "max-age=99999999", 31_536_000),
        ((0, 0, 0), "max-age=60", 0),
        ((0, 0, 0), "", 0),
        ((0, 300, 600), "", 300),
    ],
)
def test_a_response_is_kept_as_long_as_policy_and_origin_say(ttls, said, seconds):
    assert seconds == lifetime(ttls, said)


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("/*", {"/", "/a", "/a/b"}),
        ("/a*", {"/a", "/a/b"}),
        ("/a/*", {"/a/b"}),
        ("/a", {"/a"}),
        ("/*/b", set()),  # only a last * is a wildcard
    ],
)
def test_an_invalidation_covers_its_paths(pattern, covered):
    assert covered == {path for path in ("/", "/a", "/a/b") if invalidates(pattern, path)}


@pytest.mark.parametrize(
    ("accept", "kind", "size", "compressed"),
    [
        ("gzip, br", "text/html", 5_000, True),
        ("gzip", "image/png", 5_000, False),
        ("gzip", "text/html", 500, False),
        ("identity", "text/html", 5_000, False),
    ],
)
def test_text_of_some_size_is_compressed_for_who_takes_it(accept, kind, size, compressed):
    one = read(distribution(), no_policies).behaviours[-1]
    one = Behaviour(**{**vars(one), "compress": True})
    assert compressed == compresses(one, accept, 200, [("content-type", kind)], size)


def test_an_object_asked_for_before_an_invalidation_is_not_kept_after_it():
    cache, key = Cache(), ("E1", "/a")
    cache.invalidate("E1", ["/*"])
    cache.put(key, Response(200, [], b"old"), asked=0.0, lifetime=1e9)
    assert cache.get(key) is None


def test_a_headers_policy_sets_overrides_and_removes():
    policy = headers.read(
        {
            "SecurityHeadersConfig": {
                "StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": 5, "IncludeSubdomains": True},
                "ContentTypeOptions": {"Override": True},
                "FrameOptions": {"Override": False, "FrameOption": "DENY"},
            },
            "CustomHeadersConfig": {"Items": [{"Header": "X-Mine", "Value": "1", "Override": False}]},
            "RemoveHeadersConfig": {"Items": [{"Header": "Server"}]},
        }
    )
    own = [("server", "AmazonS3"), ("x-frame-options", "SAMEORIGIN"), ("x-content-type-options", "sniff")]
    expected = {"x-frame-options": "SAMEORIGIN", "x-content-type-options": "nosniff", "x-mine": "1"}
    assert expected == dict(policy.apply(own, secure=False))
    hsts = {"strict-transport-security": "max-age=5; includeSubDomains"}
    assert expected | hsts == dict(policy.apply(own, secure=True))
