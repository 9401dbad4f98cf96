"""Find every address of a live site from its sitemaps and links, within limits, honouring robots.txt (RFC 9309)."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

from ..errors import ConfigError
from ..limits import CRAWL_ADDRESSES
from ..text.escape import outside
from . import facts, sitemap
from .facts import Facts
from .fetch import AGENT, AT_ONCE, LATER, LONGEST_PAUSE, Answer, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protego import Protego

    from .fetch import Fetch

#: The most sitemaps that are read; tries of one address.
_MAPS, _TRIES = 200, 5
#: Seconds of the first pause when a site asks for one without a length; it doubles.
_PAUSE = 1.0
_GONE = (404, 410)
_OK = 200
#: Addresses of a vendor's own machinery, which are not pages: GitBook's and Cloudflare's.
_MACHINERY = ("/~gitbook/", "/~/", "/cdn-cgi/")


@dataclass(frozen=True)
class Old:
    """An address of the old site. `to` is where it redirects on that site; `facts` are empty if it was not read."""

    path: str
    status: int
    facts: Facts = field(default_factory=Facts)
    to: str = ""
    page: bool = True


@dataclass
class Crawled:
    """The result: addresses by path, and sentences about what could not be requested."""

    base: str
    found: dict[str, Old] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def key(path: str) -> str:
    """Return the common form of an address's spellings: no slash at the end."""
    return path.rstrip("/") or "/"


class Crawl:
    """One crawl. The pool sends requests; this thread decides and reads. `report` gets lines of progress."""

    def __init__(
        self,
        fetch: Fetch,
        report: Callable[[str], None],
        limit: int = CRAWL_ADDRESSES,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._report, self._limit, self._sleep, self._clock = fetch, report, limit, sleep, clock
        self._robots: Protego | None = None
        self._queue: deque[tuple[str, int]] = deque()
        self._seen: set[str] = set()
        self._not_before = 0.0
        self._pause = _PAUSE
        self._over = self._forbidden = 0

    def run(self, url: str) -> Crawled:
        """Find every address below `url`'s host. Raises ConfigError when the site does not answer."""
        made = Crawled(self._base(url))
        self._robots = self._read_robots(made)
        self._add(made, [made.base + "/"])
        self._add(made, self._sitemaps(made))
        delay = min(float(self._robots.crawl_delay(AGENT) or 0), LONGEST_PAUSE)
        with ThreadPoolExecutor(1 if delay else AT_ONCE) as pool:
            under_way: dict[Future[Answer], tuple[str, int]] = {}
            while self._queue or under_way:
                while self._queue and len(under_way) < (1 if delay else AT_ONCE):
                    self._wait(delay)
                    address, tries = self._queue.popleft()
                    under_way[pool.submit(self._fetch, address)] = (address, tries)
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    self._take(made, *under_way.pop(future), future.result())
        if self._forbidden:
            made.unread.append(
                f"{self._forbidden} addresses: robots.txt forbids asking; they are matched by path alone"
            )
        if self._over:
            made.unread.append(f"{self._over} more addresses: the limit of {self._limit} is reached; raise --limit")
        return made

    def _base(self, url: str) -> str:
        """Return scheme and host that answer for an address, following its redirects on one host."""
        parts = urlsplit(joined("", url if "://" in url else f"https://{url}"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{outside(url)}: not the address of a site; write https://docs.dao.example")
        at = f"{parts.scheme}://{parts.netloc}/"
        for _ in range(5):
            answer = self._fetch(at)
            if answer.failure:
                raise ConfigError(f"{at}: no answer: {outside(answer.failure)}; name a site that is live")
            to = urlsplit(joined(at, answer.location))
            if not answer.location or (to.netloc == urlsplit(at).netloc and to.scheme == urlsplit(at).scheme):
                return at.rstrip("/")
            if not to.netloc:
                where = outside(answer.location)
                raise ConfigError(
                    f"{at}: it redirects to {where}, which is no site; name the address that visitors use"
                )
            if to.hostname != parts.hostname:
                where = outside(f"{to.scheme}://{to.netloc}")
                raise ConfigError(f"{at}: it redirects to {where}; name that address if it is the old site")
            at = f"{to.scheme}://{to.netloc}/"
        raise ConfigError(f"{at}: it redirects in circles; name the address that visitors use")

    def _read_robots(self, made: Crawled) -> Protego:
        """Return the site's rules; a server that fails forbids everything, a missing file nothing (RFC 9309 §2.3.1)."""
        from protego import Protego

        answer = self._patiently(f"{made.base}/robots.txt")
        if answer.status == _OK and not answer.page:
            return Protego.parse(answer.text)
        if answer.failure or answer.status in LATER or answer.status >= 500:
            what = answer.failure or f"status {answer.status}"
            made.unread.append(f"{made.base}/robots.txt: {outside(what)}, so nothing may be asked; try again later")
            return Protego.parse("User-agent: *\nDisallow: /\n")
        return Protego.parse("")

    def _sitemaps(self, made: Crawled) -> list[str]:
        """Read every sitemap once, even if they name each other in a circle."""
        waiting = deque([*(self._robots.sitemaps if self._robots else ()), f"{made.base}/sitemap.xml"])
        read: set[str] = set()
        pages: list[str] = []
        host = urlsplit(made.base).hostname
        while waiting and len(read) < _MAPS:
            name = waiting.popleft()
            at = joined(made.base, name)
            if (at or name) in read or (at and urlsplit(at).hostname != host):
                continue
            read.add(at or name)
            if not at:
                made.unread.append(f"{outside(name)}: a sitemap at what is no address")
                continue
            answer = self._patiently(at)
            if answer.status in LATER or answer.failure:
                made.unread.append(f"{outside(at)}: {outside(answer.failure or f'status {answer.status}')}")
            if answer.status != _OK or answer.page:
                if answer.location:
                    waiting.append(joined(at, answer.location) or answer.location)
                continue
            try:
                found, further = sitemap.read(answer.body)
            except ValueError as error:
                made.unread.append(f"{outside(at)}: {error}")
                continue
            pages += found
            waiting += further
        if waiting:
            made.unread.append(f"{len(waiting)} more sitemaps: at most {_MAPS} are read")
        return pages

    def _patiently(self, at: str) -> Answer:
        """Request an address without concurrency, waiting where the site asks for it."""
        for _ in range(_TRIES):
            self._wait(0)
            answer = self._fetch(at)
            if answer.status not in LATER:
                return answer
            self._slow_down(answer)
        return answer

    def _wait(self, delay: float) -> None:
        left = self._not_before - self._clock()
        if left > 0:
            self._sleep(left)
        if delay:
            self._not_before = self._clock() + delay

    def _slow_down(self, answer: Answer) -> None:
        seconds = answer.pause_s or self._pause
        self._pause = min(self._pause * 2, 60.0)
        self._not_before = max(self._not_before, self._clock() + seconds)
        self._report(f"the site asks for a pause of {seconds:.0f} s")

    def _add(self, made: Crawled, addresses: Iterable[str], at: str = "") -> None:
        """Add addresses of this site to the queue, each once, without queries and machinery."""
        base, own = made.base, urlsplit(made.base)
        for address in addresses:
            url, _ = urldefrag(joined(at or f"{base}/", address))
            parts = urlsplit(url)
            if parts.hostname != own.hostname or parts.port != own.port or parts.scheme not in ("http", "https"):
                continue
            path = parts.path or "/"
            if parts.query or path.startswith(_MACHINERY) or key(path) in self._seen:
                continue
            if len(self._seen) >= self._limit:
                self._over += 1
                continue
            self._seen.add(key(path))
            if self._robots is not None and not self._robots.can_fetch(f"{base}{path}", AGENT):
                self._forbidden += 1
                made.found[key(path)] = Old(path, 0)
                continue
            self._queue.append((f"{base}{path}", 1))

    def _take(self, made: Crawled, address: str, tries: int, answer: Answer) -> None:
        """Record an answer, or schedule another try."""
        path = urlsplit(address).path or "/"
        if answer.status in LATER and tries < _TRIES:
            self._slow_down(answer)
            self._queue.append((address, tries + 1))
            return
        if answer.failure or answer.status in LATER:
            made.unread.append(
                f"{outside(path)}: {outside(answer.failure or f'status {answer.status}, {tries} times')}"
            )
            made.found[key(path)] = Old(path, answer.status)
            return
        if answer.status in _GONE:
            return
        made.found[key(path)] = self._old(made, address, path, answer)
        if len(made.found) % 100 == 0:
            self._report(f"{len(made.found)} addresses, {len(self._queue)} waiting")

    def _old(self, made: Crawled, address: str, path: str, answer: Answer) -> Old:
        if answer.location:
            to = joined(address, answer.location)
            if not to:
                made.unread.append(f"{outside(path)}: it redirects to {outside(answer.location)}, which is no address")
                return Old(path, answer.status)
            self._add(made, [to])
            same = urlsplit(to).netloc == urlsplit(made.base).netloc
            return Old(path, answer.status, to=(urlsplit(to).path or "/") if same else to)
        if not answer.page:
            return Old(path, answer.status, page=False)
        found = facts.read(answer.text)
        self._add(made, found.links, address)
        return Old(path, answer.status, replace(found, links=()))
