"""The kinds, targets and authorities that a project knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .authority import Authority
    from .kind import Implementation, Kind
    from .target import Target


@dataclass(frozen=True)
class Registry:
    """What stack files may name. The program and every command use the same registry.

    The first authority is the default of stack files. The first target that is not rented is that of the centralized
    side. `on` adds an implementation to a kind from elsewhere.
    """

    kinds: Mapping[str, Kind[Any]]
    targets: Mapping[str, Target]
    authorities: Mapping[str, Authority]
    on: Mapping[tuple[str, str], Implementation[Any]] = field(default_factory=dict)

    def with_(
        self,
        *,
        kinds: Iterable[Kind[Any]] = (),
        targets: Iterable[Target] = (),
        authorities: Iterable[Authority] = (),
        on: Mapping[tuple[str, str], Implementation[Any]] | None = None,
    ) -> Registry:
        """Return a registry with additions; an entry of the same name is replaced."""
        return Registry(
            {**self.kinds, **{kind.name: kind for kind in kinds}},
            {**self.targets, **{target.name: target for target in targets}},
            {**self.authorities, **{authority.name: authority for authority in authorities}},
            {**self.on, **(on or {})},
        )

    @property
    def written(self) -> dict[str, Kind[Any]]:
        """The kinds that stack files name."""
        return {name: kind for name, kind in self.kinds.items() if kind.written}

    def implementations(self, kind: str) -> dict[str, Implementation[Any]]:
        """Return a kind's implementations by target."""
        added = {target: implementation for (name, target), implementation in self.on.items() if name == kind}
        return {**self.kinds[kind].on, **added}
