"""Any AWS resource type, from its row in the table: check, exact diff and preview, and the calls."""

# ruff: noqa: ARG002, D102 the protocol's names; what each method does is described there

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.provider.server import UNKNOWN, Change, Context, Diff, Failure, State, holds_unknown

from .compare import differences, same, seen
from .connection import Connection, speaking
from .schema import Schemas, faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Inputs = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What the world shows: the inputs it has, the outputs it computes, and its tags if it has any."""

    inputs: Inputs
    computed: Inputs
    tags: dict[str, str] = field(default_factory=dict)


def _no_faults(_news: Inputs) -> Iterable[Failure]:
    return ()


def _no_tags(_aws: Connection, _id: str, _old: dict[str, str], _new: dict[str, str]) -> None:
    pass


@dataclass(frozen=True)
class AwsType:
    """One resource type: a row of the table.

    `inputs` are those that the sandbox implements (the others of the official class are refused by name), `replaces`
    those whose change needs a new resource, `computed` the outputs that only AWS knows. `create` returns the id; `read`
    returns None when the resource is gone; `old` in `update` are the outputs; `name` is the input that gets an
    autoname.
    """

    title: str
    inputs: frozenset[str]
    replaces: frozenset[str]
    computed: frozenset[str]
    create: Callable[[Connection, Inputs, Context], str]
    read: Callable[[Connection, str, Inputs], Found | None]
    update: Callable[[Connection, str, Inputs, Inputs], None]
    delete: Callable[[Connection, str, Inputs], None]
    name: str = ""
    suffix: int = 7
    faults: Callable[[Inputs], Iterable[Failure]] = _no_faults
    tag: Callable[[Connection, str, dict[str, str], dict[str, str]], None] = _no_tags
    defaults: Mapping[str, Any] = field(default_factory=dict)


def nothing(_aws: Connection, _id: str, _old: Inputs, _news: Inputs) -> None:
    """Update nothing: each change of the type is a replacement, or one of tags."""


class AwsResource:
    """A row of the table as a resource of the plugin."""

    def __init__(self, token: str, row: AwsType, schemas: Schemas, aws: Connection) -> None:
        self._token, self._row, self._schemas, self._aws = token, row, schemas, aws

    def check(self, news: Inputs, olds: Inputs | None, ctx: Context) -> tuple[Inputs, list[Failure]]:
        schema = self._schemas.of(self._token)
        found = list(faults(schema, news))
        beyond = sorted(set(news) & set(schema["object"]) - self._row.inputs - {"tags", "region"})
        found += [
            Failure(name, f"AWS has this, and the sandbox does not; choose from {self._choices()}") for name in beyond
        ]
        inputs = {name: value for name, value in news.items() if value is not None}
        if self._row.name and self._row.name not in inputs and f"{self._row.name}Prefix" not in inputs:
            inputs[self._row.name] = self._autoname(olds, ctx)
        if not found:
            found += self._row.faults(inputs)
        return inputs, found

    def _choices(self) -> str:
        return ", ".join(sorted(self._row.inputs))

    def _autoname(self, olds: Inputs | None, ctx: Context) -> str:
        kept = (olds or {}).get(self._row.name)
        if isinstance(kept, str) and kept.startswith(f"{ctx.name}-"):
            return kept
        return f"{ctx.name}-{ctx.seed.hex()[: self._row.suffix]}"

    def diff(self, id: str, old_inputs: Inputs, old_outputs: Inputs, news: Inputs, ctx: Context) -> Diff:
        changes = dict(differences(old_inputs, news))
        replacing = {}
        for path, change in changes.items():
            name = path.split(".")[0].split("[")[0]
            replaces = name in self._row.replaces
            replacing[path] = Change(f"{change.value}_REPLACE") if replaces else change
        old_region = old_outputs.get("region")
        if "region" in old_outputs and "region" not in replacing and not same(old_region, self._region(news)):
            replacing["region"] = Change.UPDATE_REPLACE
        if self._tagged() and not same(old_outputs.get("tagsAll") or {}, self._tags(news)):
            replacing["tagsAll"] = Change.UPDATE
        return Diff(replacing)

    def create(self, inputs: Inputs, ctx: Context) -> State:
        if ctx.preview:
            unknown = dict.fromkeys(self._row.computed, UNKNOWN)
            return State("", {**unknown, **inputs, **self._own(inputs)})
        with speaking(f"creating {self._row.title} ({self._shown(inputs, ctx)})"):
            id = self._row.create(self._aws, inputs, ctx)
            if self._tagged() and self._tags(inputs):
                self._row.tag(self._aws, id, {}, self._tags(inputs))
        return self._state(id, inputs)

    def read(self, id: str, inputs: Inputs, outputs: Inputs, ctx: Context) -> State | None:
        with speaking(f"reading {self._row.title} ({id})"):
            found = self._row.read(self._aws, id, {**outputs, **({} if outputs else {"id": id})})
        if found is None:
            return None
        own: Inputs = {name: inputs[name] for name in ("region", "tags") if name in inputs}
        now = seen({name: value for name, value in inputs.items() if name not in own}, found.inputs, self._row.defaults)
        tags = self._seen_tags(inputs, found)
        if tags or "tags" in inputs:
            own["tags"] = tags
        kept = {name: value for name, value in outputs.items() if name not in inputs or name in now}
        outputs = {**kept, **now, **own, **found.computed, **self._own({**inputs, **own})}
        if self._tagged():
            outputs["tagsAll"] = found.tags
        return State(id, outputs, {**now, **own})

    def update(self, id: str, old_inputs: Inputs, old_outputs: Inputs, news: Inputs, ctx: Context) -> State:
        if ctx.preview:
            kept = {name: value for name, value in old_outputs.items() if name not in old_inputs}
            return State(id, {**kept, **news, **self._own(news)})
        with speaking(f"updating {self._row.title} ({id})"):
            before = {name: value for name, value in old_inputs.items() if name not in ("tags", "region")}
            after = {name: value for name, value in news.items() if name not in ("tags", "region")}
            if not same(before, after):
                self._row.update(self._aws, id, old_outputs, news)
            tags, old_tags = self._tags(news), old_outputs.get("tagsAll") or {}
            if self._tagged() and not same(tags, old_tags):
                self._row.tag(self._aws, id, old_tags, tags)
        return self._state(id, news)

    def delete(self, id: str, inputs: Inputs, outputs: Inputs, ctx: Context) -> None:
        with speaking(f"deleting {self._row.title} ({id})"):
            self._row.delete(self._aws, id, outputs)

    # -- what every type shares

    def _state(self, id: str, inputs: Inputs) -> State:
        with speaking(f"reading {self._row.title} ({id})"):
            found = self._row.read(self._aws, id, {**inputs, **self._own(inputs)})
        computed = found.computed if found else {}
        return State(id, {**inputs, **computed, **self._own(inputs)})

    def _own(self, inputs: Inputs) -> Inputs:
        own: Inputs = {}
        known = self._schemas.of(self._token)["object"]
        if "region" in known:
            own["region"] = self._region(inputs)
        if self._tagged():
            own["tagsAll"] = self._tags(inputs)
        return own

    def _tagged(self) -> bool:
        return "tags" in self._schemas.of(self._token)["object"]

    def _region(self, inputs: Inputs) -> Any:
        return inputs.get("region", self._aws.region)

    def _tags(self, inputs: Inputs) -> Any:
        tags = inputs.get("tags", {})
        return UNKNOWN if tags is UNKNOWN else {**self._aws.default_tags, **tags}

    def _seen_tags(self, inputs: Inputs, found: Found) -> dict[str, str]:
        given, default = inputs.get("tags") or {}, self._aws.default_tags
        return {key: value for key, value in found.tags.items() if key in given or default.get(key) != value}

    def _shown(self, inputs: Inputs, ctx: Context) -> str:
        name = inputs.get("name") or inputs.get("bucket") or inputs.get("domainName") or ctx.name
        return ctx.name if holds_unknown(name) else str(name)
