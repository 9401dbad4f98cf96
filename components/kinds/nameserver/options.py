"""The options of the workload of a stack's name servers."""

from __future__ import annotations

import hashlib
import json

from pydantic import Field

from ...config.models import HostName, Setting


class NameserverOptions(Setting):
    """Written by the setting `dns.servers`, never by hand."""

    zone: HostName = Field(description="The zone that they answer for.")
    image: str | None = Field(default=None, description="Their image; left out, the one of `sdl/nameserver.yaml`.")
    budget_usd_month: float = Field(default=15.0, gt=0, description="Ceiling for one lease in USD a month.")

    def identity(self) -> str:
        """Return the release's id: the SHA-256 (hex) of the options. The zone's records do not change it."""
        noticed = self.model_dump(mode="json", exclude={"budget_usd_month"})
        return hashlib.sha256(json.dumps(noticed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
