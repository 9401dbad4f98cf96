"""Change a workload's mode in a stack file's text, and nothing else: comments, order and quotes stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ..config import models as config
from ..config import yaml_text
from ..config.models import PROJECT, Side
from ..errors import ConfigError

if TYPE_CHECKING:
    from .case import Course


def flip(text: str, source: str, workload: str, course: Course, *, say_active: bool) -> str:
    """Return a stack file's text with a workload on another course.

    `active:` is only touched with `say_active`, and only written when it is not the default. Raises ConfigError when
    the text has no such workload, or sets the mode in a way that cannot be changed in one place.
    """
    before = yaml_text.load(text, source, yaml_text.STACK)
    workloads = config.settings_of(before, source).get("workloads")
    if not isinstance(workloads, dict) or not isinstance(workloads.get(workload), dict):
        choice = f"; choose from {', '.join(map(str, workloads))}" if isinstance(workloads, dict) and workloads else ""
        raise ConfigError(f"{source}: no workload {workload!r}{choice}")
    wanted = {"mode": str(course.mode)}
    if say_active and workloads[workload].get("active", str(Side.CENTRALIZED)) != str(course.active):
        wanted["active"] = str(course.active)
    after = text
    for key, value in wanted.items():
        after = _set(after, workload, key, value)
    expected = _with(before, workload, wanted)
    try:
        done = yaml_text.load(after, source, yaml_text.STACK) == expected
    except ConfigError:
        done = False
    if not done:
        raise ConfigError(
            f"{source}: the mode of {workload} cannot be changed in one place (an anchor, a merge, or no line of its "
            f"own); write {' and '.join(f'`{key}: {value}`' for key, value in wanted.items())} by hand"
        )
    return after


def _with(document: Any, workload: str, wanted: dict[str, str]) -> Any:
    """Return the parsed file as it should read."""
    key = f"{PROJECT}:workloads"
    workloads = document["config"][key]
    changed = {**workloads, workload: {**workloads[workload], **wanted}}
    return {**document, "config": {**document["config"], key: changed}}


def _set(text: str, workload: str, key: str, value: str) -> str:
    """Replace the value of a workload's key where it stands; `active` that is not there goes behind the mode."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for name in ("config", f"{PROJECT}:workloads", workload):
        if (found := _entry(node, name)) is None:
            return text
        node = found[1]
    if (found := _entry(node, key)) is not None:
        return text[: found[1].start_mark.index] + value + text[found[1].end_mark.index :]
    if (mode := _entry(node, "mode")) is None:
        return text
    at = mode[1].end_mark.index
    if node.flow_style:
        return f"{text[:at]}, {key}: {value}{text[at:]}"
    end = text.find("\n", at)
    line_end = "\r\n" if text[end - 1 : end + 1] == "\r\n" else "\n"
    line = f"{' ' * mode[0].start_mark.column}{key}: {value}"
    return f"{text}{line_end}{line}" if end < 0 else f"{text[: end + 1]}{line}{line_end}{text[end + 1 :]}"


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """Return the nodes of a key and its value in a mapping's node; nothing when the mapping itself does not have it."""
    return next(((name, value) for name, value in node.value if name.value == key), None)
