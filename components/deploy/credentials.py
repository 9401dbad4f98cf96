"""The environment variables that must be set before an update changes anything; reports all missing ones at once."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..config import held as kept
from ..config.models import join
from ..errors import ConfigError, Fault
from ..limits import SECRET_BYTES, SECRETS_BYTES
from ..stores.s3 import missing_credentials
from ..text.hidden import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from ..registry import Registry
    from ..topology import Topology, WorkloadPlan

_NONE: Mapping[str, str] = MappingProxyType({})


def missing(topology: Topology, registry: Registry, held: Mapping[str, str] = _NONE) -> list[Fault]:
    """Return each variable that is not set, and that a store or the target of a site needs.

    `held` are the values of the stack's configuration, by variable.
    """
    stores = {name: store for plan in topology.workloads for name, store in plan.stores.items()}
    found = missing_credentials(dict(sorted(stores.items())))
    for plan in topology.workloads:
        for target in sorted({site.target for site in plan.sites}):
            found += [
                Fault(f"workloads.{plan.name}", f"{target} needs the environment variable {variable}{_long(least)}")
                for variable, least in _needed(target, plan, registry).items()
                if len(os.environ.get(variable, "")) < least
            ]
    return found + secrets_missing(topology, registry, held)


def secrets_missing(
    topology: Topology, registry: Registry, held: Mapping[str, str] = _NONE, sealed: Container[str] = ()
) -> list[Fault]:
    """Return each secret without a value, and each text of the stack file that holds a value.

    `sealed` are variables whose encrypted values are in the stack's configuration, where this process cannot read them.
    """
    return [
        fault
        for plan in topology.workloads
        for fault in _secret_faults(plan, registry.kinds[plan.kind].secrets_of(plan), held, sealed)
    ]


def _needed(target: str, plan: WorkloadPlan, registry: Registry) -> dict[str, int]:
    """Return the variables that a workload's site needs on a target, and the fewest characters of each."""
    own = registry.implementations(plan.kind)[target].credentials(plan.options)
    return dict.fromkeys(registry.targets[target].credentials, 1) | dict(own)


def _long(least: int) -> str:
    return f" with {least} characters or more; export it" if least > 1 else "; export it"


def secret(variable: str, stack: str = "") -> str:
    """Return the value of a secret: the environment's, else the one that the program of `stack` holds.

    Raises ConfigError, without the value, if it is missing or invalid.
    """
    value = os.environ.get(variable, "") or (kept.ask(stack).get(variable, "") if stack else "")
    if fault := _value_fault(variable, value):
        raise ConfigError(fault)
    return value


def _value_fault(variable: str, value: str) -> str:
    if not value:
        how = f"export it, or `pulumi config set --secret {kept.PREFIX}{variable}`"
        return f"the environment variable {variable} is not set; {how}"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return f"the environment variable {variable} is not UTF-8; export its base64"
    return f"the value of {variable} has more than {SECRET_BYTES:,} bytes" if size > SECRET_BYTES else ""


def _secret_faults(
    plan: WorkloadPlan, named: Mapping[str, str], held: Mapping[str, str], sealed: Container[str]
) -> Iterator[Fault]:
    """Return faults of secrets without a value, and of texts in the stack file that hold one; repeat no value."""
    path, values = f"workloads.{plan.name}.options", {}
    for where, variable in named.items():
        value = os.environ.get(variable, "") or held.get(variable, "")
        if not value and variable in sealed:
            continue
        if why := _value_fault(variable, value):
            yield Fault(f"{path}.{where}", why)
        else:
            values[variable] = value
    if sum(len(value.encode()) for value in values.values()) > SECRETS_BYTES:
        yield Fault(f"{path}.secrets", f"all values together have more than {SECRETS_BYTES:,} bytes")
    searched = {variable: value for variable, value in values.items() if len(value) >= SHORTEST}
    for place, text in _texts(plan.options.model_dump(mode="json"), ()):
        for variable, value in searched.items():
            if value in text:
                yield Fault(f"{path}.{join(place)}", f"holds the value of the secret in {variable}; take it out")


def _texts(data: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(data, str):
        yield place, data
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, each in inside:
        yield from _texts(each, (*place, key))


def demand(topology: Topology, registry: Registry, held: Mapping[str, str] = _NONE) -> None:
    """Raise ConfigError naming each variable that is missing; see `missing`."""
    if found := missing(topology, registry, held):
        raise ConfigError("credentials are missing", found)


def variables(topology: Topology, registry: Registry, *, now: bool = False) -> tuple[str, ...]:
    """Return every variable of a secret that the stack needs in its mode or in any other, sorted."""
    named = {
        variable
        for plan in topology.workloads
        for site in (plan.sites if now else plan.everywhere)
        for variable in _needed(site.target, plan, registry)
    }
    for plan in topology.workloads:
        named |= set(registry.kinds[plan.kind].secrets(plan.options).values())
        for store in plan.stores.values():
            named |= {each for each in (store.access_key, store.secret_key) if each}
    return tuple(sorted(named))
