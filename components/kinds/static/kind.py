"""The kind `static`: a site from a folder, or a kept version of one, on CloudFront or in a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...action import Action, Phase, Run
from ...config.models import Setting, Version
from ...errors import ConfigError, Fault, NotBuiltError
from ...kind import Kind, Rollout, State
from ...release import Release
from ...targets.akash.ingress import Ingress
from .akash import OnAkash
from .aws import OnAws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...topology import WorkloadPlan


class StaticOptions(Setting):
    """What a static site needs to know."""

    site: str = Field(default="site", description="Folder of the built site, relative to the project.")
    version: Version | None = Field(
        default=None, description="Serve this kept version instead of the folder's content: a rollback in one line."
    )
    budget_usd_month: float = Field(
        default=12.0, gt=0, le=1000, description="Ceiling for one lease in USD a month; a dearer bid is refused."
    )
    ingress: Ingress = Field(
        default=Ingress.DEDICATED,
        description="On Akash: `dedicated`, an address and certificates of its own, or `shared`, the provider's, "
        "cheaper and without a certificate that browsers accept.",
    )


class Static(Kind[StaticOptions]):
    """A folder of files. `Release.data` is the folder, or None when the stores hold the version."""

    name = "static"
    options = StaticOptions
    state = State.REBUILDABLE
    rollout = Rollout.TOGETHER
    on = {"aws": OnAws(), "akash": OnAkash()}  # noqa: RUF012 it is never changed

    def declared(self, options: StaticOptions) -> Release | None:
        """Return the version that the options name."""
        return Release(options.version) if options.version else None

    def release(self, options: StaticOptions, root: Path) -> Release:
        """Return the folder's version as it is now."""
        from . import bundle

        folder = root / options.site
        if not folder.exists():
            why = f"{folder} does not exist; build the site first, or name the folder that the site generator writes"
            raise NotBuiltError("the site is not built", [Fault("site", why)])
        try:
            return Release(bundle.version(folder), options.site, pinned=False)
        except ConfigError as error:
            inside = [Fault("site", f"{error.title}: {fault}") for fault in error.faults]
            raise ConfigError(error.title, inside or [Fault("site", error.title)]) from None

    def actions(self, plan: WorkloadPlan) -> Iterator[Action]:
        """Keep the version in every store before anything serves it."""
        given = {"workload": plan.name, "version": plan.release.id, **content(plan), "retain": plan.retain}
        detail = f"version {plan.release.short} into {', '.join(sorted(plan.stores))}"
        yield Action(f"{plan.name}-keep", Phase.PREPARE, "keep", plan.name, Run("keep", given), detail=detail)


def content(plan: WorkloadPlan) -> dict[str, Any]:
    """Return where a release's files come from, as programs take it; names of credentials, never values."""
    stores = {name: store.model_dump(exclude_none=True) for name, store in sorted(plan.stores.items())}
    return {"folder": plan.release.data, "stores": stores}


STATIC = Static()
