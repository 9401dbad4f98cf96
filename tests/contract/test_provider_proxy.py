"""The logs of a lease's containers, by the Console's token and proxy, from the sandbox's Akash."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from components.errors import MarketError
from components.limits import PROVIDER_LOG_LINES
from components.provider.resource import Partial
from components.targets.akash import KEY_VARIABLE, URL_VARIABLE, resource, words
from components.targets.akash.market.reconcile import WallClock
from components.targets.akash.market.request import Patience
from components.targets.akash.rails import provider_proxy
from components.targets.akash.rails.console import ConsoleRail
from components.targets.akash.rails.console_client import Console
from components.targets.akash.resource import DeploymentResource
from sandbox.akash import provider_proxy as stand_in
from sandbox.akash.providers import BY_OWNER
from sandbox.faults import UNPULLED

from .akash_world import OWNERS, SERVE, AkashWorld, sdl, wait
from .deployment_calls import context, inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE = "canary-of-a-lease-90d2-aa17"
OWNER = OWNERS["europa"]
LOGS = f'n=0; while [ $n -lt 40 ]; do n=$((n+1)); echo "line $n"; done; echo "the token is {VALUE}"; {SERVE}'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as made:
        yield made


@pytest.fixture(scope="module")
def dseq(world: AkashWorld) -> str:
    return world.run(sdl(LOGS))


@pytest.fixture
def place(world: AkashWorld, monkeypatch: pytest.MonkeyPatch) -> str:
    """Route the proxy's name, for which it has a certificate, to its local port."""
    monkeypatch.setenv(URL_VARIABLE, str(world.api.base_url))
    monkeypatch.setenv(KEY_VARIABLE, "sandbox-key")
    route = world.state.route(stand_in.ADDRESS, 443)
    assert route is not None
    assert stand_in.HOST in provider_proxy.URL
    trusted = ssl.create_default_context(cafile=world.state.ca)
    trusted.check_hostname = False
    monkeypatch.setattr(provider_proxy, "_validating", lambda: trusted)
    return f"wss://127.0.0.1:{route[1]}/ws"


def read(place: str, dseq: str, service: str = "web", **more: Any) -> list[provider_proxy.Line]:
    console = Console(WallClock(threading.Event()))
    gateway = more.get("gateway", BY_OWNER[OWNER].host_uri)
    try:
        return provider_proxy.last_lines(console, gateway, more.get("provider", OWNER), dseq, service, place)
    finally:
        console.close()


def test_the_last_lines_of_a_service_are_read_and_no_older_ones(place: str, dseq: str) -> None:
    found = wait(lambda: read(place, dseq))
    assert len(found) == PROVIDER_LOG_LINES
    assert all(line.source.startswith("web-") for line in found)
    assert f"the token is {VALUE}" in [line.text for line in found]
    assert "line 2" not in [line.text for line in found]


def test_they_are_quoted_by_service_without_the_values_of_the_environment(
    place: str, dseq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", VALUE)
    real = provider_proxy.last_lines
    monkeypatch.setattr(provider_proxy, "last_lines", lambda *given: real(*given, place))
    with ConsoleRail(WallClock(threading.Event())) as rail:
        found = wait(lambda: words.of(rail, dseq, ["web"], "dao/prod"))
    assert "web: the token is ***" in [str(fault) for fault in found]
    assert VALUE not in str(found)


PINNED = "docker.io/library/python@sha256:" + "4c" * 32
#: What is broken, the image, and why that cannot be pulled.
PULLS = {
    "missing": ("none", "ghcr.io/nobody/nothing:1", "not found"),
    "registry away": (
        UNPULLED,
        PINNED,
        f'Head "https://docker.io/v2/library/python/manifests/{PINNED.partition("@")[2]}"',
    ),
}


@pytest.mark.parametrize("name", PULLS)
def test_a_lease_that_does_not_come_up_shows_why_in_the_words_of_its_machine(
    name: str, world: AkashWorld, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, image, why = PULLS[name]
    real = provider_proxy.last_lines
    monkeypatch.setattr(provider_proxy, "last_lines", lambda *given: real(*given, place))
    given = inputs("pull.test", image=image)
    monkeypatch.setattr(resource, "Patience", functools.partial(Patience, ready=2.0))
    with world.fault(fault), pytest.raises(Partial) as caught:
        DeploymentResource().create(given, context(timeout_s=0.0))
    (reason,) = caught.value.reasons
    assert "0 of 1 of web available; correct the document and run it again" in reason
    (shown,) = [line for line in reason.splitlines() if f'  - web: Failed: Failed to pull image "{image}": ' in line]
    assert why in shown
    assert "characters more" not in shown
    world.close(caught.value.state.id)


def test_an_image_that_cannot_be_pulled_has_no_log_and_its_events_show_why(world: AkashWorld, place: str) -> None:
    opened = world.create(sdl(image="ghcr.io/nobody/nothing:1"))
    wait(lambda: "europa" in world.bids(opened["dseq"]))
    assert world.take(opened, "europa").status_code == 200
    found = wait(lambda: read(place, opened["dseq"]))
    assert [line.source for line in found] == ["event", "event"]
    assert 'Failed: Failed to pull image "ghcr.io/nobody/nothing:1": not found' in [line.text for line in found]
    world.close(opened["dseq"])


def test_what_is_in_the_way_is_named_and_the_command_that_prints_the_log_by_hand(
    world: AkashWorld, place: str, dseq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MarketError, match="does not show its log"):
        read(place, dseq, gateway="https://elsewhere.example:8443")
    with world.fault("provider-silent-europa", hold=0), pytest.raises(MarketError, match="does not show its log"):
        read(place, dseq)
    with pytest.raises(MarketError, match="the Console's proxy does not answer"):
        read("wss://127.0.0.1:1/ws", dseq)
    real = provider_proxy.last_lines
    monkeypatch.setattr(provider_proxy, "last_lines", lambda *given: real(*given, "wss://127.0.0.1:1/ws"))
    with ConsoleRail(WallClock(threading.Event())) as rail:
        (fault,) = words.of(rail, dseq, ["web"], "dao/prod")
    assert f"`akt provider lease-logs --dseq {dseq} --provider {OWNER} --service web`" in fault.message


def _silent(stream: socket.socket) -> None:
    """Answer nothing after the TLS handshake, which ends with a ticket of the server (TLS 1.3)."""


def _opened(stream: socket.socket, *messages: dict[str, Any]) -> None:
    """Open the WebSocket (RFC 6455, 1.3), send `messages`, and leave it open without a word."""
    request = stream.recv(4096).decode()
    (key,) = [line.split(": ")[1] for line in request.splitlines() if line.lower().startswith("sec-websocket-key")]
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    head = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    stream.sendall("\r\n".join([*head, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode())
    for each in messages:
        content = json.dumps(each).encode()
        stream.sendall(bytes([0x81, len(content)]) + content)


def _elsewhere(stream: socket.socket) -> None:
    """Lead to another address, which may not have the token of this proxy."""
    stream.recv(4096)
    stream.sendall(b"HTTP/1.1 302 Found\r\nLocation: wss://[\r\nContent-Length: 0\r\n\r\n")


LINE = {"type": "websocket", "message": json.dumps({"name": "web-1", "message": "line 1"})}
#: What a proxy does before it answers no more, and the lines that are shown.
SILENCES = {
    "after a redirect": (_elsewhere, None),
    "after the TLS handshake": (_silent, None),
    "after the WebSocket's": (_opened, None),
    "after a line": (lambda stream: _opened(stream, LINE), [provider_proxy.Line("web-1", "line 1")]),
}


@pytest.mark.parametrize("name", SILENCES)
@pytest.mark.timeout(60)
def test_a_proxy_that_is_silent_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    acts, shown = SILENCES[name]
    authority = trustme.CA()
    served, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusted)
    monkeypatch.setattr(provider_proxy, "_validating", lambda: trusted)
    monkeypatch.setattr(provider_proxy, "PROVIDER_LOG_S", 1.0)
    monkeypatch.setattr(provider_proxy, "CONSOLE_CONNECT_S", 0.2)
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError), served.wrap_socket(listener.accept()[0], server_side=True) as stream:
            acts(stream)
            ended.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        try:
            url = f"wss://127.0.0.1:{listener.getsockname()[1]}/ws"
            if shown is None:
                with pytest.raises(MarketError, match="the Console's proxy does not answer"):
                    provider_proxy._read(url, "https://provider.example:8443", OWNER, "token")
            else:
                assert provider_proxy._read(url, "https://provider.example:8443", OWNER, "token") == shown
        finally:
            ended.set()
            server.join()


def test_a_token_is_for_one_provider_and_what_it_names(world: AkashWorld, place: str, dseq: str) -> None:
    """`jwt-token.schema.ts`: leases are full, scoped or granular; `auth.go` of the provider refuses other scopes."""

    def token(leases: Any, ttl: Any = 60) -> Any:
        return world.api.post("/v1/create-jwt-token", json={"data": {"ttl": ttl, "leases": leases}})

    for leases, ttl in (
        ({"access": "some"}, 60),
        ({"access": "scoped", "scope": ["read"]}, 60),
        ({"access": "full"}, 0),
    ):
        assert token(leases, ttl).status_code == 400
    for leases, seen in (
        ({"access": "scoped", "scope": ["shell"]}, False),
        ({"access": "granular", "permissions": [{"provider": OWNERS["tundra"], "access": "full"}]}, False),
        ({"access": "scoped", "scope": ["logs"]}, True),
    ):
        given = token(leases)
        assert given.status_code == 201
        target = f"{BY_OWNER[OWNER].host_uri}/lease/{dseq}/1/1/logs?follow=false&tail=1&service=web"
        if seen:
            assert len(provider_proxy._read(place, target, OWNER, given.json()["data"]["token"])) == 1
        else:
            with pytest.raises(MarketError, match="does not show its log"):
                provider_proxy._read(place, target, OWNER, given.json()["data"]["token"])
