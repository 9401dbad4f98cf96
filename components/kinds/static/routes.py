"""The one table of routes of a static site: what every address answers, the same on every target.

GitHub Pages decides status, final address, type and body of an address; the settings of a site and its files
`_redirects` and `_headers` (`rules`) add to that. `Routes.resolve` is the definition. Targets render it and decide
nothing: AWS as objects and CloudFront functions (`Routes.table`), containers as Caddy's configuration, whose generic
file matchers and rules must answer what `resolve` answers.

How an address is answered, the first line that fits counts:

1. a percent sign without two hex digits after it: 400;
2. a method other than GET and HEAD: 405 with `Allow: GET, HEAD`;
3. a path that `REFUSED` matches after decoding it once, or that is not UTF-8: 404, and no rule or redirect sees it;
4. a rule of `_redirects` with `!` after its status;
5. a file: `/a/` is `a/index.html`, `/a` is the file `a`, else `a.html`, else a 301 to `/a/` if `a/index.html` exists
   (`Settings.trailing_slash` turns this around);
6. any other rule of `_redirects`, in the order of its lines;
7. `Settings.fallback` with 200, if the last segment of the path has no dot;
8. 404 with the site's own `404.html`, else `headers.STOCK_PAGE`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from ...web import headers as web
from ...web import http as front
from .rules import HeaderRule, Redirect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Of the decoded path: doubled slashes and backslashes, which browsers read as the start of another host; segments `.`
#: and `..`, which clients resolve themselves; and the folder of unmoor's own files. It means the same in Python, RE2
#: and JavaScript.
REFUSED = r"//|\\|/\.\.?(?:/|$)|^/\.unmoor(?:/|$)"
#: The folder of unmoor's own files in a bundle and in a bucket. No address leads there.
OWN = ".unmoor/"
#: The rules of a release as JSON, in its bundle; `Routes.data` makes it and `Routes.read` reads it.
RULES_FILE = OWN + "rules.json"
#: The paths of a release's immutable files, one a line, in its bundle.
HASHED_FILE = OWN + "hashed"

INDEX = "index.html"
METHODS = ("GET", "HEAD")
#: The characters that RFC 3986 allows in a path unencoded, besides letters and digits.
PATH = "/-._~!$&'()*+,;=:@"

OK, MOVED, BAD_REQUEST, NOT_FOUND, NOT_ALLOWED = 200, 301, 400, 404, 405


@dataclass(frozen=True)
class Settings:
    """What a stack file can set for a site's addresses and headers; the defaults are GitHub Pages' behaviour.

    `fallback` is the path of the page for unknown addresses of a single-page application, "" for none.
    `trailing_slash`: None as the files are; True: `/a` redirects to `/a/`; False: `/a/` redirects to `/a`.
    `cors`: answers carry `Access-Control-Allow-Origin: *`. `embed`: who may show the site in a frame; "self", origins
    such as "https://app.example", or "*" alone for everyone. `cache`: seconds for which a file that is not immutable
    is kept without asking again; 0 asks each time.
    """

    fallback: str = ""
    trailing_slash: bool | None = None
    cors: bool = True
    embed: tuple[str, ...] = ("self",)
    cache: int = 0


@dataclass(frozen=True)
class Answer:
    """The answer of an address.

    `file` is the path of the file whose bytes are the body; "" if there is none, and for a 404 without a page of the
    site's own. `location` is percent-encoded; a visitor's query is appended if it holds neither `?` nor `#`. `type` and
    `cache` are the values of Content-Type and Cache-Control. `headers` are those that `_headers` sets, by name as
    written there; they win over the site-wide ones of `Routes.site_headers`. `pattern`: a rule with a wildcard, or the
    fallback, decided, so that the address is in no table.
    """

    status: int
    file: str = ""
    location: str = ""
    type: str = ""
    cache: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pattern: bool = False


@dataclass(frozen=True)
class Routes:
    """The routes of one release: its files (path to size in bytes) without `_redirects` and `_headers`, and its rules.

    `redirects` and `header_rules` stand in the order of their lines. An exact rule covers its address with and without
    a slash at the end; a rule that spells the address exactly comes first.
    """

    files: Mapping[str, int]
    settings: Settings = field(default_factory=Settings)
    redirects: tuple[Redirect, ...] = ()
    header_rules: tuple[HeaderRule, ...] = ()

    def answer(self, target: str, method: str = "GET") -> Answer:
        """Return the answer to a request target as sent, such as `/a%20b?c=d`.

        Reserved addresses are not treated here.
        """
        raw, _, query = target.partition("?")
        if re.search(r"%(?![0-9A-Fa-f]{2})", raw):
            return Answer(BAD_REQUEST)
        if method not in METHODS:
            return Answer(NOT_ALLOWED)
        try:
            found = self.resolve(unquote_to_bytes(raw).decode())
        except UnicodeDecodeError:
            return self.missing
        if found.location and query and not re.search("[?#]", found.location):
            return replace(found, location=f"{found.location}?{query}")
        return found

    def resolve(self, path: str) -> Answer:
        """Return the answer of a decoded path, such as `/a b`."""
        if not path.startswith("/") or re.search(REFUSED, path):
            return self.missing
        return (
            self._ruled(path, forced=True)
            or self._filed(path)
            or self._ruled(path, forced=False)
            or self._fallen_back(path)
            or self.missing
        )

    @cached_property
    def missing(self) -> Answer:
        """The answer of a missing address."""
        page = web.ERROR_PAGE if web.ERROR_PAGE in self.files else ""
        return Answer(NOT_FOUND, page, type=web.TYPES[".html"], cache=web.ALWAYS_FRESH)

    def table(self) -> dict[str, Answer]:
        """Return every decoded address that a file or an exact rule decides, with its answer; patterns are left out.

        /healthz is never a site's own: `healthz.html` answers only at its whole name.
        """
        return self._table

    @cached_property
    def _table(self) -> dict[str, Answer]:
        found = {path: self.resolve(path) for path in sorted({*self._candidates()} - {front.HEALTH_PATH})}
        return {path: one for path, one in found.items() if one.status != NOT_FOUND and not one.pattern}

    @property
    def patterns(self) -> tuple[Redirect, ...]:
        """The rules with wildcards or placeholders, in their order."""
        return tuple(rule for rule in self.redirects if not rule.exact)

    def hashed(self) -> list[str]:
        """Return the paths of the files that never change, sorted."""
        return sorted(path for path in self.files if web.immutable(path))

    def site_headers(self, scheme: str) -> dict[str, str]:
        """Return the headers of every answer of the site, errors and redirects included."""
        return web.site_headers(scheme, cors=self.settings.cors, embed=self.settings.embed)

    def data(self) -> dict[str, Any]:
        """Return the rules as plain data for `RULES_FILE`; the files are left out, because they lie next to it."""
        return {
            "format": 1,
            "settings": {**asdict(self.settings), "embed": list(self.settings.embed)},
            "redirects": [asdict(rule) for rule in self.redirects],
            "headers": [{**asdict(rule), "sets": [list(pair) for pair in rule.sets]} for rule in self.header_rules],
        }

    @classmethod
    def read(cls, data: Mapping[str, Any], files: Mapping[str, int]) -> Routes:
        """Return routes from `data` and the files next to it."""
        settings = {**data["settings"], "embed": tuple(data["settings"]["embed"])}
        return cls(
            files,
            Settings(**settings),
            tuple(Redirect(**rule) for rule in data["redirects"]),
            tuple(
                HeaderRule(**{**rule, "sets": tuple((name, value) for name, value in rule["sets"])})
                for rule in data["headers"]
            ),
        )

    def serve(self, path: str, at: str, *, pattern: bool = False) -> Answer:
        """Return the answer of a file at a decoded address, by which `_headers` is matched."""
        own: dict[str, tuple[str, str]] = {}
        for rule in self.header_rules:
            if rule.covers(at):
                for name, value in rule.sets:
                    key = name.lower()
                    own[key] = (own[key][0], f"{own[key][1]}, {value}") if key in own else (name, value)
        cache = web.FOR_EVER if web.immutable(path) else web.kept(self.settings.cache)
        kind = own.pop("content-type", ("", web.type_of(path)))[1]
        cache = own.pop("cache-control", ("", cache))[1]
        return Answer(OK, path, type=kind, cache=cache, headers=tuple(own.values()), pattern=pattern)

    def _filed(self, path: str) -> Answer | None:
        name = path[1:]
        return self._foldered(path, name) if path.endswith("/") else self._named(path, name)

    def _foldered(self, path: str, name: str) -> Answer | None:
        slash = self.settings.trailing_slash
        index, page = f"{name}{INDEX}", f"{name[:-1]}.html"
        if index in self.files:
            return _moved(path[:-1]) if slash is False and name else self.serve(index, path)
        return self.serve(page, path) if slash and page in self.files and not _index(page) else None

    def _named(self, path: str, name: str) -> Answer | None:
        slash = self.settings.trailing_slash
        index, page = f"{name}/{INDEX}", f"{name}.html"
        if name in self.files:
            return self.serve(name, path)
        if page in self.files:
            return _moved(f"{path}/") if slash and not _index(page) else self.serve(page, path)
        if index in self.files:
            return self.serve(index, path) if slash is False else _moved(f"{path}/")
        return None

    def _ruled(self, path: str, *, forced: bool) -> Answer | None:
        exact = self.exact[forced].get(path)
        for rule in self.patterned[forced]:
            if exact and rule.line > exact.line:
                break
            if (values := rule.match(path)) is not None:
                return self._follow(rule, values)
        return self._follow(exact, {}) if exact else None

    def _follow(self, rule: Redirect, values: Mapping[str, str]) -> Answer:
        if rule.status == OK:
            return self.serve(rule.target, f"/{rule.target}", pattern=not rule.exact)
        location = rule.location({name: quote(value, safe=PATH) for name, value in values.items()})
        return Answer(rule.status, location=location, cache=web.ALWAYS_FRESH, pattern=not rule.exact)

    def _fallen_back(self, path: str) -> Answer | None:
        page = self.settings.fallback
        if not page or "." in path.rpartition("/")[2]:
            return None
        return self.serve(page, f"/{page}", pattern=True)

    @cached_property
    def exact(self) -> dict[bool, dict[str, Redirect]]:
        """Return the exact rules by address, forced ones apart; one for the address itself beats one for its twin."""
        found: dict[bool, dict[str, Redirect]] = {True: {}, False: {}}
        for twin in (False, True):
            for rule in self.redirects:
                if rule.exact:
                    at = _twin(rule.source) if twin else rule.source
                    found[rule.forced].setdefault(at, rule)
        return found

    @cached_property
    def patterned(self) -> dict[bool, tuple[Redirect, ...]]:
        """Return the rules with a placeholder or a splat in their order, forced ones apart."""
        return {forced: tuple(rule for rule in self.patterns if rule.forced is forced) for forced in (True, False)}

    def _candidates(self) -> Iterator[str]:
        for path in self.files:
            yield f"/{path}"
            if path.endswith(".html"):
                yield f"/{path[:-5]}"
                yield f"/{path[:-5]}/"
            if _index(path):
                folder = path.removesuffix(INDEX)
                yield f"/{folder}"
                yield f"/{folder[:-1]}"
        for rules in self.exact.values():
            yield from rules


def _twin(source: str) -> str:
    return source[:-1] if source.endswith("/") and source != "/" else f"{source}/" if source != "/" else source


def _index(path: str) -> bool:
    return path == INDEX or path.endswith(f"/{INDEX}")


def _moved(path: str) -> Answer:
    return Answer(MOVED, location=quote(path, safe=PATH), cache=web.ALWAYS_FRESH)
