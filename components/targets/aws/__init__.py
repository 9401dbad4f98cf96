"""The target AWS and its building blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Fault
from ...exposure import Exposure, Proof, Reach
from ...target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...needs import Needs
    from ...topology import Topology, WorkloadPlan

#: The most octets of a certificate's subject; its other names have up to 253 (ACM API reference, RequestCertificate).
_SUBJECT_CHARS = 64


def mark(site: str, label: str) -> str:
    """Return the comment that identifies a site's distribution in its account; `label` is the stack's name."""
    return f"unmoor {site}.{label}" if label else f"unmoor {site}"


def subject(hosts: Sequence[str]) -> str:
    """Return the subject of a certificate for names: the first that ACM takes as one, or "" if it takes none."""
    return next((host for host in hosts if len(host) <= _SUBJECT_CHARS), "")


def without_subject(plan: WorkloadPlan) -> Iterator[Fault]:
    """Yield a fault for the host, relative to the workload, if ACM signs no certificate for a site's names."""
    for site in plan.everywhere:
        if site.target == TARGET.name and not subject(site.hosts):
            why = f"neither it nor {site.site_host} has at most {_SUBJECT_CHARS} characters, as one name of a"
            yield Fault("host", f"{why} certificate at AWS must; choose a shorter host")


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
