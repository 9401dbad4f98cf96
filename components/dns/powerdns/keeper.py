"""The keeper: the process next to one name server that probes members, moves names, and takes new zones.

It writes only the server's database and has no API. If it dies, the answers stay as they are, and its own record
`_keeper.ZONE` stops changing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ... import files
from ...errors import ConfigError, UnmoorError
from ..beat import BEAT_S, Beat
from .bundle import read
from .database import Database
from .judge import BOTH, PRIMARY, PROBE_S, STANDBY, Health, Standing
from .probing import Prober
from .stores import Stores

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..plain import Row
    from .bundle import Bundle, Judged, Switch

#: Seconds between two checks for a new zone.
POLL_S = 10.0
#: Seconds between two checks during an update, and for how long after a new zone an update is assumed.
SOON_S, GOING_ON_S = 1.0, 120.0
#: The file with the served bundle, next to the database, which holds only its rows.
_SERVED = "served.json"


def _log(text: str) -> None:
    sys.stderr.write(json.dumps({"time": round(time.time(), 3), "keeper": text}) + "\n")
    sys.stderr.flush()


@dataclass
class Name:
    """A public name: its members, their health, where it leads, and whether its rows are `written`."""

    switch: Switch
    standing: Standing
    health: list[Health] = field(default_factory=lambda: [Health(), Health()])
    written: bool = True

    @property
    def leads_to(self) -> str:
        """The site that the name should lead to, or both."""
        sites = [each.site for each in self.switch.members]
        return "+".join(sites) if self.standing.leads == BOTH else sites[self.standing.leads]

    @property
    def away(self) -> bool:
        """Whether it leads elsewhere than while its members are up."""
        return self.standing.leads != self.standing.home

    def rows(self) -> list[Row]:
        """Return the rows of where it leads."""
        return self.switch.rows(self.standing.leads)


class Keeper:
    """The keeper of one zone on one server."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        folder: Path,
        key: Path | None = None,
        *,
        report: Callable[[str], None] = _log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names: dict[str, Name] = {}
        self._database, self._stores, self._key = database, stores, key
        self._served, self._report, self._clock = folder / _SERVED, report, clock
        self._taken_at: float | None = None
        self._taken: tuple[Bundle, bytes] | None = None
        # One thread judges probes and another takes zones: no row of an old zone may be written after a new one.
        self._turn = threading.Lock()

    def resume(self) -> None:
        """Continue with the served bundle after a start. The database's rows show where each name leads."""
        try:
            bundle = read(raw := self._served.read_bytes(), self._stores.zone)
        except FileNotFoundError:
            return
        except ConfigError as error:
            self._report(f"{self._served}: {error}; names stay where they lead until a new zone comes")
            return
        if bundle.serial == self._database.serial():
            self._stores.know(raw, bundle.serial)
            self._taken = bundle, raw
            self.names = {each.host: Name(each, self._by_rows(each)) for each in bundle.switches}

    def _by_rows(self, switch: Switch) -> Standing:
        there = {(type_, content.rstrip(".")) for type_, content in self._database.leads(switch.host)}
        by_place = {
            leads: {(row.type, row.content.rstrip(".")) for row in switch.rows(leads)}
            for leads in (switch.home, PRIMARY, STANDBY)
        }
        leads = next((leads for leads, rows in by_place.items() if rows == there), switch.home)
        return Standing(leads, home=switch.home)

    def refresh(self) -> bool:
        """Take the newest zone of the stores, and return whether it was taken. On failure the served zone stays.

        The served zone is taken again when one of its keys has arrived since.
        """
        found = self._stores.newest(self._database.serial()) or self._with_more_keys()
        if found is None:
            return False
        bundle, raw = found
        try:
            with self._database.staged(bundle, self._key) as staged, self._turn:
                names = {each.host: self._carried(each) for each in bundle.switches}
                leading = {host: name.rows() for host, name in names.items() if name.away}
                self._database.swap(staged, leading)
                self.names = names
        except (UnmoorError, sqlite3.Error, OSError) as error:
            self._report(f"the zone of serial {bundle.serial} is not taken, what served goes on: {error}")
            return False
        self._report(f"serves serial {bundle.serial}")
        self._taken_at, self._taken = self._clock(), found
        try:
            files.write(self._served, raw)
        except OSError as error:
            self._report(f"{self._served}: {error.strerror}; once restarted, names stay until a new zone comes")
        return True

    def _with_more_keys(self) -> tuple[Bundle, bytes] | None:
        """Return the served bundle if a key that it names has arrived since. An invalid file is read again later."""
        with contextlib.suppress(UnmoorError, sqlite3.Error, OSError):
            if self._taken and self._database.lacks(self._taken[0].keys, self._key):
                return self._taken
        return None

    def pause_s(self) -> float:
        """Return the seconds to the next check for a zone: an update publishes several, and waits for each."""
        going_on = self._taken_at is not None and self._clock() - self._taken_at < GOING_ON_S
        return SOON_S if going_on else POLL_S

    def _carried(self, switch: Switch) -> Name:
        """Return a name of a new zone that leads where it led, with the health of members that did not change."""
        old = self.names.get(switch.host)
        if old is None:
            return Name(switch, Standing(switch.home, home=switch.home))
        known = dict(zip(((each.site, each.connect) for each in old.switch.members), old.health, strict=True))
        sites = [each.site for each in switch.members]
        leads = sites.index(old.leads_to) if old.leads_to in sites else switch.home
        health = [known.get((each.site, each.connect), Health()) for each in switch.members]
        return Name(switch, Standing(leads, old.standing.switched_at, switch.home), health)

    def judge(self, host: str, member: Judged, *, ok: bool) -> None:
        """Add the result of one probe, and move the name if that is decided."""
        with self._turn:
            self._judge(host, member, ok=ok)

    def _judge(self, host: str, member: Judged, *, ok: bool) -> None:
        name = self.names.get(host)
        if name is None or member not in name.switch.members:  # a probe of a zone that was replaced meanwhile
            return
        place = name.switch.members.index(member)
        name.health[place] = name.health[place].after(ok=ok)
        standing = name.standing.next(name.health[0], name.health[1], self._clock())
        if standing != name.standing:
            name.standing, name.written = standing, False
            self._report(f"{host} leads to {name.leads_to}")
        if not name.written:
            try:
                self._database.lead(host, name.rows())
            except sqlite3.Error as error:
                self._report(f"{host}: not written yet: {error}")
            else:
                name.written = True

    def beat(self) -> None:
        """Write the keeper's record: the time, the serial, and the names that a failure led elsewhere."""
        away = {host: name.leads_to for host, name in self.names.items() if name.away}
        with contextlib.suppress(sqlite3.Error):
            self._database.beat(str(Beat(int(time.time()), self._database.serial(), away)))

    async def run(self, prober: Prober) -> None:
        """Probe members, take zones and write the keeper's record until cancelled."""
        self.resume()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every(self.pause_s, lambda: asyncio.to_thread(self.refresh)))
            tasks.create_task(_every(lambda: BEAT_S, lambda: asyncio.to_thread(self.beat)))

            async def one(host: str, member: Judged) -> None:
                self.judge(host, member, ok=await prober.well(member))

            async def all_() -> None:
                # Probes run side by side, so that three that hang take three intervals and not three time-outs.
                for host, name in self.names.items():
                    for member in name.switch.members:
                        tasks.create_task(one(host, member))

            tasks.create_task(_every(lambda: PROBE_S, all_))


async def _every(seconds: Callable[[], float], do: Callable[[], Awaitable[object]]) -> None:
    while True:
        started = time.monotonic()
        await do()
        await asyncio.sleep(max(0.0, started + seconds() - time.monotonic()))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--zone", required=True, help="The zone that the server answers for.")
@click.option(
    "--database", required=True, type=click.Path(path_type=Path, exists=True), help="The server's sqlite file."
)
@click.option("--control", required=True, type=click.Path(path_type=Path), help="The folder of the server's socket.")
@click.option("--store", "stores", required=True, multiple=True, help="A folder with bundles; name two vendors'.")
@click.option(
    "--signers", required=True, type=click.Path(path_type=Path, exists=True), help="The allowed-signers file."
)
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="The zone's signing keys, one after another.")
@click.option(
    "--trust", type=click.Path(path_type=Path, exists=True), help="Certificates to trust besides the machine's."
)
def main(
    zone: str,
    database: Path,
    control: Path,
    stores: tuple[str, ...],
    signers: Path,
    key: Path | None,
    trust: Path | None,
) -> None:
    """Keep one zone of the PowerDNS server next to this process: its rows, and where its public names lead.

    It runs until SIGTERM; restart it if it ends by itself.
    """
    import httpx

    context = httpx.create_ssl_context()
    if trust:
        context.load_verify_locations(trust)
    kept = Database(database, zone, control)
    keeper = Keeper(kept, Stores(zone, stores, signers, _log), database.parent, key)

    async def until_ended() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 inside a task
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)
        async with contextlib.aclosing(Prober(context)) as prober:
            with contextlib.suppress(asyncio.CancelledError):
                await keeper.run(prober)

    asyncio.run(until_ended())


if __name__ == "__main__":
    main()
