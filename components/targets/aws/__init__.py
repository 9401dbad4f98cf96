"""The target AWS and its building blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exposure import Exposure, Proof, Reach
from ...target import Target

if TYPE_CHECKING:
    from ...needs import Needs
    from ...topology import Topology


def mark(site: str, label: str) -> str:
    """Return the comment that identifies a site's distribution in its account; `label` is the stack's name."""
    return f"unmoor {site}.{label}" if label else f"unmoor {site}"


def _needs(topology: Topology) -> Needs:
    from . import needs

    return needs.of(topology)


#: The keys of the tags of everything that a stack makes here. AWS reserves only the prefix `aws:` (Tagging AWS
#: resources, "Tag naming limits and requirements").
STACK, WORKLOAD = "unmoor:stack", "unmoor:workload"
TARGET = Target("aws", company="AWS", needs=_needs)
#: Amazon's name in CAA records (ACM user guide, "Configure a CAA record"); one of its four is enough.
ISSUER = "amazon.com"
#: How what AWS serves by a name is reached, whatever the options of the site.
ALIAS = Exposure(Reach.ALIAS, ISSUER, Proof.DNS)
