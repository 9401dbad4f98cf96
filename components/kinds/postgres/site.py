"""What both targets of a database share: the handover of secrets, and the check of the writer."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ... import operator_key
from ...action import STACK, Action, Phase, Ref, Run
from ...kind import Implementation
from ...needs import Check
from . import sites
from .options import PostgresOptions
from .wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pulumi

    from ...needs import Finding
    from ...postgres.settings import Settings
    from ...topology import Site, WorkloadPlan


class OnSite(Implementation[PostgresOptions]):
    """One site: the web server, the application, and the database with its agent."""

    target: str

    def where(self, site: Site) -> Mapping[str, object]:
        """Return where a site gets its secrets, as inputs of the action `handover`."""
        raise NotImplementedError

    def credentials(self, options: PostgresOptions) -> dict[str, int]:  # noqa: ARG002 each has secrets
        """Return the variable with the key of the handover's certificate, and the key's least length."""
        return {operator_key.VARIABLE: operator_key.SHORTEST}

    def delivers(self, site: Site, secrets: Sequence[str]) -> list[str]:  # noqa: ARG002 all at once
        """Return the name of the one action that hands over all secrets."""
        return [_handover_of(site)]

    def notes(self, plan: WorkloadPlan) -> Iterator[str]:
        """Warn if the record's store belongs to a site's vendor."""
        options: PostgresOptions = plan.options  # type: ignore[assignment]
        database = options.database
        vendor = database.stores[database.witness.store].vendor
        if vendor == self.target:
            yield (
                f"the record of the writer is in store {database.witness.store} of {vendor}, which runs a site too: "
                "while it is away the site stops, and the other one cannot take over; use a store of another vendor"
            )

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterator[Action]:
        """Hand over the secrets of the site's role before the site is probed, because its agent starts with them."""
        options: PostgresOptions = site.options  # type: ignore[assignment]
        role = plan.roles[site.name]
        handed = dict(sorted(sites.secrets(site, role).items()))
        given = {
            "host": site.site_host,
            "lease": Ref(site.name, "lease"),
            "secrets": handed,
            "stack": STACK,
            "timeout_s": options.health.grace_s,
            **self.where(site),
        }
        yield Action(
            _handover_of(site),
            Phase.CHECK,
            "hand over",
            site.name,
            Run("handover", given),
            site=site.name,
            detail=f"{', '.join(handed)}, of the {role}, at its own address alone",
            before=(f"{site.name}-probe",),
        )

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterator[Check]:  # noqa: ARG002 nothing is shared
        """Check in the stores whether the writer may be where the plan puts it."""
        if site == plan.primary:
            look = functools.partial(_look, sites.settings_of(plan), Wanted.of(plan))
            yield Check(f"writer of {plan.name}", look, late=True)


def _look(settings: Settings, wanted: Wanted) -> Iterator[Finding]:
    from .gate import look  # a heavy import, which a plan does not need

    yield from look(settings, wanted)


def operators(key: str, opts: pulumi.ResourceOptions, *ignored: str) -> tuple[str | None, pulumi.ResourceOptions]:
    """Return the SHA-256 of the certificate that hands over secrets, and the options of the resource with the hash.

    A preview needs no key: without one the hash is None, and the properties `ignored` keep the values of the state.
    """
    import pulumi

    if pulumi.runtime.is_dry_run() and not os.environ.get(operator_key.VARIABLE):
        return None, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(ignored)))
    return operator_key.certificate(key).fingerprint, opts


def _handover_of(site: Site) -> str:
    return f"{site.name}-secrets"
