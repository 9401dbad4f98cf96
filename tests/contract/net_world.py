"""A sandbox's AWS and internet as running processes, for tests that speak to them with standard clients."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import boto3
import dns.message
import dns.query
import httpx
import pytest

from sandbox.state import State
from tests.loopback import Loopback

#: Longest wait for something that happens by itself, in seconds.
PATIENCE = 30
VERSION = "5" * 64
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def until(condition):
    """Return the condition's first true value; the last one when patience ends."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Yield the sandbox's AWS, and its internet in front of it."""
    state = State(tmp_path_factory.mktemp("sandbox"))
    state.prepare()
    variables = {**os.environ, "UNMOOR_SANDBOX": str(state.root), "UNMOOR_SANDBOX_ALIAS_TTL": "3"}
    processes = [
        subprocess.Popen([sys.executable, "-m", f"sandbox.{name}"], env=variables, start_new_session=True)
        for name in ("aws", "net")
    ]
    try:
        assert until(lambda: {"aws", "storj", "dns", "proxy"} <= state.ports().keys())
        yield world(state)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(10) for process in processes]
    assert [0, 0] == ended


def world(state):
    def client(name, door="aws"):
        return boto3.client(
            name,
            endpoint_url=f"http://127.0.0.1:{state.port(door)}",
            region_name="us-east-1",
            **KEYS,
        )

    route53, s3 = client("route53"), client("s3")
    (zone,) = (one["Id"] for one in route53.list_hosted_zones()["HostedZones"])

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

    return SimpleNamespace(state=state, client=client, route53=route53, s3=s3, put=put, ask=ask, web=web)


@pytest.fixture
def peer():
    """Yield a web server that answers with its request, and the way to make it sick."""
    held = SimpleNamespace(status=200, seen=[], body=VERSION.encode())

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            held.seen.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(held.status)
            self.send_header("Content-Length", str(len(held.body)))
            self.end_headers()
            self.wfile.write(held.body)

        do_POST = do_GET  # noqa: N815 - the name the base class looks for

        def log_message(self, *_):
            pass

    server = Loopback(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    held.port = server.server_address[1]
    yield held
    server.shutdown()
    server.server_close()


def values(answer):
    return [str(record) for one in answer.answer for record in one]
