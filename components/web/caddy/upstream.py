"""An application behind the web server: another service of the same deployment, reached by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import Fault
from .. import headers as content
from .pieces import COMPRESSED, answer, at_most, proxy, rewrite, route, unless_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .pieces import Json

_PLACE = "{env.UPSTREAM}"
#: The default for the longest body that is passed on, and the seconds that a whole request may take to arrive: uploads
#: over slow lines are requests too.
BODY_BYTES, REQUEST_S = 10_000_000, 300


def _answers(status: str, health: str) -> str:
    """Return what the web server answers and logs (in front.sh) of an application that refuses its health path."""
    return f"the application answers {status} to {health}"


def refused(words: Iterable[str], health: str, path: str) -> list[Fault]:
    """Return what to change where a web server's words name the application's status; nothing without a health path.

    `path` is that of the option `health.path`.
    """
    if not health:
        return []
    shown = re.compile(_answers("([0-9]{3})", re.escape(health)) + r"(?![!-~])")
    found = [each[1] for text in words for each in shown.finditer(text)]
    why = "and 200 alone means that it is well; name a path that it answers so, or correct the application"
    return [Fault(path, f"{_answers(found[-1], health)}, {why}")] if found else []


@dataclass(frozen=True)
class Upstream:
    """The address of the application (`SERVICE:PORT`), and the path that it answers with 200 while it is well.

    `body_bytes` is the longest body that is passed on, `match` a text that the answer for health has to contain. Raises
    ValueError for an invalid address or path.
    """

    place: str
    health: str
    body_bytes: int = BODY_BYTES
    match: str = ""

    request_s = REQUEST_S
    #: The body of /healthz while the application is well.
    identity, note = "{env.VERSION}", ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]{1,5}", self.place):
            raise ValueError(f"{self.place!r} is not a place; write it like app:8080")
        if not re.fullmatch(r"/[!-~]*", self.health):
            raise ValueError(f"{self.health!r} is not a path; write it like /health")

    def environment(self) -> dict[str, str]:
        """Return the variables that the script and the configuration read."""
        return {"UPSTREAM": self.place, "HEALTH": self.health} | ({"MATCH": self.match} if self.match else {})

    def first_routes(self) -> list[Json]:
        """Prepare nothing for a request."""
        return []

    def site_headers(self, scheme: str) -> list[Json]:
        """Set the headers of every answer that the application does not set itself."""
        return [route(*(unless_set(name, value) for name, value in content.SECURITY_HEADERS[scheme].items()))]

    def health_routes(self, well: Json) -> list[Json]:
        """Answer /healthz by asking the application at that moment, so that a checker need not wait for the script."""
        ill = answer(503, f"{_answers('{http.reverse_proxy.status_code}', self.health)}\n")
        answers = [{"match": {"status_code": [200]}, "routes": [route(well)]}, {"routes": [route(ill)]}]
        return [route(rewrite(self.health), proxy(_PLACE, handle_response=answers))]

    def routes(self) -> list[Json]:
        """Pass everything on. Upgraded connections (WebSocket) go through, and streams are not buffered."""
        return [route(at_most(self.body_bytes), COMPRESSED, proxy(_PLACE))]

    def error_routes(self) -> list[Json]:
        """Answer the web server's own errors in its own words; those of the application are passed on."""
        return []
