"""Own name servers, on a real PowerDNS and a validating unbound: a changed row, a zone of 1,000 names, 20 failovers."""

from __future__ import annotations

import contextlib
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.rdatatype

from components.dns.plain import Row
from components.dns.powerdns import bundle
from components.dns.powerdns.keeper import Keeper
from components.dns.powerdns.stores import Stores
from components.dns.zone import RRset
from tests.contract import powerdns
from tests.contract.containers import free_port, until
from tests.contract.powerdns import (
    PRIMARY,
    SERVERS,
    STANDBY,
    ZONE,
    Backend,
    NameServer,
    Signer,
    Store,
    key_file,
    resolved,
    unbound,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES, KILLS = 1_000, 20


def main() -> Iterator[dict[str, Any]]:
    """Yield the figures; none where PowerDNS or unbound is not installed."""
    if powerdns.MISSING or not shutil.which("unbound"):
        print(f"skipped: {powerdns.MISSING or 'failover through a resolver needs unbound'}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        signer, key = Signer(folder / "signer"), key_file(folder)
        store = stack.enter_context(powerdns.store(folder / "store"))
        yield from _zones(folder / "large", signer, key, store)
        yield from _failovers(folder / "ns", signer, key, store)


def _figure(name: str, value: float, unit: str, reach: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 4), "unit": unit, "reach": reach}


def _zones(folder: Path, signer: Signer, key: Path, store: Store) -> Iterator[dict[str, Any]]:
    plain = [RRset(f"n{number}.dao.example", "A", 300, ("192.0.2.1",)) for number in range(NAMES)]
    started = time.perf_counter()
    rows = [Row(each.host, each.type, each.ttl, value) for each in plain for value in each.values]
    made = bundle.make(ZONE, 2, SERVERS, [*powerdns.zone_rows(), *rows], [powerdns.switch()])
    yield _figure("names_1000_rendered_s", time.perf_counter() - started, "s", 0.2)
    server = NameServer(folder).start()
    try:
        keeper = Keeper(server.database, Stores(ZONE, [store.url], signer.allowed, print), folder, key)
        first = bundle.make(ZONE, 1, SERVERS, powerdns.zone_rows(), [powerdns.switch()])
        store.put(first, signer.sign(first.raw))
        keeper.refresh()
        store.put(made, signer.sign(made.raw))
        ended, lost = threading.Event(), []
        thread = threading.Thread(target=_ask_on, args=(server, ended, lost))
        thread.start()
        started = time.perf_counter()
        keeper.refresh()
        yield _figure("names_1000_taken_s", time.perf_counter() - started, "s", 2)
        ended.set()
        thread.join()
        yield _figure("names_1000_lost_answers", len(lost), "answers", 0)
        changes = [_changed(server, (PRIMARY, STANDBY)[turn % 2]) for turn in range(40, 0, -1)]
        yield _figure("names_row_changed_median_ms", statistics.median(changes) * 1000, "ms", 50)
        yield _figure("names_row_changed_most_ms", max(changes) * 1000, "ms", 50)
    finally:
        server.stop()


def _ask_on(server: NameServer, ended: threading.Event, lost: list[Any]) -> None:
    while not ended.is_set():
        message = server.ask("docs.dao.example", "A", patience=2)
        if message is None or not message.answer:
            lost.append(message)


def _changed(server: NameServer, address: str) -> float:
    """Return the seconds from the decision until the changed row is answered, signed."""
    started = time.perf_counter()
    server.database.lead("docs.dao.example", powerdns.lead(address))
    while True:
        message = server.ask("docs.dao.example", "A", dnssec=True)
        answer = {each.rdtype: each for each in message.answer} if message else {}
        if dns.rdatatype.RRSIG in answer and answer[dns.rdatatype.A][0].address == address:
            return time.perf_counter() - started


def _failovers(folder: Path, signer: Signer, key: Path, store: Store) -> Iterator[dict[str, Any]]:
    """Kill the primaries of twenty names at moments of their own; with two, a server and its keeper are killed too.

    Every second one hangs instead of refusing: its port still takes connections.
    """
    port = free_port()
    hosts = {f"s{number}.dao.example": (f"127.77.4.{number + 1}", f"127.77.5.{number + 1}") for number in range(KILLS)}
    switches = [powerdns.switch(host, port, addresses=each) for host, each in hosts.items()]
    rows = [*powerdns.zone_rows()[1:], *(row for each in switches for row in each.members[0].rows)]
    made = bundle.make(ZONE, 1, SERVERS, rows, switches)
    store.put(made, signer.sign(made.raw))
    first = NameServer(folder / "first")
    servers = [first, NameServer(folder / "second", "127.77.2.2", first.port)]
    primaries, standbys = ([Backend(each[place], port) for each in hosts.values()] for place in (0, 1))
    try:
        for each in servers:
            each.keep([store], signer, "--key", str(key))
            each.start()
            until(lambda each=each: each.serial() == 1 or None, "the zone")
        until(lambda: all(each.seen for each in (*primaries, *standbys)) or None, "probes")
        with unbound(folder, first) as resolver:
            cold = [resolved(resolver, host) == primary for host, (primary, _) in hosts.items()]
            yield _figure("names_cold_answers_not_primary", cold.count(False), "answers", 0)
            seconds = _killed(servers, [store], signer, resolver, dict(zip(hosts.items(), primaries, strict=True)))
        yield _figure("names_failover_median_s", statistics.median(seconds), "s", 10)
        yield _figure("names_failover_p95_s", statistics.quantiles(seconds, n=20)[-1], "s", 10)
        yield _figure("names_failover_most_s", max(seconds), "s", 10)
    finally:
        for each in (*servers, *standbys):
            each.stop() if isinstance(each, NameServer) else each.end()


def _killed(
    servers: list[NameServer],
    stores: list[Store],
    signer: Signer,
    resolver: int,
    primaries: dict[tuple[str, tuple[str, str]], Backend],
) -> list[float]:
    """Return the seconds from each kill until a visitor, who asks all the time, is led to the standby."""
    killed, seconds = {}, {}

    def visitor(host: str, standby: str) -> None:
        while host not in killed or resolved(resolver, host) != standby:
            time.sleep(0.1)
            resolved(resolver, host)
        seconds[host] = time.monotonic() - killed[host]

    visitors = [threading.Thread(target=visitor, args=(host, standby)) for host, (_, standby) in primaries]
    for each in visitors:
        each.start()
        time.sleep(random.uniform(0, 0.5))  # noqa: S311 so that what the resolver keeps ends at moments of its own
    restarts = (KILLS // 3, 2 * KILLS // 3)
    for number, ((host, _), backend) in enumerate(primaries.items()):
        time.sleep(random.uniform(0.5, 3))  # noqa: S311 it only spreads the moments
        killed[host] = time.monotonic()
        backend.shutdown()  # it accepts no more: every second one stays open, and hangs
        if number % 2:
            backend.server_close()
        if number in restarts:
            server = servers[restarts.index(number)]
            server.kill("pdns")
            server.kill("keeper")
            server.keep(stores, signer)
            server.start()
    for each in (*visitors, *primaries.values()):
        each.join() if isinstance(each, threading.Thread) else each.server_close()
    return list(seconds.values())
