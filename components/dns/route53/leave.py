"""Put back what stood at an adopted host before this stack removes its records; do nothing for other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .adopt import give_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def take(given: Mapping[str, Any], report: Callable[[str], None], route53: Any = None) -> dict[str, Any]:
    """Put back `records` at `host`, only with `wait`, because it acts on removal.

    Raises StepError when Route 53 refuses.
    """
    back = bool(given.get("wait")) and give_back(given, report, route53)
    return {"host": given["host"], "put_back": back}
