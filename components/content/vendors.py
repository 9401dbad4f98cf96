"""A project's rules for its vendor in our syntax: netlify.toml, vercel.json, `_redirects`, `_headers`.

Rules that cannot be expressed in the syntax that Netlify and Cloudflare Pages share are listed with their place, and
with what to do. Sources: Netlify "File-based configuration" and "Redirect options"; Vercel "Static Configuration with
vercel.json".
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..kinds.static import rules
from ..limits import VENDOR_PAGE_BYTES as _LARGEST_PAGE
from ..limits import VENDOR_PAGES as _MOST_PAGES
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_MOVED, _SERVED = 301, 200
#: Statuses that a rule may have; 200 serves a file of the site at another address.
_STATUSES = (200, 301, 302, 303, 307, 308)
#: Everything below an address, in the syntax of path-to-regexp that Vercel reads.
_REST = re.compile(r"/(?:\(\.\*\)|:(\w+)(?:\*|\(\.\*\)))$")
_PLAIN = re.compile(r"/(?:[\w.~%@-]+|:\w+)?(?:/(?:[\w.~%@-]+|:\w+))*/?")
_FUNCTION = "run it as a workload of kind `service`, at a host of its own"


@dataclass
class Rules:
    """The result: rules and headers in our syntax, settings of the kind `static`, and what has no equivalent."""

    redirects: list[str] = field(default_factory=list)
    headers: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    build: str = ""
    folder: str = ""
    missing: list[str] = field(default_factory=list)

    def miss(self, place: str, what: str, todo: str) -> None:
        """Note something that has no equivalent."""
        self.missing.append(f"{place}: no equivalent for {what}; {todo}")

    def add(self, other: Rules) -> None:
        """Add the rules of another file; an existing setting stays."""
        self.redirects += other.redirects
        self.headers += other.headers
        self.options = {**other.options, **self.options}
        self.build, self.folder = self.build or other.build, self.folder or other.folder
        self.missing += other.missing

    def headers_text(self) -> str:
        """Return `_headers`."""
        return "".join(
            f"{source}\n" + "".join(f"  {name}: {value}\n" for name, value in values)
            for source, values in self.headers
            if values
        )

    def redirect(self, place: str, source: str, target: str, status: int, *, forced: bool = False) -> None:
        """Add one rule, or note why it cannot be one."""
        if not source.startswith("/"):
            self.miss(place, f"a redirect of another host, {outside(source)}", "give that host its own workload")
        elif status == _SERVED and source in ("/*", "/") and target in ("/index.html", "/"):
            self.options["fallback"] = "index.html"
        elif status == _SERVED and "://" in target:
            self.miss(place, f"{outside(source)} that answers what {outside(target)} answers", _FUNCTION)
        elif status not in _STATUSES:
            todo = "name the page 404.html" if status == 404 else "choose a status that redirects"
            self.miss(place, f"{outside(source)} with status {status}", todo)
        else:
            line = f"{source} {target} {status}{'!' if forced else ''}"
            faults = rules.redirects(line, {})[1] if status != _SERVED else []  # the site's files are not known yet
            if faults:
                self.miss(place, f"{outside(line)}, which {faults[0].message.partition(';')[0]}", "write another rule")
            else:
                self.redirects.append(line)


def read(folder: Path) -> Rules:
    """Read every such file of a project. Raises ConfigError for one that cannot be read."""
    made = Rules()
    for name, reader in (("netlify.toml", _netlify), ("vercel.json", _vercel)):
        path = folder / name
        if path.is_file():
            made.add(reader(path))
    places = dict.fromkeys(filter(None, (".", "public", "static", "docs", made.folder)))
    for place in places:
        for name, lines in (("_redirects", _redirects), ("_headers", _headers)):
            path = folder / place / name
            if path.is_file():
                made.add(lines(path, path.relative_to(folder).as_posix()))
    for name, what in (
        ("api", "functions in api/"),
        ("netlify/functions", "functions"),
        ("netlify/edge-functions", "edge functions"),
    ):
        if (folder / name).is_dir():
            made.miss(f"{name}/", what, _FUNCTION)
    for name in ("middleware.ts", "middleware.js", "src/middleware.ts", "functions/_middleware.js"):
        if (folder / name).is_file():
            made.miss(name, "edge middleware", "write its redirects into _redirects; the rest needs a service")
    made.missing += _forms(folder)
    return made


def _load(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}; mend it") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: it holds no settings; mend it")
    return data


def _tables(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    found = data.get(key)
    yield from (
        (at, each) for at, each in enumerate(found if isinstance(found, list) else (), 1) if isinstance(each, dict)
    )


def _section(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _netlify(path: Path) -> Rules:
    data, made = _load(path), Rules()
    build = _section(data, "build")
    base = str(build.get("base") or "").strip("/")
    made.build = str(build.get("command") or "")
    made.folder = "/".join(filter(None, (base, str(build.get("publish") or "").strip("/"))))
    if base and made.build:
        made.build = f"cd {shlex.quote(base)} && {made.build}"
    for at, each in _tables(data, "redirects"):
        place = f"netlify.toml: redirects[{at}]"
        extras = [key for key in ("query", "conditions", "headers", "signed", "edge_handler") if each.get(key)]
        if extras:
            made.miss(
                place,
                f"{outside(str(each.get('from')))} with {' and '.join(extras)}",
                "write it without, or into a service",
            )
            continue
        status = each.get("status", _MOVED)
        code = status if isinstance(status, int) else 0
        made.redirect(place, str(each.get("from")), str(each.get("to")), code, forced=each.get("force") is True)
    for at, each in _tables(data, "headers"):
        pairs = [(name, line) for name, value in _section(each, "values").items() for line in _lines(value)]
        _add_headers(made, f"netlify.toml: headers[{at}]", str(each.get("for", "")), pairs)
    for key, what, todo in (
        ("edge_functions", "edge functions", "write their redirects into _redirects; the rest needs a service"),
        ("functions", "functions", _FUNCTION),
        ("plugins", "build plugins", "call what they do in the build command"),
        ("images", "the image service", "make the sizes in the build"),
    ):
        if data.get(key) or build.get(key):
            made.miss("netlify.toml", what, todo)
    contexts = [name for name in _section(data, "context") if name != "production"]
    if contexts:
        made.miss(
            "netlify.toml: context", f"builds for {outside(', '.join(contexts))}", "make a stack for each that you need"
        )
    if _section(build, "environment"):
        names = ", ".join(sorted(_section(build, "environment")))
        made.miss("netlify.toml: build.environment", outside(names), "set them in your CI")
    return made


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [line.strip() for line in str(value).splitlines() if line.strip()]


def _add_headers(made: Rules, place: str, source: str, pairs: Iterable[tuple[str, str]]) -> None:
    kept = []
    for name, value in pairs:
        if name.lower() == "basic-auth":
            made.miss(place, "a password (Basic-Auth)", "the site is public; keep it elsewhere")
        elif name.lower() == "set-cookie":
            made.miss(place, "a cookie", "static answers set none")
        else:
            kept.append((name, value))
    if kept and source.startswith("/"):
        made.headers.append((source, kept))
    elif kept:
        made.miss(place, f"headers for {outside(source)}", "name a path")


def _vercel(path: Path) -> Rules:
    data, made = _load(path), Rules()
    made.build, made.folder = str(data.get("buildCommand") or ""), str(data.get("outputDirectory") or "").strip("./")
    if isinstance(data.get("trailingSlash"), bool):
        made.options["trailing_slash"] = data["trailingSlash"]
    for kind, default in (("redirects", 308), ("rewrites", _SERVED)):
        for at, each in _tables(data, kind):
            place = f"vercel.json: {kind}[{at}]"
            source, target = str(each.get("source", "")), str(each.get("destination", ""))
            if each.get("has") or each.get("missing"):
                made.miss(place, f"{outside(source)} with a condition", "write it without, or into a service")
                continue
            turned = _turned(source, target)
            if turned is None:
                made.miss(place, f"the expression {outside(source)}", "write a rule for each address")
                continue
            status = each.get("statusCode") or (307 if each.get("permanent") is False else default)
            made.redirect(place, *turned, status if isinstance(status, int) else 0)
    for at, each in _tables(data, "headers"):
        place, source = f"vercel.json: headers[{at}]", str(each.get("source", ""))
        turned = _turned(source, "/")
        if turned is None or each.get("has") or each.get("missing"):
            made.miss(place, f"headers for {outside(source)}", "name a path, or /* for all")
            continue
        pairs = [(str(one.get("key", "")), str(one.get("value", ""))) for _, one in _tables(each, "headers")]
        _add_headers(made, place, turned[0], pairs)
    for key, what, todo in (
        ("functions", "functions", _FUNCTION),
        ("crons", "jobs by the clock", "run them in your CI"),
        ("routes", "routes of the older form", "write them as redirects, rewrites and headers"),
        ("images", "the image service", "make the sizes in the build"),
    ):
        if data.get(key):
            made.miss("vercel.json", what, todo)
    return made


def _turned(source: str, target: str) -> tuple[str, str] | None:
    """Return a Vercel address in the syntax of `_redirects`; None for an expression that has no equivalent."""
    rest = _REST.search(source)
    if rest:
        name = rest[1]
        source = source[: rest.start()] + "/*"
        target = (
            target.replace(f":{name}*", ":splat").replace(f":{name}", ":splat")
            if name
            else target.replace("$1", ":splat")
        )
    if re.search(r"\$\d", target) or not _PLAIN.fullmatch(source.removesuffix("*") or "/"):
        return None
    return source, target


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.rstrip()


def _redirects(path: Path, name: str) -> Rules:
    """Read `_redirects` of Netlify, which may hold conditions, or of Cloudflare Pages."""
    made = Rules()
    for number, line in _rows(path):
        words = line.split("#")[0].split() if " #" in line else line.split()
        place = f"{name}:{number}"
        at = next((at for at, word in enumerate(words[1:], 1) if word.startswith("/") or "://" in word), 0)
        if at == 0:
            made.miss(place, outside(line), "write `FROM TO STATUS`")
            continue
        status = words[at + 1] if len(words) > at + 1 and words[at + 1].rstrip("!").isdigit() else str(_MOVED)
        rest = [word for word in words[at + 1 :] if word != status]
        if at > 1 or rest:
            made.miss(
                place,
                f"{outside(words[0])} with {outside(' '.join(words[1:at] + rest))}",
                "write it without, or into a service",
            )
            continue
        made.redirect(place, words[0], words[at], int(status.rstrip("!")), forced=status.endswith("!"))
    return made


def _headers(path: Path, name: str) -> Rules:
    made = Rules()
    source, pairs, first = "", list[tuple[str, str]](), 0
    for number, line in _rows(path):
        if not line[0].isspace():
            _add_headers(made, f"{name}:{first}", source, pairs)
            source, pairs, first = line.strip(), [], number
        elif line.strip().startswith("!"):
            made.miss(f"{name}:{number}", outside(line.strip()), "leave the header out where it is set")
        else:
            key, _, value = line.strip().partition(":")
            pairs.append((key.strip(), value.strip()))
    _add_headers(made, f"{name}:{first}", source, pairs)
    return made


def _forms(folder: Path) -> Iterator[str]:
    """Return the forms that Netlify receives, found in pages and sources of the first folders."""
    mark = re.compile(r"<form\b[^<>]*\b(?:data-netlify|netlify)\b", re.IGNORECASE)
    names = (path for suffix in ("*.html", "*.jsx", "*.tsx", "*.vue", "*.md") for path in folder.rglob(suffix))
    for count, path in enumerate(names):
        if count >= _MOST_PAGES:
            return
        if "node_modules" in path.parts or path.stat().st_size > _LARGEST_PAGE:
            continue
        if mark.search(path.read_text(encoding="utf-8", errors="replace")):
            at = path.relative_to(folder).as_posix()
            yield f"{outside(at)}: no equivalent for a form that Netlify receives; send it to another service"
