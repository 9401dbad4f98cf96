"""What signers agree to: a hash over what a plan would build, and the approvals kept beside the stack file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import yaml_text
from ..errors import ConfigError, Fault, PlanError
from ..plan.canonical import plan_hash

if TYPE_CHECKING:
    from pathlib import Path

    from ..topology import Topology

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Approval:
    """One signer's word for one plan; `on` is an ISO date."""

    plan: str
    signer: str
    on: str


def approvals_file(stack_file: Path) -> Path:
    """Name the file of approvals beside a stack file: `approvals.prod.yaml` beside `Pulumi.prod.yaml`."""
    return stack_file.with_name(stack_file.name.replace("Pulumi.", "approvals.", 1))


def read(path: Path) -> list[Approval]:
    """Read the approvals; none when there is no file. Raises ConfigError when it is not one of ours."""
    try:
        entries = yaml_text.load_file(path)
    except FileNotFoundError:
        return []
    if not isinstance(entries, list | None) or not all(map(_is_approval, entries or [])):
        raise ConfigError(f"{path} is not a list of approvals with plan, signer and on; `unmoor approve` writes it")
    return [Approval(one["plan"], one["signer"], one["on"]) for one in entries or []]


def _is_approval(entry: object) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("plan", "signer", "on"))


def record(path: Path, approval: Approval) -> bool:
    """Add an approval; False when that signer has approved that plan already. Raises ConfigError for a bad hash."""
    if not _HASH.fullmatch(approval.plan):
        raise ConfigError(f"{approval.plan!r} is not a plan hash; give the 64 hex digits that `unmoor review` prints")
    known = read(path)
    if any((one.plan, one.signer) == (approval.plan, approval.signer) for one in known):
        return False
    entries = [{"plan": one.plan, "signer": one.signer, "on": one.on} for one in [*known, approval]]
    temporary = path.with_suffix(".new")
    import yaml

    temporary.write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")
    temporary.replace(path)
    return True


def demand(topology: Topology, approvals: list[Approval], stack: str) -> None:
    """Refuse a plan that nobody approved. Raises PlanError that says what to do."""
    wanted = plan_hash(topology)
    if any(one.plan == wanted for one in approvals):
        return
    raise PlanError(
        "this plan has not been approved",
        [
            Fault("plan", wanted),
            Fault(
                "",
                f"a signer reads `unmoor review --base main {stack}` and says "
                f"`unmoor approve {wanted} --stack {stack}`",
            ),
        ],
    )
