"""A value of AWS for the data plane, at most half a second old while AWS answers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .answer import RecordSet
from .wire import Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

#: A value older than this (seconds) is read again before it is used.
FRESH_S = 0.5
#: Seconds that a question waits for a new value; then the last one is used. The first value has no limit. The time is
#: less than the time-out of visitors (`client.RESOLVER_S`), so that a busy machine does not answer too late for them.
PATIENCE_S = 1.8


class Known(Generic[T]):
    """A value that is read again when it is requested and old; while it cannot be read, the last one is used."""

    def __init__(self, load: Callable[[], Awaitable[T]], first: T, fresh_s: float = FRESH_S) -> None:
        self._load = load
        self._fresh_s = fresh_s
        self._value = first
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def get(self) -> T:
        """Return the value, as fresh as can be had without a long wait."""
        if time.monotonic() - self._read_at > self._fresh_s:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._refresh())
            patience = PATIENCE_S if self._read_at > float("-inf") else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._reading), patience)
        return self._value

    @property
    def last(self) -> T:
        """The value as it was last read."""
        return self._value

    async def _refresh(self) -> None:
        asked = time.monotonic()
        with contextlib.suppress(Unreachable):
            self._value = await self._load()
        self._read_at = asked


def record_set(shape: dict[str, Any]) -> RecordSet:
    """Return a record set of the API as the rules see it."""
    alias = shape.get("AliasTarget") or {}
    return RecordSet(
        name=plain(shape["Name"]),
        type=shape["Type"],
        ttl=int(shape.get("TTL") or 0),
        values=tuple(_value(record["Value"]) for record in shape.get("ResourceRecords") or ()),
        alias=plain(alias.get("DNSName", "")),
        evaluate_target=bool(alias.get("EvaluateTargetHealth")),
        failover=shape.get("Failover") or "",
        weight=shape.get("Weight"),
        multivalue=bool(shape.get("MultiValueAnswer")),
        health_check=shape.get("HealthCheckId") or "",
    )


def plain(name: str) -> str:
    r"""Return a name in lower case without the last dot; Route 53 writes `*` as `\052`."""
    return name.rstrip(".").lower().replace("\\052", "*")


def _value(text: str) -> str:
    # moto keeps the SOA that it makes itself as the repr of a dict.
    made = re.fullmatch(r"\{'Value': '(.*)'\}", text)
    return made[1] if made else text
