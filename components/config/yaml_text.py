"""YAML text to plain data, with a sentence and a line for whatever is wrong with it."""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import ConfigError


class _TwiceError(yaml.MarkedYAMLError):
    """A mapping says one thing twice."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that does not let a second key hide the first."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[str, int] = {}
    for key_node, _ in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if isinstance(key, str) and key in seen:
            said = f"says {key!r} twice, in lines {seen[key]} and {line}; keep one"
            raise _TwiceError(problem=said, problem_mark=key_node.start_mark)
        if isinstance(key, str):
            seen[key] = line
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(text: str, source: str) -> Any:
    """Read one YAML document; `source` names it in errors. Raises ConfigError."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 it is a safe loader
    except _TwiceError as error:
        raise ConfigError(f"{source} {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise ConfigError(f"{where}: not YAML: {getattr(error, 'problem', None) or error}") from None
