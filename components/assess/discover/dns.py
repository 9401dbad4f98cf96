"""The vendors behind a zone's names: name servers, CNAME chains, mail, owners of addresses."""

from __future__ import annotations

import functools
import ipaddress
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ..history import DATA
from ..inventory import USUAL_STATE, State, Work
from .seen import UNKNOWN, guess_work, site_of, workload_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Names that a DAO's zone often has; those that exist are examined, with the inventory's own.
USUAL = (
    "www", "app", "docs", "forum", "talk", "gov", "api", "rpc", "explorer", "staking", "status", "blog", "bridge",
    "mail",
)  # fmt: skip
_MOST_HOPS = 8


@dataclass(frozen=True, slots=True)
class Behind:
    """Where one name leads: its chain, its addresses, and the vendors recognised on the way."""

    host: str
    chain: tuple[str, ...]
    addresses: tuple[str, ...]
    edge: str = ""
    compute: str = ""
    #: the edge hides who runs it
    proxied: bool = False


@dataclass(slots=True)
class Zone:
    """A zone's vendors."""

    name: str
    name_servers: tuple[str, ...]
    dns: tuple[str, ...]
    mail: tuple[str, ...]
    names: list[Behind] = field(default_factory=list)
    #: name servers, exchanges and addresses that the table does not know
    unknown: list[str] = field(default_factory=list)


@functools.cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads((DATA / "dns_vendors.json").read_text(encoding="utf-8"))
    return table


def by_suffix(kind: str, name: str) -> str:
    """Return the vendor of a name server, exchange or CNAME target; empty if the table does not have it."""
    name = name.rstrip(".").lower()
    for suffix, vendor in _table()[kind].items():
        if name == suffix or name.endswith(f".{suffix}"):
            return str(vendor)
    return "route53" if kind == "ns" and ".awsdns-" in name else ""


def by_address(address: str) -> str:
    """Return the owner of an IPv4 address by the ranges that owners publish; empty if the table does not have it."""
    ip = ipaddress.ip_address(address)
    return next((vendor for network, vendor in _networks() if ip in network), "")


def vendors() -> list[str]:
    """Return the vendors of the targets of names, sorted."""
    return sorted({str(vendor) for vendor in _table()["cname"].values()})


@functools.cache
def _networks() -> tuple[tuple[ipaddress.IPv4Network, str], ...]:
    return tuple(
        (ipaddress.IPv4Network(network), vendor)
        for vendor, networks in _table()["ipv4"].items()
        for network in networks
    )


class Asker:
    """Asks one resolver, or the machine's own."""

    def __init__(self, resolver: str | None) -> None:
        """Store `HOST` or `HOST:PORT` of a resolver. Raises ConfigError when it is neither."""
        import dns.exception
        import dns.resolver

        self._exceptions = dns.exception.DNSException
        self._resolver = dns.resolver.Resolver(configure=resolver is None)
        self._missing = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
        if resolver is not None:
            host, _, port = resolver.partition(":")
            try:
                self._resolver.nameservers = [str(ipaddress.ip_address(host))]
                self._resolver.port = int(port or 53)
            except ValueError:
                raise ConfigError(f"{resolver!r} is not a resolver; give an address, as 127.0.0.1:5353") from None
        self._resolver.lifetime = 5.0

    def ask(self, name: str, kind: str) -> list[str]:
        """Return the answers as text, sorted; none if there are none. Raises ConfigError without an answer."""
        try:
            answer = self._resolver.resolve(name, kind, search=False)
        except self._missing:
            return []
        except self._exceptions as error:
            first = str(error).splitlines()[0]
            raise ConfigError(f"the resolver did not answer for {name} {kind}: {first}") from None
        return sorted(record.to_text().rstrip(".") for record in answer)


def discover(asker: Asker, zone: str, hosts: Iterable[str]) -> Zone:
    """Examine a zone. Raises ConfigError when it has no name servers, or without an answer."""
    servers = asker.ask(zone, "NS")
    if not servers:
        raise ConfigError(
            f"{zone}: no name servers; give a zone that is delegated, or another resolver with --resolver"
        )
    exchanges = [text.split()[-1] for text in asker.ask(zone, "MX")]
    found = Zone(
        zone,
        tuple(servers),
        tuple(dict.fromkeys(filter(None, (by_suffix("ns", server) for server in servers)))),
        tuple(dict.fromkeys(filter(None, (by_suffix("mx", one) for one in exchanges)))),
    )
    found.unknown += [one for one in servers if not by_suffix("ns", one)]
    found.unknown += [one for one in exchanges if not by_suffix("mx", one)]
    for host in dict.fromkeys((zone, *hosts, *(f"{label}.{zone}" for label in USUAL))):
        one = behind(asker, host)
        if one.chain or one.addresses:
            found.names.append(one)
            if not one.compute and not one.edge:
                found.unknown.append(f"{host} ({', '.join(one.chain or one.addresses)})")
    return found


def behind(asker: Asker, host: str) -> Behind:
    """Follow one name. Raises ConfigError without an answer."""
    chain: list[str] = []
    name = host
    while len(chain) < _MOST_HOPS and (targets := asker.ask(name, "CNAME")):
        name = targets[0]
        if name in chain:
            break
        chain.append(name)
    addresses = asker.ask(name, "A")
    vendors = [*filter(None, (by_suffix("cname", target) for target in chain))]
    owners = [*dict.fromkeys(filter(None, (by_address(one) for one in addresses)))]
    edges = [one for one in (*owners, *vendors) if one in _table()["edges"]]
    hosts = [one for one in (*vendors, *owners) if one not in _table()["edges"]]
    edge = edges[0] if edges else (hosts[0] if hosts and hosts[0] in _table()["serve_tls"] else "")
    return Behind(
        host, tuple(chain), tuple(addresses), edge, hosts[0] if hosts else "", proxied=bool(edges) and not hosts
    )


def drafts(zone: Zone, known: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Draft what to add: parties where a workload has the host (`known`: host to workload), else a new workload."""
    made: dict[str, dict[str, Any]] = {}
    for one in zone.names:
        if site_of(one.host, set(known.values())):
            continue
        parties: dict[str, Any] = {}
        if zone.dns:
            parties["dns"] = zone.dns[0] if len(zone.dns) == 1 else list(zone.dns)
        if one.edge:
            parties["edge"] = one.edge
        if one.compute:
            parties["compute"] = one.compute
        name = known.get(one.host)
        if name:
            there = made.setdefault(name, {"title": name, "parties": {}})
            there["parties"] = {**parties, **there["parties"]}
        else:
            label = workload_name(one.host.removesuffix(zone.name).rstrip(".") or zone.name.split(".")[0])
            work = guess_work(label)
            made[label] = {
                "title": one.host,
                "work": work,
                "state": str(USUAL_STATE.get(Work(work), State.NONE)),
                "importance": "moderate",
                "hosts": [one.host],
                "parties": {**parties, "compute": parties.get("compute", UNKNOWN)},
                "cost": {"unknown": "put the last invoice here"},
            }
    return made
