"""The agent of one site: hold the record while its PostgreSQL writes, follow orders, make backups, and report."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from ..errors import StepError, UnmoorError
from ..limits import FAULT_CHARS
from ..stores.protocol import Times
from ..stores.writer import Records
from ..text.escape import bounded
from ..web.health import HealthServer
from ..writer import agent
from . import backups, proofs, watch
from .database import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .backrest import Standing
    from .settings import Settings

#: Seconds between two reports, between two checks of the stores' backups, and between a failed backup and the next try.
_REPORT_S, _DUE_S, _AGAIN_S = 5.0, 60.0, 30.0


@dataclass(frozen=True)
class Where:
    """Where one site's agent runs: its directory, PostgreSQL's address for the application, and the address of HTTP."""

    site: str
    root: Path
    listen: str = "127.0.0.1"
    port: int = 5432
    http: tuple[str, int] = ("127.0.0.1", 8008)


@dataclass(frozen=True)
class State:
    """The state of a site, as HTTP and the stores show it. Times are seconds since 1970 by this site's clock.

    `changed_at`: when the newest transaction of this copy was committed. `unarchived`: how many segments wait for a
    store. `fault`: what does not work now, empty if everything does. `major`: PostgreSQL's major version. `collation`:
    the collations that order text differently here than when it was indexed, empty if none does.
    """

    site: str
    role: str = "starting"
    epoch: int = 0
    at: float = 0.0
    position: str = ""
    changed_at: float | None = None
    archived_at: float | None = None
    unarchived: int = 0
    fault: str = ""
    major: int = 0
    collation: str = ""

    @property
    def lag_s(self) -> float | None:
        """The age in seconds of a standby's newest transaction, which is never less than its lag; None if unknown."""
        if self.role == "primary":
            return 0.0
        return None if self.changed_at is None else max(0.0, self.at - self.changed_at)


def records(settings: Settings) -> Records:
    """Open the record of a database's writer."""
    store = settings.witness.store
    return Records(store, settings.stores[store], f"{settings.prefix}/writer.json", settings.workload)


def times(settings: Settings) -> Times:
    """Return how many seconds each part of the protocol may take."""
    return Times(settings.witness.ttl_s, min(2.0, settings.witness.ttl_s / 10), settings.witness.hand_over_s)


class Agent:
    """The agent of one site, from its start to its end."""

    def __init__(self, settings: Settings, where: Where, report: Callable[[str], None]) -> None:
        self.settings, self.where, self.report = settings, where, report
        self.stop = threading.Event()
        self.state = State(where.site)
        self.database = Postgres(settings, where.site, where.root, where.port, self.stop, self._noted)
        self._fault: tuple[float, str] = (0.0, "")
        self._backed_up = 0.0
        #: The content of each store at the last check, the backup that each store's count is of, and what differs
        #: between the stores.
        self._stood: dict[str, Standing] = {}
        self._counted: dict[str, str] = {}
        self._disagree = ""
        self._ahead_s: float | None = None

    def run(self) -> None:
        """Answer HTTP first, then follow the record until `stop` is set.

        Raises ConfigError for a directory that cannot be used, or a store that cannot keep the record.
        """
        server = HealthServer(self.where.http, _handler(self))
        threads = [
            threading.Thread(target=each, daemon=True) for each in (server.serve_forever, self._watch, self._back_up)
        ]
        threads += [threading.Thread(target=self._ferry, args=(each,), daemon=True) for each in self.settings.archive]
        try:
            threads[0].start()
            self.database.prepare(self.where.listen, min(5.0, self.settings.witness.ttl_s / 10))
            for each in threads[1:]:
                each.start()
            self._hold()
        finally:
            self.stop.set()
            self.database.server.stop()
            server.shutdown()
            server.server_close()

    def _hold(self) -> None:
        """Hold the record. While its store does not answer, try again every 2 s."""
        strict = self.settings.fence == "strict"
        while not self.stop.is_set():
            try:
                agent.run(
                    records(self.settings),
                    self.database,
                    self.where.site,
                    self.stop,
                    times=times(self.settings),
                    strict=strict,
                    report=self._noted,
                )
            except StepError as error:
                self._noted(str(error))
                self.stop.wait(2)
            else:
                return

    def _noted(self, text: str) -> None:
        self._fault = (time.time(), text)
        self.report(text)

    # what is reported

    def _watch(self) -> None:
        store = proofs.opened(self.settings, self.settings.witness.store)
        while not self.stop.is_set():
            try:
                self.state = self._observe()
                shown = json.dumps(asdict(self.state)).encode()
                clock = store.write(f"{self.settings.prefix}/{self.where.site}.json", shown)
                self._ahead_s = None if clock is None else time.time() - clock
            except (UnmoorError, OSError) as error:
                self.report(str(error))
            try:
                if self.database.there and not self.database.primary:
                    self.database.archiver.prefer()
            except OSError as error:  # for example, the disk is full
                self.report(str(error))
            self.stop.wait(_REPORT_S)

    def _observe(self) -> State:
        at, text = self._fault
        database, faults = self.database, []
        if time.time() - at < 4 * _REPORT_S:
            faults.append(text)
        state = State(
            self.where.site,
            database.role,
            database.files.epoch,
            time.time(),
            unarchived=len(database.files.waiting()) if database.primary else 0,
            major=self.settings.major,
        )
        disk = shutil.disk_usage(self.where.root)
        faults += [
            watch.disk(disk.free, disk.total, state.unarchived),
            watch.clock(self._ahead_s),
            self._disagree if database.primary else "",
        ]
        state = replace(state, fault="; ".join(filter(None, faults)))
        return self._asked(state) if database.server.runs and database.there else state

    def _asked(self, state: State) -> State:
        """Add what PostgreSQL knows."""
        database = self.database
        try:
            row = database.server.ask(
                "SELECT pg_is_in_recovery(), extract(epoch FROM pg_last_xact_replay_timestamp()), "
                "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, "
                "(SELECT extract(epoch FROM last_archived_time) FROM pg_stat_archiver), "
                "(SELECT last_failed_wal FROM pg_stat_archiver "
                "WHERE last_failed_time > coalesce(last_archived_time, 'epoch'))"
            )
        except StepError:
            return state
        recovers, changed, position, archived, failed = row.split("|")
        if failed:
            why = f"{failed} cannot be archived to both stores; it is tried again"
            state = replace(state, fault="; ".join(filter(None, (state.fault, why))))
        try:
            sorts = database.server.ask(watch.collations(self.settings.major), self.settings.database)
        except StepError:
            sorts = ""  # the database does not exist yet
        return replace(
            state,
            position=position,
            changed_at=float(changed) if changed and recovers == "t" else None,
            archived_at=float(archived) if archived else None,
            collation=bounded(sorts, FAULT_CHARS),
        )

    # backups

    def _ferry(self, store: str) -> None:
        while not self.stop.wait(1):
            if self.database.server.open:
                try:
                    self.database.ferry(store)
                except (UnmoorError, OSError):  # PostgreSQL's own log has the reason, and `_observe` names it
                    self.stop.wait(_REPORT_S)

    def _back_up(self) -> None:
        while not self.stop.wait(1):
            database = self.database
            if not database.primary or not database.server.open:
                self._backed_up, self._stood, self._disagree = 0.0, {}, ""  # a backup is due right after a promotion
                continue
            if time.monotonic() < self._backed_up:
                continue
            try:
                stands = database.archiver.each()
                self._disagree = watch.stores(self._stood, stands)
                self._stood = stands
                backups.due(self.settings, database, stands, self._counted, self.report)
                self._backed_up = time.monotonic() + _DUE_S
            except (UnmoorError, OSError) as error:
                self._backed_up = time.monotonic() + _AGAIN_S
                if not self.stop.is_set() and database.server.open:
                    self._noted(str(error))


def _handler(of: Agent) -> type[BaseHTTPRequestHandler]:
    """Return the handler of `/health`, which is 200 while the process lives, `/role` and `/lag`; all answer JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state = of.state
            role = of.database.role
            answers: dict[str, dict[str, Any]] = {
                "/health": {"site": state.site, "role": role, "fault": state.fault},
                "/role": {"site": state.site, "role": role, "epoch": of.database.files.epoch},
                "/lag": {"site": state.site, "lag_s": state.lag_s, "position": state.position, "at": state.at},
            }
            known = answers.get(self.path)
            body = json.dumps(known or {"choose": list(answers)}).encode() + b"\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Log nothing: a probe asks every few seconds."""

    return Handler
