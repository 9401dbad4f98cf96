"""An assessment as plain data: the one document from which every form of the report is written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...text.escape import tree
from .. import history
from ..figure import Basis
from ..layers import LAYERS
from ..level import Grade
from ..migration import HOMEWORK
from ..recipes import ONCE
from ..value import reputation
from ..views import uptime
from ..vote import unknown, vote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..assessment import Assessed, Assessment
    from ..effort import Step
    from ..figure import Figure, Span
    from ..residual import Residual
    from ..risk import Rating
    from ..situation import Course, Situation
    from ..views import View
    from ..vote import Known, Vote


#: The three columns: their keys in the document, and the assessment's attributes.
COLUMNS = {"today": "before", "stay": "stay", "after": "after"}


def document(assessment: Assessment, known: Known | None = None) -> dict[str, Any]:
    """Return the whole report as plain data with a stable order: the same assessment gives the same bytes.

    Its text is free of controls that a terminal or a page would obey.
    """
    whole: dict[str, Any] = tree(_document(assessment, known))
    return whole


def _document(assessment: Assessment, known: Known | None) -> dict[str, Any]:
    inventory = assessment.inventory
    titles = {one.name: one.workload.title for one in assessment.workloads}
    titles |= {"once for the DAO": "Once for the DAO", HOMEWORK: "Homework of what stays"}
    return {
        "dao": inventory.dao.name,
        "on": assessment.on.isoformat(),
        "as_of": inventory.as_of.isoformat(),
        "plan": assessment.origin,
        "summary": _summary(assessment),
        "vote": _vote(vote(assessment, known), titles),
        "warnings": list(assessment.warnings),
        "workloads": [_workload(one) for one in assessment.workloads],
        "shared": _money(assessment.shared),
        "shared_stay": _money(assessment.shared_stay),
        "companies": _companies(assessment),
        "timeline": [
            {
                "name": slot.name,
                "title": titles[slot.name],
                "starts_week": slot.starts,
                "weeks": slot.weeks,
                "hours": _range(slot.hours),
            }
            for slot in assessment.timeline
        ],
        "once": [_step(step) for step in ONCE],
        "networks": [
            {
                "network": risk.network,
                "id": risk.id,
                "title": risk.title,
                "likelihood": str(risk.likelihood),
                "impact": str(risk.impact),
                "grade": str(risk.grade),
                "evidence": risk.evidence,
                "lowers": risk.lowers,
                "source": risk.source,
            }
            for risk in history.network_risks()
        ],
        "lesson": history.lesson(),
        "sources": _sources(assessment),
        "inventory_sources": list(inventory.dao.sources),
        "data": {name: made.isoformat() for name, made in history.compiled().items()},
        "price_book": {"compiled": assessment.book.compiled.isoformat(), "region": assessment.book.region},
    }


def _summary(assessment: Assessment) -> dict[str, Any]:
    value = assessment.value
    grades = {name: assessment.grades(column) for name, column in COLUMNS.items()}
    moving = [one for one in assessment.workloads if one.course.moves]
    bills = {"today": assessment.cost_before, "stay": assessment.cost_stay, "after": assessment.cost_after}
    downtime = {
        "today": assessment.downtime_before, "stay": assessment.downtime_stay, "after": assessment.downtime_after,
    }  # fmt: skip
    return {
        "workloads": len(assessment.workloads),
        "moving": len(moving),
        "staying": len(assessment.workloads) - len(moving),
        "usd_month": {name: _round(figure) for name, figure in bills.items()},
        "rent_more": _round(assessment.rent_more),
        "unknown": list(unknown(assessment)),
        "saving_month": _round(value.saving_month),
        "saving_year": _round(value.saving_year),
        "saving_on_homework": _round(value.saving_on_homework),
        "effort_hours": _range(assessment.work_moves),
        "effort_usd": _range(value.effort_usd),
        "homework_hours": _range(assessment.work_rest),
        "homework_all_hours": _range(assessment.work_stay),
        "rate_usd_hour": assessment.inventory.dao.rate_usd_hour,
        "payback_months": value.payback_months.value if value.payback_months else None,
        "weeks": round(max((slot.starts + slot.weeks for slot in assessment.timeline), default=0), 1),
        "independence": {
            "stay": value.independence.inputs[0].value,
            "after": value.independence.inputs[1].value,
        },
        "downtime": {name: _range(one) for name, one in downtime.items()},
        "moving_downtime": {
            name: _mean([getattr(one, column).downtime for one in moving]) for name, column in COLUMNS.items()
        },
        "moving_uptime": {
            name: _uptime(_mean([getattr(one, column).downtime for one in moving])) for name, column in COLUMNS.items()
        },
        "risk": {
            kind: {name: {str(grade): grades[name][kind][grade] for grade in Grade} for name in COLUMNS}
            for kind in ("availability", "exposure")
        },
        "near": [
            {"workload": one.workload.title, "risk": kind, "when": name, **near}
            for one in assessment.workloads
            for name, column in COLUMNS.items()
            for kind in ("availability", "exposure")
            if (near := _near(getattr(getattr(one, column), kind))) and (name != "after" or one.course.moves)
        ],
        "loss_avoided": round(
            sum(one.value.loss_avoided.value for one in assessment.workloads if one.value.loss_avoided), 2
        ),
    }


def _vote(page: Vote, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "motion": page.motion,
        "market": {
            "fits": [titles[name] for name in page.market.fits],
            "not_fitting": [{"title": titles[name], "why": why} for name, why in page.market.not_fitting.items()],
            "first": titles.get(page.market.first, ""),
            "source": page.market.source,
        },
        "deposit_usd": page.deposit.value,
        "deposit": page.deposit_means,
        "better": list(page.better),
        "worse": list(page.worse),
        "decides": list(page.decides),
        "undo": page.undo,
        "token": page.token,
        "plan_hash": page.plan,
    }


def _near(rating: Rating) -> dict[str, Any] | None:
    """Return the bound that is near enough to decide the grade."""
    found = rating.near()
    if found is None:
        return None
    bound, other = found
    return {"points": rating.points, "bound": bound, "grade": str(rating.grade), "other": str(other)}


def _mean(spans: list[Span]) -> list[float]:
    count = len(spans) or 1
    return [
        round(sum(one.low.value for one in spans) / count, 2),
        round(sum(one.high.value for one in spans) / count, 2),
    ]


def _uptime(hours: list[float]) -> list[float]:
    return [uptime(hours[1]), uptime(hours[0])]


def _round(figure: Figure) -> float:
    return round(figure.value, 2) + 0.0


def _range(span: Span) -> list[float]:
    return [round(span.low.value, 2), round(span.high.value, 2)]


def _money(figure: Figure) -> dict[str, Any]:
    return {
        "usd_month": None if figure.basis is Basis.UNKNOWN else _round(figure),
        "basis": str(figure.basis),
        "source": figure.source,
        "stale": figure.rests_on_stale(),
        "lines": [{"label": line.label, "usd_month": round(line.value, 4)} for line in figure.inputs],
    }


def _workload(one: Assessed) -> dict[str, Any]:
    workload, course = one.workload, one.course
    views = {name: getattr(one, column) for name, column in COLUMNS.items()}
    today, after = reputation(workload.title, one.before.dependence, one.after.dependence)
    return {
        "name": one.name,
        "title": workload.title,
        "work": str(workload.work),
        "state": str(workload.state),
        "importance": str(workload.importance),
        "hosts": list(workload.hosts),
        "plan": _plan(course),
        "weighed": _weighed(one),
        "cost": {
            "today": _money(one.cost_before),
            "stay": _money(one.cost_stay),
            "after": _money(one.cost_after),
            "also_known": [{"label": figure.label, "usd_month": _round(figure)} for figure in one.cost_also_known],
            "rent_more": _round(one.rent_more),
        },
        "risk": {
            kind: {name: _rating(getattr(view, kind)) for name, view in views.items()}
            for kind in ("availability", "exposure")
        },
        "downtime": {name: _range(view.downtime) for name, view in views.items()},
        "uptime": {name: list(view.uptime) for name, view in views.items()},
        "residual": {name: _dependence(view) for name, view in views.items()},
        "layers": [
            {
                "key": key,
                "title": LAYERS[key].title,
                "effect": str(LAYERS[key].effect),
                "today": _parties(one.before.situation, key),
                "after": _parties(one.after.situation, key),
            }
            for key in LAYERS
            if key in one.before.situation.layers or key in one.after.situation.layers
        ],
        "value": _value(one) | {"claim_today": today, "claim_after": after},
        "migration": {
            "hours": _range(one.migration.hours),
            "waiting_hours": round(one.migration.waiting.value, 1),
            "prerequisites": list(one.migration.prerequisites),
            "steps": [_step(step) for step in one.migration.steps],
            "measure": list(one.migration.measure),
        },
        "elsewhere": {
            network: {
                "usd_month": _round(price),
                "availability": str(view.availability.grade),
                "exposure": str(view.exposure.grade),
                "independence": view.dependence.score.value,
                "downtime": _range(view.downtime),
            }
            for network, (price, view) in one.elsewhere.items()
        },
        "notes": list(one.notes),
        "sources": list(workload.sources),
    }


def _plan(course: Course) -> dict[str, Any]:
    return {
        "mode": str(course.mode),
        "text": str(course),
        "moves": course.moves,
        "origin": course.origin,
        "why": course.why,
        "refused": course.refused,
        "instead": course.instead,
        "considered": str(course.considered) if course.considered else "",
    }


def _weighed(one: Assessed) -> dict[str, Any] | None:
    weighed = one.weighed
    if weighed is None:
        return None
    return {
        "verdict": str(weighed.verdict),
        "better": list(weighed.better),
        "worse": list(weighed.worse),
        "trade": weighed.trade,
        "why": weighed.why,
        "change": weighed.change,
    }


def _value(one: Assessed) -> dict[str, Any]:
    value = one.value
    known = value.saving_month.basis is not Basis.UNKNOWN
    return {
        "saving_month": _round(value.saving_month) if known else None,
        "saving_year": _round(value.saving_year) if known else None,
        "saving_on_homework": _round(value.saving_on_homework) if known else None,
        "effort_usd": _range(value.effort_usd),
        "payback_months": value.payback_months.value if value.payback_months else None,
        "hours_saved_year": _round(value.hours_saved),
        "loss_avoided_year": _round(value.loss_avoided) if value.loss_avoided else None,
        "independence_gained": value.independence.value,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "title": step.title,
        "hours": [step.low, step.high],
        "driver": step.driver,
        "does": step.does,
        "verify": step.verify,
        "rollback": step.rollback,
        "duty": str(step.duty),
    }


def _rating(rating: Rating) -> dict[str, Any]:
    return {
        "grade": str(rating.grade),
        "likelihood": str(rating.likelihood),
        "impact": str(rating.impact),
        "points": rating.points,
        "reasons": [{"points": one.points, "because": one.because} for one in rating.reasons],
        "impact_reasons": [one.because for one in rating.impact_reasons],
        "lowers": list(rating.lowers()),
        "near": _near(rating),
    }


def _dependence(view: View) -> dict[str, Any]:
    return {
        "score": view.dependence.score.value,
        "stoppers": list(view.dependence.stoppers()),
        "alone": [_residual(one) for one in view.dependence.residuals],
    }


def _residual(one: Residual) -> dict[str, Any]:
    return {
        "layer": one.layer.title,
        "party": one.party.name,
        "company": one.party.company,
        "effect": str(one.layer.effect),
        "means": one.means,
        "lowers": one.layer.lowers,
        "notice_days": one.notice,
    }


def _parties(situation: Situation, key: str) -> dict[str, Any]:
    names = list(dict.fromkeys(party.name for party in situation.layers.get(key, ())))
    return {"parties": names, "alone": key in situation.alone}


def _companies(assessment: Assessment) -> list[dict[str, Any]]:
    """Count the workloads that each company can stop alone, today and after the plan, the largest count first."""
    can: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"today": [], "after": []})
    for one in assessment.workloads:
        for when, view in (("today", one.before), ("after", one.after)):
            for company in view.dependence.stoppers():
                can[company][when].append(one.name)
    rows = [{"company": company, **lists} for company, lists in can.items()]
    return sorted(rows, key=lambda row: (-max(len(row["today"]), len(row["after"])), str(row["company"])))


def _sources(assessment: Assessment) -> list[dict[str, Any]]:
    return [
        {
            "key": source.key,
            "title": source.title,
            "stale_after_days": source.stale_after_days,
            "read": source.read.isoformat() if source.read else None,
            "age_days": source.age_days(assessment.on),
            "stale": source.stale(assessment.on),
            "prices": count,
        }
        for source, count in _used(assessment)
    ]


def _used(assessment: Assessment) -> Iterable[tuple[Any, int]]:
    figures = [assessment.cost_before, assessment.cost_after]
    figures += [price for one in assessment.workloads for price, _ in one.elsewhere.values()]
    paths = {leaf.source.split(":", 1)[0].removeprefix("price book ") for figure in figures for leaf in figure.leaves()}
    by_source: dict[str, int] = defaultdict(int)
    for path in paths:
        if path in assessment.book.prices:
            by_source[assessment.book.prices[path].source.key] += 1
    return [(assessment.book.sources[key], count) for key, count in sorted(by_source.items())]
