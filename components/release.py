"""What a workload serves now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Release:
    """What a workload serves now.

    `id` changes with anything that a visitor could notice: content, image digest, settings. /healthz answers it, and
    probes are keyed on it. `data` is the kind's own plain data. `pinned` is true when the stack file names the release
    (an image digest, `version:`), so that signers approve it; the content of a folder is not pinned.
    """

    id: str
    data: Any = field(default=None, metadata={"signed": False})
    pinned: bool = True

    @property
    def short(self) -> str:
        """The first 12 characters of the id, for people."""
        return self.id[:12]


#: Stands for a release that is not built yet, where planning continues without it.
NOT_BUILT = Release(id="not-built", pinned=False)
