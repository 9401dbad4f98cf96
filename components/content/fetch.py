"""Request pages of one site politely: at most eight requests at a time, bounded answers, and pauses on request."""

from __future__ import annotations

import codecs
import contextlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from .. import coding
from ..deadline import within
from ..limits import CRAWL_ANSWER_S, CRAWL_BYTES, CRAWL_S

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from ..deadline import Deadline

    Fetch = Callable[[str], "Answer"]

AGENT = "unmoor"
#: The most concurrent requests, and the longest pause that a site is granted, in seconds.
AT_ONCE, LONGEST_PAUSE = 8, 120.0
#: Statuses that ask to come back later (RFC 6585 §4, RFC 9110 §15.6.4).
LATER = (429, 503)
#: Python's own encodings (its manual, "Python Specific Encodings"), and UTF-7: none of them is a charset of the web.
_NOT_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


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
        """The body as text; UTF-8 where the type names no charset that is known."""
        _, _, charset = self.type.lower().partition("charset=")
        with contextlib.suppress(LookupError, ValueError):
            name = codecs.lookup(charset.strip("\"' ")).name
            if name not in _NOT_CHARSETS:
                return self.body.decode(name, errors="replace")
        return self.body.decode("utf-8", errors="replace")


def joined(at: str, address: str) -> str:
    """Return the whole address that a page at `at` names by `address`; "" if it is none."""
    try:
        url = urljoin(at, address.strip())
        _ = urlsplit(url).port
    except ValueError:
        return ""
    return url


class Client:
    """A client for one run, to be used in a `with`; thread-safe.

    It verifies certificates and does not follow redirects.
    """

    def __init__(self) -> None:
        import httpx

        # A deadline knows the connections that its own exchange opened; it could not close one that was kept.
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
        self._client = httpx.Client(
            headers={"User-Agent": AGENT, "Accept": "text/html,application/xml;q=0.9,*/*;q=0.5", **coding.PLAIN},
            timeout=CRAWL_S, limits=limits, follow_redirects=False,
        )  # fmt: skip

    def __call__(self, url: str) -> Answer:
        """Request an address. Network failures do not raise."""
        with within(CRAWL_ANSWER_S) as deadline:
            answer = self._ask(url, deadline)
        # A body without a length seems to end where its connection is closed.
        return Answer(0, failure=f"no whole answer in {CRAWL_ANSWER_S:g} s") if deadline.over else answer

    def _ask(self, url: str, deadline: Deadline) -> Answer:
        import httpx

        try:
            with self._client.stream("GET", url, extensions={"trace": deadline.trace}) as response:
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
        body = coding.beginning(response, CRAWL_BYTES)
    location = response.headers.get("location", "") if response.is_redirect else ""
    pause = _pause(response.headers.get("retry-after", ""), response.headers.get("date", ""))
    return Answer(response.status_code, location, kind, body, pause)


def _pause(after: str, now: str) -> float:
    """Return the seconds that `Retry-After` asks for: a number, or a date compared with the answer's own clock."""
    if after.strip().isdecimal():
        return min(float(after), LONGEST_PAUSE)
    try:
        seconds = (parsedate_to_datetime(after) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, LONGEST_PAUSE))
