"""Steps to take: idempotent programs with JSON on standard input, that can be killed anywhere and run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Step → the module here that takes it; its `take(given, say)` returns what is printed as one JSON line.
STEPS: Mapping[str, str] = {
    "bundle": "Put a version of a workload's content into every store, and prune.",
    "publish": "Put a version's files into the AWS half, and invalidate what changed.",
    "probe": "Ask a site from outside until it serves the version, with a valid certificate.",
    "drain": "Wait until no resolver keeps an answer that points at what is removed next.",
}


def command_line(step: str) -> str:
    """Return the command line that takes a step, a constant: a change of it would look like a change of every step."""
    project = "./unmoor" if __package__.startswith("components") else "unmoor"
    return f"{project} step {step}"
