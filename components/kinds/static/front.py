"""Render the rules of a release for its container: lines in the bundle that front.sh gives to Caddy.

`web/caddy/addresses.py` defines the meaning and order of the lines. Everything that comes from a site is escaped: Caddy
expands `{env.NAME}` and `{file.PATH}` in outputs and in the values of headers. front.sh accepts only lines that have
one of `addresses.SHAPES`, so that a bundle cannot bring other configuration.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ...web import headers
from ...web.caddy import addresses
from .routes import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .routes import Routes
    from .rules import HeaderRule, Redirect

#: The place of the lines in a bundle.
FILE = ".unmoor/front"

_SLASH = {None: "", True: "always", False: "never"}
#: Headers that replace what the type and the cache class of a file would set, and the variable that shows that they do.
_REPLACING = {"content-type": "typed", "cache-control": "cached"}
_PART = re.compile(r"/\*$|:([A-Za-z]\w*)", re.ASCII)


def lines(routes: Routes) -> str:
    """Return the lines of a release; none if it has neither rules nor settings of its own.

    `@` stands for the hash of the lines, which front.sh inserts.
    """
    return "".join(f"{line}\n" for line in (*_settings(routes), *_redirects(routes), *_headers(routes)))


def _settings(routes: Routes) -> Iterator[str]:
    settings, sent = routes.settings, routes.site_headers("http")
    given = {
        "slash": _SLASH[settings.trailing_slash],
        "fallback": f"/{quote(settings.fallback, safe=PATH)}" if settings.fallback else "",
        "cache": headers.kept(settings.cache),
        **{setting: sent.get(name, "") for name, setting in addresses.SET_HEADERS.items()},
    }
    if given != addresses.DEFAULTS:
        yield f"s {_json({'match': [_when()], 'handle': [{'handler': 'vars'} | given]})},"


def _redirects(routes: Routes) -> Iterator[str]:
    for name, forced in (("f", True), ("r", False)):
        patterns = routes.patterned[forced]
        for address, rule in routes.exact[forced].items():
            # The rule with the lower line number counts, and Caddy tries the exact ones first.
            if not any(each.line < rule.line and each.match(address) is not None for each in patterns):
                yield f"{name} {_json({'input': f'@ {address}', 'outputs': _outputs(rule, rule.target)})},"
        for rule in patterns:
            found = {"input_regexp": f"^@ {_sent(rule)}(?:[?].*)?$", "outputs": _outputs(rule, _with_groups(rule))}
            yield f"{name.upper()} {_json(found)},"


def _outputs(rule: Redirect, target: str) -> list[str]:
    """Return the status, the target, and whether the visitor's query is added to it."""
    if rule.status == 200:
        return ["200", f"/{quote(rule.target, safe=PATH)}".replace("$", "$$" if not rule.exact else "$"), ""]
    return [str(rule.status), target, "" if re.search("[?#]", target) else "yes"]


def _with_groups(rule: Redirect) -> str:
    """Return the target with the groups of `_sent` instead of placeholders, as Go's regexp.Expand reads it."""
    marked = rule.location({name: f"\0{at}\0" for at, name in enumerate(rule.names, 1)})
    return re.sub("\0([0-9]+)\0", r"${\1}", marked.replace("$", "$$"))


def _sent(rule: Redirect) -> str:
    """Return a pattern for addresses as they are sent, each character raw or with percent signs.

    A placeholder's value is copied to the target as it was sent, because a decoded one could not be encoded again.
    """
    source, found, at = rule.source, "", 0
    segment = "((?:[^/?%]|%(?:[013-9a-fA-F][0-9a-fA-F]|2[0-9a-eA-E]))+)"
    for part in _PART.finditer(source):
        found += "".join(map(_spellings, source[at : part.start()]))
        found += segment if part[1] else f"(?:{_spellings('/')}([^?]*))?"
        at = part.end()
    rest = source[at:]
    if not source.endswith("/*"):
        rest = rest.removesuffix("/")
    found += "".join(map(_spellings, rest))
    return found if source.endswith("/*") else f"{found}{_spellings('/')}?"


def _spellings(character: str) -> str:
    encoded = "".join(f"%{byte:02X}" for byte in character.encode())
    return f"(?:{re.escape(character)}|(?i:{encoded}))"


def _headers(routes: Routes) -> Iterator[str]:
    for rule in routes.header_rules:
        when = _when() | {"path_regexp": {"pattern": _covered(rule)}}
        for name, value in rule.sets:
            escaped = value.replace("{", "\\{").replace("}", "\\}")
            steps = [{"handler": "headers", "response": {"add": {name: [escaped]}}}]
            if replaced := _REPLACING.get(name.lower()):
                steps.insert(0, {"handler": "vars", replaced: "yes"})
            yield f"h {_json({'match': [when], 'handle': steps})},"


def _covered(rule: HeaderRule) -> str:
    return f"^{re.escape(rule.source)}$" if rule.exact else rule.pattern


def _when() -> dict[str, object]:
    return {"vars": {"rules": ["@"]}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
