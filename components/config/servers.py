"""The stack's own name servers: their settings in a stack file, and the workload that these make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from . import images
from .own_names import KIND
from .setting import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The fewest and most servers. A silent one delays a look-up by about a second, and no answer is lost. With three, two
#: may be lost.
FEWEST, MOST = 2, 3


class Servers(Setting):
    """The stack's two or three own name servers, on operators that run none of its sites."""

    placement: tuple[str, ...] = Field(
        min_length=FEWEST, max_length=MOST, description="The target of each server, such as [akash, akash]."
    )
    image: Annotated[str, AfterValidator(images.pinned)] | None = Field(
        default=None,
        description="The image of images/nameserver by its digest, as the workflow image-nameserver.yml prints it.",
    )
    budget_usd_month: float = Field(
        default=15.0, gt=0, le=1_000, description="Ceiling for the lease of one server in USD a month."
    )

    def workload(self, zone: str, stores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the servers' workload."""
        options = {"zone": zone, "image": self.image, "budget_usd_month": self.budget_usd_month}
        return {
            "kind": KIND,
            "mode": "decentralized",
            "backup": {"stores": sorted(stores), "retain": 1} if stores else None,
            "options": options,
        }
