"""Records of an interrupted update that its state does not have: the next update takes them over, if they are ours.

The engine writes a resource to the state after the provider's answer. An update that is killed before that leaves a
record that Route 53 would refuse to create again ("it already exists"). Our records therefore overwrite existing ones,
and this check runs before each creation.
"""

from __future__ import annotations

import functools
import json
import shlex
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from ...errors import StepError
from ...text.escape import as_json, outside
from . import standing
from .adopt import asking
from .current import leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The engine's name of the hook.
_NAME = "unmoor-left"


def options(opts: pulumi.ResourceOptions, *, adopted: bool) -> pulumi.ResourceOptions:
    """Return the options of a record that overwrites an existing one. An adopted host was replaced by a step before.

    A record from before `allow_overwrite` keeps its inputs, so that it is not updated. With mocks the SDK calls no
    hooks and refuses to register them.
    """
    monitor = get_monitor()
    looks = not adopted and not isinstance(monitor, MockMonitor)
    hooks = pulumi.ResourceHookBinding(before_create=[_hook(monitor)]) if looks else None
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["allowOverwrite"], hooks=hooks))


@functools.lru_cache(maxsize=1)
def _hook(monitor: object) -> pulumi.ResourceHook:  # noqa: ARG001 the key of the cache, because each run has its own monitor
    """Return the only hook of a run, because the engine refuses a second one of the same name."""
    return pulumi.ResourceHook(_NAME, look)


def look(args: pulumi.ResourceHookArgs) -> None:
    """Raise StepError, whose message the engine prints, if a record of another party exists."""
    wanted = args.new_inputs or {}
    with asking(wanted["name"]):
        records = standing.read(standing.client(), wanted["zoneId"], wanted["name"])
    demand(records, wanted)


def demand(records: Iterable[standing.RecordSet], wanted: Mapping[str, Any]) -> None:
    """Raise StepError if a record set has the name, type and set identifier of `wanted`, and leads elsewhere. Pure.

    `wanted` are the inputs of `aws.route53.Record`. A record that leads where ours would lead counts as ours.
    """
    key = (wanted["type"], wanted.get("setIdentifier") or "")
    for record in standing.at(records, standing.plain(wanted["name"])):
        if (record["Type"], record.get("SetIdentifier", "")) == key and _there(record) != _wanted(wanted):
            raise StepError(_sentence(record, wanted))


def _there(record: standing.RecordSet) -> set[str]:
    return {_form(record["Type"], each) for each in leads(record)}


def _wanted(wanted: Mapping[str, Any]) -> set[str]:
    values = [each["name"] for each in wanted.get("aliases") or ()] or wanted.get("records") or ()
    return {_form(wanted["type"], each) for each in values}


def _form(type_: str, value: str) -> str:
    return value if type_ == "CAA" else standing.plain(value)


def _sentence(record: standing.RecordSet, wanted: Mapping[str, Any]) -> str:
    batch = json.dumps({"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]})
    command = ("aws", "route53", "change-resource-record-sets", "--hosted-zone-id", wanted["zoneId"])
    there, instead = (outside(", ".join(sorted(each))) for each in (_there(record), _wanted(wanted)))
    return (
        f"{wanted['name']}: a record {record['Type']} stands there, which this stack's state does not know, and leads "
        f"to {there} instead of {instead}; it is left as it is. If an interrupted update of this stack left it, "
        f"delete it and run the update again: {shlex.join((*command, '--change-batch', as_json(batch)))}"
    )
