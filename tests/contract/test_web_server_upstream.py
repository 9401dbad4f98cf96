"""Our web server before an application: what it passes on, what it adds, and when it reports that the site is well.

Real Caddy, a real shell; the application is a server of this test, which cannot prove how any real one behaves.
"""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from components.probe.client import visit
from components.web import headers as content
from components.web.caddy.upstream import Upstream
from tests.contract.containers import MARK, free_port, until, web_server
from tests.loopback import PLAIN, Loopback

VERSION = "ab" * 32
HOST, DIRECT = "docs.dao.example", "docs-akash.dao.example"


class Answer(BaseHTTPRequestHandler):
    """The application's answers; `server` is the Application."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/health":
            self._say(self.server.health, b"fine")
            return
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        own = {"Content-Security-Policy": "default-src 'none'", "Server": "app/1.2"}
        {
            "/missing": lambda: self._say(404, b"the application's own page"),
            "/own": lambda: self._say(200, b"own", own),
            "/socket": self._upgrade,
            "/stream": self._stream,
        }.get(self.path, lambda: self._say(200, b"<p>hello</p>" * 200))()

    def do_POST(self):
        self.do_GET()

    def _head(self, status, headers):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _say(self, status, body, headers=None):
        own = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **(headers or {})}
        self._head(status, own)
        self.wfile.write(body)

    def _upgrade(self):
        self._head(101, {"Upgrade": "echo", "Connection": "Upgrade"})
        self.wfile.write(self.rfile.read(4).upper())

    def _stream(self):
        self._head(200, {"Content-Type": "text/event-stream"})
        self.wfile.write(b"data: one\n\n")
        self.wfile.flush()
        self.server.go_on.wait(60)
        self.wfile.write(b"data: two\n\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


class Application(Loopback):
    """An application that notes what it was asked; `health` is the status of its health path."""

    def __init__(self, port):
        self.health = 200
        self.seen = []
        self.go_on = threading.Event()
        super().__init__(("127.0.0.1", port), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def application():
    """Start applications on ports; end them after the test."""
    made = []

    def start(port=0):
        made.append(Application(port))
        return made[-1]

    yield start
    for each in made:
        each.shutdown()
        each.server_close()


@pytest.fixture
def served(container, application):
    """Return a web server before an application that is well: (container, application)."""
    behind = application()
    made = container(
        web_server(VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health", 1000), mark=MARK)
    ).start()
    return made.ready(), behind


def test_requests_are_passed_on_as_they_came_with_the_public_name(served):
    made, behind = served
    headers = {"Host": HOST, "Cookie": "session=1"}
    with httpx.Client(trust_env=False, verify=PLAIN) as client:
        client.post(f"http://127.0.0.1:{made.http_port}/a/b?c=d", headers=headers, content=b"words")
    method, path, seen, body = behind.seen[-1]
    assert (method, path, body, seen["Host"], seen["Cookie"]) == ("POST", "/a/b?c=d", b"words", HOST, "session=1")
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Host"]) == ("http", HOST)


def test_the_applications_own_errors_reach_the_visitor(served):
    answer = served[0].get("/missing")
    assert (answer.status_code, answer.text) == (404, "the application's own page")


@pytest.mark.parametrize("path", ["/", "/missing", "/healthz"])
def test_security_headers_are_added_where_the_application_sets_none(served, path):
    answer = served[0].get(path)
    wanted = content.SECURITY_HEADERS["http"]
    assert {name: answer.headers.get(name) for name in wanted} == dict(wanted)


def test_the_applications_own_policy_stands_and_its_name_does_not(served):
    answer = served[0].get("/own")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]
    assert "server" not in answer.headers
    assert answer.headers["x-frame-options"] == content.SECURITY_HEADERS["http"]["X-Frame-Options"]


def test_pages_are_compressed(served):
    answer = served[0].get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == "<p>hello</p>" * 200


def test_a_body_over_the_limit_is_refused(served):
    made, _ = served
    with httpx.Client(trust_env=False, verify=PLAIN) as client:
        sizes = {size: client.post(f"http://127.0.0.1:{made.http_port}/", content=b"x" * size) for size in (1000, 1001)}
    assert {size: answer.status_code for size, answer in sizes.items()} == {1000: 200, 1001: 413}


def test_upgraded_connections_go_through(served):
    made, _ = served
    with socket.create_connection(("127.0.0.1", made.http_port), timeout=10) as line:
        line.sendall(b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nping")
        output = b""
        while b"PING" not in output and (part := line.recv(4096)):
            output += part
    assert output.startswith(b"HTTP/1.1 101 ")
    assert output.endswith(b"PING")


def test_a_stream_is_not_held_back(served):
    made, behind = served
    with (
        httpx.Client(trust_env=False, verify=PLAIN, timeout=30) as client,
        client.stream("GET", f"http://127.0.0.1:{made.http_port}/stream") as answer,
    ):
        parts = answer.iter_bytes()
        assert next(parts) == b"data: one\n\n"
        behind.go_on.set()
        assert next(parts) == b"data: two\n\n"


def test_requests_in_progress_are_finished_when_the_container_is_stopped(served):
    made, behind = served
    got = []
    visitor = threading.Thread(target=lambda: got.append(made.get("/stream")))
    visitor.start()
    until(lambda: any(path == "/stream" for _, path, _, _ in behind.seen), "the request is under way")
    made.process.terminate()
    until(lambda: made.get("/").status_code == 0, "no new request is taken")
    behind.go_on.set()
    visitor.join(30)
    assert [answer.text for answer in got] == ["data: one\n\ndata: two\n\n"]


def test_the_site_is_well_only_while_the_application_is(served):
    made, behind = served
    assert (made.get("/healthz").status_code, made.get("/healthz").text) == (200, f"{VERSION}\n{MARK}")
    for status in (404, 500):
        behind.health = status
        answer = made.get("/healthz")  # at once, because nothing in between caches
        assert (answer.status_code, answer.text) == (503, f"the application answers {status} to /health\n")
    reason = "unmoor: the application answers 500 to /health\n"
    until(lambda: reason in made.log(), "the script has looked")
    assert "serving" not in made.get("/healthz").text
    behind.health = 200
    made.ready()


def test_an_application_that_answers_nothing_is_not_well(container):
    nowhere = f"127.0.0.1:{free_port()}"
    made = container(web_server(VERSION, Upstream(nowhere, "/health"))).start()
    reason = f"the application does not answer /health at {nowhere} with 200\n"
    until(lambda: made.get("/healthz").text == reason, "the script has looked")


def test_health_that_has_to_contain_a_text_is_well_only_with_it(container, application):
    behind = application()
    made = container(web_server(VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health", match="-fine"))).start()
    reason = "the application's answer to /health does not contain -fine\n"
    until(lambda: made.get("/healthz").text == reason, "the script has looked")
    right = container(web_server(VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health", match="fin"))).start()
    right.ready()


def test_behind_a_load_balancer_it_trusts_the_balancers_headers_about_visitors(container, application):
    behind = application()
    server = web_server(VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health"), "https", balanced=True)
    made = container(server).start().ready()
    told = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
    answer = made.get("/a", headers=told)
    wanted = content.SECURITY_HEADERS["https"]
    assert {name: answer.headers.get(name) for name in wanted} == dict(wanted)
    _, _, seen, _ = behind.seen[-1]
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-For"], seen["Host"]) == ("https", "192.0.2.9, 127.0.0.1", HOST)


def test_behind_a_load_balancer_challenges_go_to_the_other_site_once(container, application):
    behind, other = application(), application()
    street = f"127.0.0.1:{other.server_port}"
    server = web_server(VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health"), "https", balanced=True)
    text = server.text().replace(f"{server.peer}:80", street)
    assert text != server.text()
    made = container(server)
    made.server = type("Elsewhere", (type(server),), {"text": lambda self: text})(
        **{name: getattr(server, name) for name in server.__dataclass_fields__}
    )
    made.start().ready()
    assert made.get("/.well-known/acme-challenge/x", headers={"Host": HOST}).status_code == 200
    _, path, seen, _ = other.seen[-1]
    assert (path, seen["Host"], seen["Unmoor-Host"]) == ("/.well-known/acme-challenge/x", server.peer, HOST)
    count = len(other.seen)
    back = {"Host": HOST, "Unmoor-Host": HOST}
    assert made.get("/.well-known/acme-challenge/x", headers=back).status_code == 404
    assert len(other.seen) == count


def test_until_the_application_answers_the_reason_is_shown(container, application):
    port = free_port()
    made = container(web_server(VERSION, Upstream(f"127.0.0.1:{port}", "/health"))).start()
    until(lambda: "does not answer /health" in made.get("/healthz").text, "the reason")
    answer = made.get("/")
    assert (answer.status_code, answer.text) == (502, "502 Bad Gateway")
    assert answer.headers["x-frame-options"] == content.SECURITY_HEADERS["http"]["X-Frame-Options"]
    application(port)
    made.ready()


def test_over_https_it_has_certificates_for_both_names(container, application, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trust))
    behind = application()
    server = web_server(
        VERSION, Upstream(f"127.0.0.1:{behind.server_port}", "/health"), "https", acme_directory=authority.directory
    )
    street = f"http://127.0.0.1:{authority.street.server_port}"
    made = container(server, SSL_CERT_FILE=str(authority.trust), HTTP_PROXY=street, http_proxy=street)
    authority.street.doors |= {HOST: made.http_port, DIRECT: made.http_port}
    made.start().ready()

    def asked(name):
        return visit(f"https://{name}:{made.https_port}/healthz", "127.0.0.1")

    for name in (HOST, DIRECT):
        page = until(lambda name=name: (p := asked(name)).status and p, f"HTTPS for {name}")
        assert (page.status, page.body, page.certificate.names) == (200, VERSION, (name,))
    behind.health = 500
    assert asked(HOST).status == 503
