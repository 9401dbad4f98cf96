"""Settings that all processes of one recording share: where to write, and what must not be written."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Variables whose values are credentials, by their names.
_CREDENTIAL = re.compile(r"(?i)(key|secret|token|passw|passphrase|credential|auth)")
_SHORTEST_CREDENTIAL = 6
#: Settings of a stack file whose values are names of the DAO.
_NAMING = frozenset({"host", "zone", "bucket", "redirect_from", "name", "organisation", "profile", "image", "user"})
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Settings:
    """The folder of a recording, the key of its pseudonyms (in no file of it), what to hide, and public words."""

    folder: str
    key: str
    credentials: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write a file that only the user reads."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)


def read(path: str) -> Settings:
    """Read what `write` wrote. Raises OSError, ValueError, KeyError and TypeError."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    lists = (tuple(found[name]) for name in ("credentials", "names", "words"))
    return Settings(found["folder"], found["key"], *lists)


def credentials(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the environment that are credentials by the names of their variables; no paths."""
    found = {
        value for name, value in environ.items() if _CREDENTIAL.search(name) and len(value) >= _SHORTEST_CREDENTIAL
    }
    return tuple(sorted(value for value in found if not value.startswith("/")))


def names(stacks: Iterable[Any], words: frozenset[str]) -> tuple[str, ...]:
    """Return the names in stack files: of workloads, stores and hosts. `words` are those of the stack file's schema.

    Of a host, each label but the last one counts.
    """
    found = {name for stack in stacks for name in _names(stack, words)}
    return tuple(sorted(name for name in found if len(name) > 1 and not name.isdigit()))


def _names(value: Any, words: frozenset[str], key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for inner, held in value.items():
            name = str(inner).rpartition(":")[2]
            if ":" not in str(inner) and name not in words:
                yield name
            yield from _names(held, words, name)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each, words, key)
    elif isinstance(value, str) and key in _NAMING:
        yield value
        yield from (token for label in value.split(".")[:-1] or [value] for token in _TOKEN.findall(label))
