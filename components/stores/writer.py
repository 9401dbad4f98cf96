"""The door to the record of a writer, and the lock that is built on it.

    lock = Lock(Records("witness", settings, "writer/bot.json", "dao/prod/bot"), site="akash", ttl_s=30)
    code = lock.hold(Program(["node", "bot.js"]), stop)

`docs/writer.md` has the protocol and its guarantees.
"""

from __future__ import annotations

import contextlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Fault, StepError
from ..limits import RECORD_BYTES
from ..limits import RECORD_S as _READ_S
from . import s3
from .drive import Guarded, drive
from .guard import Program
from .protocol import Me, Outcome, Times
from .record import Record, parse

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ..config.models import Bucket

__all__ = ["Lock", "Program", "Records", "unfit"]

#: Answers to a write whose condition did not hold. If-Match on a missing key is answered by 404:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_REFUSED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
_RACERS = 8


class Records:
    """The record of one workload at a key of a store; the store's settings name the variables with its credentials."""

    def __init__(self, name: str, settings: Bucket, key: str, workload: str) -> None:
        self.name = name
        self.workload = workload
        #: The variables that hold the store's credentials: a program under a lock does not get them.
        self.secrets = tuple(filter(None, (settings.access_key, settings.secret_key)))
        self.key = key
        self._bucket = settings.bucket
        # One attempt: a retried write would meet its own first try and be refused.
        self._client = s3.client(settings, attempts=1, read_s=_READ_S)

    def read(self) -> tuple[Record | None, str]:
        """Return the record and its ETag, or (None, ""); StepError if the store does not answer or holds another."""
        content, etag = self.content(self.key)
        try:
            return (None, "") if content is None else (parse(content, self.workload), etag)
        except StepError as error:
            raise StepError(f"store {self.name}: {self.key} {error.title}") from None

    def write(self, record: Record, etag: str | None) -> tuple[Outcome, str]:
        """Write a record if the one with `etag` stands (None: if there is none); return the outcome and its reason.

        `lost` means that the record has to be read again; errors of the store count as that.
        """
        return self.put(self.key, record.text(), etag)

    def content(self, key: str) -> tuple[bytes | None, str]:
        """Read a key: return its content, or None if there is none, and its ETag."""
        what = f"store {self.name}: {key} cannot be read"
        try:
            body, etag = s3.ask(what, lambda: _shown(self._client.get_object(Bucket=self._bucket, Key=key)))
        except s3.AskError as error:
            if error.code == "NoSuchKey":
                return None, ""
            raise
        return s3.beginning(what, body, RECORD_BYTES), etag

    def put(self, key: str, content: bytes, etag: str | None) -> tuple[Outcome, str]:
        """Write a key on a condition; see `write`."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            s3.ask(
                key,
                lambda: self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=content, ContentType="application/json", **condition
                ),
            )
        except s3.AskError as error:
            return Outcome.REFUSED if error.code in _REFUSED else Outcome.LOST, error.words
        return Outcome.TOOK, ""

    def remove(self, key: str) -> None:
        """Remove a key of a check; a store that forbids that keeps a few bytes."""
        with contextlib.suppress(s3.AskError):
            s3.ask(key, lambda: self._client.delete_object(Bucket=self._bucket, Key=key))


def _shown(answer: Any) -> tuple[Any, str]:
    return answer["Body"], answer["ETag"]


def unfit(records: Records, path: str = "") -> list[Fault]:
    """Return why a store cannot keep the record of a writer; empty if it can.

    It writes keys of its own and removes them again. Raises StepError if the store does not answer.
    """
    key = f"{records.key}.check-{uuid.uuid4().hex}"
    try:
        return [
            Fault(path, f"store {records.name} {fault}; choose another store for the writer's record")
            for fault in _ignored(records, key)
        ]
    finally:
        records.remove(key)


def _ignored(records: Records, key: str) -> list[str]:
    def put(content: bytes, etag: str | None) -> Outcome:
        return records.put(key, content, etag)[0]

    if put(b"missing", '"00000000000000000000000000000000"') is Outcome.TOOK:
        return ["ignores If-Match: a writer that was replaced could take its record back"]
    outcome, why = records.put(key, b"first", None)
    if outcome is not Outcome.TOOK:
        raise StepError(f"store {records.name}: {key} cannot be written: {why or 'the condition was refused'}")
    found = []
    if put(b"second", None) is Outcome.TOOK:
        found.append("ignores If-None-Match: two sites could both create the record")
    first = records.content(key)[1]
    records.put(key, b"third", first)
    content, etag = records.content(key)
    if content != b"third":
        found.append("refuses If-Match with the right ETag, or answers reads with old content")
    if put(b"fourth", first) is Outcome.TOOK:
        found.append("ignores If-Match: a writer that was replaced could take its record back")
    if not found:
        with ThreadPoolExecutor(_RACERS) as pool:
            won = [*pool.map(lambda n: put(b"racer %d" % n, etag), range(_RACERS))].count(Outcome.TOOK)
        if won != 1:
            found.append(f"let {won} of {_RACERS} writers win that began with the same ETag")
    return found


@dataclass
class Lock:
    """A lock that one process of all sites holds at a time: taken with an epoch, renewed, and left before it expires.

    `site` is this side's name. The work ends at the latest `ttl_s` after the last renewal. Another process has the lock
    at most `ttl_s` + 5 s after the holder died, where the store answers.
    """

    records: Records
    site: str
    ttl_s: float = 30.0
    report: Callable[[str], None] = field(default=lambda _: None)

    def hold(self, work: Program, stop: threading.Event) -> int | None:
        """Run a program whenever the lock is held, until it ends by itself or `stop` is set; return its exit code.

        It waits for the lock without a limit. The program finds the epoch in UNMOOR_EPOCH. It is stopped when the lock
        cannot be renewed and started again when it can; on `stop` the lock is released, so that no time is lost. Raises
        ConfigError for a store that cannot keep the record.
        """
        if found := unfit(self.records):
            raise ConfigError("the lock cannot be held", found)
        me = Me(self.records.workload, self.site, uuid.uuid4().hex, Times(self.ttl_s), elects=True)
        work.ended, work.without = stop.set, self.records.secrets
        work.grace_s = min(work.grace_s, self.ttl_s / 10)
        try:
            drive(me, self.records, Guarded(work), stop, report=self.report)
        finally:
            work.stop()
        return work.code
