"""The record of a workload's writer: one small JSON object in a store, changed by conditional writes only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..errors import StepError
from ..limits import RECORD_TEXT_CHARS as _TEXT_CHARS
from ..text.escape import shown

#: JSON's whole numbers are exact up to here (RFC 8259, section 6).
_MOST = 2**53 - 1


class State(StrEnum):
    """The state of the holder: it has claimed and writes nothing yet, it may write, or it has stopped for good."""

    CLAIMED = "claimed"
    WRITING = "writing"
    FROZEN = "frozen"


@dataclass(frozen=True)
class Order:
    """A person's decision that another site is to write.

    `lossy`: promote although the holder does not answer, or cannot archive. `ready`: the site has answered that it
    follows, so the holder may stop.
    """

    id: str
    to: str
    lossy: bool = False
    ready: bool = False


@dataclass(frozen=True)
class Record:
    """The writer of a workload.

    `by` is the process that holds the record, new at every start. `epoch` rises with each claim, `serial` with each
    write by any process, `beat` with each write by the holder. So no two records have the same content, nor the same
    ETag. `position` is where this epoch begins, or where the frozen holder ended. `note` is why the last order failed.
    """

    workload: str
    holder: str
    epoch: int
    state: State
    by: str = ""
    beat: int = 0
    serial: int = 0
    position: str | None = None
    order: Order | None = None
    note: str = ""

    def text(self) -> bytes:
        """Write it as JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def parse(content: bytes, workload: str) -> Record:
    """Return the record in a text. Raises StepError if it is none, or that of another workload."""
    try:
        given = json.loads(content)
        order = given.pop("order")
        read = Record(**given | {"state": State(given["state"]), "order": _order(order)})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StepError(f"is no record of a writer: {shown(content.decode(errors='replace'))}") from None
    if not _fits(read):
        raise StepError(f"is no record of a writer: {shown(content.decode(errors='replace'))}")
    if read.workload != workload:
        raise StepError(f"is the record of workload {shown(read.workload)}, not of {workload}; choose another key")
    return read


def _order(given: Any) -> Order | None:
    return None if given is None else Order(**given)


def _fits(read: Record) -> bool:
    """Return whether each value has its declared type and a plausible size."""
    order = read.order
    texts = [read.workload, read.holder, read.by, read.note, "" if read.position is None else read.position]
    texts += [order.id, order.to] if order else []
    flags = [order.lossy, order.ready] if order else []
    numbers = [read.epoch, read.beat, read.serial]
    return (
        all(isinstance(each, str) and len(each) <= _TEXT_CHARS for each in texts)
        and all(isinstance(each, bool) for each in flags)
        and all(type(each) is int and 0 <= each <= _MOST for each in numbers)
    )
