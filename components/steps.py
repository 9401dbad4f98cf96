"""Programs that a deployment runs: idempotent, with JSON on standard input, safe to kill anywhere and run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Program(NamedTuple):
    """The module below this package whose `take(given, say)` returns one JSON line, and its help."""

    module: str
    help: str


#: Name on the command line → program.
STEPS: Mapping[str, Program] = {
    "keep": Program("kinds.static.keep", "Put a version of a workload's content into every store, and prune."),
    "publish": Program("kinds.static.publish", "Put a version's files into the AWS half, and invalidate what changed."),
    "probe": Program("probe.probe", "Ask a site from outside until it serves the version, with a valid certificate."),
    "exchange": Program("dns.route53.exchange", "Let primary and standby change places in one change."),
    "drain": Program("probe.drain", "Wait until no resolver keeps an answer that points at what is removed next."),
}


def command_line(step: str) -> str:
    """Return the command line that takes a step, a constant: a change of it would look like a change of every step."""
    project = "./unmoor" if __package__.startswith("components") else "unmoor"
    return f"{project} step {step}"
