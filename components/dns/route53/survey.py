"""What stands at a host before an update, and what would make the update fail late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...authority import Survey
from ...config.standing import StandingRecord, phrase
from ...errors import Fault, StepError
from ...targets.aws.account import released
from . import adoption
from . import standing as current
from .adopt import asking
from .taking import host_caa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...topology import WorkloadPlan, ZonePlan
    from .standing import RecordSet


def survey(plan: WorkloadPlan, zone: ZonePlan, route53: Any = None, cloudfront: Any = None) -> Survey:
    """Ask Route 53 and CloudFront what stands at a workload's public names.

    Raises StepError when they cannot be asked.
    """
    surveys: list[Survey] = []
    listed: list[Mapping[str, Any]] | None = None
    with asking(str(plan.host)):
        route53 = route53 or current.client()
        id_ = current.zone_id(route53, zone)
        for host in [name.host for name in plan.names]:
            records = current.read(route53, id_, host)
            ours = any(current.is_member(record) for record in current.at(records, host))
            wild = [] if ours or host == zone.name else _wildcard(route53, id_, host)
            if not ours and listed is None:
                listed = _listed(cloudfront)
            surveys.append(judge(plan, zone, host, records, wild, [] if ours else _holders(listed or [], plan, host)))
    return Survey(
        tuple(record for each in surveys for record in each.records),
        tuple(fault for each in surveys for fault in each.faults),
    )


def judge(
    plan: WorkloadPlan,
    zone: ZonePlan,
    host: str,
    records: Sequence[RecordSet],
    wild: Sequence[RecordSet] = (),
    holders: Sequence[Mapping[str, Any]] = (),
) -> Survey:
    """Judge what stands at one public name. Pure.

    `records` are those at the name and after it, `wild` those of the wildcard above it, `holders` the account's
    distributions, except ours, that have the name as alias. Records at a name of `redirect_from` have it as `at`.
    """
    path = "host" if host == plan.host else f"redirect_from[{plan.primary.redirect_from.index(host)}]"
    there = current.foreign(records, host, zone.name, host_caa(plan, zone, host))
    found = list(_held(path, host, holders))
    shared = [record for record in there if not current.is_simple(record)]
    simple = tuple(current.standing(record) for record in there if current.is_simple(record))
    ours = any(current.is_member(record) for record in current.at(records, host))
    if plan.stood(host):
        found += _adopted(plan, zone, host, there, simple, ours=ours)
    elif any(not current.is_caa(record) for record in there):
        stands = phrase(simple) if simple else f"{len(shared)} records with a routing policy"
        found.append(
            Fault(
                path,
                f"{stands} stands at {host}, and what is not this stack's is never overwritten; choose another host, "
                f"or adopt this one: `unmoor adopt {plan.name}` writes the lines",
            )
        )
    elif not ours and not current.below(records, host) and not current.at(records, host):
        found += _hidden(plan, path, host, wild)
    named = simple if host == plan.host else tuple(one.model_copy(update={"at": host}) for one in simple)
    return Survey(named, tuple(found))


def _adopted(
    plan: WorkloadPlan,
    zone: ZonePlan,
    host: str,
    there: Sequence[RecordSet],
    simple: tuple[StandingRecord, ...],
    *,
    ours: bool,
) -> Iterator[Fault]:
    adopt = plan.stood(host)
    if not there and not ours:
        yield Fault(
            "adopt",
            f"nothing of {phrase(adopt)} stands at {host} in the zone {zone.name} of this account; if "
            "visitors are answered, another server answers for the zone: bring the zone here first. Else take `adopt` "
            "out",
        )
        return
    try:
        adoption.check(host, there, adopt)
    except StepError as error:
        yield Fault("adopt", str(error))
        return
    if there and not ours and (gone := current.differences(adopt, simple)):
        yield Fault("adopt", f"{phrase(tuple(gone))} does not stand at {host}; run `unmoor adopt {plan.name}` again")


def _hidden(plan: WorkloadPlan, path: str, host: str, wild: Sequence[RecordSet]) -> Iterator[Fault]:
    """Refuse a name that a wildcard answers: any record at it or below it would hide the wildcard (RFC 4592 §2.2.2)."""
    if wild:
        name, stands = current.plain(wild[0]["Name"]), phrase(tuple(map(current.standing, wild)))
        yield Fault(
            path,
            f"{host} is answered by {name} ({stands}), which the first record below {host} would hide long "
            f"before a site answers; make a record for {host} itself with the same values, and run `unmoor adopt "
            f"{plan.name}`",
        )


def _wildcard(route53: Any, zone: str, host: str) -> list[RecordSet]:
    name = f"*.{host.partition('.')[2]}"
    found = current.at(current.read(route53, zone, name), name)
    return [one for one in found if one["Type"] in {"A", "AAAA", "CNAME"} and current.is_simple(one)]


def _held(path: str, host: str, holders: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """Refuse an alias that another distribution has; CloudFront would refuse it after minutes of building.

    CloudFront moves an alias between existing distributions only (developer guide, "Move an alternate domain name"),
    and ours cannot exist without it.
    """
    for one in holders:
        yield Fault(
            path,
            f"the CloudFront distribution {one['Id']} ({one['DomainName']}) of this account has {host} as an "
            "alias, and CloudFront gives an alias to one distribution. Serve visitors from another place first, or "
            f"accept an outage of the update's length: {released(one['Id'], host)}, and update at once",
        )


def _listed(cloudfront: Any) -> list[Mapping[str, Any]]:
    """Return the distributions of the account.

    An identity that may not list distributions is refused by CloudFront itself, later.
    """
    from botocore.exceptions import ClientError

    if cloudfront is None:
        import boto3

        cloudfront = boto3.client("cloudfront")
    try:
        pages = list(cloudfront.get_paginator("list_distributions").paginate())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return []
        raise
    return [one for page in pages for one in page["DistributionList"].get("Items", [])]


def _holders(listed: Sequence[Mapping[str, Any]], plan: WorkloadPlan, host: str) -> list[Mapping[str, Any]]:
    """Return the distributions that have a name as alias, except those of this stack's own sites."""
    own = {site.site_host for site in plan.everywhere}
    return [one for one in listed if host in (names := set(one["Aliases"].get("Items", []))) and not names & own]
