"""A validating resolver of visitors: unbound, which checks every answer with the registry's DS records.

It asks a zone's name servers through one port each (`server-1` and so on), which follows the registry's delegation. The
zones above are not signed here, so its trust begins at the zone's own key.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from .akash.container import free_port
from .client import NotReached

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .state import State

#: Seconds for unbound to start, and for one question of a visitor.
START_S, ANSWER_S = 60.0, 5.0
_CONFIG = """\
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
  domain-insecure: "."
{more}{anchors}
stub-zone:
  name: "{zone}."
{servers}
remote-control:
  control-enable: no
"""


@dataclass(frozen=True)
class Validating:
    """A resolver that asks unbound and accepts only validated answers."""

    port: int

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 addresses of a name. Raises NotReached without a validated answer."""
        query = dns.message.make_query(name, "A", want_dnssec=True)
        try:
            answer, _ = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=ANSWER_S, port=self.port)
        except (OSError, dns.exception.DNSException) as error:
            raise NotReached(f"unbound does not answer: {error}") from error
        found = [one.address for each in answer.answer if each.rdtype == dns.rdatatype.A for one in each]
        if not found or not answer.flags & dns.flags.AD:
            code = dns.rcode.to_text(answer.rcode())
            raise NotReached(f"{name} has no address that is validated ({code}, {len(found)} addresses)")
        return tuple(found)


@contextlib.contextmanager
def validating(
    state: State, zone: str, folder: Path, trusts: Sequence[str] = (), remembers_s: int | None = None
) -> Iterator[Validating]:
    """Run unbound for a delegated zone for as long as the context lasts. Raises NotReached if it does not start.

    `trusts` are DS records in place of the registry's at the start, for a key that is rolled over meanwhile.
    `remembers_s` is the most seconds for which it caches an answer, also if the TTL is longer.
    """
    given = state.delegation(zone) or {"servers": {}, "ds": []}
    ports = [state.port(f"server-{place + 1}") for place in range(len(given["servers"]))]
    folder.mkdir(parents=True, exist_ok=True)
    anchors = "\n".join(f'  trust-anchor: "{zone}. DS {ds}"' for ds in trusts or given["ds"])
    more = "" if remembers_s is None else f"  cache-max-ttl: {remembers_s}\n"
    servers = "\n".join(f"  stub-addr: 127.0.0.1@{each}" for each in ports)
    until = time.monotonic() + START_S
    while True:
        port = free_port()
        text = _CONFIG.format(port=port, folder=folder, more=more, anchors=anchors, zone=zone, servers=servers)
        (folder / "unbound.conf").write_text(text, encoding="utf-8")
        with (folder / "unbound.log").open("wb") as log:
            process = subprocess.Popen(["unbound", "-d", "-c", str(folder / "unbound.conf")], stdout=log, stderr=log)
        try:
            # Another program may have been given the port meanwhile: then it ends at once.
            if _answers(resolver := Validating(port), min(given["servers"]), process, until):
                yield resolver
                return
        finally:
            process.kill()
            process.wait()


def _answers(resolver: Validating, name: str, process: subprocess.Popen[bytes], until: float) -> bool:
    """Wait until a name is answered; False if the process ended. Raises NotReached once it is `until`."""
    while process.poll() is None:
        try:
            resolver.addresses(name)
        except NotReached:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return True
    if time.monotonic() > until:
        raise NotReached("unbound does not start")
    return False
