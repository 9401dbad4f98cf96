"""The exchanges of a recording, as its files have them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.targets.akash.rails.console_client import KEY_HEADER, ROUTES

if TYPE_CHECKING:
    from pathlib import Path

#: What stands in a route for a name in it.
_NAME = re.compile(r"\\\{[a-z]+\\\}")
_ROUTES = {name: (method, re.compile(_NAME.sub("([^/]+)", re.escape(path)))) for name, (method, path) in ROUTES.items()}


@dataclass(frozen=True)
class Exchange:
    """One exchange: its file, its door, and what was asked and answered; without an answer there was an error."""

    file: str
    door: str
    request: dict[str, Any]
    answer: dict[str, Any] | None

    @property
    def console(self) -> bool:
        """Whether it was with the Console: nothing else is sent its key."""
        return self.door == "http" and KEY_HEADER in self.request.get("headers", {})

    @property
    def route(self) -> tuple[str, tuple[str, ...]] | None:
        """The name of the Console's route in our client, and the names in its path; None for no route of ours."""
        for name, (method, path) in _ROUTES.items():
            if method == self.request["method"] and (found := path.fullmatch(self.request["path"])):
                return name, found.groups()
        return None

    @property
    def kind(self) -> str | None:
        """The question, without its names, and the answer's status; None where there is no contract.

        There is none for pages, and for what our client never asks.
        """
        if self.answer is None:
            return None
        if self.door == "aws":
            return f"aws {self.request['service']} {self.request['operation']} {self.answer['status']}"
        if self.door == "dns":
            return f"dns {self.request['type']} {self.answer['rcode']}"
        if self.console:
            return f"console {self.route[0]} {self.answer['status']}" if self.route else None
        return None

    @property
    def body(self) -> Any:
        """What was answered, as JSON."""
        return {} if self.answer is None else self.answer.get("body", self.answer)


def load(folder: Path) -> list[Exchange]:
    """Read the exchanges of a folder, in their order. Raises ValueError for a file that is none."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            found.append(Exchange(path.name, read["door"], read["request"], read.get("answer")))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: is no exchange of `unmoor record` ({type(error).__name__})") from None
    return found
