"""Backups as code: every version of a workload's content in every store that the stack file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...deploy.command import step

if TYPE_CHECKING:
    import pulumi
    import pulumi_command as command

    from ...plan.topology import Backup


def store_settings(backup: Backup) -> dict[str, Any]:
    """Return where the stores are, as the steps want it; names of credentials, never values."""
    return {name: store.model_dump(exclude_none=True) for name, store in sorted(backup.stores.items())}


def bundle(backup: Backup, opts: pulumi.ResourceOptions) -> command.local.Command:
    """Put the version into every store, see that anyone can fetch it, and prune what is too old."""
    return step(
        f"{backup.workload}-bundle",
        "bundle",
        {
            "workload": backup.workload,
            "version": backup.version,
            "folder": backup.folder,
            "stores": store_settings(backup),
            "retain": backup.retain,
        },
        opts,
    )
