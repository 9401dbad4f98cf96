"""Change one setting of a workload in a stack file's text; comments, order and quotes of the rest stay."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import yaml

from ..config import models as config
from ..config import yaml_text
from ..config.models import PROJECT, Side
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config.standing import StandingRecord
    from .case import Course

#: The setting that names what stands at a live host.
_ADOPT = "adopt"


def flip(text: str, source: str, workload: str, course: Course, *, say_active: bool) -> str:
    """Return a stack file's text with a workload on another course.

    `active:` is only touched with `say_active`, and only written when it is not the default. Raises ConfigError when
    the text has no such workload, or sets the mode in a way that cannot be changed in one place.
    """
    before, workloads = _read(text, source, workload)
    wanted = {"mode": str(course.mode)}
    if say_active and workloads[workload].get("active", str(Side.CENTRALIZED)) != str(course.active):
        wanted["active"] = str(course.active)
    after = text
    for key, value in wanted.items():
        after = _set(after, workload, key, value)
    if not _reads(after, source, _with(before, workload, wanted)):
        raise ConfigError(
            f"{source}: the mode of {workload} cannot be changed in one place (an anchor, a merge, or no line of its "
            f"own); write {' and '.join(f'`{key}: {value}`' for key, value in wanted.items())} by hand"
        )
    return after


def adopt(text: str, source: str, workload: str, records: Sequence[StandingRecord]) -> str:
    """Return a stack file's text in which a workload adopts these records, or none; they stand behind `host`.

    Raises ConfigError when the text has no such workload, or has it in a way that cannot be changed in one place.
    """
    before, _ = _read(text, source, workload)
    plain = [record.model_dump(mode="json", exclude_defaults=True) for record in records]
    lines = [yaml.safe_dump(one, default_flow_style=True, sort_keys=False, width=sys.maxsize).strip() for one in plain]
    after = _with_block(_without(text, workload, _ADOPT), workload, _ADOPT, lines)
    expected = _with(before, workload, {_ADOPT: plain} if plain else {}, out=_ADOPT)
    if not _reads(after, source, expected):
        by_hand = "; ".join(lines) or "nothing"
        raise ConfigError(
            f"{source}: what {workload} adopts cannot be changed in one place (an anchor, a merge, or no line of its "
            f"own); write it by hand below `host`: adopt: {by_hand}"
        )
    return after


def _read(text: str, source: str, workload: str) -> tuple[Any, dict[str, Any]]:
    """Return a stack file as data, and its workloads. Raises ConfigError when it has no such workload."""
    document = yaml_text.load(text, source, yaml_text.STACK)
    workloads = config.settings_of(document, source).get("workloads")
    if not isinstance(workloads, dict) or not isinstance(workloads.get(workload), dict):
        choice = f"; choose from {', '.join(map(str, workloads))}" if isinstance(workloads, dict) and workloads else ""
        raise ConfigError(f"{source}: no workload {workload!r}{choice}")
    return document, workloads


def _reads(text: str, source: str, expected: Any) -> bool:
    """Return whether a stack file's text has the expected data."""
    try:
        return bool(yaml_text.load(text, source, yaml_text.STACK) == expected)
    except ConfigError:
        return False


def _with(document: Any, workload: str, wanted: Mapping[str, Any], out: str = "") -> Any:
    """Return the expected data of the file, without the setting `out`."""
    key = f"{PROJECT}:workloads"
    workloads = document["config"][key]
    kept = {name: value for name, value in workloads[workload].items() if name != out}
    changed = {**workloads, workload: {**kept, **wanted}}
    return {**document, "config": {**document["config"], key: changed}}


def _set(text: str, workload: str, key: str, value: str) -> str:
    """Replace the value of a workload's key in place; a missing `active` is added after the mode."""
    if (node := _workload(text, workload)) is None:
        return text
    if (found := _entry(node, key)) is not None:
        return text[: found[1].start_mark.index] + value + text[found[1].end_mark.index :]
    if (mode := _entry(node, "mode")) is None:
        return text
    at = mode[1].end_mark.index
    if node.flow_style:
        return f"{text[:at]}, {key}: {value}{text[at:]}"
    return _below(text, at, [f"{' ' * mode[0].start_mark.column}{key}: {value}"])


def _without(text: str, workload: str, key: str) -> str:
    """Remove a workload's key with the lines of its value; comments that follow stay."""
    node = _workload(text, workload)
    if node is None or node.flow_style or (found := _entry(node, key)) is None:
        return text
    start = text.rfind("\n", 0, found[0].start_mark.index) + 1
    end = text.find("\n", _last(found[1]))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


def _last(node: Any) -> int:
    """Return the end of the last value inside a node: a block's own end lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _with_block(text: str, workload: str, key: str, items: Sequence[str]) -> str:
    """Add a list below a workload's `host`, one item a line."""
    node = _workload(text, workload)
    if not items or node is None or node.flow_style or (host := _entry(node, "host")) is None:
        return text
    indent = " " * host[0].start_mark.column
    return _below(text, host[1].end_mark.index, [f"{indent}{key}:", *(f"{indent}  - {item}" for item in items)])


def _below(text: str, at: int, lines: Sequence[str]) -> str:
    """Add lines below the line of a place, with the line ends that are used there."""
    end = text.find("\n", at)
    line_end = "\r\n" if text[end - 1 : end + 1] == "\r\n" else "\n"
    block = line_end.join(lines)
    return f"{text}{line_end}{block}" if end < 0 else f"{text[: end + 1]}{block}{line_end}{text[end + 1 :]}"


def _workload(text: str, workload: str) -> Any:
    """Return the node of a workload's settings; None if the text itself does not have it."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for name in ("config", f"{PROJECT}:workloads", workload):
        if (found := _entry(node, name)) is None:
            return None
        node = found[1]
    return node


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """Return the nodes of a key and its value in a mapping's node; nothing if the mapping itself does not have it."""
    return next(((name, value) for name, value in node.value if name.value == key), None)
