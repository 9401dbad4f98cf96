"""Pebble as a child process: Let's Encrypt's own test server, which validates and signs as a real authority does."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING

from ..net.wire import Unreachable, fetch
from ..state import write

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from ..net.tls import Authority
    from ..state import State

#: Pebble waits and refuses at random to test its clients. Our clients are tested elsewhere, so this is off.
VARIABLES = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
#: The lifetime that public authorities give today, in days.
DAYS = 90
START_S, LOOK_S = 30.0, 0.02


class Pebble:
    """One Pebble: `port` speaks ACME over TLS for `name`, and is `issuer` in CAA records.

    It visits sites through the port `looks`, to which the DNS server at the port `dns` leads it.
    """

    def __init__(self, state: State, authority: Authority, name: str, issuer: str, *, looks: int, dns: int) -> None:
        self.port, self._management = _free(), _free()
        self._name = name
        folder = state.root / "acme"
        certificate, key = authority.certificate([name])
        write(folder / "certificate.pem", certificate)
        write(folder / "key.pem", key)
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(folder / "certificate.pem"),
            "privateKey": str(folder / "key.pem"),
            "httpPort": looks,
            "tlsPort": looks,
            "caaIdentities": [issuer],
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "what everybody gets", "validityPeriod": DAYS * 86_400}},
        }
        write(folder / "pebble.json", json.dumps({"pebble": settings}, indent=2) + "\n")
        self.process = _spawn(folder / "pebble.json", dns)

    async def root(self, trusted: ssl.SSLContext) -> str:
        """Return the root that its certificates lead to, PEM, as soon as it answers."""
        async with asyncio.timeout(START_S):
            while self.process.poll() is None:
                try:
                    answer = await fetch(
                        self._management, "/roots/0", [("Host", self._name)], tls=trusted, name=self._name
                    )
                    return answer.body.decode()
                except Unreachable:
                    await asyncio.sleep(LOOK_S)
        raise RuntimeError(f"pebble ended by itself ({self.process.returncode})")

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def _spawn(config: Path, dns: int) -> subprocess.Popen[bytes]:
    words = ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"]
    return subprocess.Popen(words, env=os.environ | VARIABLES, stdin=subprocess.DEVNULL)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
