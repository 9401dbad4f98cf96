"""Programs that a deployment runs: idempotent, JSON on standard input, safe to kill at any point and run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Program(NamedTuple):
    """The module below this package whose `take(given, report)` returns one line of JSON, and its help."""

    module: str
    help: str


#: Name on the command line → program; authorities bring their own (`dns.programs`).
STEPS: Mapping[str, Program] = {
    "claim": Program("stores.claims", "Claim a workload's names in every store, so that no other stack uses them."),
    "keep": Program("kinds.static.keep", "Put a version of a workload's content into every store, and prune."),
    "publish": Program("kinds.static.publish", "Put a version's files into the AWS half, and invalidate what changed."),
    "probe": Program("probe.probe", "Ask a site from outside until it serves the version, with a valid certificate."),
    "secret": Program("kinds.service.secret", "Put a secret's value into AWS Secrets Manager."),
    "rollout": Program(
        "kinds.service.rollout", "Wait until ECS has brought a service's tasks up, or show their last logs."
    ),
    "handover": Program("probe.handover", "Hand an application's secrets to its lease, at the lease's own address."),
    "stands": Program("probe.stands", "Wait until a site with a database stands: its web server, and its agent."),
    "move-writer": Program("probe.move", "Move a database's writer to a site without loss."),
    "last-copy": Program("kinds.postgres.last", "Demand proofs of restores before a database's sites are removed."),
    "drain": Program(
        "probe.drain", "Wait until no resolver keeps an answer that leads to the site that is removed next."
    ),
}


_MISSING = "unmoor: the virtual environment that Pulumi.yaml names is not there; run 'pulumi install'"
#: Starts a step with the Python that runs the program; `$0` is the command line. Decision 16 gives the reasons.
#: Constant, like `command_line`: both are kept in state, and deletions run the text that stands there.
INTERPRETER = (
    "/bin/sh",
    "-c",
    f"""set -- $0; shift
r=.; until [ -f $r/Pulumi.yaml ] || [ $r -ef / ]; do r=$r/..; done
[ -f $r/unmoor ] && exec $r/unmoor "$@"
v=${{PULUMI_RUNTIME_VIRTUALENV:-.venv}}; case $v in /*) ;; *) v=$r/$v;; esac
[ -x "$v/bin/python" ] && exec "$v/bin/python" -P -m unmoor "$@"
[ -z "${{PULUMI_RUNTIME_VIRTUALENV:-}}" ] && exec python3 -P -m unmoor "$@"
echo "{_MISSING}" >&2; exit 127""",
)


def command_line(step: str) -> str:
    """Return the command line that runs a step, for `INTERPRETER`: the same text at every place of installation."""
    return f"unmoor step {step}"
