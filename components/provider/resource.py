"""What a resource is to Pulumi: its protocol, and the types of its values. No gRPC here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Mapping, Sequence


@dataclass(frozen=True)
class Failure:
    """One input that is refused: its path in the resource's inputs, and why, with what to choose."""

    property: str
    reason: str


class Change(StrEnum):
    """The change of one property; `*_REPLACE` needs a new resource. The names are the protocol's own."""

    ADD = "ADD"
    ADD_REPLACE = "ADD_REPLACE"
    DELETE = "DELETE"
    DELETE_REPLACE = "DELETE_REPLACE"
    UPDATE = "UPDATE"
    UPDATE_REPLACE = "UPDATE_REPLACE"

    @property
    def replaces(self) -> bool:
        """Whether this change needs a new resource."""
        return self.value.endswith("_REPLACE")


@dataclass(frozen=True)
class Diff:
    """The differences by property path; empty if there are none."""

    changes: Mapping[str, Change]
    delete_before_replace: bool = False


@dataclass(frozen=True)
class State:
    """A resource as it stands. `secret` names outputs to hide, unless a secret input of the same name hides them."""

    id: str
    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any] | None = None
    secret: Collection[str] = ()


class Partial(Exception):  # noqa: N818 it names the state of a resource, not a mistake
    """The resource exists but is not ready: its state is kept, and the next deployment calls update with it."""

    def __init__(self, state: State, reasons: Sequence[str]) -> None:
        self.state = state
        self.reasons = list(reasons)
        super().__init__("; ".join(reasons))


@dataclass(frozen=True)
class Context:
    """The context of one call: its resource, and what the call may use.

    `seed` is the same in preview and deployment: autonames come from it. `timeout_s` is 0 where none was set.
    `log(severity, message)` shows a line under the resource. Severity is debug, info, warning, error, or status:
    progress that is shown for the moment and not kept. `secret` names the inputs that arrived secret, wholly or in
    part.
    """

    urn: str
    name: str
    type: str
    preview: bool
    seed: bytes
    cancelled: threading.Event
    timeout_s: float
    log: Callable[[str, str], None]
    secret: frozenset[str] = frozenset()


class Resource(Protocol):
    """One resource type, in plain synchronous Python; calls come from many threads.

    Values are dict, list, str, bool, int, float, None or UNKNOWN (see `wire`). Raise an `UnmoorError` for what an
    operator can act on; any other exception is shown as a bug, with its traceback.
    """

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Fill in defaults and autonames; return every fault at once."""

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        """Return what an update would change, and what needs a replacement."""

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        """Create it; in a preview only return its outputs, with UNKNOWN for what cannot be known."""

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        """Observe the world; return None if it is gone."""

    def update(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> State:
        """Change it in place; in a preview only return its outputs."""

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        """Remove it; that it is gone already is no error."""
