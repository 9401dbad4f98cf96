"""A service on AWS: tasks of the web server and the application behind a load balancer."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from ...action import STACK, Action, Phase, Ref, Run
from ...config.own_names import BALANCER
from ...errors import Fault
from ...kind import Deployed, Implementation
from ...needs import Check
from ...prices import book as prices
from ...targets.aws import ALIAS, container_rights, fargate, shared
from ...topology import Line
from . import losses
from .document import asking, web_image, web_server_of
from .options import Size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...config.models import Acme
    from ...exposure import Exposure
    from ...kind import Context
    from ...needs import Grant
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .options import ServiceOptions

#: The bill's assumptions about a small service: the load balancer's capacity units on average (one is 25 new
#: connections a second), and GB of logs a month.
_CAPACITY, _LOGS_GB = 0.1, 1
#: Seconds for ECS to bring a release up, as long as the plug-in waits for a service; the grace of each failed task is
#: added. And the failed tasks until the circuit breaker stops a release (ECS developer guide, "Amazon ECS deployment
#: circuit breaker": half of the desired count, at least 3).
_ROLLOUT_S, _FAILED_TASKS = 1_200, 5


class OnAws(Implementation["ServiceOptions"]):
    """A load balancer's name, with a certificate of ACM that is proved by a record."""

    def exposure(self, options: ServiceOptions, acme: Acme) -> Exposure:  # noqa: ARG002 AWS has an issuer of its own
        """Return an alias."""
        return ALIAS

    def bill(self, options: ServiceOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the options decide
        """Return the load balancer, the tasks, every public address and the logs in USD a month."""
        month = prices.HOURS_PER_MONTH
        balancer, unit, address = "alb_hour", "alb_lcu_hour", "public_ipv4_hour"
        shared = options.aws.balancer or options.aws.size is Size.SMALL
        if not shared:
            yield Line("load balancer", month * prices.aws(balancer), f"aws/{balancer}")
        yield Line(f"its capacity, {_CAPACITY} units on average", _CAPACITY * month * prices.aws(unit), f"aws/{unit}")
        core, memory = "fargate_hour/x86_vcpu", "fargate_hour/x86_gb"
        hourly = options.cpu / 1000 * prices.aws(core) + options.memory / 1024 * prices.aws(memory)
        yield Line(_tasks(options), options.replicas * month * hourly, f"aws/{core}, aws/{memory}")
        if beyond := max(_disk_gib(options) - fargate.DISK_GIB, 0):
            disk = "fargate_hour/ephemeral_gb_over_20"
            yield Line(
                f"disk, {beyond} GB over {fargate.DISK_GIB} a task",
                options.replicas * beyond * month * prices.aws(disk),
                f"aws/{disk}",
            )
        zones = 0 if shared else len(options.aws.subnets) or fargate.ZONES
        if count := zones + (0 if options.aws.private_subnets else options.replicas):
            yield Line(f"public IPv4 addresses, {count}", count * month * prices.aws(address), f"aws/{address}")
        if options.secrets:
            kept = "secrets_manager_secret_month"
            yield Line(f"secrets, {len(options.secrets)}", len(options.secrets) * prices.aws(kept), f"aws/{kept}")
        logs = "cloudwatch_logs_gb"
        yield Line(f"logs, {_LOGS_GB} GB", _LOGS_GB * prices.aws(logs), f"aws/{logs}")

    def losses(self, options: ServiceOptions) -> Iterator[str]:
        """Return what does not survive in a task."""
        yield from losses.sentences(options, losses.AWS)

    def refuses(self, options: ServiceOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options decide
        """Refuse sizes that Fargate does not offer, and options that would not work in a task."""
        sizes = {
            "cpu": fargate.cpu_fault(options.cpu),
            "memory": fargate.memory_fault(options.cpu, options.memory),
        }
        yield from (Fault(path, why) for path, why in sizes.items() if why)
        if _disk_gib(options) > fargate.LARGEST_DISK_GIB:
            most = fargate.LARGEST_DISK_GIB - losses.DISK_GIB
            yield Fault("volume.gib", f"a task has {fargate.LARGEST_DISK_GIB} GiB at most; choose {most} or less")
        yield from losses.faults(options, losses.AWS)

    def shares(self, options: ServiceOptions) -> tuple[str, ...]:
        """Return the stack's load balancer for a small service."""
        return (BALANCER,) if options.aws.size is Size.SMALL else ()

    def delivers(self, site: Site, secrets: Sequence[str]) -> list[str]:
        """Return the name of an action for each secret."""
        return [_value_of(site, secret) for secret in secrets]

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterator[Action]:  # noqa: ARG002 the site decides
        """Wait for the tasks before the site is probed, because their logs explain a failure."""
        options: ServiceOptions = site.options  # type: ignore[assignment]
        given = {
            **{name: Ref(site.name, name) for name in ("cluster", "tasks", "definition", "log", "region")},
            "site": site.name,
            "stack": STACK,
            "timeout_s": _ROLLOUT_S + _FAILED_TASKS * options.health.grace_s,
            **asking(site),
        }
        yield Action(
            f"{site.name}-rollout",
            Phase.CHECK,
            "await",
            site.name,
            Run("rollout", given),
            site=site.name,
            detail="its tasks are healthy",
            before=(f"{site.name}-probe",),
        )

    def grants(self, site: Site, plan: WorkloadPlan) -> tuple[Grant, ...]:
        """Return the rights for balancer, tasks, roles, logs and secrets."""
        options: ServiceOptions = site.options  # type: ignore[assignment]
        return container_rights.grants(plan.named(site), cluster=options.aws.cluster, secrets=bool(options.secrets))

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterator[Check]:
        """Check the load balancer that a service shares with others."""
        options: ServiceOptions = site.options  # type: ignore[assignment]
        if options.aws.balancer:
            look = functools.partial(shared.look, options.aws.balancer, plan.named(site), stack, site.hosts)
            path = f"workloads.{plan.name}.options.aws.balancer"
            yield Check(f"load balancer of {site.name}", look, late=True, path=path)

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register load balancer, certificate and tasks."""
        import pulumi

        from ...targets.aws import alias
        from ...targets.aws.balancer import Network, Place
        from ...targets.aws.container import Container, Part, Task

        options: ServiceOptions = site.options  # type: ignore[assignment]
        port, stack = _front_port(options), f"{pulumi.get_project()}/{pulumi.get_stack()}"
        server = web_server_of(site, context.plan.release, "127.0.0.1", balanced=True)
        runs = server.command()
        places = {"HTTP_PORT": str(port), "XDG_DATA_HOME": "/data"}
        made = Container(
            site.name,
            label=context.plan.label,
            hosts=site.hosts,
            prove=context.prove,
            task=Task(
                web=Part(web_image(), runs["command"], runs["args"], server.environment() | places, port),
                app=Part(options.image, options.command, options.args, options.env, options.port),
                cpu=options.cpu,
                memory=options.memory,
                disk_gib=_disk_gib(options),
                replicas=options.replicas,
                grace_s=options.health.grace_s,
                secrets=sorted(options.secrets),
            ),
            network=Network(**options.aws.model_dump(exclude={"size"})),
            place=Place.of(context.shared.get(f"{BALANCER}-{site.target}")),
            fill=lambda secret, known, opts: context.run(
                _value_of(site, secret), "secret", {**known, "variable": options.secrets[secret], "stack": stack}, opts
            ).apply(lambda line: str(json.loads(line)["version"])),
            opts=context.opts,
        )
        endpoint = alias.endpoint(made.domain_name, made.zone_id)
        return Deployed(endpoint, pulumi.Output.from_input(site.target), made.arn, made, made.rollout)


def _value_of(site: Site, secret: str) -> str:
    """Return the name of the action that writes a secret's value to Secrets Manager."""
    return f"{site.name}-{secret}-value"


def _front_port(options: ServiceOptions) -> int:
    """Return the web server's port, which is not the application's: the containers of a task share their ports."""
    return 80 if options.port != 80 else 8080


def _tasks(options: ServiceOptions) -> str:
    many = f"{options.replicas} tasks" if options.replicas > 1 else "one task"
    return f"Fargate, {many} of {options.cpu / 1000:g} vCPU and {options.memory / 1024:g} GB"


def _disk_gib(options: ServiceOptions) -> int:
    return losses.DISK_GIB + (options.volume.gib if options.volume else 0)
