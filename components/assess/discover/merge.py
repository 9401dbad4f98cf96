"""Merge what was found into an inventory file without changing what people wrote there."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Any

from ... import files
from ...config import yaml_text
from ...errors import ConfigError
from .seen import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

_SKELETON = """\
# yaml-language-server: $schema=inventory.schema.json
# A draft: check every title, work, state and importance; docs/inventory.md explains each setting.
dao:
  name: Your DAO
as_of: {on}
workloads: {{}}
"""


def _yaml(indent: int = 2, offset: int = 2) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=indent, sequence=offset + 2, offset=offset)
    return yaml


def _indents(document: Any) -> tuple[int, int]:
    """Return by how many columns a document indents a mapping, and the dash of a list, below their key."""
    inside = [*_blocks(document)]
    mapping = next((wide for one, wide in inside if isinstance(one, dict)), 2)
    return mapping, next((wide for one, wide in inside if isinstance(one, list)), mapping)


def _blocks(there: Any) -> Iterator[tuple[Any, int]]:
    """Yield each mapping and list that was read in lines of its own below its key, with its indent."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    for key, place in (there.lc.data or {}).items():
        one = there.get(key)
        # An alias leads to lines above, and what was added to the document to none.
        if isinstance(one, (CommentedMap, CommentedSeq)) and (one.lc.line or 0) > place[0] and not one.fa.flow_style():
            yield one, one.lc.col - place[1]
            if isinstance(one, CommentedMap):
                yield from _blocks(one)


def load(path: Path, on: date) -> Any:
    """Read an inventory with its comments, or begin one. Raises ConfigError if it is no YAML mapping."""
    from ruamel.yaml.error import YAMLError

    text = yaml_text.file_text(path) if path.exists() else _SKELETON.format(on=on)
    yaml_text.load(text, str(path))  # this reader is bounded, and ruamel is not
    try:
        document = _yaml().load(text.replace("\r\n", "\n"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(
            f"{path}:{mark.line + 1 if mark else 1}: not YAML: {getattr(error, 'problem', error)}"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("workloads") or {}, dict):
        raise ConfigError(f"{path}: an inventory has `dao`, `as_of` and `workloads`; see docs/inventory.md")
    return document


def dump(document: Any) -> str:
    """Return the document as text, comments included."""
    out = io.StringIO()
    _yaml(*_indents(document)).dump(document, out)
    return out.getvalue()


def new(document: Mapping[str, Any], on: date) -> str:
    """Return a new inventory from plain data as text, with a line for editors and one about what to check."""
    whole = _yaml().load(_SKELETON.format(on=on))
    whole["dao"]["name"] = document["dao"]["name"]
    for name, workload in document["workloads"].items():
        whole["workloads"][name] = _block(workload)
    whole["workloads"].fa.set_block_style()
    return dump(whole)


def save(document: Any, path: Path) -> None:
    """Replace the file in one step: a reader gets the old one or the new one. Line ends and byte-order mark stay."""
    before = path.read_bytes() if path.exists() else b""
    text = dump(document)
    if before.partition(b"\n")[0].endswith(b"\r"):
        text = text.replace("\n", "\r\n")
    files.write(path, codecs.BOM_UTF8 * before.startswith(codecs.BOM_UTF8) + text.encode())


def merge(document: Any, drafts: Mapping[str, Mapping[str, Any]], found_by: str, on: date) -> list[str]:
    """Add what is missing; return a line for each thing that was added, or found and left as written."""
    from ruamel.yaml.comments import CommentedMap

    if not document.get("workloads"):
        document["workloads"] = CommentedMap()
    workloads = document["workloads"]
    found: list[str] = []
    owners = {host: name for name, one in workloads.items() for host in one.get("hosts") or ()}
    for wanted, seen in drafts.items():
        name, draft = _placed(wanted, seen, owners, found)
        owners |= dict.fromkeys(draft.get("hosts", ()), name)
        if name not in workloads:
            workloads[name] = _block(draft)
            comment = f"drafted by {found_by} on {on}: check title, work, state and importance"
            workloads.yaml_set_comment_before_after_key(name, before=comment, indent=_indents(document)[0])
            found.append(f"+ workloads.{name}: {_short(draft)}")
        else:
            found += _into(workloads[name], draft, f"workloads.{name}")
    return found


def _placed(
    name: str, draft: Mapping[str, Any], owners: Mapping[str, str], found: list[str]
) -> tuple[str, Mapping[str, Any]]:
    """Return where a draft belongs: a host is in one workload, and names that lead to one host are one workload's.

    A draft all of whose hosts one workload has is that workload's. From another draft, hosts that are taken are left
    out, and so are the names of this tool's own sites.
    """
    hosts = [host for host in draft.get("hosts", ()) if not site_of(host, {*owners.values(), name})]
    taken = {host: owners[host] for host in hosts if owners.get(host, name) != name}
    elsewhere = set(taken.values())
    if hosts and len(taken) == len(hosts) and len(elsewhere) == 1:
        return elsewhere.pop(), {**draft, "hosts": hosts}
    found += [f"  {host} stands in workloads.{owner}; left there" for host, owner in taken.items()]
    rest = [host for host in hosts if host not in taken]
    return name, {key: rest if key == "hosts" else value for key, value in draft.items() if key != "hosts" or rest}


def _block(value: Any) -> Any:
    """Convert plain data to ruamel's, small mappings in one line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        made = CommentedMap((key, _block(one)) for key, one in value.items())
        if not any(isinstance(one, (dict, list)) for one in value.values()):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        row = CommentedSeq(_block(one) for one in value)
        if not any(isinstance(one, (dict, list)) for one in value):
            row.fa.set_flow_style()
        return row
    return value


def _short(draft: Mapping[str, Any]) -> str:
    parts = [part["what"] for part in draft.get("parts", ())]
    kinds = ", ".join(f"{parts.count(kind)} {kind}" for kind in dict.fromkeys(parts))
    return f"{draft['title']} ({kinds})" if kinds else str(draft["title"])


def _into(there: Any, draft: Mapping[str, Any], path: str) -> Iterator[str]:
    """Fill in what a workload lacks; what it has stays."""
    for key, value in draft.items():
        if key == "parts":
            yield from _parts(there, value, path)
        elif key == "hosts":
            new = [host for host in value if host not in there.get("hosts", ())]
            if new:
                there.setdefault("hosts", _block([])).extend(new)
                yield f"+ {path}.hosts: {', '.join(new)}"
        elif key not in there:
            if key in {"parties", "cost", "data", "size"}:
                there[key] = _block(value)
                yield f"+ {path}.{key}: {_flat(value)}"
        elif key in {"parties", "cost"} and isinstance(there[key], dict):
            yield from _mapping(there[key], value, f"{path}.{key}")


def _mapping(there: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, one in value.items():
        if key not in there:
            there[key] = _block(one)
            yield f"+ {path}.{key}: {_flat(one)}"
        elif key == "measured" and str(there[key].get("source", "")).startswith("Cost Explorer"):
            if dict(there[key]) != one:
                yield f"~ {path}.measured: {_flat(dict(there[key]))} -> {_flat(one)}"
                there[key] = _block(one)
        elif _flat(there[key]) != _flat(one):
            yield f"  {path}.{key} has {_flat(there[key])}, found {_flat(one)}; left as written"


def _parts(there: Any, parts: list[dict[str, Any]], path: str) -> Iterator[str]:
    """Add parts with a new id, if every part there has one: parts written by hand are complete."""
    present = there.get("parts") or []
    ids = {part.get("note") for part in present}
    new = [part for part in parts if part.get("note") not in ids]
    if not new:
        return
    if all(ids) or not present:
        if not present:
            there["parts"] = _block([])
            there["parts"].fa.set_block_style()
        for part in new:
            there["parts"].append(_block(part))
            yield f"+ {path}.parts: {_flat(part)}"
    else:
        yield f"  {path}.parts were written by hand and stay; seen: {'; '.join(_flat(part) for part in new)}"


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_flat(one) for one in value)
    return str(value)
