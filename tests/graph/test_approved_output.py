"""The last approved plan is read from the state that the engine writes at the same time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from components.review import state

if TYPE_CHECKING:
    from collections.abc import Iterator

#: As engine 3.259 words it for a program.
REFUSED = (
    "invoke of pulumi:pulumi:readStackOutputs failed: invocation of pulumi:pulumi:readStackOutputs returned an error: "
)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Answer each read with the next of a list; an exception is raised."""
    answers: list[Any] = []

    def invoke(*_: object) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(value={"outputs": answer})

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(state, "_PAUSE_S", 0.0)
    return answers


def test_a_read_that_meets_a_half_written_checkpoint_is_repeated(engine: list[Any]) -> None:
    engine += [Exception(REFUSED + "failed to load checkpoint: EOF")] * 3 + [{"approved": 1}]
    assert state.outputs() == {"approved": 1}


def test_a_checkpoint_that_stays_broken_is_the_engines_error(engine: list[Any]) -> None:
    engine += [Exception(f"{REFUSED}failed to load checkpoint: EOF {number}") for number in range(state._READS)]
    with pytest.raises(Exception, match=f"EOF {state._READS - 1}"):
        state.outputs()


def test_any_other_error_is_not_repeated(engine: list[Any]) -> None:
    engine += [Exception(REFUSED + "no such stack"), {}]
    with pytest.raises(Exception, match="no such stack"):
        state.outputs()
    assert engine == [{}]
