"""The inputs of `unmoor:akash:Deployment`: their faults, and the effect of a change. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...provider import schema
from ...provider.resource import Change, Failure
from ...provider.wire import UNKNOWN, holds_unknown
from ...text.escape import shown
from . import untrusted
from .market import request
from .sdl import document as sdl
from .sdl.changes import changes
from .sdl.steady import restarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .market.names import Owner

TOKEN = "unmoor:akash:Deployment"  # noqa: S105 a type token
#: Counts the deployments that one resource has had. It is among the inputs, set by `check` and never by programs. The
#: engine calls `check` without the old inputs for what it will create, so that a replacement has another number than
#: what it replaces, and a run after a killed one has the same.
GENERATION = "generation"
#: Becomes the beginning of a group's name on the market; hashes follow it.
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,46}[a-z0-9])?")
#: Advice on documents that is a fault here: a ceiling in the old coin would be read as USD.
REFUSED_ADVICE = ("uakt",)
#: The beginning of `state` when a lease is lost while its deployment is still open.
LOST = "lost"


def faults(news: dict[str, Any]) -> list[Failure]:
    """Return every fault of the inputs; a value that is not known yet counts as right."""
    found = schema.faults(TOKEN, {key: value for key, value in news.items() if key != GENERATION})
    refused = {failure.property for failure in found}
    name, document = news.get("name"), news.get("sdl")
    if "name" not in refused and name is not UNKNOWN and not NAME.fullmatch(name or ""):
        found.append(Failure("name", f"{name!r} cannot name a deployment; choose up to 48 of a-z, 0-9, - and ."))
    for index, each in enumerate(news["avoid"] if isinstance(news.get("avoid"), list) else ()):
        if each == "":
            found.append(Failure(f"avoid[{index}]", "'' is not the address of an Akash provider"))
    for index, each in enumerate(news["apart"] if isinstance(news.get("apart"), list) else ()):
        if each == "":
            found.append(Failure(f"apart[{index}]", "'' is not the name of a resource"))
    found += _hosts(news.get("hosts"))
    if not isinstance(document, dict) or holds_unknown(document):
        return found
    report = sdl.check(sdl.Document(document))
    wrong = [*report.errors, *(each for each in report.warnings if each.rule in REFUSED_ADVICE)]
    found += [Failure(_below("sdl", fault.path), fault.message) for fault in wrong]
    return found if wrong or "service" in refused else [*found, *_shape(document, news.get("service"))]


def _hosts(hosts: object) -> Iterator[Failure]:
    for index, each in enumerate(hosts if isinstance(hosts, list) else ()):
        if isinstance(each, str) and not untrusted.name(each):
            yield Failure(f"hosts[{index}]", f"{shown(each, 80)} is not a DNS name; write it as docs.dao.example")


def _shape(document: dict[str, Any], service: object) -> Iterator[Failure]:
    placements = document["profiles"]["placement"]
    if len(placements) != 1:
        why = f"{len(placements)} placements are as many leases; give one, and a deployment to each of the others"
        yield Failure("sdl.profiles.placement", why)
    if service is not UNKNOWN and service not in document["services"]:
        yield Failure("service", f"{service!r} is not in the document; choose from {', '.join(document['services'])}")


def group(news: dict[str, Any], owner: Owner | None, outputs: dict[str, Any] | None = None) -> Any:
    """Return the group name of a deployment: the standing one's, else the one that it will be opened with, or UNKNOWN.

    A deployment from before names had owners keeps its name: an update in place cannot change it.
    """
    if outputs:
        return outputs.get("group") or request.group_of(news["name"], news["sdl"], None, 0)
    if holds_unknown(news["sdl"]) or holds_unknown(news["name"]):
        return UNKNOWN
    return request.group_of(news["name"], news["sdl"], owner, generation(news))


def generation(news: dict[str, Any]) -> int:
    """Return a deployment's number among those that its resource has had."""
    return int(news.get(GENERATION) or 0)


def version(news: dict[str, Any], group: Any) -> Any:
    """Return the manifest's hash as hex, or UNKNOWN."""
    unknown = group is UNKNOWN or holds_unknown(news["sdl"])
    return UNKNOWN if unknown else request.version(group, news["sdl"])


def difference(old: dict[str, Any], outputs: dict[str, Any], news: dict[str, Any]) -> dict[str, Change]:
    """Return by property what a change means, compared with what the market showed last.

    `apart` matters at the moment of renting alone: no change of it changes what stands.
    A provider that is newly to be avoided is left only if it holds the lease. A list of providers to avoid that is not
    known yet shows as a change in place: it replaces only if it turns out to name the lease's provider. Other stores of
    a site that learns its releases replace it too, so that the new one serves before the old one ends.
    """
    found: dict[str, Change] = {}
    if old["name"] != news["name"]:
        found["name"] = Change.UPDATE_REPLACE
    if old["service"] != news["service"]:
        found["service"] = Change.UPDATE
    if news["avoid"] is not UNKNOWN and outputs.get("provider") in news["avoid"]:
        found["avoid"] = Change.UPDATE_REPLACE
    elif holds_unknown(news["avoid"]):
        found["avoid"] = Change.UPDATE
    if str(outputs.get("state", "")).startswith(LOST):
        found["state"] = Change.UPDATE_REPLACE
    found |= _document(old["sdl"], news["sdl"])
    found |= {_below("sdl", path): Change.UPDATE_REPLACE for path in restarted(old["sdl"], news["sdl"])}
    if old.get("hosts", []) != news.get("hosts", []):
        found["hosts"] = Change.UPDATE
    if not found and outputs.get("version") != version(old, group(old, None, outputs)):
        found["version"] = Change.UPDATE  # the manifest was changed from outside
    return found


def _document(old: dict[str, Any], new: Any) -> dict[str, Change]:
    if new is UNKNOWN:
        return {"sdl": Change.UPDATE}
    unknown = dict(_unknown(new, ""))
    known = _known(new, old)
    # Names of placements and endpoints are chosen by us: a change of them alone changes nothing.
    replaces = request.fingerprint("", old) != request.fingerprint("", known)
    found = {
        _below("sdl", change.path): _kind(old, known, change.path, replaces=change.kind == "replace")
        for change in changes(old, known)
        if replaces or change.kind != "replace"
    }
    if replaces and not any(change.replaces for change in found.values()):
        found["sdl"] = Change.UPDATE_REPLACE
    return {**{_below("sdl", path): Change.UPDATE for path in unknown}, **found}


def _kind(old: Any, new: Any, path: str, *, replaces: bool) -> Change:
    before, after = _at(old, path), _at(new, path)
    word = "ADD" if before is None else "DELETE" if after is None else "UPDATE"
    return Change(f"{word}_REPLACE" if replaces else word)


def _at(value: Any, path: str) -> Any:
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[int(index)] if index else value[key]
        except (LookupError, TypeError):
            return None
    return value


def _below(root: str, path: str) -> str:
    return f"{root}.{path}" if path and not path.startswith("[") else f"{root}{path}"


def _unknown(value: Any, path: str) -> Iterator[tuple[str, None]]:
    if value is UNKNOWN:
        yield path, None
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _unknown(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unknown(each, f"{path}[{index}]")


def _known(value: Any, old: Any) -> Any:
    """Return values with the old value, or a placeholder, in place of each that is not known yet."""
    if value is UNKNOWN:
        return "unknown" if old is None else old
    if isinstance(value, dict):
        return {key: _known(each, old.get(key) if isinstance(old, dict) else None) for key, each in value.items()}
    if isinstance(value, list):
        olds = old if isinstance(old, list) else []
        return [_known(each, olds[i] if i < len(olds) else None) for i, each in enumerate(value)]
    return value
