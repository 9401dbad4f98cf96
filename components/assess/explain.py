"""Where a figure comes from: every figure and rating of a workload as a tree, down to inputs and sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..text.escape import printable
from . import history
from .level import LIKELIHOOD
from .recipes import ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .assessment import Assessed, Assessment
    from .effort import Step
    from .figure import Figure, Span
    from .residual import Residual
    from .risk import Rating


@dataclass(frozen=True, slots=True)
class Node:
    """One line of an explanation, what it rests on, and where that was read."""

    text: str
    children: tuple[Node, ...] = ()
    source: str = ""


def lines(root: Node, levels: int | None = None) -> Iterator[str]:
    """Yield a tree as indented lines, each thing explained once, with its sources numbered at the end.

    `levels` bounds the depth; what is cut off is marked.
    """
    sources: dict[str, int] = {}
    done: set[Node] = set()

    def write(node: Node, depth: int) -> Iterator[str]:
        number = f" [{sources.setdefault(node.source, len(sources) + 1)}]" if node.source else ""
        again = " (as above)" if node.children and node in done else ""
        if node.children and levels is not None and depth + 1 >= levels:
            again = " …"
        yield f"{'  ' * depth}{printable(node.text)}{number}{again}"
        if levels is not None and depth + 1 >= levels:
            return
        if not again:
            done.add(node)
            for child in node.children:
                yield from write(child, depth + 1)

    yield from write(root, 0)
    if sources:
        yield ""
    for source, number in sources.items():
        yield f"[{number}] {printable(source)}"


def amount(value: float, unit: str) -> str:
    """Return a number with its unit, in as many digits as it is accurate to."""
    digits = f"{value:,.4f}".rstrip("0")
    if unit.startswith("USD"):
        digits = (
            f"{value:,.2f}"
            if abs(value) >= 1 or not value
            else digits
            if len(digits.split(".")[1]) > 1
            else f"{value:.2f}"
        )
    else:
        digits = digits.rstrip(".")
    return f"{digits} {unit}".rstrip()


def figure(one: Figure) -> Node:
    """Explain a figure."""
    text = f"{one.label}: {amount(one.value, one.unit)}"
    if one.formula:
        text += f" = {one.formula}"
    if one.stale:
        text += " (stale)"
    return Node(text, tuple(figure(part) for part in one.inputs), one.source)


def ranged(one: Span) -> Node:
    """Explain a range."""
    low, high = (f"{end.value:,.2f}".rstrip("0").rstrip(".") for end in (one.low, one.high))
    return Node(f"{one.label}: {low} to {high} {one.low.unit}", (figure(one.low), figure(one.high)))


def rating(title: str, one: Rating) -> Node:
    """Explain a risk: likelihood by points, impact by reasons, both into the matrix."""
    bounds = ", ".join(f"below {bound} {level}" for bound, level in LIKELIHOOD)
    likely = Node(
        f"likelihood {one.likelihood}: {one.points:g} points ({bounds}, else very-high)",
        tuple(Node(f"{reason.points:+g} {reason.because}") for reason in one.reasons),
    )
    impact = Node(
        f"impact {one.impact}",
        tuple(Node(f"{'+1 level: ' * bool(reason.points)}{reason.because}") for reason in one.impact_reasons),
    )
    lowers = Node("what would lower it", tuple(Node(text) for text in one.lowers()))
    return Node(
        f"{title}: {one.grade}, by NIST SP 800-30 table I-2", (likely, impact, *([lowers] if lowers.children else ()))
    )


def _cost(one: Assessed) -> Iterable[Node]:
    yield figure(one.cost_before)
    if one.cost_also_known:
        yield Node("known as well, and less well founded", tuple(figure(other) for other in one.cost_also_known))
    yield figure(one.cost_stay)
    yield figure(one.cost_after)
    for network, (price, _) in one.elsewhere.items():
        yield Node(f"for comparison, on {network}", (figure(price),))


def _risk(one: Assessed) -> Iterable[Node]:
    for when, view in (("today", one.before), ("with homework", one.stay), ("with the plan", one.after)):
        yield rating(f"outage or deplatforming, {when}", view.availability)
        yield rating(f"security exposure, {when}", view.exposure)
        yield Node(f"{when}", (ranged(view.downtime),))
    for network, (_, view) in one.elsewhere.items():
        yield rating(f"outage or deplatforming, wholly on {network}", view.availability)
        yield rating(f"security exposure, wholly on {network}", view.exposure)


def _residual(one: Assessed) -> Iterable[Node]:
    for when, view in (("today", one.before), ("with the plan", one.after)):
        yield Node(
            f"{when}: companies that alone can take it down",
            (figure(view.dependence.score), *_alone(view.dependence.residuals)),
        )


def _alone(residuals: Iterable[Residual]) -> Iterator[Node]:
    for one in residuals:
        layer, party = one.layer, one.party
        texts = [Node(f"then {layer.effect}: {layer.means}"), Node(f"what would help: {layer.lowers}")]
        texts += [
            Node(f"{case.on}: {case.who}: {case.what}", source=case.basis) for case in history.cases(party.company)
        ]
        yield Node(f"{layer.title}: {party.name} ({party.company})", tuple(texts))


def _value(one: Assessed) -> Iterable[Node]:
    value = one.value
    yield figure(value.saving_month)
    yield figure(value.saving_year)
    yield figure(value.saving_on_homework)
    yield ranged(value.effort_usd)
    yield figure(value.payback_months) if value.payback_months else Node("payback: never, for it saves nothing a month")
    if one.weighed:
        weighed = one.weighed
        sides = [*(f"better: {text}" for text in weighed.better), *(f"worse: {text}" for text in weighed.worse)]
        reasons = [text for text in (weighed.trade and f"the trade: {weighed.trade}", weighed.why) if text]
        yield Node(f"against staying with homework: {weighed.verdict}", tuple(map(Node, (*sides, *reasons))))
    yield figure(value.hours_saved)
    if value.loss_avoided:
        yield figure(value.loss_avoided)
    yield figure(value.independence)


def _steps(steps: Iterable[Step]) -> Iterator[Node]:
    for step in steps:
        driver = f" ({step.driver})" if step.driver else ""
        duty = f", {step.duty}" if step.duty else ""
        yield Node(
            f"{step.title}{duty}: {step.low:g} to {step.high:g} h{driver}",
            (Node(step.does), Node(f"verify: {step.verify}"), Node(f"back: {step.rollback}")),
        )


def _migration(one: Assessed) -> Iterable[Node]:
    way = one.migration
    yield Node(f"plan: {one.course} ({one.course.origin})", (Node(one.course.why),))
    if one.course.instead:
        yield Node(f"instead: {one.course.instead}")
    yield from _steps(way.steps)
    yield ranged(way.hours)
    yield figure(way.waiting)
    for title, texts in (("before it starts", way.prerequisites), ("measure", way.measure)):
        if texts:
            yield Node(title, tuple(Node(text) for text in texts))


TOPICS: Mapping[str, Callable[[Assessed], Iterable[Node]]] = {
    "cost": _cost,
    "risk": _risk,
    "residual": _residual,
    "value": _value,
    "migration": _migration,
}


def explain(one: Assessed, topic: str) -> Node:
    """Explain one topic of one workload."""
    return Node(f"{one.name}: {topic}", tuple(TOPICS[topic](one)))


def explain_all(assessment: Assessment, topic: str) -> Node:
    """Explain a topic for the whole DAO: the sums, each workload with its own figure, then the terms of the sums."""
    sums: Mapping[str, tuple[Node, ...]] = {
        "cost": (
            figure(assessment.cost_before),
            figure(assessment.cost_stay),
            figure(assessment.cost_after),
            figure(assessment.shared),
        ),
        "value": (
            figure(assessment.value.saving_month),
            ranged(assessment.value.effort_usd),
            figure(assessment.value.hours_saved),
            figure(assessment.value.independence),
        ),
    }
    once = (Node("once for the DAO", tuple(_steps(ONCE))),) if topic == "migration" else ()
    return Node(f"all: {topic}", sums.get(topic) or (*once, *(explain(one, topic) for one in assessment.workloads)))
