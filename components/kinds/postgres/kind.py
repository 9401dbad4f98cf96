"""The kind `postgres`: an application with its PostgreSQL at one site, or at two of which one writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...action import ZONES, Action, Phase, Ref, Run
from ...errors import Fault
from ...kind import Kind, Rollout, State
from ...release import Release
from ...topology import Role
from . import aws, sites
from .akash import OnAkash
from .aws import OnAws
from .options import PostgresOptions
from .wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...topology import Site, WorkloadPlan

#: Seconds that a move may take beyond the time-to-live of the record. It is then withdrawn, if it can be.
_MOVE_S = 300


class Postgres(Kind[PostgresOptions]):
    """An application and its database. Its release is a hash of the options, so no file is read."""

    name = "postgres"
    options = PostgresOptions
    state = State.WRITER
    rollout = Rollout.ONE_BY_ONE
    own_stores = True
    on = {"aws": OnAws(), "akash": OnAkash()}  # noqa: RUF012 it is never changed

    def declared(self, options: PostgresOptions) -> Release:
        """Return the release that the options define."""
        return Release(options.identity())

    def release(self, options: PostgresOptions, root: Path) -> Release:  # noqa: ARG002 nothing is read
        """Return the release that the options define."""
        return self.declared(options)

    def secrets(self, options: PostgresOptions) -> dict[str, str]:
        """Return the variable of the process behind each secret that does not depend on a site."""
        return sites.variables(options)

    def secrets_of(self, plan: WorkloadPlan) -> dict[str, str]:
        """Return the same, and the variables behind the keys of each site that stands."""
        return sites.variables_of(plan)

    def refuses(self, plan: WorkloadPlan) -> Iterator[Fault]:
        """Refuse a third site, stores that the agents cannot use, variables with two values, and too much user data."""
        if len(plan.placement.decentralized) > 1:
            yield Fault("placement.decentralized", "a database has two sites; name one target")
        options: PostgresOptions = plan.options  # type: ignore[assignment]
        database = options.database
        for name in dict.fromkeys((*database.archive, database.witness.store)):
            store, path = database.stores[name], f"options.database.stores.{name}"
            if (store.endpoint or "https:").startswith("http:"):
                yield Fault(f"{path}.endpoint", "pgBackRest speaks TLS only; give an https:// address")
            if store.access_key is None:
                yield Fault(f"{path}.access_key", "is required; name the variables that hold the keys")
        yield from sites.overlapping(plan)
        for site in plan.everywhere:
            if site.target == aws.OnAws.target:
                yield from aws.largest(plan, site)

    def awaits(self, plan: WorkloadPlan, site: Site, *, moved: bool) -> tuple[Run, str]:
        """Return the check of a site: it stands and follows or writes; after a move, the writer's site serves."""
        options: PostgresOptions = plan.options  # type: ignore[assignment]
        given = {
            **_asked(site, plan),
            "site_host": site.site_host,
            "settings": _written(plan),
            "site": site.target,
            "timeout_s": options.health.grace_s,
        }
        if moved and plan.roles[site.name] is Role.PRIMARY:
            return Run("probe", _asked(site, plan) | {"timeout_s": options.health.grace_s}), super().awaits(
                plan, site, moved=True
            )[1]
        return Run(
            "stands", given
        ), f"{site.site_host} must answer at its address, and its database must follow or write"

    def actions(self, plan: WorkloadPlan) -> Iterator[Action]:
        """Return the move of the writer once its new site stands, and the guard of the last copy on removal."""
        settings = sites.settings_of(plan)
        primary, written = plan.primary, _written(plan)
        options: PostgresOptions = plan.options  # type: ignore[assignment]
        probe = _asked(primary, plan) | {
            "site_host": primary.site_host,
            "zones": ZONES,
            "timeout_s": options.health.grace_s,
        }
        yield Action(
            f"{plan.name}-writer",
            Phase.PROMOTE,
            "move",
            plan.name,
            Run(
                "move-writer",
                {
                    "settings": written,
                    "wanted": asdict(Wanted.of(plan)),
                    "within_s": _MOVE_S + settings.witness.ttl_s,
                    "probe": probe,
                },
            ),
            detail=f"the writer to {primary.target}, once the other site has archived its last writes; restores from "
            f"{' and '.join(settings.archive)} proved in the last {settings.proof_max_age_days:g} days are demanded",
        )
        yield Action(
            f"{plan.name}-last-copy",
            Phase.KEEP,
            "keep",
            plan.name,
            Run("last-copy", {"settings": written}, on_delete=True),
            detail=f"on removal, nothing goes before restores are proved; {' and '.join(settings.archive)} stay",
        )


def _asked(site: Site, plan: WorkloadPlan) -> dict[str, Any]:
    return {"url": site.health_url, "version": plan.release.id, "mark": site.mark, "at": Ref(site.name, "at")}


def _written(plan: WorkloadPlan) -> dict[str, Any]:
    return sites.settings_of(plan).model_dump(mode="json", exclude_none=True)


KIND = Postgres()
