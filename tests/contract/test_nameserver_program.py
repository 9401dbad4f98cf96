"""What the image of a name server runs, as in a lease: it waits for the key, serves, and keeps both programs up."""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import threading

import dns.dnssec
import dns.name
import httpx
import psutil
import pytest
from dns.rdatatype import DNSKEY

from components.dns.plain import Row
from components.dns.powerdns import bundle, csk
from tests.contract.containers import free_port, until
from tests.contract.powerdns import MISSING, ZONE, NameServer, Signer, store

ADDRESS = "127.77.6.1"
HASH = "ab" * 32
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


class Web(http.server.BaseHTTPRequestHandler):
    """The part of the lease's web server that gives the key, once it was handed over."""

    key: str | None = None

    def do_GET(self):
        found = {"/taken": HASH, f"/{HASH}/ZONE_KEY": self.key}.get(self.path) if self.key else None
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write((found or "").encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"127.0.0.1:{made.server_port}"
    Web.key = None
    made.shutdown()
    made.server_close()


@pytest.fixture
def program(web, tmp_path):
    """Run the image's program with one store, and give its process, its server and the address of its health."""
    signer, asked = Signer(tmp_path), NameServer(tmp_path / "asked", ADDRESS)
    health = free_port()
    with store(tmp_path / "store") as shown:
        rows = [Row("ns1.dao.example", "A", 300, "192.0.2.53"), Row("docs.dao.example", "A", 5, "192.0.2.1")]
        made = bundle.make(ZONE, 7, ["ns1.dao.example"], rows, [])
        shown.put(made, signer.sign(made.raw))
        public = " ".join(signer.key.with_suffix(".pub").read_text().split()[:2])
        settings = {"ZONE": ZONE, "STORES": shown.url, "SIGNER": public, "SECRETS": web}
        words = [sys.executable, "-m", "components.dns.powerdns.nameserver", "--folder", str(tmp_path / "ns")]
        words += ["--address", ADDRESS, "--port", str(asked.port), "--health-port", str(health), "--user", ""]
        process = subprocess.Popen(words, env={**os.environ, **settings}, start_new_session=True)
        try:
            yield process, asked, f"http://127.0.0.1:{health}/"
        finally:
            below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            for each in (*below, process):
                each.kill()
            process.wait()


def status(health):
    try:
        answer = httpx.get(health, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.status_code, answer.text.strip()


def child(process, what, *, other_than=0):
    """Wait for a child of a process that runs something, and return it."""

    def look():
        for each in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
                if what in " ".join(each.cmdline()) and each.pid != other_than:
                    return each
        return None

    return until(look, what)


def test_it_waits_for_the_key_serves_signed_by_it_and_starts_again_what_ends(program, tmp_path):
    process, asked, health = program
    assert until(lambda: status(health), "health") == (503, "waits for the zone's key")
    assert not (tmp_path / "ns").exists()

    Web.key = csk.make()
    until(lambda: status(health) == (200, "well") or None, "the zone")
    assert asked.serial() == 7
    assert asked.answers("docs.dao.example") == {"192.0.2.1"}
    message = asked.ask(ZONE, "DNSKEY", dnssec=True)
    keys = next(each for each in message.answer if each.rdtype == DNSKEY)
    made = dns.dnssec.make_ds(dns.name.from_text(ZONE), keys[0], "SHA256").to_text()
    assert made == csk.ds(Web.key, ZONE, tmp_path)
    assert (tmp_path / "ns" / "key").stat().st_mode & 0o777 == 0o600

    for what in ("pdns_server", "powerdns.keeper"):
        killed = child(process, what)
        killed.kill()
        child(process, what, other_than=killed.pid)
    until(lambda: status(health) == (200, "well") or None, "well again")

    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    psutil.wait_procs(below, timeout=30)
    assert not [each for each in below if each.is_running()]
