"""Read what processes of a database leave in stores for each other: one dataclass a file, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def read(
    kind: type[T], content: bytes, wanted: Iterable[str] = (), check: Callable[[T], object] = lambda _: None
) -> T | None:
    """Return the dataclass in a text; None if it is nothing of the kind. Fields that it does not have are left out.

    `wanted` are fields that have a default and must stand in the text all the same. `check` raises ValueError for
    values that no writer gives.
    """
    from pydantic import TypeAdapter
    from pydantic_core import from_json

    try:
        given = from_json(content, allow_inf_nan=False)
        found = TypeAdapter(kind).validate_python(given)
        check(found)
    except ValueError:
        return None
    return found if set(wanted) <= given.keys() else None
