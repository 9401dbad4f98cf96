"""Request pages of one site politely: at most eight requests at a time, bounded answers, and pauses on request."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from ..limits import CRAWL_BYTES, CRAWL_S

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Fetch = Callable[[str], "Answer"]

AGENT = "unmoor"
#: The most concurrent requests, and the longest pause that a site is granted, in seconds.
AT_ONCE, LONGEST_PAUSE = 8, 120.0
#: Statuses that ask to come back later (RFC 6585 §4, RFC 9110 §15.6.4).
LATER = (429, 503)


@dataclass(frozen=True)
class Answer:
    """An answer: a status, the target of a redirect, the type, the body of a page, or a sentence about the failure."""

    status: int
    location: str = ""
    type: str = ""
    body: bytes = b""
    pause_s: float = 0.0
    failure: str = ""

    @property
    def page(self) -> bool:
        """Whether it is a page of HTML."""
        return self.type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")

    @property
    def text(self) -> str:
        """The body as text."""
        _, _, charset = self.type.lower().partition("charset=")
        try:
            return self.body.decode(charset.strip("\"' ") or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")


class Client:
    """A client for one run, to be used in a `with`; thread-safe.

    It verifies certificates and does not follow redirects.
    """

    def __init__(self) -> None:
        import httpx

        limits = httpx.Limits(max_connections=AT_ONCE)
        self._client = httpx.Client(
            headers={"User-Agent": AGENT, "Accept": "text/html,application/xml;q=0.9,*/*;q=0.5"},
            timeout=CRAWL_S, limits=limits, follow_redirects=False,
        )  # fmt: skip

    def __call__(self, url: str) -> Answer:
        """Request an address. Network failures do not raise."""
        import httpx

        try:
            with self._client.stream("GET", url) as response:
                return _read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(0, failure=str(error) or type(error).__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _read(response: httpx.Response) -> Answer:
    """Read an answer; the body is read only if it is HTML, XML or plain text."""
    kind = response.headers.get("content-type", "")
    body = b""
    wanted = ("html", "xml", "text/plain", "gzip")
    if response.status_code not in LATER and any(word in kind.lower() for word in wanted):
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > CRAWL_BYTES:
                break
        body = b"".join(parts)[:CRAWL_BYTES]
    location = response.headers.get("location", "") if response.is_redirect else ""
    pause = _pause(response.headers.get("retry-after", ""), response.headers.get("date", ""))
    return Answer(response.status_code, location, kind, body, pause)


def _pause(after: str, now: str) -> float:
    """Return the seconds that `Retry-After` asks for: a number, or a date compared with the answer's own clock."""
    if after.strip().isdigit():
        return min(float(after), LONGEST_PAUSE)
    try:
        seconds = (parsedate_to_datetime(after) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, min(seconds, LONGEST_PAUSE))
