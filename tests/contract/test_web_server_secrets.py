"""Secrets through the real web server: handed over by the real step, taken by the real script, had by a real shell.

BusyBox alone where it is installed. What a network and an Akash provider do between the two containers is not here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import threading
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from components import operator_key
from components.errors import StepError
from components.kinds.service import document
from components.probe import client, handover
from components.targets.akash.market.observed import Deployment, Lease, Observed
from components.web.caddy.upstream import Upstream
from tests.contract.containers import free_port, until, web_server
from tests.loopback import Loopback

VERSION = "ab" * 32
HOST, DIRECT = "docs.dao.example", "docs-akash.dao.example"
LEASE = "project/stack/docs-akash.stack"
#: What Caddy, a shell, JSON or base64 might spoil.
VALUES = {
    "TOKEN": 'canary-{env.HOME} {"a":"$HOME `id` \\n %s"}',
    "DATABASE_URL": "canary lines\r\n\tand\n\n\n",
    "LONG": "canary" + "ä" * 4_000,
}
VARIABLES = {name: f"API_{name}" for name in VALUES}


class Health(BaseHTTPRequestHandler):
    """An application that is well."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    made = []

    def start(port):
        made.append(Loopback(("127.0.0.1", port), Health))
        threading.Thread(target=made[-1].serve_forever, daemon=True).start()

    yield start
    for each in made:
        each.shutdown()
        each.server_close()


@pytest.fixture
def shell(monkeypatch):
    """Export the operator's key and every value."""
    monkeypatch.setenv(operator_key.VARIABLE, "k" * 40)
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, VALUES[name])


@pytest.fixture
def front(container, authority, monkeypatch, shell):
    """Return a web server with certificates that waits for secrets; `secrets` is its port for the application."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trust))
    place = free_port()
    server = web_server(
        VERSION,
        Upstream(f"127.0.0.1:{place}", "/health"),
        "https",
        acme_directory=authority.directory,
        operator=operator_key.certificate(LEASE).fingerprint,
    )
    street = f"http://127.0.0.1:{authority.street.server_port}"
    made = container(server, SSL_CERT_FILE=str(authority.trust), HTTP_PROXY=street, http_proxy=street)
    made.secrets, made.place = free_port(), place
    made.environment["SECRETS_PORT"] = str(made.secrets)
    authority.street.doors |= {HOST: made.http_port, DIRECT: made.http_port}
    there = client.visit

    def towards(url, address, **more):
        """Visit the port that stands for 443 at the lease's address."""
        assert (urlsplit(url).hostname, address) == (DIRECT, "203.0.113.7")
        return there(url.replace(DIRECT, f"{DIRECT}:{made.https_port}"), "127.0.0.1", **more)

    monkeypatch.setattr(handover, "visit", towards)
    made.visit = lambda host, path, **more: there(f"https://{host}:{made.https_port}{path}", "127.0.0.1", **more)
    made.start()
    until(lambda: made.visit(DIRECT, "/healthz").status, "a certificate")
    return made


def look(_dseq, state="active", address="203.0.113.7"):
    lease = Lease("akash1host", state, Decimal(1))
    return Observed(0.0, Deployment("7", "active", ""), lease, ips={"web": (address,)})


def hand(look=look, timeout_s=60.0, **changed):
    given = {"host": DIRECT, "dseq": "7", "lease": LEASE, "service": "web", "secrets": VARIABLES}
    return handover.take({**given, "timeout_s": timeout_s, **changed}, lambda _: None, look)


@pytest.fixture
def application(tmp_path, front):
    """Start containers of the application with the tools of an image; each writes down the hashes of what it has."""
    running = []

    def start(name, tools=("wget",)):
        folder = tmp_path / name
        (folder / "bin").mkdir(parents=True)
        for tool in ("sh", "sleep", "sha256sum", "mv", "sed", *tools):  # sed is for what stands for wget
            (folder / "bin" / tool).symlink_to(
                (front.folder / "bin" / tool)
                if (front.folder / "bin" / tool).exists()
                else Path(shutil.which(tool)).resolve()
            )
        shown = "; ".join(f'printf %s "${each}" | sha256sum > {each}.new; mv {each}.new {each}' for each in VALUES)
        words = [document.taking(), "take", " ".join(VALUES), "sh", "-c", f"{shown}; exec sleep 1000"]
        with (folder / "log").open("ab") as log:
            running.append(
                subprocess.Popen(
                    [shutil.which("sh", path=str(folder / "bin")), "-c", *words],
                    cwd=folder,
                    env={
                        "PATH": str(folder / "bin"),
                        "UNMOOR_SECRETS": f"127.0.0.1:{front.secrets}",
                        "no_proxy": "127.0.0.1",
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return SimpleNamespace(folder=folder, process=running[-1])

    yield start
    for each in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.pid, signal.SIGKILL)
        each.wait()


def has(made, values):
    """Return whether an application has exactly these values."""
    wanted = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in values.items()}
    found = {name: (made.folder / name).read_text()[:64] for name in values if (made.folder / name).exists()}
    return found == wanted


def leaks(folder: Path) -> list[str]:
    """Name the files below a folder in which a value stands in clear, or its beginning as base64."""
    needles = [b"canary", b"Y2FuYXJ5"]
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(str(path.relative_to(folder)) for path in files if any(one in path.read_bytes() for one in needles))


def test_secrets_reach_the_application_as_they_are_and_lie_on_the_volume_alone(front, application, upstream) -> None:
    assert "were not handed over yet" in front.get("/healthz").text
    app = application("app")
    assert hand() == {"host": DIRECT, "secrets": sorted(VALUES)}
    until(lambda: has(app, VALUES), f"the application has every value; {(app.folder / 'log').read_text()}")
    upstream(front.place)
    front.ready()
    _, digest = handover.written(VALUES)
    assert leaks(front.folder) == [f"data/unmoor/secrets/{digest}/{name}" for name in sorted(VALUES)]
    assert leaks(app.folder) == []
    assert all(
        path.stat().st_mode & 0o077 == 0 for path in (front.folder / "data/unmoor/secrets").rglob("*") if path.is_file()
    )


def test_a_restart_of_either_container_gets_them_again(front, application, upstream) -> None:
    upstream(front.place)
    hand()
    first = application("first")
    until(lambda: has(first, VALUES), "the application has every value")
    front.stop()
    front.start().ready()
    second = application("second")
    until(lambda: has(second, VALUES), "a new container has every value")


def test_other_values_restart_the_application(front, application, monkeypatch) -> None:
    hand()
    app = application("app")
    until(lambda: has(app, VALUES), "the application has every value")
    changed = VALUES | {"TOKEN": "canary of a rotation"}
    monkeypatch.setenv("API_TOKEN", changed["TOKEN"])
    hand()
    until(lambda: has(app, changed), f"the application has the new value; {(app.folder / 'log').read_text()}")
    assert app.process.poll() is None
    _, digest = handover.written(changed)
    assert leaks(front.folder) == [f"data/unmoor/secrets/{digest}/{name}" for name in sorted(VALUES)]


def test_who_has_not_the_certificate_learns_nothing_and_changes_nothing(front, monkeypatch) -> None:
    hand()
    taken = (front.folder / "data/unmoor/secrets/taken").read_text()
    monkeypatch.setenv(operator_key.VARIABLE, "another key, which is long enough, too")
    stranger = handover._with(operator_key.certificate(LEASE))
    monkeypatch.setenv(operator_key.VARIABLE, "k" * 40)
    right = handover._with(operator_key.certificate(LEASE))
    body, _ = handover.written({"TOKEN": "of a stranger"})
    for host, context in ((DIRECT, None), (DIRECT, stranger), (HOST, right)):
        for content in (None, body):
            page = front.visit(host, handover.HANDOVER, context=context, content=content)
            assert (page.status, taken in page.body) == (404, False)
    for path in ("/secrets/taken", "/../taken", "/..%2ftaken", f"/{taken}/TOKEN"):
        assert "canary" not in front.visit(DIRECT, path, context=right).body
    page = front.visit(DIRECT, handover.HANDOVER, context=right, content=b"x" * 70_000)
    assert page.status in (413, 202)
    hand()
    assert (front.folder / "data/unmoor/secrets/taken").read_text() == taken


def test_what_arrives_cut_off_is_not_taken(front) -> None:
    right = handover._with(operator_key.certificate(LEASE))
    body, _ = handover.written(VALUES)
    assert front.visit(DIRECT, handover.HANDOVER, context=right, content=body[:-70]).status == 202
    until(lambda: "did not arrive whole" in front.log(), "the script has judged it")
    assert not (front.folder / "data/unmoor/secrets/taken").exists()
    assert leaks(front.folder) == []
    hand()


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (lambda _: Observed(0.0), "no live lease of deployment 7"),
        (lambda dseq: look(dseq, state="closed"), "no live lease of deployment 7"),
        (lambda _: replace(look("7"), ips={}), "shows no address"),
    ],
)
def test_nothing_is_sent_without_a_live_lease_at_an_address(shell, shown, words, monkeypatch) -> None:
    monkeypatch.setattr(handover, "visit", lambda *_, **__: client.Page(0, "", None, "asked all the same"))
    with pytest.raises(StepError, match="did not take its secrets within 0 s") as caught:
        hand(shown, timeout_s=0.0)
    assert words in str(caught.value)


def test_an_image_without_wget_and_curl_is_named_as_what_is_wrong(front, application) -> None:
    hand()
    app = application("app", tools=())
    until(lambda: "neither wget nor curl" in (app.folder / "log").read_text(), "the application's log")
    until(lambda: "its image must have sh, and wget or curl" in front.get("/healthz").text, "the sentence")
