"""The kind `service`: a stateless container from an image, with health, limits and certificates in front of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...action import STACK, Ref
from ...config.models import Mode
from ...errors import Fault
from ...kind import Kind, Rollout, State
from ...release import Release
from ...targets.aws import without_subject
from . import losses
from .akash import OnAkash
from .aws import OnAws
from .document import APP, asking
from .options import ServiceOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...action import Run
    from ...topology import Site, WorkloadPlan


class Service(Kind[ServiceOptions]):
    """A container. Its release is a hash of the options, so no file is read."""

    name = "service"
    options = ServiceOptions
    state = State.NONE
    rollout = Rollout.ONE_BY_ONE
    on = {"aws": OnAws(), "akash": OnAkash()}  # noqa: RUF012 it is never changed

    def declared(self, options: ServiceOptions) -> Release:
        """Return the release that the options define."""
        return Release(options.identity())

    def release(self, options: ServiceOptions, root: Path) -> Release:  # noqa: ARG002 nothing is read
        """Return the release that the options define."""
        return self.declared(options)

    def cold(self, options: ServiceOptions) -> bool:
        """Return whether it is a singleton, whose standby must not run."""
        return options.singleton and not options.signs

    def secrets(self, options: ServiceOptions) -> dict[str, str]:
        """Return the operator's variable for each secret, by path in the options."""
        return {f"secrets.{name}": variable for name, variable in options.secrets.items()}

    def refuses(self, plan: WorkloadPlan) -> Iterator[Fault]:
        """Refuse a standby of what signs, a running one of a singleton, and names without a certificate."""
        options: ServiceOptions = plan.options  # type: ignore[assignment]
        why = "two sites of a singleton would run at the same time"
        if options.signs:
            why = "it signs, and two that sign with one key at a time are punished by the network"
        if (options.signs or options.singleton) and len(plan.placement.decentralized) > 1:
            yield Fault("placement.decentralized[1]", f"is the standby of `decentralized`: {why}; name one target")
        if options.signs and plan.mode is Mode.ACTIVE_STANDBY:
            yield Fault("mode", f"{why}; choose `centralized`, or `decentralized` with one target")
        yield from without_subject(plan)

    def check(self, site: Site, release: Release) -> Run:
        """Return the probe, which is repeated for the seconds that a release may take to become healthy."""
        options: ServiceOptions = site.options  # type: ignore[assignment]
        asked = super().check(site, release)
        given = {**asked.given, "timeout_s": options.health.grace_s, **asking(site)}
        if site.target == losses.AKASH:
            # On AWS the action that waits for the tasks shows their logs.
            log = {"target": site.target, "dseq": Ref(site.name, "identity"), "service": APP, "stack": STACK}
            given["log"] = log
        return dataclasses.replace(asked, given=given)


KIND = Service()
