"""The program of a name server's image, as in a lease: it waits for the key, serves, and restarts its processes."""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import dns.dnssec
import dns.name
import httpx
import psutil
import pytest
from dns.rdatatype import DNSKEY

from components.dns.plain import Row
from components.dns.powerdns import bundle, csk, nameserver
from tests.contract.containers import free_port, until
from tests.contract.powerdns import MISSING, ZONE, NameServer, Signer, store
from tests.loopback import PLAIN

ADDRESS = "127.77.6.1"
HASH = "ab" * 32
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


class Web(http.server.BaseHTTPRequestHandler):
    """The part of the lease's web server that returns the key after its handover."""

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
    """Run the image's program with one store; yield its process, its server and the address of its health."""
    signer, asked = Signer(tmp_path), NameServer(tmp_path / "asked", ADDRESS)
    health = free_port()
    with store(tmp_path / "store") as shown:
        asked.put = lambda made: shown.put(made, signer.sign(made.raw))
        rows = [Row("ns1.dao.example", "A", 300, "192.0.2.53"), Row("docs.dao.example", "A", 5, "192.0.2.1")]
        asked.zone = lambda serial, keys=(): bundle.make(ZONE, serial, ["ns1.dao.example"], rows, [], keys=keys)
        asked.put(asked.zone(7))
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
        answer = httpx.get(health, trust_env=False, verify=PLAIN)
    except httpx.TransportError:
        return None
    return answer.status_code, answer.text.strip()


def child(process, what, *, other_than=0):
    """Wait for the child of a process that runs a program, and return it."""

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
    assert keys_of(asked) == {csk.ds(Web.key, ZONE, tmp_path)}
    assert (tmp_path / "ns" / "key").stat().st_mode & 0o777 == 0o600

    for what in ("pdns_server", "powerdns.keeper"):
        killed = child(process, what)
        assert os.getpgid(killed.pid) == process.pid, "what kills the program's group leaves no server behind"
        killed.kill()
        child(process, what, other_than=killed.pid)
    until(lambda: status(health) == (200, "well") or None, "well again")

    new = csk.make()
    both = [csk.ds(each, ZONE, tmp_path) for each in (Web.key, new)]
    asked.put(asked.zone(8, both))
    until(lambda: asked.serial() == 8 or None, "the zone, which is published before its keys are handed over")
    Web.key += new
    until(lambda: keys_of(asked) == set(both) or None, "both keys")
    assert (tmp_path / "ns" / "key").stat().st_mode & 0o777 == 0o600

    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    psutil.wait_procs(below, timeout=30)
    assert not [each for each in below if each.is_running()]


def keys_of(asked):
    """Return the DS of each key that the server publishes."""
    message = asked.ask(ZONE, "DNSKEY", dnssec=True)
    keys = next(each for each in message.answer if each.rdtype == DNSKEY)
    return {dns.dnssec.make_ds(dns.name.from_text(ZONE), each, "SHA256").to_text() for each in keys}


def test_other_keys_take_the_place_of_those_there_in_one_step(tmp_path):
    """A keeper that reads at that moment gets either all old keys or all new ones."""
    path = tmp_path / "key"
    path.write_text("old")
    with path.open() as reading:
        assert nameserver._renewed(path, "old and new", "old", None) == "old and new"
        assert reading.read() == "old"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old and new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_keys_that_did_not_change_are_not_written_again(tmp_path):
    assert nameserver._renewed(tmp_path / "key", "old", "old", None) == "old"
    assert list(tmp_path.iterdir()) == []


def test_a_server_finds_itself_unwell_until_it_answers_its_zone_signed(tmp_path):
    asked = NameServer(tmp_path, ADDRESS)
    look = partial(nameserver.fault, ZONE, ADDRESS, asked.port)
    assert look(), "nothing listens"
    util = ["pdnsutil", f"--config-dir={tmp_path}"]
    try:
        asked.start()
        assert look() == "it answers REFUSED, and has no zone yet"
        subprocess.run([*util, "create-zone", ZONE], check=True, capture_output=True)
        asked.kill("pdns")
        asked.start()
        assert look() == "the zone is not signed"
        subprocess.run([*util, "secure-zone", ZONE], check=True, capture_output=True)
        asked.kill("pdns")
        asked.start()
        assert look() == ""
    finally:
        asked.stop()
