"""The answers of a release's addresses, as Caddy's routes: files by their names, and the rules of the release.

The definition is `kinds/static/routes.py`. Files are found by matchers, so that new content needs no new configuration.
Settings are variables, and rules are lines that `kinds/static/front.py` renders into the bundle. front.sh inserts them
at the marks: `s` settings, `f` and `F` rules that come before files, `r` and `R` other rules (capitals for patterns),
`h` headers. Each line is for one set of rules, named by its hash, so that two releases can be served at one moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import headers as content
from .pieces import (
    Json,
    answer,
    append_to_path,
    compress,
    error,
    file,
    file_of,
    mark,
    path_like,
    replace_in_path,
    rewrite,
    route,
    table,
    unless,
    variable,
    variables,
    with_headers,
    without_header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The folder in which front.sh keeps releases, and the release that answers this request.
CONTENT, ROOT, ID = "{env.CONTENT}", "{http.vars.root}", "{http.vars.id}"
#: Decoded paths that no rule and no redirect may see: the rule for folders would turn `//evil.example/..//docs` into a
#: redirect to another host. The same as `kinds.static.routes.REFUSED`.
REFUSED = r"//|\\|/\.\.?(?:/|$)|^/\.unmoor(?:/|$)"
#: Matches a decoded path that is not UTF-8: it has a replacement character that was not written as one.
_NOT_UTF8 = "\ufffd", "(?i)%EF%BF%BD"
#: The variables of settings, and their values where a release sets none.
DEFAULTS = {
    "slash": "",
    "fallback": "",
    "cache": content.ALWAYS_FRESH,
    "x_frame": content.SECURITY_HEADERS["http"]["X-Frame-Options"],
    "frame": content.SECURITY_HEADERS["http"]["Content-Security-Policy"],
    "cors": "*",
}
#: Headers whose value is a setting; an empty one is not sent.
SET_HEADERS = {"X-Frame-Options": "x_frame", "Content-Security-Policy": "frame", "Access-Control-Allow-Origin": "cors"}

#: The only forms that a line of rules may have, in the syntax common to POSIX and Python: a bundle brings no other
#: configuration. Outputs and values of headers have only escaped braces, because Caddy expands `{env.NAME}` and
#: `{file.PATH}`.
_PLAIN, _ANY, _FOR = r'([^"\\{}]|[\\]")*', r'([^"\\]|[\\]["\\])*', r'"vars":\{"rules":\["@"\]\}'
_VALUE, _TO = r'([^"\\{}]|[\\]"|[\\][\\][{}]?)*', r'([^"\\{}]|\$\{[0-9]+\})*'
_STATUS, _NAME = '"(200|30[12378])"', r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_ONCE = r'(\{"handler":"vars","(typed|cached)":"yes"\},)?'
_HANDLERS = rf'{_ONCE}\{{"handler":"headers","response":\{{"add":\{{"{_NAME}":\["{_VALUE}"\]\}}\}}\}}'
SHAPES = (
    rf's \{{"match":\[\{{{_FOR}\}}\],"handle":\[\{{"handler":"vars"(,"({"|".join(DEFAULTS)})":"{_PLAIN}")*\}}\]\}},',
    rf'[fr] \{{"input":"@ {_ANY}","outputs":\[{_STATUS},"{_PLAIN}","(yes)?"\]\}},',
    rf'[FR] \{{"input_regexp":"\^@ {_ANY}","outputs":\[{_STATUS},"{_TO}","(yes)?"\]\}},',
    rf'h \{{"match":\[\{{{_FOR},"path_regexp":\{{"pattern":"{_ANY}"\}}\}}\],"handle":\[{_HANDLERS}\]\}},',
)

#: Conditions on a time, which the files of a bundle do not have.
TIMES = ("If-Modified-Since", "If-Unmodified-Since")

_PATH, _QUERY = "{http.request.uri.path}", "{http.request.orig_uri.prefixed_query}"
_OPEN, _CLOSED = path_like("[^/]$"), path_like("/$")
_FOUND, _BY_NAME = variable("found", "yes"), path_like("(^|/)index/?$")
_UNDECIDED: Json = {"not": [_FOUND]}
_INDEX = "index.html"


def release() -> list[Json]:
    """Choose the release of a request; everything that follows uses this one.

    The newest name in `live` comes first in a listing. There are two handlers, because the variables of one have no
    order.
    """
    newest = file(CONTENT, "/live/*")
    name = "^/?live/[0-9]+-[0-9]+-([0-9a-f]{64})-([0-9a-f]+)$"
    chosen = {"root": f"{CONTENT}/releases/{{http.regexp.live.1}}", "id": "{http.regexp.live.1}"}
    return [
        route(variables(live="{http.matchers.file.relative}", **DEFAULTS), when=newest),
        route(
            variables(**chosen, rules="{http.regexp.live.2}"),
            when={"vars_regexp": {"live": {"name": "live", "pattern": name}}},
        ),
        mark("s"),
    ]


def routes() -> list[Json]:
    """Answer an address, in the order in which `kinds/static/routes.py` decides."""
    unseen = {"Cache-Control": "no-store", "Retry-After": "10"}
    return [
        route(
            answer(503, "the content is not here yet", unseen),
            when=unless({"vars_regexp": {"id": {"pattern": "^[0-9a-f]{64}$"}}}),
        ),
        route(answer(405, headers={"Allow": "GET, HEAD"}), when=unless({"method": ["GET", "HEAD"]})),
        route(error(404), when=_refused()),
        *_rules("f"),
        *_files(),
        *_kept(),
        *_rules("r"),
        route(
            rewrite("{http.vars.fallback}"),
            variables(found="yes"),
            when=path_like("/[^/.]*$") | {"not": [_FOUND, variable("fallback", "")]},
        ),
        route(error(404), when=unless(_FOUND)),
        mark("h"),
        *(route(append_to_path(end), when=variable("end", end)) for end in (_INDEX, ".html", f"/{_INDEX}")),
        route(replace_in_path("(?:/|%2[fF])$", ".html"), when=variable("end", "/.html")),
        *_types_and_caches(),
        route(compressed(), file_of(ROOT)),
    ]


def compressed() -> Json:
    """Compress what the AWS half compresses. Bodies longer than CloudFront's limit are compressed here alone."""
    return compress(content.COMPRESSED, content.COMPRESSED_BYTES.start)


def _refused() -> Json:
    """Match addresses that can only answer 404; `path_regexp` would merge doubled slashes before it matches."""
    bad, written = (pattern.replace("\\", "\\\\") for pattern in _NOT_UTF8)
    decoded, sent = "{http.request.orig_uri.path}", "{http.request.orig_uri}"
    refused = REFUSED.replace("\\", "\\\\")
    return {
        "expression": f"{decoded}.matches('{refused}') || ({decoded}.matches('{bad}') && !{sent}.matches('{written}'))"
    }


def _rules(name: str) -> Iterator[Json]:
    """Follow the first rule that matches: exact ones by the decoded path, then patterns by the address as sent."""
    sources = {name: f"{{http.vars.rules}} {_PATH}", name.upper(): "{http.vars.rules} {http.request.uri}"}
    for each, source in sources.items():
        fields = {field: f"{{{each}_{field}}}" for field in ("status", "to", "query")}
        yield route(
            table(source, list(fields.values()), [mark(each) | {"input": each, "outputs": [""] * 3}], [""] * 3),
            variables(**fields),
            when=_UNDECIDED if each == name else _UNDECIDED | variable("status", ""),
        )
    yield route(rewrite("{http.vars.to}"), variables(found="yes"), when=variable("status", "200") | _UNDECIDED)
    fresh = {"Cache-Control": content.ALWAYS_FRESH}
    for query, place in (("yes", f"{{http.vars.to}}{_QUERY}"), ("", "{http.vars.to}")):
        yield route(
            answer("{http.vars.status}", headers={"Location": place} | fresh),
            when=variable("query", query) | {"not": [_FOUND, variable("status", "", "200")]},
        )


def _files() -> Iterator[Json]:
    """Find the file for an address; a redirect is an answer of its own."""
    here = {"Location": "{http.request.uri}", "Cache-Control": content.ALWAYS_FRESH}
    never, always = variable("slash", "never"), variable("slash", "always")
    to_open = [replace_in_path("(?:/|%2[fF])$", ""), answer(301, headers=here)]
    to_closed = [append_to_path("/"), answer(301, headers=here)]

    def found(end: str, when: Json) -> Json:
        return route(variables(found="yes", end=end), when=when)

    yield route(*to_open, when=path_like("./$") | never | file(ROOT, f"{_PATH}{_INDEX}") | _UNDECIDED)
    yield found(_INDEX, _CLOSED | file(ROOT, f"{_PATH}{_INDEX}") | _UNDECIDED)
    bare = path_like("^(.*[^/])/$", "bare")
    yield route(variables(bare="{http.regexp.bare.1}"), when=bare | always | {"not": [_FOUND, _BY_NAME]})
    yield found("/.html", file(ROOT, "{http.vars.bare}.html") | {"not": [_FOUND, variable("bare", "")]})
    yield found("", _OPEN | file(ROOT, _PATH) | _UNDECIDED)
    yield route(*to_closed, when=_OPEN | always | file(ROOT, f"{_PATH}.html") | {"not": [_FOUND, _BY_NAME]})
    yield found(".html", _OPEN | file(ROOT, f"{_PATH}.html") | _UNDECIDED)
    yield found(f"/{_INDEX}", _OPEN | never | file(ROOT, f"{_PATH}/{_INDEX}") | _UNDECIDED)
    yield route(*to_closed, when=_OPEN | file(ROOT, f"{_PATH}/{_INDEX}") | _UNDECIDED)


def _kept() -> Iterator[Json]:
    """Find a file that an earlier release had under a hashed name, for pages that visitors still have open."""
    yield route(
        variables(kept="{http.matchers.file.relative}"), when=_OPEN | file(CONTENT, f"/kept/*{_PATH}") | _UNDECIDED
    )
    place = {"vars_regexp": {"kept": {"name": "kept", "pattern": "^/?(kept/[0-9]+)/"}}}
    yield route(variables(found="yes", root=f"{CONTENT}/{{http.regexp.kept.1}}"), when=place | _UNDECIDED)


def _types_and_caches() -> Iterator[Json]:
    """Set type and cache class, unless a header of the release sets them."""
    kinds: dict[str, list[str]] = {}
    for suffix, kind in content.TYPES.items():
        kinds.setdefault(kind, []).append(suffix.removeprefix("."))
    known = [{"input": suffix, "outputs": [kind]} for suffix, kind in content.TYPES.items()]
    # Suffixes are rarely in capitals, so these come last.
    loud = [{"input_regexp": f"(?i)^[.](?:{'|'.join(each)})$", "outputs": [kind]} for kind, each in kinds.items()]
    types = table("{http.request.uri.path.file.ext}", ["{type}"], known + loud, [content.UNKNOWN_TYPE])
    yield route(types, with_headers({"Content-Type": "{type}"}), when=unless(variable("typed", "yes")))
    hashed = path_like(content.HASHED) | {"not": [*(path_like(each) for each in content.NOT_HASHED)]}
    yield route(variables(cache=content.FOR_EVER), when=hashed)
    yield route(with_headers({"Cache-Control": "{http.vars.cache}"}), when=unless(variable("cached", "yes")))
    # A file's modification time in a bundle is a checksum of its content: Caddy makes the ETag of it, and nothing else
    # uses it.
    yield route(without_header("Last-Modified", asked=TIMES))
