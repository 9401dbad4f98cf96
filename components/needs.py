"""What an update needs of the world: things that must exist, each with a check of it, and rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class State(StrEnum):
    """The result of a check."""

    READY = "ready"
    CAUTION = "caution"  #: an update works, and an operator should know this first
    UNSEEN = "not seen"  #: it could not be observed
    NOT_READY = "not ready"  #: an update would fail, or do harm


@dataclass(frozen=True)
class Finding:
    """The finding of one check: a sentence, and the command or act that mends it where there is anything to mend."""

    state: State
    sentence: str
    mend: str = ""


@dataclass(frozen=True)
class Check:
    """One thing to check. `look` changes nothing; an exception that it raises becomes a finding.

    `late` marks what would make an update fail only after minutes of building; an update checks it first. `path` is
    the setting of the stack file that causes the check, "" if there is not exactly one.
    """

    name: str
    look: Callable[[], Iterable[Finding]]
    late: bool = False
    path: str = ""


@dataclass(frozen=True)
class Grant:
    """Rights at AWS: actions on resources (ARNs, or `*` where IAM cannot name one), and whether they change anything.

    `conditions` are those of a statement of an IAM policy: operator, key, values.
    """

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    writes: bool = False
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Needs:
    """What one authority or target needs for a stack."""

    checks: tuple[Check, ...] = ()
    grants: tuple[Grant, ...] = ()


def ready(sentence: str) -> Finding:
    """Return a finding that all is as it should be."""
    return Finding(State.READY, sentence)


def caution(sentence: str, mend: str = "") -> Finding:
    """Return a finding that stops nothing."""
    return Finding(State.CAUTION, sentence, mend)


def unseen(sentence: str, mend: str = "") -> Finding:
    """Return a finding about something that could not be observed."""
    return Finding(State.UNSEEN, sentence, mend)


def not_ready(sentence: str, mend: str) -> Finding:
    """Return a finding that stops an update, with what mends it."""
    return Finding(State.NOT_READY, sentence, mend)
