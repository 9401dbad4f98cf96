"""The health checkers: three per check, each on its own clock, as Route 53's are spread over regions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import time
from typing import TYPE_CHECKING

from ..state import write
from .known import Known
from .verdict import PROBED, Check, Opinion, check, verdicts
from .wire import Unreachable, connected, fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..state import State
    from .cloud import Cloud
    from .internet import Internet

log = logging.getLogger(__name__)

CHECKERS = 3
#: Route 53's limits in seconds: to connect, and for the response after that.
CONNECT_S, RESPONSE_S = 4.0, 2.0
#: The first bytes of the body, in which the string of a *_STR_MATCH check has to stand.
SEARCHED = 5120
#: Seconds between two reads of the list of checks.
LOOK_S = 1.0


class Health:
    """Keeps a verdict on every health check; writes them to health.json in the state folder."""

    def __init__(self, state: State, cloud: Cloud, internet: Internet) -> None:
        self._file = state.root / "health.json"
        self._internet = internet
        self._known: Known[dict[str, Check]] = Known(lambda: _read(cloud), {})
        self._opinions: dict[str, list[Opinion]] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._since: dict[str, float] = {}
        self._shown = ""
        self.healthy: Mapping[str, bool] = {}

    async def run(self) -> None:
        """Check until cancelled."""
        try:
            while True:
                await self._reconcile(await self._known.get())
                await asyncio.sleep(LOOK_S)
        finally:
            for task in [task for tasks in self._tasks.values() for task in tasks]:
                task.cancel()

    async def _reconcile(self, checks: dict[str, Check]) -> None:
        for gone in self._tasks.keys() - checks.keys():
            for task in self._tasks.pop(gone):
                task.cancel()
            self._opinions.pop(gone)
        for one in checks.values():
            if one.type in PROBED and one.id not in self._tasks:
                self._opinions[one.id] = [Opinion()] * CHECKERS
                self._tasks[one.id] = [asyncio.create_task(self._checker(one.id, at)) for at in range(CHECKERS)]
        self._judge()

    async def _checker(self, one: str, number: int) -> None:
        first = self._known.last[one]
        await asyncio.sleep(first.interval * number / CHECKERS)
        while check_ := self._known.last.get(one):
            started = time.monotonic()
            if not check_.disabled:
                try:
                    success, reason = True, await self._probe(check_)
                except Unreachable as error:
                    success, reason = False, str(error)
                except Exception as error:  # A checker that dies would leave its last opinion in force forever.
                    log.exception("checker %s of %s", number, one)
                    success, reason = False, f"the checker failed: {error}"
                self._opinions[one][number] = self._opinions[one][number].after(success, reason, check_.threshold)
                self._judge()
            await asyncio.sleep(max(0.0, started + check_.interval - time.monotonic()))

    async def _probe(self, one: Check) -> str:
        """Return what the endpoint answered, if that is healthy. Raises Unreachable if not."""
        port = await self._internet.way(one.address or one.host, one.port)
        if one.type == "TCP":
            async with connected(port, seconds=CONNECT_S):
                return "connected"
        secure = one.type.startswith("HTTPS")
        name = one.host or one.address
        default = 443 if secure else 80
        headers = [
            ("Host", name if one.port == default else f"{name}:{one.port}"),
            ("User-Agent", f"Amazon-Route53-Health-Check-Service (ref {one.id}; report http://amzn.to/1vsZADi)"),
            ("Accept", "*/*"),
        ]
        path = one.path if one.path.startswith("/") else f"/{one.path}"
        enough = SEARCHED if one.search else 0
        response = await fetch(
            port, path, headers, tls=_BLIND if secure else None, name=name, connect_s=CONNECT_S, response_s=RESPONSE_S,
            enough=enough,
        )  # fmt: skip
        if not 200 <= response.status < 400:
            raise Unreachable(f"status {response.status}")
        if one.type.endswith("_STR_MATCH") and one.search.encode() not in response.body[:SEARCHED]:
            raise Unreachable(f"status {response.status}, but the string is not in the first {SEARCHED} bytes")
        return f"status {response.status}"

    def _judge(self) -> None:
        """Compute the verdicts, and publish them if anything changed."""
        checks = self._known.last
        before, self.healthy = self.healthy, verdicts(checks, self._opinions)
        for one in checks:
            if before.get(one) != self.healthy[one]:
                self._since[one] = time.time()
        shown = json.dumps({one: self._show(check_) for one, check_ in checks.items()}, indent=1)
        if shown != self._shown:
            self._shown = shown
            with contextlib.suppress(FileNotFoundError):  # the folder may be removed while we stop
                write(self._file, shown + "\n")

    def _show(self, one: Check) -> dict[str, object]:
        checkers = [
            {"healthy": seen.healthy, "streak": seen.streak, "saw": seen.reason}
            for seen in self._opinions.get(one.id, ())
        ]
        return {
            "type": one.type,
            "endpoint": f"{one.address or one.host}:{one.port}{one.path}" if one.type in PROBED else list(one.children),
            "healthy": self.healthy[one.id],
            "since": round(self._since[one.id], 3),
            "checkers": checkers,
        }


async def _read(cloud: Cloud) -> dict[str, Check]:
    return {shape["Id"]: check(shape) for shape in await cloud.checks()}


def _blind() -> ssl.SSLContext:
    """Return TLS as Route 53's checkers use it: the name is sent, the certificate is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_BLIND = _blind()
