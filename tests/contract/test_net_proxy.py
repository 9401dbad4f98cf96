"""The proxy and the stores against the running processes.

It proves that the parts speak to each other and to standard clients; not that AWS behaves so.
"""

from __future__ import annotations

import socket

import boto3
import httpx
import pytest
from botocore.config import Config

from .net_world import KEYS, VERSION


def test_the_proxy_passes_plain_http_on_and_keeps_the_host_that_was_asked(net, peer):
    net.state.publish_route("203.0.113.41", 80, peer.port)
    net.put("plain.dao.example", values=["203.0.113.41"])
    with net.web() as web:
        for _ in range(2):
            assert VERSION == web.get("http://plain.dao.example/a?b=c").text
        web.post("http://203.0.113.41/up", content=b"x" * 3_000_000, headers={"Host": "other.example"})
    assert ("/a?b=c", "plain.dao.example") == (peer.seen[0][0], peer.seen[0][1]["host"])
    assert ("other.example", 3_000_000) == (peer.seen[-1][1]["host"], len(peer.seen[-1][2]))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://nowhere.example/", "no such name: nowhere.example"),
        ("http://203.0.113.99/", "connection refused: nothing listens at port 80 of 203.0.113.99"),
        ("http://127.0.0.1:22/", "connection refused: nothing listens at port 22 of 127.0.0.1"),
    ],
)
def test_where_no_route_leads_the_proxy_reports_it(net, url, sentence):
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


def test_a_client_that_leaves_in_the_middle_takes_nothing_with_it(net, peer):
    net.state.publish_route("203.0.113.42", 80, peer.port)
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
    net.s3.put_object(Bucket="dao-example-aws", Key="a/b.tar", Body=b"z" * 2_000_000)
    net.client("s3", "storj").put_object(Bucket="dao-example-storj", Key="a/b.tar", Body=b"z" * 2_000_000)
    with net.web() as web:
        for url in (
            "https://s3.us-east-1.amazonaws.com/dao-example-aws/a/b.tar",
            "https://dao-example-aws.s3.us-east-1.amazonaws.com/a/b.tar",
            "https://gateway.storjshare.io/dao-example-storj/a/b.tar",
        ):
            assert (url, 200, 2_000_000) == (url, (answer := web.get(url)).status_code, len(answer.content))
        assert 404 == web.get("https://gateway.storjshare.io/dao-example-aws/a/b.tar").status_code


def test_a_store_takes_what_an_s3_client_sends_through_the_proxy(net):
    options = Config(proxies={"https": f"http://127.0.0.1:{net.state.port('proxy')}"})
    url, trusted = "https://gateway.storjshare.io", str(net.state.ca_bundle)
    s3 = boto3.client("s3", "us-east-1", endpoint_url=url, verify=trusted, config=options, **KEYS)
    s3.put_object(Bucket="dao-example-storj", Key="c", Body=b"y" * 1_000_000)
    assert 1_000_000 == len(s3.get_object(Bucket="dao-example-storj", Key="c")["Body"].read())
    assert {"c"} <= {one["Key"] for one in s3.list_objects_v2(Bucket="dao-example-storj")["Contents"]}
