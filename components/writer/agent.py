"""The agent of one site of a workload with a database: holds the record while the site writes, and follows orders."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..stores.drive import drive
from ..stores.protocol import Me, Times
from ..stores.writer import unfit

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ..stores.drive import Database
    from ..stores.writer import Records


def run(
    records: Records,
    database: Database,
    site: str,
    stop: threading.Event,
    *,
    times: Times = Times(),  # noqa: B008 the default is frozen
    strict: bool = True,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Follow the record until `stop` is set; then stop writes, archive them, and leave.

    `strict` stops writes when the record cannot be renewed; otherwise they continue, and two sites may write if the
    other one is promoted meanwhile. Raises ConfigError for a store that cannot keep the record.
    """
    if found := unfit(records):
        raise ConfigError(f"the writer of {records.workload} cannot be fenced", found)
    drive(Me(records.workload, site, uuid.uuid4().hex, times, strict=strict), records, database, stop, report)
