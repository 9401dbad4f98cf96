"""The sandbox's internet as a running process, in front of a moto of its own.

It proves that the parts speak to each other and to standard clients (dnspython, httpx, ssl); not that AWS behaves so.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import boto3
import dns.flags
import dns.message
import dns.query
import dns.rcode
import httpx
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from sandbox.client import NotReached, Visitor, get
from sandbox.net.tls import Authority
from sandbox.state import State

#: Longest wait for something that happens by itself, in seconds.
PATIENCE = 20
OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
VERSION = "5" * 64


def until(condition):
    """The condition's first true value; the last one when patience ends."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A moto, and the sandbox's internet in front of it."""
    state = State(tmp_path_factory.mktemp("sandbox"))
    state.prepare()
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    state.publish_port("aws", port)
    state.publish_port("storj", port)
    variables = {**os.environ, "UNMOOR_SANDBOX": str(state.root), "UNMOOR_SANDBOX_ALIAS_TTL": "3"}
    process = subprocess.Popen([sys.executable, "-m", "sandbox.net"], env=variables, start_new_session=True)
    try:
        assert until(lambda: state.port("dns") and state.port("proxy"))
        yield world(state, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(10)
        moto.stop()
    assert ended == 0


def world(state, port, process):
    def client(name):
        return boto3.client(
            name,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(parameter_validation=False),  # health checks faster than Route 53 sells them
        )

    route53, s3 = client("route53"), client("s3")
    zone = route53.create_hosted_zone(Name="dao.example", CallerReference="1")["HostedZone"]["Id"]

    def put(name, kind="A", action="UPSERT", **fields):
        if values := fields.pop("values", None):
            fields["ResourceRecords"] = [{"Value": value} for value in values]
            fields.setdefault("TTL", 1)
        change = {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind, **fields}}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
        time.sleep(0.6)  # what the server knows may be half a second old

    def ask(name, kind="A", over=dns.query.udp):
        return over(dns.message.make_query(name, kind, use_edns=0), "127.0.0.1", port=state.port("dns"), timeout=5)

    def web(**options):
        trusted = ssl.create_default_context(cafile=state.ca_bundle)
        return httpx.Client(proxy=f"http://127.0.0.1:{state.port('proxy')}", verify=trusted, trust_env=False, **options)

    return SimpleNamespace(
        state=state, client=client, route53=route53, s3=s3, put=put, ask=ask, web=web, process=process
    )


@pytest.fixture
def site():
    """A web server that says what it was asked, and how to make it sick."""
    said = SimpleNamespace(status=200, seen=[], body=VERSION.encode())

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said.seen.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_POST = do_GET  # noqa: N815 - the name the base class looks for

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said.port = server.server_address[1]
    yield said
    server.shutdown()
    server.server_close()


def values(answer):
    return [str(record) for one in answer.answer for record in one]


# Names


def test_dns_answers_over_udp_and_tcp_in_any_case_and_keeps_the_case_asked(net):
    net.put("txt.dao.example", "TXT", values=['"hello"'])
    for over in (dns.query.udp, dns.query.tcp):
        answer = net.ask("TxT.DAO.example", "TXT", over)
        assert (["TxT.DAO.example."], ['"hello"']) == ([str(one.name) for one in answer.answer], values(answer))
        assert answer.flags & dns.flags.AA


def test_absence_is_told_apart(net):
    net.put("there.dao.example", values=["203.0.113.1"])
    nodata, nxdomain = net.ask("there.dao.example", "AAAA"), net.ask("not-there.dao.example")
    assert (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) == (nodata.rcode(), nxdomain.rcode())
    assert ["dao.example.", "dao.example."] == [str(one.authority[0].name) for one in (nodata, nxdomain)]


def test_types_that_name_hosts_are_absolute_however_they_were_written(net):
    net.put("dao.example", "MX", values=["10 mail.dao.example"])
    net.put("dao.example", "CAA", values=['0 issue "letsencrypt.org"'])
    assert ["10 mail.dao.example."] == values(net.ask("dao.example", "MX"))
    assert ['0 issue "letsencrypt.org"'] == values(net.ask("dao.example", "CAA"))
    assert 4 == len(values(net.ask("dao.example", "NS")))
    assert 1 == len(values(net.ask("dao.example", "SOA")))


def test_cnames_are_followed_out_of_the_zone_to_names_of_the_world(net):
    net.state.publish_host("gateway.example", "198.51.100.77")
    net.put("link.dao.example", "CNAME", values=["Gateway.example"])
    assert ["gateway.example.", "198.51.100.77"] == [one.lower() for one in values(net.ask("link.dao.example"))]


def test_too_much_for_a_datagram_is_had_over_tcp(net):
    net.put("many.dao.example", "TXT", values=[f'"{n:03}{"x" * 200}"' for n in range(20)])
    assert net.ask("many.dao.example", "TXT").flags & dns.flags.TC
    assert 20 == len(values(net.ask("many.dao.example", "TXT", dns.query.tcp)))


def test_rubbish_does_not_end_the_server(net):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for rubbish in (b"", b"\0", os.urandom(200)):
            sender.sendto(rubbish, ("127.0.0.1", net.state.port("dns")))
    assert dns.rcode.NOERROR == net.ask("dao.example", "SOA").rcode()


# Health


def check_of(net, host, **config):
    shape = {"Type": "HTTP", "Port": 80, "FullyQualifiedDomainName": host, "RequestInterval": 1, "FailureThreshold": 2}
    made = net.route53.create_health_check(CallerReference=host, HealthCheckConfig=shape | config)
    return made["HealthCheck"]["Id"]


def shown(net, check):
    return json.loads((net.state.root / "health.json").read_text()).get(check, {})


def test_a_sick_primary_hands_over_to_the_secondary_and_takes_back(net, site):
    net.state.publish_route("203.0.113.21", 80, site.port)
    net.put("direct.dao.example", values=["203.0.113.21"])
    check = check_of(net, "direct.dao.example", Type="HTTP_STR_MATCH", ResourcePath="/healthz", SearchString="5555")
    net.put("fail.dao.example", values=["203.0.113.21"], SetIdentifier="p", Failover="PRIMARY", HealthCheckId=check)
    net.put("fail.dao.example", values=["203.0.113.22"], SetIdentifier="s", Failover="SECONDARY")
    assert until(lambda: shown(net, check).get("healthy") and site.seen)
    assert ["203.0.113.21"] == values(net.ask("fail.dao.example"))
    site.body = b"not what it should be"
    assert until(lambda: values(net.ask("fail.dao.example")) == ["203.0.113.22"])
    assert not shown(net, check)["healthy"]
    site.body = VERSION.encode()
    assert until(lambda: values(net.ask("fail.dao.example")) == ["203.0.113.21"])
    path, headers, _ = site.seen[-1]
    assert ("/healthz", "direct.dao.example") == (path, headers["host"])


def test_a_check_over_https_believes_any_certificate_as_the_real_one_does(net, tmp_path):
    stranger = Authority(State(tmp_path / "stranger"))
    names = []
    context = stranger.context(("wrong.example",))
    context.sni_callback = lambda _, name, __: names.append(name)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    net.state.publish_route("203.0.113.31", 443, server.server_address[1])
    check = check_of(net, "tls.dao.example", Type="HTTPS", Port=443, IPAddress="203.0.113.31")
    assert until(lambda: "status 204" in json.dumps(shown(net, check)))
    assert "tls.dao.example" in names
    server.shutdown()
    server.server_close()


# The proxy


def test_the_proxy_passes_plain_http_on_and_keeps_the_host_that_was_asked(net, site):
    net.state.publish_route("203.0.113.41", 80, site.port)
    net.put("plain.dao.example", values=["203.0.113.41"])
    with net.web() as web:
        for _ in range(2):
            assert VERSION == web.get("http://plain.dao.example/a?b=c").text
        web.post("http://203.0.113.41/up", content=b"x" * 3_000_000, headers={"Host": "other.example"})
    assert ("/a?b=c", "plain.dao.example") == (site.seen[0][0], site.seen[0][1]["host"])
    assert ("other.example", 3_000_000) == (site.seen[-1][1]["host"], len(site.seen[-1][2]))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://nowhere.example/", "no such name: nowhere.example"),
        ("http://203.0.113.99/", "connection refused: nothing listens at port 80 of 203.0.113.99"),
        ("http://127.0.0.1:22/", "connection refused: nothing listens at port 22 of 127.0.0.1"),
    ],
)
def test_where_no_route_leads_the_proxy_says_so(net, url, sentence):
    with net.web() as web:
        answer = web.get(url)
        assert 502 == answer.status_code
        assert sentence in answer.text
        with pytest.raises(httpx.ProxyError, match="502"):
            web.get(url.replace("http:", "https:"))


def test_the_proxy_never_leaves_this_machine(net):
    (net.state.root / "routes" / "203.0.113.98_80").write_text("192.168.0.1:80\n")
    with net.web() as web:
        assert 502 == web.get("http://203.0.113.98/").status_code


def test_a_client_that_leaves_in_the_middle_takes_nothing_with_it(net, site):
    net.state.publish_route("203.0.113.42", 80, site.port)
    for sent in (
        b"",
        b"GET http://203.0.113.42/ HT",
        b"POST http://203.0.113.42/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ):
        with socket.create_connection(("127.0.0.1", net.state.port("proxy"))) as client:
            client.sendall(sent)
    with net.web() as web:
        assert VERSION == web.get("http://203.0.113.42/").text


def test_stores_answer_by_their_real_names_over_trusted_tls(net):
    net.s3.create_bucket(Bucket="store")
    net.s3.put_object(Bucket="store", Key="a/b.tar", Body=b"z" * 2_000_000, ACL="public-read")
    with net.web() as web:
        for url in (
            "https://s3.us-east-1.amazonaws.com/store/a/b.tar",
            "https://store.s3.us-east-1.amazonaws.com/a/b.tar",
            "https://gateway.storjshare.io/store/a/b.tar",
        ):
            assert (url, 200, 2_000_000) == (url, (answer := web.get(url)).status_code, len(answer.content))


# The edge

PAGE = b"<p>" + b"words " * 500


@pytest.fixture(scope="module")
def cdn(net):
    """A distribution as the docs site has it: private bucket, error page, challenge behaviour, two names."""
    net.s3.create_bucket(Bucket="pages")
    for key, body, said in (
        ("index.html", PAGE, "no-cache"),
        ("404.html", b"not here", "no-cache"),
        ("asset.js", b"one", "max-age=3600"),
        ("healthz", VERSION.encode(), "no-cache"),
    ):
        kind = "text/html" if key.endswith("html") else "text/plain"
        net.s3.put_object(Bucket="pages", Key=key, Body=body, ContentType=kind, CacheControl=said)
    names = ["www.dao.example", "direct-www.dao.example"]
    certificate = net.client("acm").request_certificate(
        DomainName=names[0], SubjectAlternativeNames=names[1:], ValidationMethod="DNS"
    )["CertificateArn"]
    shared = {"ViewerProtocolPolicy": "allow-all", "Compress": True, "MinTTL": 0}
    content = {**shared, "TargetOriginId": "content", "CachePolicyId": OPTIMIZED}
    challenge = {**shared, "TargetOriginId": "peer", "CachePolicyId": DISABLED, "OriginRequestPolicyId": ALL_VIEWER}
    peer = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    bucket = {
        "Id": "content",
        "DomainName": "pages.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
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
        "ViewerCertificate": {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only"},
    }
    made = net.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    for name in names:
        target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": made["DomainName"], "EvaluateTargetHealth": False}
        net.put(name, AliasTarget=target)
    allow(net, made["ARN"])
    assert until(lambda: values(net.ask(names[0])))
    return SimpleNamespace(id=made["Id"], arn=made["ARN"], domain=made["DomainName"])


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
            assert ("gzip", "text/html") == (answer.headers["content-encoding"], answer.headers["content-type"])


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


def test_methods_and_plain_http_are_refused_where_the_behaviour_says(net, cdn):
    with net.web() as web:
        assert 403 == web.post("http://www.dao.example/").status_code
        answer = web.get("http://www.dao.example/secure/x?y=z")
        assert (301, "https://www.dao.example/secure/x?y=z") == (answer.status_code, answer.headers["location"])


def test_a_challenge_passes_to_the_other_site_with_the_viewers_host(net, cdn, site):
    net.state.publish_route("203.0.113.51", 80, site.port)
    net.put("peer.dao.example", values=["203.0.113.51"])
    site.body = b"token.key"
    with net.web() as web:
        for _ in range(2):
            assert "token.key" == web.get("http://www.dao.example/.well-known/acme-challenge/token?q=1").text
    path, headers, _ = site.seen[-1]
    assert ("/.well-known/acme-challenge/token?q=1", "www.dao.example") == (path, headers["host"])
    assert 2 == len(site.seen)


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


# The visitor


def test_the_visitor_keeps_an_address_for_its_ttl_and_writes_down_what_fails(net, site):
    net.state.publish_route("203.0.113.61", 80, site.port)
    net.put("visited.dao.example", values=["203.0.113.61"], TTL=4)
    visitor = Visitor("http://visited.dao.example/healthz", net.state)
    visitor.start()
    assert until(lambda: visitor.samples)
    net.state.publish_route("203.0.113.62", 80, site.port)
    net.put("visited.dao.example", values=["203.0.113.62"], TTL=4)
    net.state.withdraw_route("203.0.113.61", 80)
    assert until(lambda: visitor.samples[-1].ok and visitor.samples[-1].address == "203.0.113.62")
    visitor.stop()
    first, last = visitor.samples[0], visitor.samples[-1]
    assert (True, VERSION, "203.0.113.61") == (first.ok, first.version, first.address)
    failed = visitor.failed(first.time, last.time)
    assert {"203.0.113.61"} == {one.address for one in failed}
    assert visitor.outage() == last.time - failed[0].time


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
