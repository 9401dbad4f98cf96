"""What goes in and out of the API: a request, an answer, and a refusal with the service's own code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .collections import token
from .xml import dump, element

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Request:
    """One request: method, path after the version, query, body, and the If-Match header."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    if_match: str


class Refusal(Exception):  # noqa: N818 it carries the service's own code
    """An error as the service answers it."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(code)

    def answer(self) -> Answer:
        """Return the answer for this error."""
        error = element(
            "Error", element("Type", "Sender"), element("Code", self.code), element("Message", self.message)
        )
        status = 404 if self.code.startswith("NoSuch") else _STATUS.get(self.code, 400)
        return status, {}, dump(element("ErrorResponse", error, element("RequestId", token())))


_STATUS = {"PreconditionFailed": 412, "AccessDenied": 403}

#: What If-Match answers.
STALE = Refusal(
    "PreconditionFailed",
    "The request failed because it didn't meet the preconditions in one or more request-header fields.",
)
