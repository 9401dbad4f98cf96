"""A real PowerDNS with its keeper, on this machine: server, database, stores, signer and backends."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from components.dns.plain import Row
from components.dns.powerdns import bundle, server
from components.dns.powerdns.database import Database
from components.dns.powerdns.rows import Judged, Switch
from components.dns.zone import Probe
from tests.contract.containers import free_port, until
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "dao.example"
#: Why there is no resolver that validates.
NO_RESOLVER = None if shutil.which("unbound") else "looking names up as visitors do needs unbound"
MISSING = None if shutil.which("pdns_server") else "own name servers need pdns-server and pdns-backend-sqlite3"
SERVERS = ("ns1.dao.example", "ns2.dao.example")
#: Where the members of `docs` are.
PRIMARY, STANDBY = "127.77.3.1", "127.77.3.2"


def lead(address: str, host: str = "docs.dao.example") -> tuple[Row, ...]:
    return (Row(host, "A", 5, address),)


def switch(
    host: str = "docs.dao.example",
    port: int = 80,
    scheme: str = "http",
    mark: str = "",
    *,
    balance: bool = False,
    addresses: tuple[str, str] = (PRIMARY, STANDBY),
) -> Switch:
    """Return a public name with a primary and a standby, each probed on a port of this machine."""
    members = list(zip(("docs-akash", "docs-akash-2"), addresses, strict=True))
    return Switch(
        host,
        tuple(
            Judged(
                site,
                lead(address, host),
                Probe(scheme, f"{site}.dao.example", by_address=True, mark=mark),
                f"{address}:{port}",
            )
            for site, address in members
        ),
        balance,
    )


def zone_rows(more: int = 0) -> list[Row]:
    rows = [
        *lead(PRIMARY),
        Row(ZONE, "MX", 300, "10 mail.dao.example."),
        Row("mail.dao.example", "A", 300, "192.0.2.25"),
    ]
    rows += [Row(name, "A", 300, "192.0.2.53") for name in SERVERS]
    return rows + [Row(f"n{number}.dao.example", "A", 300, "192.0.2.1") for number in range(more)]


@dataclass
class Signer:
    """An SSH key that signs bundles, and the file that names it."""

    folder: Path
    name: str = "signer"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = self.folder / self.name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.key], check=True)
        self.allowed = self.folder / f"{self.name}.allowed"
        public = self.key.with_suffix(".pub").read_text().strip()
        self.allowed.write_text(f'{bundle.PRINCIPAL} namespaces="{bundle.NAMESPACE}" {public}\n')

    def sign(self, raw: bytes) -> bytes:
        words = ["ssh-keygen", "-Y", "sign", "-n", bundle.NAMESPACE, "-f", self.key]
        return subprocess.run(words, input=raw, capture_output=True, check=True).stdout


@dataclass
class Store:
    """A folder that anyone can read over HTTP, as a bucket of a vendor's. `read` has the paths that were read."""

    folder: Path
    url: str = ""
    read: list[str] = field(default_factory=list)

    def put(self, made: bundle.Made, signature: bytes) -> None:
        (self.folder / f"{made.name}.json").write_bytes(made.raw)
        (self.folder / f"{made.name}.json.sig").write_bytes(signature)
        (self.folder / "current.new").write_text(made.name + "\n")
        (self.folder / "current.new").replace(self.folder / "current")


class _Noted(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *words: object, read: list[str], directory: str) -> None:
        self._read = read
        super().__init__(*words, directory=directory)

    def log_request(self, *_: object) -> None:
        self._read.append(self.path.lstrip("/"))

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def store(folder: Path) -> Iterator[Store]:
    folder.mkdir(parents=True)
    found = Store(folder)
    handler = partial(_Noted, read=found.read, directory=str(folder))
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    found.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield found
    finally:
        served.shutdown()
        served.server_close()


class _Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.headers["Host"], self.path))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


class Backend(Loopback):
    """A member: it answers its health path until it is ended."""

    def __init__(
        self, address: str, port: int, certificate: tuple[Path, Path] | None = None, body: bytes = b""
    ) -> None:
        self.seen, self.status, self.body = [], 200, body
        super().__init__((address, port), _Healthy)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


@dataclass
class NameServer:
    """One PowerDNS, its database, and its keeper process."""

    folder: Path
    address: str = "127.77.2.1"
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path, self.control = self.folder / "pdns.sqlite3", self.folder
        server.prepare(self.path, Path(server.SCHEMA).read_text())
        (self.folder / "pdns.conf").write_text(server.settings(self.path, self.control, self.address, self.port))
        self.database = Database(self.path, ZONE, self.control)

    def start(self) -> NameServer:
        self._start("pdns", ["pdns_server", f"--config-dir={self.folder}", "--daemon=no", "--guardian=no"])
        until(lambda: self.ask(ZONE, "SOA", patience=0.5) or None, "PowerDNS")
        return self

    def keep(self, stores: list[Store], signer: Signer, *more: str) -> None:
        """Start the keeper's program."""
        words = [sys.executable, "-m", "components.dns.powerdns.keeper", "--zone", ZONE, "--database", str(self.path)]
        words += ["--control", str(self.control), "--signers", str(signer.allowed), *more]
        for each in stores:
            words += ["--store", each.url]
        self._start("keeper", words)

    def _start(self, name: str, words: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def log(self, name: str = "keeper") -> str:
        return (self.folder / f"{name}.log").read_text()

    def ask(self, host: str, type_: str, *, patience: float = 5.0, dnssec: bool = False) -> dns.message.Message | None:
        """Ask the server itself; None without an answer in time."""
        query = dns.message.make_query(f"{host}.", type_, want_dnssec=dnssec, payload=1232)
        query.flags &= ~dns.flags.RD
        try:
            return dns.query.udp(query, self.address, patience, self.port)
        except (dns.exception.Timeout, OSError):
            return None

    def answers(self, host: str, type_: str = "A") -> set[str]:
        """Return what it answers for a name, as text."""
        message = self.ask(host, type_)
        assert message is not None, "the server does not answer"
        wanted = dns.rdatatype.from_text(type_)
        return {one.to_text() for each in message.answer if each.rdtype == wanted for one in each}

    def serial(self) -> int:
        return int(next(iter(self.answers(ZONE, "SOA")), "a b 0").split()[2])


def key_file(folder: Path) -> Path:
    """Make a signing key as PowerDNS writes keys, in a database of its own."""
    scratch = NameServer(folder / "scratch")
    words = ["pdnsutil", f"--config-dir={scratch.folder}"]
    subprocess.run([*words, "create-zone", ZONE], capture_output=True, check=True)
    subprocess.run([*words, "add-zone-key", ZONE, "ksk", "active", "ecdsa256"], capture_output=True, check=True)
    shown = subprocess.run([*words, "export-zone-key", ZONE, "1"], capture_output=True, check=True)
    path = folder / "csk"
    path.write_bytes(shown.stdout)
    return path


_UNBOUND = """\
server:
  interface: 127.0.0.1
  port: {port}
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  do-not-query-localhost: no
  root-hints: ""
  module-config: "validator iterator"
  trust-anchor: "{anchor}"
  domain-insecure: "."
{more}
{stubs}
remote-control:
  control-enable: no
"""


@contextlib.contextmanager
def unbound(folder: Path, server: NameServer, count: int = 2) -> Iterator[int]:
    """Run a resolver that validates, and give its port; it asks `count` servers from 127.77.2.1 on, all at one port."""
    stubs = {ZONE: [f"127.77.2.{number}@{server.port}" for number in range(1, count + 1)]}
    with validating(folder, f"{ZONE}. DS {ds_of(server)}", stubs) as port:
        yield port


def ds_of(server: NameServer, zone: str = ZONE) -> str:
    """Return the DS of the key that a server answers."""
    (keys,) = server.ask(zone, "DNSKEY").answer
    return dns.dnssec.make_ds(dns.name.from_text(zone), keys[0], "SHA256").to_text()


@contextlib.contextmanager
def validating(folder: Path, anchor: str, stubs: dict[str, list[str]], *more: str, first: bool = True) -> Iterator[int]:
    """Run unbound with a trust anchor, and servers (ADDRESS@PORT) of zones; `more` are settings of unbound.

    Wait until it answers a name of the zone, or with `first` until it validates that name.
    """
    port = free_port()
    parts = [f"stub-zone:\n  name: {zone}.\n" + "".join(f"  stub-addr: {at}\n" for at in stubs[zone]) for zone in stubs]
    settings = "".join(f"  {line}\n" for line in more)
    text = _UNBOUND.format(port=port, folder=folder, anchor=anchor, more=settings, stubs="".join(parts))
    folder.mkdir(exist_ok=True)
    (folder / "unbound.conf").write_text(text)
    with (folder / "unbound.log").open("wb") as log:
        process = subprocess.Popen(["unbound", "-d", "-c", folder / "unbound.conf"], stdout=log, stderr=log)
    try:
        until(lambda: resolved(port, SERVERS[0]) if first else rcode(port, SERVERS[0]), "unbound", 60)
        yield port
    finally:
        process.kill()
        process.wait()


def rcode(resolver: int, host: str, patience: float = 5.0) -> str:
    """Ask a resolver for a host's address; return the name of the answer's code, "" if none comes in time."""
    query = dns.message.make_query(f"{host}.", "A", want_dnssec=True)
    with contextlib.suppress(dns.exception.Timeout):
        return dns.rcode.to_text(dns.query.udp(query, "127.0.0.1", patience, resolver).rcode())
    return ""


def resolved(resolver: int, host: str, patience: float = 2.0) -> str:
    """Ask a resolver for a host's address; empty where no validated answer comes in time."""
    query = dns.message.make_query(f"{host}.", "A", want_dnssec=True)
    with contextlib.suppress(dns.exception.Timeout):
        found = dns.query.udp(query, "127.0.0.1", patience, resolver)
        if found.flags & dns.flags.AD:
            return next((one.address for each in found.answer if each.rdtype == dns.rdatatype.A for one in each), "")
    return ""
