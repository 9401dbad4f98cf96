"""A third party's forum on two real PostgreSQLs: a planned move loses no acknowledged message."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sandbox.chapters import forum
from sandbox.pair import world

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not world.installed(), reason="needs PostgreSQL 15, pgBackRest and amcheck"),
    pytest.mark.skipif(
        not os.environ.get("TESTS_DATABASE"), reason="takes minutes; `python -m tests database` runs it"
    ),
]


class Asserted:
    """A story whose claims are assertions."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.shown: list[str] = []

    def chapter(self, title: str) -> None:
        self.shown.append(title)

    def show(self, text: str) -> None:
        self.shown.append(text)

    def claim(self, true: bool, text: str) -> None:
        assert true, "\n".join([*self.shown, text])
        self.shown.append(text)


def test_messages_keep_coming_while_the_writer_moves_and_none_is_lost() -> None:
    story = Asserted()
    forum.CHAPTER.play(story)
    assert set(forum.CHAPTER.figures) <= set(story.figures)
    assert story.figures["forum_lost_posts"] == 0
    print("\n".join(story.shown), story.figures)  # noqa: T201 `pytest -s` shows the chapter
