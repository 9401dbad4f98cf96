"""The kind `static`: a site from a folder, or a kept version of one, on CloudFront or in a container."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ...action import Action, Phase, Run
from ...config.models import Setting, Version
from ...config.signed import WHEN_SET
from ...errors import ConfigError, Fault, NotBuiltError
from ...kind import Kind, Rollout, State
from ...release import Release
from ...targets.akash.ingress import Ingress
from ...targets.akash.notice import Notice  # noqa: TC001 pydantic reads annotations
from ...targets.aws import without_subject
from ...targets.aws.options import Delivery, Existing, existing_of
from ...web import headers as web
from . import front, sizes
from .akash import OnAkash
from .aws import OnAws
from .folder import Options, stands
from .routes import Routes, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...topology import WorkloadPlan


#: The form of an origin that may frame a site: a scheme and a host, nothing after it.
Origin = Annotated[str, Field(pattern=r"^(?:self|\*|https?://[A-Za-z0-9.*-]+(?::[0-9]+)?)$")]


@dataclass(frozen=True)
class Content:
    """The facts of a folder when a release is planned: its path, its size in the stores, and its routes.

    `dated` is the version that was published last from the folder, if only dates have changed since.
    """

    folder: str
    bytes: int
    routes: Routes
    dated: str = ""

    @property
    def files(self) -> int:
        """The number of the site's files."""
        return len(self.routes.files)

    @cached_property
    def needed(self) -> sizes.Sizes:
        """The sizes that a container needs for it."""
        return sizes.sizes(self.bytes, self.files, len(front.lines(self.routes)))


class StaticOptions(Setting):
    """The settings of a static site."""

    site: str = Field(default="site", description="Folder of the built site, relative to the project.")
    version: Version | None = Field(
        default=None, description="Serve this kept version instead of the folder's content: a rollback in one line."
    )
    budget_usd_month: float = Field(
        default=12.0, gt=0, le=1000, description="Ceiling for one lease in USD a month; a dearer bid is refused."
    )
    fallback: str = Field(
        default="",
        description="Page that answers unknown addresses without a dot in their last segment, with status 200: "
        "`index.html` for an application that routes in the browser.",
    )
    trailing_slash: bool | None = Field(
        default=None,
        description="`true` leads `/a` to `/a/`, `false` leads `/a/` to `/a`; without it addresses are as the files "
        "are, as at GitHub Pages.",
    )
    cors: bool = Field(default=True, description="Whether pages of other origins may read the site.")
    embed: tuple[Origin, ...] = Field(
        default=("self",),
        description="Who may show the site in a frame: `self`, origins such as `https://app.example`, or `*` for all.",
    )
    cache: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Seconds for which browsers keep a file without asking again. Files with a hash in their name are "
        "kept for a year, and are not meant.",
    )
    include: tuple[str, ...] = Field(
        default=(), description="Paths (globs) of files that look like secrets and are to be published all the same."
    )
    existing: Annotated[Existing | None, WHEN_SET] = Field(
        default=None, description="What exists at AWS and is used as it is: a bucket, a certificate."
    )
    aws: Annotated[Delivery | None, WHEN_SET] = Field(
        default=None, description="How CloudFront serves: price class, logs, web ACL."
    )
    ingress: Ingress = Field(
        default=Ingress.DEDICATED,
        description="On Akash: `dedicated`, an address and certificates of its own, or `shared`, the provider's, "
        "cheaper and without a certificate that browsers accept.",
    )
    notice: Notice = None

    def reading(self) -> Options:
        """Return how the folder is read."""
        return Options(Settings(**self.settings()), self.include)

    def settings(self) -> dict[str, Any]:
        """Return the settings of the routes by name."""
        return {name: getattr(self, name) for name in ("fallback", "trailing_slash", "cors", "embed", "cache")}

    def headers(self, scheme: str) -> dict[str, str]:
        """Return the headers of every answer of the site."""
        return web.site_headers(scheme, cors=self.cors, embed=self.embed)


class Static(Kind[StaticOptions]):
    """A folder of files. `Release.data` is its Content, or None when the stores hold the version."""

    name = "static"
    options = StaticOptions
    state = State.REBUILDABLE
    rollout = Rollout.TOGETHER
    redirects = True
    on = {"aws": OnAws(), "akash": OnAkash()}  # noqa: RUF012 it is never changed

    def declared(self, options: StaticOptions) -> Release | None:
        """Return the version that the options name."""
        return Release(options.version) if options.version else None

    def release(self, options: StaticOptions, root: Path) -> Release:
        """Return the folder's version as it is now."""
        from . import bundle, memory

        folder = root / options.site
        try:
            found = bundle.survey(folder, options.reading()) if stands(folder) else None
        except ConfigError as error:
            inside = [Fault("site", f"{error.title}: {fault}") for fault in error.faults]
            raise ConfigError(error.title, inside or [Fault("site", error.title)]) from None
        if found is None:
            why = f"{folder} does not exist; build the site first, or name the folder that the site generator writes"
            raise NotBuiltError("the site is not built", [Fault("site", why)])
        last = memory.recall(memory.published(folder))
        same = last is not None and last.version != found.version and last.undated == found.undated
        dated = last.version if last and same else ""
        return Release(found.version, Content(options.site, found.size, found.routes, dated), pinned=False)

    def refuses(self, plan: WorkloadPlan) -> Iterator[Fault]:
        """Refuse names for which AWS signs no certificate, and a store's bucket as that of the site."""
        used = existing_of(plan.options)
        if not used.certificate:
            yield from without_subject(plan)
        for name, store in plan.stores.items():
            if store.endpoint is None and store.bucket == used.bucket:
                why = f"is the bucket of store {name}, and publishing removes what a release does not have"
                yield Fault("options.existing.bucket", f"{why}; name another bucket")

    def actions(self, plan: WorkloadPlan) -> Iterator[Action]:
        """Return the action that keeps the version in every store before any site serves it."""
        given = {"workload": plan.identity, "version": plan.release.id, **content(plan), "retain": plan.retain}
        detail = f"version {plan.release.short} into {', '.join(sorted(plan.stores))}"
        if isinstance(plan.release.data, Content) and plan.release.data.dated:
            detail += (
                f"; only dates changed since the served release {plan.release.data.dated[:12]}: a generator that is "
                "given SOURCE_DATE_EPOCH makes the same release again"
            )
        yield Action(f"{plan.name}-keep", Phase.PREPARE, "keep", plan.name, Run("keep", given), detail=detail)


def content(plan: WorkloadPlan) -> dict[str, Any]:
    """Return where a release's files come from, as programs take it; names of credentials, never values."""
    stores = {name: store.model_dump(exclude_none=True) for name, store in sorted(plan.stores.items())}
    data, options = plan.release.data, plan.options
    if not isinstance(data, Content) or not isinstance(options, StaticOptions):
        return {"folder": None, "stores": stores}
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.settings().items()}
    return {"folder": data.folder, "options": given | {"include": list(options.include)}, "stores": stores}


KIND = Static()
