"""A real certificate authority (Pebble) on this machine, with names that lead to containers.

Every name has the address 127.0.0.1, where one listener passes requests on by their Host header, and serves as the
proxy by which containers reach each other: it stands for DNS and for port 80 of several addresses.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dnslib import QTYPE, RR, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from tests.contract.containers import free_port, tool, until
from tests.loopback import PLAIN, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


class Street(Loopback):
    """Port 80 of every name: `doors` has the port that a name leads to, `seen` the requests."""

    def __init__(self) -> None:
        self.doors: dict[str, int] = {}
        self.seen: list[tuple[str, str]] = []
        street = self

        class Pass(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                absolute = urlsplit(self.path)
                host = absolute.hostname or self.headers["Host"].partition(":")[0]
                path = absolute.path if absolute.hostname else self.path
                street.seen.append((host, path))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                with httpx.Client(trust_env=False, verify=PLAIN) as client:
                    answer = client.get(f"http://127.0.0.1:{street.doors[host]}{path}", headers=headers, timeout=10)
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Pass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _EveryName(BaseResolver):
    def resolve(self, request: Any, _handler: Any) -> Any:
        reply = request.reply()
        if request.q.qtype == QTYPE.A:
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A("127.0.0.1"), ttl=1))
        return reply


@dataclass
class Authority:
    """The authority's directory, the roots to trust, and the street that it validates through."""

    folder: Path
    street: Street
    days: float = 90
    directory: str = ""
    trust: Path = field(default_factory=Path)
    process: subprocess.Popen[bytes] | None = None

    def start(self, dns: int) -> Authority:
        """Start Pebble and wait until it answers."""
        certificate, key = self_signed("localhost", self.folder / "pebble", days=30)
        port, management = free_port(), free_port()
        settings = {
            "listenAddress": f"127.0.0.1:{port}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": self.street.server_port,
            "tlsPort": free_port(),
            "profiles": {"default": {"description": "default", "validityPeriod": int(self.days * 86400)}},
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        with (self.folder / "pebble.log").open("wb") as log:
            self.process = subprocess.Popen(
                [tool("pebble"), "-config", self.folder / "pebble.json", "-dnsserver", f"127.0.0.1:{dns}"],
                env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": os.environ["PATH"]},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        trusting = ssl.create_default_context(cafile=certificate)

        def root() -> str | None:
            try:
                answer = httpx.get(f"https://localhost:{management}/roots/0", verify=trusting, trust_env=False)
            except httpx.TransportError:
                return None
            return answer.text

        self.directory = f"https://localhost:{port}/dir"
        self.trust = self.folder / "roots.pem"
        self.trust.write_text(until(root, "Pebble") + certificate.read_text())
        return self

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def self_signed(name: str, beside: Path, *, days: float, since: float = -60) -> tuple[Path, Path]:
    """Make a certificate that begins and ends so many days from now, and its key; return both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=since))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = beside.with_suffix(".crt"), beside.with_suffix(".key")
    certificate.parent.mkdir(parents=True, exist_ok=True)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*encoding))
    return certificate, secret


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Start an authority whose certificates last 90 days."""
    street = Street()
    # Pebble asks over TCP.
    dns = DNSServer(_EveryName(), address="127.0.0.1", port=0, tcp=True, logger=DNSLogger(logf=lambda _: None))
    dns.start_thread()
    made = Authority(tmp_path, street)
    try:
        yield made.start(dns.server.server_address[1])
    finally:
        made.stop()
        for server in (dns.server, street):
            server.shutdown()
            server.server_close()
