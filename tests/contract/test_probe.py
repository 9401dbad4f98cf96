"""The probe sees what a browser would: which version, and whether the certificate is valid. It reports what it saw.

TLS is real, on this machine; the proxy is one that only knows CONNECT.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from components.errors import StepError
from components.probe import drain, probe
from components.probe.client import Certificate, Page, visit
from tests.contract.authority import self_signed
from tests.contract.containers import free_port
from tests.loopback import Loopback

HOST, VERSION, OTHER = "docs.dao.example", "ab" * 32, "cd" * 32


class Site(Loopback):
    """A site whose answers a test sets; it notes the Host and path of each request."""

    def __init__(self, certificate=None):
        self.answers = {"/healthz": (200, VERSION), "/": (200, "<h1>docs</h1>")}
        self.seen = []
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                site.seen.append((self.headers["Host"], self.path))
                status, body = site.answers[self.path]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Answer)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Start a site: plain, or with a certificate for a name that ends in some days and is trusted or not."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = []

    def start(name=None, days=90.0, *, trusted=True):
        certificate = self_signed(name, tmp_path / "site", days=days) if name else None
        if certificate and trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        made.append(Site(certificate))
        return made[-1]

    yield start
    for each in made:
        each.shutdown()
        each.server_close()


def given(site, scheme="http", **more):
    return {"url": f"{scheme}://{HOST}:{site.server_port}/healthz", "at": ["127.0.0.1"], "version": VERSION} | more


def quiet(_):
    pass


def failure(given_):
    """Return the sentence the probe ends with when time is up at once."""
    with pytest.raises(StepError) as caught:
        probe.take(given_ | {"timeout_s": 0.1}, quiet)
    return str(caught.value)


def test_a_site_is_asked_at_its_address_by_its_name_before_any_name_leads_there(site):
    here = site()
    assert probe.take(given(here), quiet) == {"host": HOST, "version": VERSION}
    assert here.seen == [(f"{HOST}:{here.server_port}", "/healthz"), (f"{HOST}:{here.server_port}", "/")]


def test_what_a_browser_shows_of_the_certificate_is_reported(site):
    here = site(HOST, days=42)
    seen = probe.take(given(here, "https"), quiet)["certificate"]
    assert (seen["issuer"], seen["names"]) == (HOST, (HOST,))
    assert round(seen["days_left"]) == 42


@pytest.mark.parametrize(
    ("name", "days", "trusted", "shown"),
    [
        ("other.dao.example", 90, True, "Hostname mismatch, certificate is not valid for 'docs.dao.example'"),
        (HOST, -1, True, "certificate has expired"),
        (HOST, 90, False, "self-signed certificate"),
    ],
)
def test_a_certificate_that_browsers_refuse_fails_the_probe(site, name, days, trusted, shown):
    here = site(name, days, trusted=trusted)
    assert f"its certificate is not valid for browsers: {shown}" in failure(given(here, "https"))
    assert visit(given(here, "https")["url"], "127.0.0.1").spoke


def test_https_of_a_site_that_has_none_is_a_sentence(site):
    assert f"no TLS: it has no certificate for {HOST} yet" in failure(given(site(), "https"))


@pytest.mark.parametrize(
    ("path", "answer", "shown"),
    [
        ("/healthz", (200, OTHER), "it serves version cdcdcdcdcdcd, not abababababab"),
        ("/healthz", (200, ""), "it serves version nothing, not abababababab"),
        ("/healthz", (503, "the content is not here yet\n"), "it answers 503, saying: the content is not here yet"),
        ("/healthz", (404, "<html>404</html>"), "it answers 404;"),
        ("/", (403, ""), "its health answer is right, but its first page answers 403"),
    ],
)
def test_the_failure_shows_what_was_seen(site, path, answer, shown):
    here = site()
    here.answers[path] = answer
    assert shown in failure(given(here))


def test_a_version_is_the_first_line(site):
    here = site()
    here.answers["/healthz"] = (200, f"{VERSION}\nmore\n")
    assert probe.take(given(here), quiet)["version"] == VERSION


def test_a_site_without_its_mark_is_not_well_and_with_it_it_is(site):
    here, mark = site(), "unmoor-0123456789abcdef"
    for further in ("", "\nunmoor-fedcba9876543210\n", f"\nsome remark\n{mark}\n"):
        here.answers["/healthz"] = (200, VERSION + further)
        assert f"without {mark} in the second line" in failure(given(here, mark=mark))
    here.answers["/healthz"] = (200, f"{VERSION}\n{mark}\nsome remark\n")
    assert probe.take(given(here, mark=mark), quiet)["version"] == VERSION


def test_an_application_that_refuses_its_health_path_is_named_with_the_option_that_names_it(site):
    here, asked = site(), {"health": "/health", "option": "workloads.api.options.health.path"}
    line = f"  - {asked['option']}: the application answers 404 to /health, and 200 alone means that it is well"
    for path, named in (("/health", True), ("/health2", False)):
        here.answers["/healthz"] = (503, f"the application answers 404 to {path}\n")
        shown = failure(given(here, **asked))
        assert f"it answers 503, saying: the application answers 404 to {path}" in shown
        assert (line in shown) is named


def test_a_site_that_is_not_there_is_a_sentence():
    port = free_port()
    shown = failure({"url": f"http://{HOST}:{port}/healthz", "at": ["127.0.0.1"], "version": VERSION})
    assert shown.startswith(f"http://{HOST}:{port}/healthz at 127.0.0.1 is not well after 0 s: no answer (")
    assert shown.endswith("; its failover record was left as it is")


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that leads every CONNECT to one port, or to none; it notes what it was asked."""

    def __init__(self):
        self.asked, self.to = [], None
        super().__init__(("127.0.0.1", 0), Tunnel)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Tunnel(socketserver.BaseRequestHandler):
    """One connection through the proxy."""

    def handle(self):
        self.server.asked.append(self.request.recv(4096).decode().split("\r\n")[0])
        if self.server.to is None:
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\nnobody listens at 203.0.113.7:443\n")
            return
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.server.to)) as site:
            back = threading.Thread(target=self.pump, args=(site, self.request))
            back.start()
            self.pump(self.request, site)
            back.join()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(monkeypatch):
    """Start a proxy, and name it in the environment."""
    made = Proxy()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{made.server_address[1]}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_a_proxy_gets_the_address_and_the_site_the_name(site, proxy, scheme, port):
    here = site(HOST if scheme == "https" else None)
    proxy.to = here.server_port
    page = visit(f"{scheme}://{HOST}/healthz", "203.0.113.7")
    assert (page.status, page.body) == (200, VERSION)
    assert proxy.asked == [f"CONNECT 203.0.113.7:{port} HTTP/1.1"]
    assert here.seen == [(HOST, "/healthz")]


def test_the_answer_of_a_proxy_is_repeated(proxy):
    page = visit(f"https://{HOST}/healthz", "203.0.113.7")
    assert page.fault == "no answer (nobody listens at 203.0.113.7:443)"
    assert not page.spoke


def well(status=200, body=VERSION):
    return Page(status, body, Certificate("Authority", (HOST,), 60.0))


def test_it_asks_until_the_version_is_served_and_reports_each_fault_once():
    answers = [Page(0, "", None, "no answer (refused)")] * 2 + [well(body=OTHER)] * 2 + [well(), well()]
    now, shown = [0.0], []
    probe.take(
        {"url": f"https://{HOST}/healthz", "at": ["203.0.113.7"], "version": VERSION},
        shown.append,
        lambda *_: answers.pop(0),
        lambda: now[0],
        lambda seconds: now.__setitem__(0, now[0] + seconds),
    )
    place = f"waiting for https://{HOST}/healthz at 203.0.113.7"
    assert shown == [f"{place}: no answer (refused)", f"{place}: it serves version cdcdcdcdcdcd, not abababababab"]


def test_it_gives_up_after_its_time_and_asks_every_two_seconds_at_most():
    now, pauses = [0.0], []

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    with pytest.raises(StepError, match="is not well after 300 s: no answer in time"):
        probe.take(
            {"url": f"https://{HOST}/healthz", "version": VERSION},
            quiet,
            lambda *_: Page(0, "", None, "no answer in time"),
            lambda: now[0],
            sleep,
        )
    assert (pauses[0], max(pauses)) == (0.5, 2.0)
    assert 296 < sum(pauses) <= 300


def test_draining_waits_out_the_ttl_and_reports_how_long():
    now, shown = [0.0], []
    done = drain.take({"ttl": 12, "wait": True}, shown.append, lambda: now[0], lambda s: now.__setitem__(0, now[0] + s))
    assert (done, now[0]) == ({"waited_s": 12}, 12.0)
    assert shown == [f"draining: {left} s until no resolver keeps the old answer" for left in (12, 7, 2)]


def test_there_is_nothing_to_wait_for_before_something_is_removed():
    assert drain.take({"ttl": 60}, quiet) == {"waited_s": 0}
