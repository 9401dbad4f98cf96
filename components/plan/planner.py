"""Configuration in, topology out: which sites a mode means, which records point at them, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.models import Mode, Side, StackConfig, did_you_mean, faults
from ..errors import Fault, PlanError
from ..prices.book import health_check_usd_month
from ..web import http as front
from . import certificates
from .topology import Backup, Form, Line, Record, RecordType, Role, Site, Step, Topology, WorkloadPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from ..config.models import Workload
    from ..kind import Kind, Survey

#: A place in a workload's placement: the side, and which of the side's targets.
Seat = tuple[Side, int]
CENTRAL: Seat = (Side.CENTRALIZED, 0)
DECENTRAL_1: Seat = (Side.DECENTRALIZED, 0)
DECENTRAL_2: Seat = (Side.DECENTRALIZED, 1)

#: What each mode means, and the whole of it: the seats that are taken, primary first.
#: `active: decentralized` turns active-standby round; a seat the placement does not name stays empty.
SITES: Mapping[Mode, tuple[Seat, ...]] = {
    Mode.CENTRALIZED: (CENTRAL,),
    Mode.ACTIVE_STANDBY: (CENTRAL, DECENTRAL_1),
    Mode.DECENTRALIZED: (DECENTRAL_1, DECENTRAL_2),
}

_ROLES = (Role.PRIMARY, Role.STANDBY)


def plan(stack: StackConfig, kinds: Mapping[str, Kind], root: Path) -> Topology:
    """Plan a whole stack.

    `root` is the folder that relative paths in options start from. Raises PlanError with every fault.
    """
    found: list[Fault] = []
    surveys: dict[str, Survey] = {}
    plans = [_workload(stack, name, kinds, root, surveys, found) for name in stack.workloads]
    found += _clashes(stack, [p for p in plans if p])
    if found:
        raise PlanError("the stack configuration is not valid", found)
    return Topology(
        zone=stack.zone,
        ttl=stack.ttl,
        acme=stack.acme,
        workloads=tuple(p for p in plans if p),
        require_approval=stack.require_approval,
    )


def seats(workload: Workload) -> tuple[Seat, ...]:
    """Return the seats that a workload's mode takes, primary first."""
    taken = tuple(
        seat
        for seat in SITES[workload.mode]
        if seat[0] is Side.CENTRALIZED or seat[1] < len(workload.placement.decentralized)
    )
    turned = workload.mode is Mode.ACTIVE_STANDBY and workload.active is Side.DECENTRALIZED
    return taken[::-1] if turned else taken


def target_of(workload: Workload, seat: Seat) -> str:
    """Name the target that a seat of the placement names."""
    side, index = seat
    return workload.placement.centralized if side is Side.CENTRALIZED else workload.placement.decentralized[index]


def site_name(name: str, workload: Workload, seat: Seat) -> str:
    """Name a site after what it is, never after its mode or role: a flip must rename nothing."""
    target = target_of(workload, seat)
    return f"{name}-{target}" if seat[1] == 0 else f"{name}-{target}-{seat[1] + 1}"


def record_type(forms: Sequence[Form]) -> RecordType:
    """Choose the one type of a failover set from every site the placement can ever have.

    An alias fits both: as A it is an alias, as CNAME it is the AWS name itself.
    """
    return RecordType.CNAME if Form.HOST in forms else RecordType.A


def _workload(
    stack: StackConfig, name: str, kinds: Mapping[str, Kind], root: Path, surveys: dict[str, Survey], found: list[Fault]
) -> WorkloadPlan | None:
    workload = stack.workloads[name]
    path = f"workloads.{name}"
    before = len(found)
    found += _host_faults(stack, workload, path)
    found += [
        Fault(
            f"{path}.backup.stores[{index}]",
            f"no store named {store!r}{did_you_mean(store, stack.stores)}; declare it under stores"
            + (f" or choose from {', '.join(sorted(stack.stores))}" if stack.stores else ""),
        )
        for index, store in enumerate(workload.backup.stores)
        if store not in stack.stores
    ]
    kind = kinds.get(workload.kind)
    if kind is None:
        said = f"no kind {workload.kind!r}{did_you_mean(workload.kind, kinds)}; choose from {', '.join(sorted(kinds))}"
        found.append(Fault(f"{path}.kind", said))
        return None
    found += _placement_faults(workload, kind, path)
    options = _options(workload, kind, name, found)
    if options is None:
        return None
    survey = _survey(kind, options, root, surveys)
    found += [Fault(f"{path}.options.{fault.path}", fault.message) for fault in survey.faults]
    if len(found) > before:
        return None
    everywhere = (CENTRAL, DECENTRAL_1, DECENTRAL_2)[: 1 + len(workload.placement.decentralized)]
    forms = [kind.on[target_of(workload, seat)].form(options) for seat in everywhere]
    kind_of_set = record_type(forms)
    found += _set_faults(stack, workload, forms, path)
    if len(found) > before:
        return None
    backup = Backup(
        workload=name,
        version=survey.version,
        folder=survey.folder,
        stores={store: stack.stores[store] for store in workload.backup.stores},
        retain=workload.backup.retain,
    )
    taken = seats(workload)
    sites = tuple(_site(stack, name, workload, kind, options, seat, forms, backup) for seat in taken)
    records = tuple(
        Record(
            host=workload.host,
            role=role,
            site=site.name,
            type=kind_of_set,
            ttl=front.ALIAS_TTL if kind_of_set is RecordType.A and site.form is Form.ALIAS else stack.ttl,
        )
        for role, site in zip(_ROLES, sites, strict=False)
    )
    authorities = certificates.authorities(forms, stack.acme)
    return WorkloadPlan(
        name=name,
        kind=kind.name,
        mode=workload.mode,
        active=taken[0][0],
        host=workload.host,
        sites=sites,
        records=records,
        backup=backup,
        steps=_steps(backup, sites, records),
        bill=tuple(line for site in sites for line in site.bill),
        notes=certificates.notes(sites, authorities if workload.host == stack.zone else ()),
        authorities=authorities if kind_of_set is RecordType.A and workload.host != stack.zone else (),
    )


def _options(workload: Workload, kind: Kind, name: str, found: list[Fault]) -> BaseModel | None:
    from pydantic import ValidationError

    try:
        return kind.options.model_validate(workload.options)
    except ValidationError as error:
        found += faults(error, kind.options, ("workloads", name, "options"))
        return None


def _survey(kind: Kind, options: BaseModel, root: Path, surveys: dict[str, Survey]) -> Survey:
    """Look at the content once, however many workloads share it."""
    key = f"{kind.name} {options.model_dump_json()}"
    if key not in surveys:
        surveys[key] = kind.survey(options, root)
    return surveys[key]


def _site(
    stack: StackConfig,
    name: str,
    workload: Workload,
    kind: Kind,
    options: BaseModel,
    seat: Seat,
    forms: Sequence[Form],
    backup: Backup,
) -> Site:
    on = kind.on[target_of(workload, seat)]
    form = on.form(options)
    this = site_name(name, workload, seat)
    # While one site answers the host, challenges of the other come there. The peer is who the placement names, not who
    # stands now: a site's own configuration must not change with a flip.
    other = DECENTRAL_2 if len(workload.placement.decentralized) > 1 else CENTRAL
    peer = site_name(name, workload, other if seat == DECENTRAL_1 else DECENTRAL_1)
    return Site(
        name=this,
        workload=name,
        kind=kind.name,
        target=target_of(workload, seat),
        form=form,
        host=workload.host,
        direct=f"{this}.{stack.zone}",
        peer=f"{peer}.{stack.zone}" if certificates.challenged(forms) else "",
        authority=certificates.authority(form, stack.acme),
        ttl=front.ALIAS_TTL if form is Form.ALIAS else stack.ttl,
        zone=stack.zone,
        acme=stack.acme,
        options=options,
        content=backup,
        bill=(*on.bill(options), _check_line(this, form)),
    )


def _check_line(site: str, form: Form) -> Line:
    options = front.CHECK_OPTIONS["http" if form is Form.HOST else front.SCHEME]
    usd = health_check_usd_month(aws_endpoint=form is Form.ALIAS, options=len(options))
    where = "AWS endpoint" if form is Form.ALIAS else "endpoint outside AWS"
    return Line(f"{site}: health check ({where}, {', '.join(options)})", usd, "aws.route53_health_check_month")


def _host_faults(stack: StackConfig, workload: Workload, path: str) -> list[Fault]:
    if workload.host == stack.zone or workload.host.endswith(f".{stack.zone}"):
        return []
    return [Fault(f"{path}.host", f"{workload.host} is outside the zone; choose a name that ends in .{stack.zone}")]


def _placement_faults(workload: Workload, kind: Kind, path: str) -> list[Fault]:
    named = [("centralized", workload.placement.centralized)]
    named += [(f"decentralized[{i}]", target) for i, target in enumerate(workload.placement.decentralized)]
    choices = ", ".join(sorted(kind.on))
    found = [
        Fault(f"{path}.placement.{where}", f"{kind.name} does not run on {target!r}; choose from {choices}")
        for where, target in named
        if target not in kind.on
    ]
    if workload.placement.centralized in workload.placement.decentralized:
        found.append(
            Fault(
                f"{path}.placement",
                f"both sides are on {workload.placement.centralized!r}, so one account can take both down; "
                f"choose two targets",
            )
        )
    return found


def _set_faults(stack: StackConfig, workload: Workload, forms: Sequence[Form], path: str) -> list[Fault]:
    if record_type(forms) is RecordType.A:
        return []
    found = []
    if workload.host == stack.zone:
        found.append(
            Fault(
                f"{path}.host",
                f"{workload.host} is the zone's apex, where no CNAME may stand, and a site of this workload is "
                f"reached by a name; choose a name below the apex, or a front with an address of its own",
            )
        )
    if Form.ADDRESS in forms:
        found.append(
            Fault(
                f"{path}.placement",
                "one site is reached by an address and another by a name, and all members of a failover set share "
                "one record type; choose fronts of one form",
            )
        )
    return found


def _clashes(stack: StackConfig, plans: Sequence[WorkloadPlan]) -> list[Fault]:
    """Find names that two workloads would both own: hosts, direct names, resources."""
    owners: dict[str, str] = {}
    found = []
    for plan_ in plans:
        workload = stack.workloads[plan_.name]
        everywhere = (CENTRAL, DECENTRAL_1, DECENTRAL_2)[: 1 + len(workload.placement.decentralized)]
        names = [plan_.host, *(f"{site_name(plan_.name, workload, seat)}.{stack.zone}" for seat in everywhere)]
        for name in names:
            owner = owners.setdefault(name, plan_.name)
            if owner != plan_.name:
                found.append(
                    Fault(
                        f"workloads.{plan_.name}.host",
                        f"{name} belongs to workload {owner!r} already; choose another host or another workload name",
                    )
                )
    return found


def _steps(backup: Backup, sites: Sequence[Site], records: Sequence[Record]) -> tuple[Step, ...]:
    stores = ", ".join(sorted(backup.stores))
    steps = [Step("bundle", backup.workload, f"version {backup.version[:12]} into {stores}")]
    for site in sites:
        record = next(r for r in records if r.site == site.name)
        valid = ", with a certificate that browsers accept" if site.scheme == "https" else ""
        steps += [
            Step("stand", site.name, f"on {site.target}, direct name {site.direct}"),
            Step("probe", site.name, f"{site.health_url} must answer {backup.version[:12]} at its address{valid}"),
            Step("point", site.host, f"{record.role} {record.type}, ttl {record.ttl} s, to {site.name}"),
            Step("confirm", site.name, f"{site.health_url} must answer so once its record stands"),
        ]
    return tuple(steps)
