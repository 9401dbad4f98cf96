"""What CloudFront decides about a request, as tables."""

from __future__ import annotations

import pytest

from sandbox.net import headers
from sandbox.net.cache import Cache
from sandbox.net.delivery import deliver
from sandbox.net.distribution import Behaviour, compression, invalidates, lifetime, read
from sandbox.net.origin import key_of
from sandbox.net.policy import allows
from sandbox.net.server import Asked
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


def behaviour(**changes):
    one = read(distribution(), no_policies).behaviours[-1]
    return Behaviour(**{**vars(one), "compress": True, "codings": ("br", "gzip"), **changes})


@pytest.mark.parametrize(
    ("accept", "kind", "size", "coding"),
    [
        ("gzip, br", "text/html", 5_000, "br"),
        ("gzip, br;q=0", "text/html", 5_000, "gzip"),
        ("gzip, deflate", "text/html; charset=utf-8", 5_000, "gzip"),
        ("gzip", "image/png", 5_000, ""),
        ("gzip", "text/markdown", 5_000, ""),
        ("gzip", "application/json; charset=utf-8", 1_000, "gzip"),
        ("gzip", "text/html", 999, ""),
        ("gzip", "text/html", 10_000_001, ""),
        ("identity", "text/html", 5_000, ""),
        ("", "text/html", 5_000, ""),
        ("x-gzip-br", "text/html", 5_000, ""),
    ],
)
def test_listed_types_of_some_size_are_compressed_for_who_takes_it(accept, kind, size, coding):
    assert coding == compression(behaviour(), accept, [("content-type", kind)], size)


def test_the_cache_policy_enables_each_coding():
    policy = {"ParametersInCacheKeyAndForwardedToOrigin": {"EnableAcceptEncodingGzip": True}}
    shape = distribution()
    shape["DistributionConfig"]["DefaultCacheBehavior"]["CachePolicyId"] = "P"
    assert ("gzip",) == read(shape, lambda _: policy).behaviours[-1].codings
    assert ("gzip",) == read(distribution(), no_policies).behaviours[-1].codings


DAY = "Thu, 26 Nov 2026 00:00:00 GMT"
WHOLE = Response(
    200, [("content-type", "text/html"), ("etag", '"abc"'), ("last-modified", DAY)], bytes(range(256)) * 10
)


def delivered(response=WHOLE, **headers):
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return deliver(behaviour(), Asked("GET", "h", "/", "", sent, b"", secure=True, address=""), response)


@pytest.mark.parametrize(
    ("wanted", "status", "told", "body"),
    [
        ("bytes=0-9", 206, "bytes 0-9/2560", WHOLE.body[:10]),
        ("bytes=2550-", 206, "bytes 2550-2559/2560", WHOLE.body[2550:]),
        ("bytes=-5", 206, "bytes 2555-2559/2560", WHOLE.body[-5:]),
        ("bytes=-9999", 206, "bytes 0-2559/2560", WHOLE.body),
        ("bytes=0-99999", 206, "bytes 0-2559/2560", WHOLE.body),
        ("bytes=2560-", 416, "bytes */2560", b""),
        ("bytes=-0", 416, "bytes */2560", b""),
        ("bytes=9-0", 200, "", WHOLE.body),
        ("lines=0-9", 200, "", WHOLE.body),
        ("bytes=0-1,4-5", 200, "", WHOLE.body),
    ],
)
def test_a_range_is_a_part(wanted, status, told, body):
    found = delivered(range=wanted, accept_encoding="identity")
    assert (status, told, body) == (found.status, found.header("content-range"), found.body)


def test_a_part_of_another_version_is_the_whole():
    assert 206 == delivered(range="bytes=0-1", if_range='"abc"').status
    assert 200 == delivered(range="bytes=0-1", if_range='"abd"').status


def test_a_part_is_not_compressed_and_an_error_has_no_parts():
    assert "" == delivered(range="bytes=0-1999", accept_encoding="gzip, br").header("content-encoding")
    assert 404 == delivered(Response(404, WHOLE.headers, WHOLE.body), range="bytes=0-1").status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": '"abc"'}, 304),
        ({"if_none_match": 'W/"abc"'}, 304),
        ({"if_none_match": '"x", W/"abc"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"ab"'}, 200),
        ({"if_none_match": '"ab"', "if_modified_since": DAY}, 200),
        ({"if_modified_since": DAY}, 304),
        ({"if_modified_since": "Wed, 25 Nov 2026 00:00:00 GMT"}, 200),
        ({"if_modified_since": "yesterday"}, 200),
    ],
)
def test_what_the_viewer_has_is_not_sent_again(headers, status):
    found = delivered(**headers)
    assert status == found.status
    assert bool(found.body) == (status == 200)


def test_a_compressed_body_has_a_weak_etag():
    found = delivered(accept_encoding="br")
    assert ('W/"abc"', "br", "Accept-Encoding") == tuple(
        found.header(name) for name in ("etag", "content-encoding", "vary")
    )
    assert len(found.body) < len(WHOLE.body)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/a%20b.html", "a b.html"),
        ("/gr%C3%BC%C3%9Fe", "gr\u00fc\u00dfe"),
        ("/100%25.html", "100%.html"),
        ("/100%2525.html", "100%25.html"),
        ("/c++.html", "c  .html"),
        ("/c%2B%2B.html", "c++.html"),
        ("/guide%2Findex.html", "guide/index.html"),
        ("//a", "/a"),
        ("/", ""),
    ],
)
def test_s3_decodes_a_path_once_and_reads_a_plus_as_a_space(path, key):
    assert key == key_of(path)


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
