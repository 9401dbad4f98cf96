"""An application with a database on AWS: the same three containers on one machine."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from ...errors import Fault
from ...exposure import Endpoint, Exposure, Proof, Reach
from ...kind import Deployed
from ...needs import Check
from ...prices import book as prices
from ...targets.aws import account, machine_rights
from ...targets.aws.unit import LARGEST, Containers, user_data
from ...topology import Line, Role
from . import losses
from .document import APP, DATABASE, UNKNOWN, VOLUMES, parts
from .site import OnSite, operators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.models import Acme
    from ...kind import Context
    from ...needs import Grant
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .options import PostgresOptions

#: GiB of the machine's root disk, which its image determines, and GB of logs a month that the bill assumes.
_ROOT_GIB, _LOGS_GB = 30, 1
_TYPES, _DISK, _ADDRESS, _LOGS = (
    "ec2_linux_ondemand_hour",
    "ebs_gp3_gb_month",
    "public_ipv4_hour",
    "cloudwatch_logs_gb",
)
#: The start of types with ARM processors: the first family, and those with a `g` after the generation (EC2 instance
#: types, "Naming conventions").
_ARM = re.compile(r"a1[.]|[a-z]+[0-9]+[a-z-]*g")
#: GiB of memory of machines of the families t3 and t3a, by size (EC2 user guide, "General purpose instances").
_GIB = {"nano": 0.5, "micro": 1.0, "small": 2.0, "medium": 4.0, "large": 8.0, "xlarge": 16.0, "2xlarge": 32.0}
#: MiB of memory that the web server and the system take.
_WEB_MIB = 512


class OnAws(OnSite):
    """A machine with an address of its own. Its web server asks for certificates as it does in a lease."""

    target = losses.AWS

    def exposure(self, options: PostgresOptions, acme: Acme) -> Exposure:  # noqa: ARG002 the same for all
        """Return an address with certificates over ACME."""
        return Exposure(Reach.ADDRESS, acme.issuer, Proof.PASSED_ON)

    def bill(self, options: PostgresOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the options decide
        """Return the machine, its disks, its address and its logs in USD a month."""
        month, kind = prices.HOURS_PER_MONTH, f"{_TYPES}/{options.aws.type}"
        yield Line(f"machine, {options.aws.type}", month * prices.aws(kind), f"aws/{kind}")
        room = options.database.gib + _ROOT_GIB
        yield Line(f"disks, {room} GB", room * prices.aws(_DISK), f"aws/{_DISK}")
        yield Line("public IPv4 address", month * prices.aws(_ADDRESS), f"aws/{_ADDRESS}")
        yield Line(f"logs, {_LOGS_GB} GB", _LOGS_GB * prices.aws(_LOGS), f"aws/{_LOGS}")

    def losses(self, options: PostgresOptions) -> Iterator[str]:
        """Return what does not survive on the machine."""
        yield from losses.sentences(options, losses.AWS)

    def refuses(self, options: PostgresOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options decide
        """Refuse machines that cannot run it or have no price, and options that would not work there."""
        type_, path, book = options.aws.type, f"aws/{_TYPES}/{options.aws.type}", prices.book()
        fit = [each for each in book.siblings(path) if not _ARM.match(each) and not _memory(options, each)]
        choose = f"choose from {', '.join(fit)}"
        if _ARM.match(type_):
            yield Fault("aws.type", f"{type_} has an ARM processor, and the image is of x86_64; {choose}")
        elif path not in book.prices:
            add = f"or add its price: `unmoor prices refresh --size {path}`"
            yield Fault("aws.type", f"no price for {type_!r}; {choose}; {add}")
        if room := _memory(options, type_):
            yield Fault("memory", f"{room}; choose a larger type, or less memory")
        yield from losses.faults(options, losses.AWS)

    def grants(self, site: Site, plan: WorkloadPlan) -> tuple[Grant, ...]:
        """Return the rights for machine, volume, address, role and logs."""
        return machine_rights.grants(plan.named(site))

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterator[Check]:
        """Check those rights with IAM, and in the stores whether the writer may be where the plan puts it."""
        yield Check(f"rights of {site.name} at AWS", functools.partial(account.rights, self.grants(site, plan)))
        yield from super().checks(site, plan, stack)

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the machine."""
        import pulumi

        from ...targets.aws.machine import Machine

        options: PostgresOptions = site.options  # type: ignore[assignment]
        plan = context.plan
        key = f"{pulumi.get_project()}/{pulumi.get_stack()}/{plan.named(site)}"
        known, opts = operators(key, context.opts)
        made = Machine(
            site.name,
            label=plan.label,
            ami=options.aws.ami,
            type_=options.aws.type,
            subnet=options.aws.subnet,
            gib=options.database.gib,
            containers=lambda group, region: _containers(site, plan, known or UNKNOWN, group, region),
            known=known is not None,
            holds_writer=plan.roles[site.name] is Role.PRIMARY,
            opts=opts,
        )
        endpoint = made.address.apply(lambda address: Endpoint(addresses=(address,)))
        operator = pulumi.Output.from_input(site.target)
        return Deployed(endpoint, operator, made.identity, made, {"lease": pulumi.Output.from_input(key)})

    def where(self, site: Site) -> dict[str, object]:
        """Return where the machine gets secrets: at its address, which stays the account's while it is in the state."""
        from ...action import Ref

        return {"at": Ref(site.name, "at")}


def largest(plan: WorkloadPlan, site: Site) -> Iterator[Fault]:
    """Refuse options that do not fit into user data.

    The log group and the region are known only later, so long names stand for them.
    """
    size = len(user_data(_containers(site, plan, UNKNOWN, "x" * 64, "ap-southeast-1"))) * 3 // 4
    if size > LARGEST:
        why = f"variables and command make {size:,} bytes of user data, and a machine takes {LARGEST:,}"
        yield Fault("options.env", f"{why}; put some into the image")


def _memory(options: PostgresOptions, type_: str) -> str:
    """Return why a type of machine has too little memory for the containers; "" if it has enough or it is unknown."""
    has = _GIB.get(type_.partition(".")[2])
    asked = options.memory + options.database.memory + _WEB_MIB
    if has is None or type_[0] != "t" or asked <= has * 1024:
        return ""
    return f"{type_} has {has:g} GiB, and {asked} MiB are asked for"


def _containers(site: Site, plan: WorkloadPlan, operator: str, group: str, region: str) -> Containers:
    options: PostgresOptions = site.options  # type: ignore[assignment]
    memory = {APP: options.memory, DATABASE: options.database.memory}
    return Containers(site.name, parts(site, plan, operator), VOLUMES, (group, region), memory)
