"""The files of one recorded process: one for each exchange, scrubbed before it is written, for its user alone."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

#: The beginning of a file's name, next to the settings, for a recording that could not be written; the rest is the
#: reason.
FAILED = "failed-"


class Notes:
    """Write records until one fails; then the recording of this process ends, and the process continues."""

    def __init__(self, settings: Settings, path: str) -> None:
        self._settings, self._beside = settings, Path(path).parent
        self._count = itertools.count(1)
        self._open = True
        self._lock = threading.Lock()
        self._scrubbers: dict[str, Scrubber] = {}

    def take(self, door: str, note: Callable[..., dict[str, Any]], *given: Any, model: Any = None) -> None:
        """Record an exchange; `model` is of the AWS service, whose words are public. Never raises."""
        if not self._open:
            return
        try:
            found = note(*given)
            request = found["request"]
            scrubbed = self._scrubber(str(request.get("service", "")), model).value(found)
            text = json.dumps({"door": door, **scrubbed}, indent=2, ensure_ascii=True)
            self._write(_label(door, request), text + "\n")
        except OSError as error:
            self._end(errno.errorcode.get(error.errno or 0, type(error).__name__))
        except Exception as error:  # noqa: BLE001 a fault of the recorder must not end the process
            self._end(type(error).__name__)

    def _scrubber(self, service: str, model: Any) -> Scrubber:
        with self._lock:
            if service not in self._scrubbers:
                self._scrubbers[service] = Scrubber(self._settings, words(model) if model else ())
            return self._scrubbers[service]

    def _write(self, label: str, text: str) -> None:
        name = f"{time.time_ns() // 1_000_000}-{os.getpid()}-{next(self._count):04}-{label}.json"
        path = Path(self._settings.folder) / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def _end(self, why: str) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            (self._beside / f"{FAILED}{why}").touch(mode=0o600)


def _label(door: str, request: dict[str, Any]) -> str:
    """Return what distinguishes files for a reader: words of the contract, and no names."""
    label = f"{door}-{request.get('operation') or request.get('type') or request.get('method') or ''}"
    return re.sub(r"[^A-Za-z-]", "", label)[:60]


def words(model: Any) -> frozenset[str]:
    """Return the words of an AWS service's model (botocore's): its operations, fields, types and enumerations."""
    found = {*model.operation_names, *model.shape_names}
    for shape in map(model.shape_for, model.shape_names):
        found.update(shape.metadata.get("enum", ()), getattr(shape, "members", ()))
        found.add(shape.metadata.get("error", {}).get("code", ""))
    return frozenset(map(str, found))
