"""A site's own rules: its files `_redirects` and `_headers`, in the syntax that Netlify and Cloudflare Pages share.

Sources: Netlify "Redirect options", "Rewrites and proxies", "Custom headers"; Cloudflare Pages "Redirects", "Headers".
Syntax of only one of the two is a fault with its line, because its meaning would change after a move.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The files of a site that are read when the release is made, and never served.
REDIRECTS, HEADERS = "_redirects", "_headers"
#: 200 serves a file of the site at another address.
STATUSES = (200, 301, 302, 303, 307, 308)
#: Every pattern costs each request time on both targets; exact rules cost none. These are Cloudflare Pages' own limits.
MOST_PATTERNS, MOST_RULES = 100, 2000
#: Characters of a rule (Cloudflare Pages), which keeps a Location within S3's 2 KB of metadata.
LONGEST = 1000
#: The most bytes of headers that `_headers` gives one address, names included: what fits in S3's metadata.
MOST_HEADER_BYTES = 1700

_PLACEHOLDER = re.compile(r":([A-Za-z]\w*)", re.ASCII)
_HOST = re.compile(r"https?://([\w.:\[\]-]+)(?=[/?#]|$)")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
#: Headers that belong to the connection or are the targets' own.
_RESERVED = re.compile(
    "accept-ranges|age|alt-svc|connection|content-encoding|content-length|content-range|date|etag|keep-alive|last-modified|location|"
    "server|set-cookie|te|trailer|transfer-encoding|upgrade|vary|via|(?:x-amz|x-edge|proxy)-.*",
    re.IGNORECASE,
)
#: The characters of RFC 3986 without those that no Location may hold unencoded.
_URL = "/-._~!$&'()*+,;=:@?#[]%"


@dataclass(frozen=True)
class _Source:
    """The left side of a rule: a decoded path, in which `:name` is one segment and a last `/*` is the rest."""

    source: str

    @cached_property
    def exact(self) -> bool:
        """Whether it has neither wildcard nor placeholder."""
        return not self.source.endswith("*") and not _PLACEHOLDER.search(self.source)

    @property
    def pattern(self) -> str:
        """Return a regular expression for decoded paths that means the same in Python, RE2 and JavaScript.

        Its groups are the placeholders in their order, and the splat last; `names` has their names. `/a/*` also covers
        `/a`, with an empty splat.
        """
        found, at = "^", 0
        source = self.source.removesuffix("/*").removesuffix("/")
        for one in _PLACEHOLDER.finditer(source):
            found += re.escape(source[at : one.start()]) + "([^/]+)"
            at = one.end()
        found += re.escape(source[at:])
        return found + (r"(?:/([\s\S]*))?$" if self.source.endswith("/*") else "/?$")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the pattern's groups."""
        named = tuple(_PLACEHOLDER.findall(self.source))
        return (*named, "splat") if self.source.endswith("/*") else named

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the decoded values of the placeholders if a decoded path matches, else None."""
        found = self._compiled.fullmatch(path)
        return {name: value or "" for name, value in zip(self.names, found.groups(), strict=True)} if found else None


@dataclass(frozen=True)
class Redirect(_Source):
    """One rule of `_redirects`.

    `target` is the path of a file without a leading slash if `status` is 200, else a path or an http(s) address as it
    goes into Location, percent-encoded, in which `:name` and `:splat` stand for what the source matched. `forced`: the
    rule comes before files. `line` is its line, from 1.
    """

    target: str
    status: int
    forced: bool
    line: int

    def location(self, values: Mapping[str, str]) -> str:
        """Return the target with percent-encoded values put in."""
        return _PLACEHOLDER.sub(lambda one: values.get(one[1], one[0]), self.target)


@dataclass(frozen=True)
class HeaderRule(_Source):
    """One block of `_headers`: (name, value) in their order, for addresses that its source covers."""

    sets: tuple[tuple[str, str], ...]
    line: int

    def covers(self, path: str) -> bool:
        """Return whether a decoded address gets these headers; an exact source covers only itself."""
        return path == self.source if self.exact else self.match(path) is not None


def redirects(text: str, files: Mapping[str, int]) -> tuple[tuple[Redirect, ...], list[Fault]]:
    """Read `_redirects`: return the rules, and every fault by line. `files` are the paths that a 200 may name."""
    rules: list[Redirect] = []
    faults: list[Fault] = []
    for number, words in _lines(text):
        rule = _redirect(number, words.split(), files)
        if isinstance(rule, str):
            faults.append(Fault(f"{REDIRECTS}:{number}", rule))
        else:
            rules.append(rule)
    faults += _too_many(rules)
    return tuple(rules), faults


def headers(text: str) -> tuple[tuple[HeaderRule, ...], list[Fault]]:
    """Read `_headers`: return the blocks, and every fault by line."""
    blocks: list[tuple[str, int, list[tuple[str, str]]]] = []
    faults: list[Fault] = []
    for number, line in _lines(text):
        if not line[0].isspace():
            source = unquote(line.strip())
            if wrong := _wrong_source(line.strip()):
                faults.append(Fault(f"{HEADERS}:{number}", wrong))
            blocks.append((source, number, []))
            continue
        header = _header(line.strip())
        if isinstance(header, str) or not blocks:
            wrong = header if isinstance(header, str) else "stands below no address; begin the block with one, `/*`"
            faults.append(Fault(f"{HEADERS}:{number}", wrong))
        else:
            blocks[-1][2].append(header)
    size = sum(len(name) + len(value.encode()) + 8 for _, _, sets in blocks for name, value in sets)
    if size > MOST_HEADER_BYTES:
        faults.append(Fault(HEADERS, f"holds {size} bytes of headers; at most {MOST_HEADER_BYTES} fit, shorten them"))
    return tuple(HeaderRule(source, tuple(sets), line) for source, line, sets in blocks), faults


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.rstrip()


def _redirect(number: int, words: list[str], files: Mapping[str, int]) -> Redirect | str:
    """Read one line: return a rule, or what is wrong with it."""
    comment = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    words = words[:comment]
    if len(words) not in (2, 3):
        return "is not `FROM TO [STATUS]`; conditions and query parameters are Netlify's alone, remove them"
    source, target, status = (*words, "301") if len(words) == 2 else words
    code = status.removesuffix("!")
    wrong = _wrong_source(source)
    if not code.isdecimal() or int(code) not in STATUSES:
        wrong = f"has status {ascii(status)[1:-1]}; choose one of {', '.join(map(str, STATUSES))}"
    if sum(map(len, words)) > LONGEST:
        wrong = f"is longer than {LONGEST} characters; shorten it"
    if wrong:
        return wrong
    rule = Redirect(unquote(source), target, int(code), status.endswith("!"), number)
    if rule.status == STATUSES[0]:
        return _rewrite(rule, files)
    return _wrong_target(rule) or replace(rule, target=quote(target, safe=_URL))


def _rewrite(rule: Redirect, files: Mapping[str, int]) -> Redirect | str:
    path = unquote(rule.target).removeprefix("/")
    if not rule.target.startswith("/") or _PLACEHOLDER.search(rule.target):
        return "serves another server's answers, or a file by a placeholder, with 200; name one file of the site"
    for file in (path, f"{path}index.html" if path.endswith("/") or not path else f"{path}.html", f"{path}/index.html"):
        if file in files:
            return replace(rule, target=file)
    return f"serves {ascii(rule.target)[1:-1]}, which is no file of the site; name one that is"


def _wrong_source(source: str) -> str | None:
    """Return the first fault of a rule's left side."""
    named = _PLACEHOLDER.findall(source)
    partial = any(re.search(":[A-Za-z]", part) and not _PLACEHOLDER.fullmatch(part) for part in source.split("/"))
    decoded = unquote(source)
    wrongs = {
        "begins with no `/`; name an address of this site": source[0] != "/",
        "has a query or a fragment on the left; rules match paths alone": "?" in source or "#" in source,
        "has a `*` that is not a whole last segment; write `/docs/*`, or `/docs/:name` for one segment": (
            "*" in source.removesuffix("/*")
        ),
        "names a placeholder twice; give each its own name, and leave `splat` to `*`": (
            len(set(named)) < len(named) or "splat" in named
        ),
        "has a placeholder that is not a whole segment; write `/:name/`": partial,
        "is not UTF-8 behind its percent signs; write it plainly": "\ufffd" in decoded,
        "has `//`, a backslash, `.` or `..` as a segment, or a control character; no such address is served": (
            re.search(r"//|\\|/\.\.?(?:/|$)|[\x00-\x1f\x7f]", decoded) is not None
        ),
    }
    return next((sentence for sentence, wrong in wrongs.items() if wrong), None)


def _wrong_target(rule: Redirect) -> str | None:
    """Return the first fault of a redirect's right side."""
    plain = unquote(rule.target)
    host = _HOST.match(rule.target)
    if host and _PLACEHOLDER.search(host[1]):
        return "lets a visitor choose the host; write the host out"
    if not host and not rule.target.startswith("/"):
        return "leads neither to a path nor to an http(s) address; write `/path` or `https://HOST/path`"
    if not host and re.match(r"//|/:splat/|.*\\", plain):
        return "can lead to another host without naming it; write `https://HOST/` or a path with one slash"
    if not host and rule.exact and plain.rstrip("/") == rule.source.rstrip("/"):
        return "leads to itself; remove it, `trailing_slash` in the stack file decides about slashes"
    unknown = [name for name in _PLACEHOLDER.findall(_HOST.sub("", rule.target)) if name not in rule.names]
    return f"uses `:{unknown[0]}`, which stands for nothing on the left; name it there" if unknown else None


def _too_many(rules: list[Redirect]) -> Iterator[Fault]:
    patterns = sum(not rule.exact for rule in rules)
    if patterns > MOST_PATTERNS:
        yield Fault(REDIRECTS, f"has {patterns} rules with `*` or `:name`; at most {MOST_PATTERNS}, join some")
    if len(rules) > MOST_RULES:
        yield Fault(REDIRECTS, f"has {len(rules)} rules; at most {MOST_RULES}, remove those that no visitor follows")


def _header(line: str) -> tuple[str, str] | str:
    found = _HEADER.fullmatch(line)
    if not found:
        return "is not `Name: value`; `! Name` is Cloudflare's alone"
    name, value = found[1], found[2].strip()
    if _RESERVED.fullmatch(name):
        return f"sets {name}, which belongs to the server; remove the line"
    if not value.isascii() or not value.isprintable():
        return f"gives {name} a character that no header can carry; write it in ASCII"
    return name, value
