"""Every address of a site on every half, compared with the table of routes and with each other.

The table (`components/kinds/static/routes.py`) is the contract: status, final address, type, cache class, body and
headers. What it leaves open (ETag, encoding, ranges, conditional answers) has to be the same on all halves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes

from components.kinds.static.routes import BAD_REQUEST, MOVED
from components.web import headers as web
from components.web import http as front

from .ask import HOST, OTHERS, Half, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from components.kinds.static.routes import Answer, Routes

#: What RFC 3986 lets a path carry raw.
_RAW = "/-._~!$&'()*+,;=:@"
#: A query that a redirect has to keep as it is.
_QUERY = "?q=1&r=%2F"
#: Addresses that no site has, and that have tricked servers before.
MISSING = (
    *("/no-such-page", "/no-such-page/", "/no-such-file.js", "/no/such/folder/", "/index.html/", "/index/", "/%"),
    *("/%zz", "/%ff", "/%00", "//", "//evil.example/", "//evil.example/..//", "/%2F", "/%2fevil.example/%2e%2e"),
    *("/\\evil.example", "/%5Cevil.example/", "/./", "/../", "/..%2f", "/%2e%2e/", "/a/../", "/.unmoor/rules.json"),
    *("/.unmoor/root", "/.unmoor/published.json", "/.unmoor/404.html", "/.unmoor%2froot", "/_redirects", "/_headers"),
    *("/Healthz", "/constructor", "/__proto__", "/?list-type=2", "/no-such-page?a=b"),
)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is not as it should be: at which address, on which half (or between halves), and what."""

    target: str
    half: str
    what: str

    def __str__(self) -> str:
        return f"{self.target} · {self.half}: {self.what}"


def targets(routes: Routes) -> list[str]:
    """Return every address that is asked: those of the table in two spellings, their neighbours, and missing ones."""
    found = dict.fromkeys(MISSING)
    for path in routes.table():
        for near in {path, f"{path.rstrip('/')}/", f"{path}{_QUERY}", f"{path.removesuffix('/') or '/index'}.html"}:
            found.update(dict.fromkeys(_spellings(near)))
    for rule in routes.patterns:
        for value in ("x", "a b/c?d", "ü/", ""):
            filled = rule.source
            for name in rule.names:
                filled = filled.replace(f":{name}", value.strip("/") or "y").replace("*", value)
            found.update(dict.fromkeys(_spellings(filled)))
    return [target for target in found if unquote(target.partition("?")[0]) != front.HEALTH_PATH]


def crawl(
    routes: Routes, folder: Path, halves: Sequence[Half], say: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Ask all halves for everything, and return what is wrong, sorted."""
    found: list[Finding] = []
    whole: set[str] = set()
    asked = targets(routes)
    for count, target in enumerate(asked, 1):
        answer = routes.answer(target)
        replies = [half.ask(target) for half in halves]
        for half, reply in zip(halves, replies, strict=True):
            found += [Finding(target, half.name, what) for what in deviations(routes, folder, answer, reply)]
            if _as_browsers_write(target) and answer.location not in {"", reply.header("location")}:
                found.append(Finding(target, half.name, f"leads to {reply.header('location')!r}, spelled another way"))
        found += _differences(target, halves, replies, ("etag", "accept-ranges"))
        # What is the same for every address of a file is asked once.
        if answer.file not in whole or answer.status != 200:
            whole.add(answer.file)
            for half, reply in zip(halves, replies, strict=True):
                found += [Finding(target, half.name, what) for what in _details(half, target, answer, reply)]
            found += _differences(
                target, halves, [half.ask(target, "HEAD") for half in halves], ("content-length", "content-type")
            )
        if count % 1000 == 0:
            say(f"{count} of {len(asked)} addresses asked, {len(found)} findings")
    return sorted(set(found))


def moved(routes: Routes, halves: Sequence[Half]) -> list[Finding]:
    """Ask all halves for everything at OTHERS, and return what does not lead to the same address at HOST."""
    found: set[Finding] = set()
    for host, method in ((OTHERS[0], "GET"), (OTHERS[1], "HEAD"), (OTHERS[1], "POST")):
        for target in targets(routes):
            for half in halves:
                what = _led(routes, target, half.ask(target, method, {"Host": host, "Content-Length": "0"}))
                found |= {Finding(f"{host}{target}", half.name, f"{method}: {what}")} if what else set()
    return sorted(found)


def _led(routes: Routes, target: str, reply: Reply) -> str:
    """Return how an answer for another host deviates from the contract, or nothing."""
    if routes.answer(target).status == BAD_REQUEST:
        return "" if reply.status == BAD_REQUEST else f"status {reply.status}, not {BAD_REQUEST}"
    scheme, _, rest = reply.header("location").partition("://")
    if reply.status != MOVED or scheme not in ("http", "https") or not rest.startswith(f"{HOST}/"):
        return f"status {reply.status}, leads to {reply.header('location')!r}"
    if _place(rest.removeprefix(HOST)) != _place(target):
        return f"leads to {reply.header('location')!r}"
    wanted = {name.lower(): value for name, value in routes.site_headers("http").items()}
    wanted["cache-control"] = web.ALWAYS_FRESH
    wrong = [name for name, value in wanted.items() if reply.header(name) != value]
    return f"{', '.join(wrong)} missing" if wrong else ""


def deviations(routes: Routes, folder: Path, answer: Answer, reply: Reply) -> Iterator[str]:
    """Yield how a reply to a GET deviates from the contract."""
    if reply.status != answer.status:
        yield f"status {reply.status}, not {answer.status}"
        return
    if answer.location:
        location = reply.header("location")
        if not location.isascii() or _place(location) != _place(answer.location):
            yield f"leads to {location!r}, not to {answer.location!r}"
        if reply.header("etag"):
            yield "a redirect with an ETag"
    if answer.cache and reply.header("cache-control") != answer.cache:
        yield f"Cache-Control {reply.header('cache-control')!r}, not {answer.cache!r}"
    if answer.status in (200, 404):
        if reply.header("content-type") != answer.type:
            yield f"Content-Type {reply.header('content-type')!r}, not {answer.type!r}"
        wanted = (folder / answer.file).read_bytes() if answer.file else web.STOCK_PAGE
        if reply.body != wanted:
            yield f"another body: {len(reply.body)} bytes, not the {len(wanted)} of {answer.file or 'the stock page'}"
    if answer.status == 200 and not reply.header("etag"):
        yield "no ETag"
    yield from _headers(routes, answer, reply)


def _headers(routes: Routes, answer: Answer, reply: Reply) -> Iterator[str]:
    own = {name.lower(): value for name, value in answer.headers}
    site = {name.lower(): value for name, value in routes.site_headers("http").items()}
    if answer.status not in (200, 404) and not answer.location:
        return
    for name, value in (site | own).items():
        # CORS is for what can be read: no target has to send it with an error.
        if name.startswith("access-control-") and answer.status == 404:
            continue
        if reply.header(name) != value:
            yield f"{name} {reply.header(name)!r}, not {value!r}"
    for name in ("x-frame-options", "content-security-policy", "access-control-allow-origin"):
        if name not in site and name not in own and reply.header(name):
            yield f"{name} {reply.header(name)!r}, which no setting asks for"


def _details(half: Half, target: str, answer: Answer, reply: Reply) -> Iterator[str]:
    """Yield what is wrong with other ways to ask for an address."""
    head = half.ask(target, "HEAD")
    if head.status != reply.status or head.body:
        yield f"HEAD: status {head.status} with {len(head.body)} bytes, GET: {reply.status}"
    for name in ("content-type", "location", "cache-control", "etag"):
        if head.header(name) != reply.header(name):
            yield f"HEAD: {name} {head.header(name)!r}, GET: {reply.header(name)!r}"
    post = half.ask(target, "POST", {"Content-Length": "0"})
    if answer.status != 400 and (post.status, post.header("allow")) != (405, "GET, HEAD"):
        yield f"POST: status {post.status}, Allow {post.header('allow')!r}"
    if answer.status == 200 and reply.status == 200:
        yield from _parts(half, target, reply)
        yield from _conditions(half, target, reply)
    if answer.status in (200, 404) and reply.status == answer.status:
        yield from _encodings(half, target, answer, reply)


def _parts(half: Half, target: str, reply: Reply) -> Iterator[str]:
    size = len(reply.body)
    if not size:
        return
    for wanted, part in (("bytes=0-0", reply.body[:1]), ("bytes=-2", reply.body[-2:])):
        found = half.ask(target, headers={"Range": wanted})
        if (found.status, found.body) != (206, part) or not found.header("content-range").endswith(f"/{size}"):
            yield f"Range {wanted}: status {found.status}, {len(found.body)} bytes, {found.header('content-range')!r}"
    beyond = half.ask(target, headers={"Range": f"bytes={size}-"})
    if (beyond.status, beyond.header("content-range")) != (416, f"bytes */{size}"):
        yield f"Range beyond the end: status {beyond.status}, {beyond.header('content-range')!r}"


def _conditions(half: Half, target: str, reply: Reply) -> Iterator[str]:
    same = half.ask(target, headers={"If-None-Match": reply.header("etag")})
    if same.status != 304 or same.body:
        yield f"If-None-Match with its own ETag: status {same.status}"
    other = half.ask(target, headers={"If-None-Match": '"another"'})
    if (other.status, other.body) != (200, reply.body):
        yield f"If-None-Match with another ETag: status {other.status}"


def _encodings(half: Half, target: str, answer: Answer, reply: Reply) -> Iterator[str]:
    for accepted in ("gzip", "br", "gzip, deflate, br, zstd"):
        found = half.ask(target, headers={"Accept-Encoding": accepted})
        coding = found.header("content-encoding")
        if coding == "zstd":
            continue
        if found.status != reply.status or found.body != reply.body:
            yield f"Accept-Encoding {accepted}: status {found.status}, another body ({coding or 'plain'})"
        if coding and coding not in accepted:
            yield f"Accept-Encoding {accepted}: answered with {coding}"
        wanted = web.compresses(answer.type, len(reply.body))
        if answer.status == 200 and "gzip" in accepted and bool(coding) != wanted:
            yield f"Accept-Encoding {accepted}: {'' if coding else 'not '}compressed"


def _differences(
    target: str, halves: Sequence[Half], replies: Sequence[Reply], names: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield where two halves do not agree in what the contract leaves open: that a header is there, and the status."""
    if len(replies) < 2:
        return
    between = " | ".join(half.name for half in halves)
    seen = [str(reply.status) for reply in replies]
    if len(set(seen)) > 1:
        yield Finding(target, between, f"status {' | '.join(seen)}")
        return
    for name in names:
        there = [bool(reply.header(name)) for reply in replies]
        if replies[0].status == 200 and len(set(there)) > 1:
            yield Finding(target, between, f"{name} {' | '.join('there' if one else 'missing' for one in there)}")


def _spellings(path: str) -> Iterator[str]:
    """Yield a decoded path, maybe with a query, as browsers write it and with everything encoded that can be."""
    if path.endswith(_QUERY):
        yield quote(path.removesuffix(_QUERY), safe=_RAW) + _QUERY
        return
    yield quote(path, safe=_RAW)
    yield quote(path, safe="/").replace("~", "%7E").replace("-", "%2d").replace("_", "%5F")


def _as_browsers_write(target: str) -> bool:
    """Return whether a request target is spelled so: an application compares what then stands in the address line."""
    path = target.partition("?")[0]
    return path == quote(unquote_to_bytes(path), safe=_RAW)


def _place(location: str) -> tuple[bytes, str]:
    path, mark, query = location.partition("?")
    return unquote_to_bytes(path), mark + query
