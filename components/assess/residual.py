"""Who alone can still stop a workload, layer by layer: a score, and the list behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figure import Figure, given
from .history import cases
from .layers import LAYERS, WEIGHT, Effect

if TYPE_CHECKING:
    from .history import Vendor
    from .layers import Layer
    from .situation import Situation


@dataclass(frozen=True, slots=True)
class Residual:
    """One layer that depends on one company."""

    layer: Layer
    party: Vendor

    @property
    def means(self) -> str:
        """Describe what happens when that company goes."""
        return self.layer.means

    @property
    def notice(self) -> float | None:
        """Return the shortest notice on record in days, by contract or in past cases; None if there is none."""
        known = [case.notice_days for case in cases(self.party.company)]
        if self.party.notice_days is not None:
            known.append(self.party.notice_days)
        return min(known, default=None)


@dataclass(frozen=True, slots=True)
class Dependence:
    """Everything that a workload depends on alone, and its independence."""

    residuals: tuple[Residual, ...]
    #: 0 (every layer hangs on one company) to 100 (none does), each layer by the weight of its effect
    score: Figure

    def stoppers(self) -> tuple[str, ...]:
        """Return the companies that alone can stop it, each once."""
        return tuple(dict.fromkeys(one.party.company for one in self.residuals if one.layer.effect is Effect.DOWN))


def dependence(situation: Situation) -> Dependence:
    """Return who alone can stop a workload."""
    residuals = tuple(Residual(LAYERS[key], party) for key, party in situation.alone.items())
    lone = {one.layer.key for one in residuals}
    inputs = tuple(
        given(
            f"{layer.title}: {_who(situation, key)}",
            0 if key in lone else WEIGHT[layer.effect],
            f"of {WEIGHT[layer.effect]}",
            f"{'one company' if key in lone else 'more than one, or none'}; without it: {layer.effect}",
        )
        for key, layer in LAYERS.items()
        if key in situation.layers
    )
    possible = sum(WEIGHT[LAYERS[key].effect] for key in LAYERS if key in situation.layers)
    reached = sum(one.value for one in inputs)
    score = Figure("independence", round(100 * reached / possible), "of 100", f"100 x {reached:g} / {possible}", inputs)
    return Dependence(residuals, score)


def _who(situation: Situation, key: str) -> str:
    return " or ".join(dict.fromkeys(party.name for party in situation.layers[key])) or "none"
