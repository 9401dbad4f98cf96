"""What a running Pulumi program knows of approvals: the last approved plan, kept in the stack's own outputs.

Only an update writes them, so a pull request cannot; see docs/decisions/0017-who-judges-a-plan.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pydantic import ValidationError
from tenacity import Retrying, retry_if_exception_message, stop_after_attempt, wait_fixed

from ..config.signers import Signers
from ..errors import ConfigError, PlanError
from ..plan.canonical import plan_hash
from . import approval, record
from .approval import Approved, Scope, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..topology import Topology

#: The stack's output that holds the last approved plan.
OUTPUT = "approved"
#: A local backend writes the second file of a checkpoint in place (gocloud.dev, blob/fileblob/attrs.go), so a read at
#: that moment ends with EOF. The text is the engine's (pkg/backend/diy); the pause is many times longer than the write.
_HALF_WRITTEN, _READS, _PAUSE_S = "failed to load checkpoint", 10, 0.2


def demand(topology: Topology, before: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse a plan that its judges have not approved, and return the output that records it; for the program.

    `before` are the stack's outputs of its last update. A preview warns and continues. Raises PlanError in an update,
    and ConfigError when the recorded plan cannot be read.
    """
    scope = Scope(pulumi.get_project(), pulumi.get_stack())
    approved = parse(before)
    want = Wanted(plan_hash(topology), topology.signers, topology.require_approval)
    if approved is None and not want.required:
        return {}
    entries = record.read(Path("stacks", f"approvals.{scope.stack}.yaml"))
    today = datetime.now(UTC).date()
    try:
        found = approval.demand(scope, approved, want, entries, today)
    except PlanError as error:
        if not pulumi.runtime.is_dry_run():
            raise
        pulumi.log.warn(str(error))
        return _output(approved)
    if found:
        pulumi.log.info(f"plan {want.plan[:12]} is {found}")
    return _output(approval.following(want, approved, found))


def _output(approved: Approved | None) -> dict[str, Any]:
    return {OUTPUT: plain(approved)} if approved else {}


def outputs() -> Mapping[str, Any]:
    """Return the stack's outputs of its last update; the engine reads them without a resource.

    A read that meets the engine's own write of the checkpoint is retried. Raises what the engine raises.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    reads = Retrying(
        retry=retry_if_exception_message(match=f"(?s).*{_HALF_WRITTEN}"),
        stop=stop_after_attempt(_READS),
        wait=wait_fixed(_PAUSE_S),
        reraise=True,
    )
    # pkg/resource/deploy/builtins.go: a StackReference makes the same call.
    found = reads(pulumi.runtime.invoke, "pulumi:pulumi:readStackOutputs", {"name": name}).value
    return dict((found or {}).get("outputs") or {})


def parse(known: Mapping[str, Any]) -> Approved | None:
    """Read the last approved plan; None if there is none. Raises ConfigError for an output that is not ours."""
    value = known.get(OUTPUT)
    if value is None:
        return None
    try:
        signers = Signers(quorum=value["quorum"], keys=value["signers"])
        return Approved(int(value["number"]), str(value["plan"]), signers)
    except (TypeError, KeyError, ValueError, ValidationError) as error:
        raise ConfigError(
            f"the stack's output `{OUTPUT}` is not what unmoor writes ({type(error).__name__}), so it is not known who "
            "approves plans; restore the stack's state from before with `pulumi stack import`"
        ) from None


def plain(approved: Approved) -> dict[str, Any]:
    """Return the last approved plan as the stack's output."""
    signers = approved.signers
    return {
        "number": approved.number,
        "plan": approved.plan,
        "quorum": signers.quorum,
        "signers": dict(sorted(signers.keys.items())),
    }
