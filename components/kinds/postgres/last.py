"""Keep the last copy of a database: its sites are removed only if it can be restored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ...postgres.settings import Settings
from . import gate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """On removal (`wait`), demand a proof of a restore from each store of the archive. The stores stay unchanged.

    Raises ConfigError for a store without one, before anything is removed: this action is removed first.
    """
    if not given.get("wait"):
        return {}
    settings, now = Settings.model_validate(given["settings"]), time.time()
    if found := gate.unproved(settings, now):
        raise ConfigError(f"the sites of {settings.workload} stay: nothing proves that it can be restored", found)
    for line in gate.ages(settings, now):
        report(line.strip())
    report(f"{' and '.join(settings.archive)} keep the archive of {settings.workload}: delete it there yourself")
    return {}
