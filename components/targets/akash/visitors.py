"""Whether visitors are served from a deployment. That distinguishes a silent gateway from a dead machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...limits import VISITOR_S as _VISIT_S

if TYPE_CHECKING:
    from collections.abc import Callable


def by(visit: Callable[[str, str, float], Any]) -> Callable[[dict[str, Any]], bool | None]:
    """Return a check that visits a deployment at its address, else at a name of its own.

    `visit(url, address, seconds)` returns a page with a status, or the failure. Any answer counts, also an error page.
    The check returns None for a deployment that has neither address nor name: then it is not known.
    """

    def served(outputs: dict[str, Any]) -> bool | None:
        place = outputs.get("address") or next(iter(outputs.get("uris") or ()), "")
        if not place:
            return None
        return any(_answered(visit(f"{scheme}://{place}/", place, _VISIT_S)) for scheme in ("http", "https"))

    return served


def _answered(page: Any) -> bool:
    """Return whether a server answered, with a page or with a certificate that a browser refuses."""
    return bool(page.status > 0 or page.spoke)
