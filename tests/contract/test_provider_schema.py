"""The schema against what is made from it and what the plugin does. Other languages: `test_schema_codegen.py`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime.stack import run_pulumi_func

from components.provider import classes, schema, wire
from components.provider.resource import Failure, State
from components.provider.stubs import provider_pb2
from components.provider.wire import UNKNOWN, decode, encode
from components.targets.akash.deployment import Deployment
from components.targets.akash.inputs import TOKEN
from components.targets.akash.resource import DeploymentResource

from .deployment_calls import DOCUMENT, context, inputs, misfits
from .plugin_client import Plugin, running, urn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALIKE = {"string": "a", "boolean": True, "integer": 3, "number": 2.5, "array": [], "object": {}}


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with running("components.provider") as plugin:
        yield plugin


@pytest.mark.parametrize("path", classes.files(), ids=lambda path: path.name)
def test_what_is_made_from_the_schema_is_up_to_date(path: Path) -> None:
    assert path.read_text() == classes.files()[path], "run `make classes`"


def test_the_plugin_serves_the_schema_with_its_version(plugin: Plugin) -> None:
    served = plugin.schema()
    assert served.pop("version")
    assert served == schema.package()


@pytest.mark.parametrize("token", schema.package()["resources"])
def test_every_property_has_a_description_and_every_input_is_an_output(token: str) -> None:
    of = schema.resource(token)
    every = [*of["inputProperties"].values(), *of["properties"].values()]
    assert [each for each in every if not each.get("description")] == []
    inputs, outputs = set(of["inputProperties"]), set(of["properties"])
    assert set(of["requiredInputs"]) <= inputs <= outputs
    assert outputs - inputs <= set(of["required"]) <= outputs


def test_a_created_deployment_has_every_output_of_the_schema() -> None:
    state = DeploymentResource().create(inputs(), context(preview=True))
    assert misfits(dict(state.outputs)) == set()


def test_the_wire_has_the_names_of_the_schema(plugin: Plugin) -> None:
    outputs = plugin.preview(TOKEN, "site", inputs())
    of = schema.resource(TOKEN)
    assert set(of["required"]) <= set(outputs) <= set(of["properties"])


def test_a_state_with_python_names_is_still_read() -> None:
    names = schema.Names.of(schema.resource(TOKEN))
    assert names.decode(encode({"host_uri": "old", "usdMonth": 1}))[0] == {"host_uri": "old", "usd_month": 1}


def test_names_are_translated_at_the_top_alone_and_secrets_with_them() -> None:
    names = schema.Names.of(
        {"properties": {"hostUri": {}, "aToken": {"secret": True}}, "inputProperties": {"longName": {}}}
    )
    struct = encode({"longName": {"hostUri": 1}, "hostUri": ["x"]}, {("hostUri", 0)})
    document, secrets = names.decode(struct)
    assert (document, secrets) == ({"long_name": {"hostUri": 1}, "host_uri": ["x"]}, {("host_uri", 0)})
    assert names.encode(document, secrets) == struct
    assert (names.path("host_uri[0].long_name"), names.secret) == ("hostUri[0].long_name", {"a_token"})


def test_a_secret_output_of_the_schema_leaves_as_a_secret() -> None:
    from components.provider.servicer import _outputs

    names = schema.Names.of({"properties": {"aToken": {"secret": True}}})
    assert decode(_outputs(State("1", {"a_token": "t"}), names, frozenset()))[1] == {("aToken",)}


@pytest.mark.parametrize("kind", ALIKE)
@pytest.mark.parametrize("given", ALIKE)
def test_a_value_of_another_type_is_a_fault(kind: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of = {"type": kind, "description": "The thing. More.", "items": {}, "additionalProperties": {}}
    package = {"resources": {"t": {"inputProperties": {"aThing": of}, "requiredInputs": []}}}
    monkeypatch.setattr(schema, "package", lambda: package)
    found = schema.faults("t", {"a_thing": ALIKE[given]})
    fits = given == kind or (given, kind) == ("integer", "number")
    assert [each.property for each in found] == [] if fits else ["a_thing"]
    assert all(each.reason.endswith("; give the thing") for each in found)


def test_every_fault_of_shape_is_named_at_once_and_no_value_is_shown() -> None:
    news = {"name": 7, "avoid": ["ok", {"key": "hunter2"}, None, UNKNOWN], "extra": 1}
    found = {each.property: each.reason for each in schema.faults(TOKEN, news)}
    assert set(found) == {"name", "sdl", "service", "avoid[1]", "avoid[2]", "extra"}
    assert "hunter2" not in str(found)
    assert found["avoid[1]"] == "must be a string, not a map; give the addresses of Akash providers not to rent from"
    assert schema.faults(TOKEN, {**inputs(), "sdl": UNKNOWN, "avoid": UNKNOWN, "name": UNKNOWN}) == []


def test_a_default_is_a_new_value_each_time() -> None:
    schema.defaults(TOKEN)["avoid"].append("x")
    assert schema.defaults(TOKEN)["avoid"] == []


def test_a_refused_property_has_the_name_of_the_wire() -> None:
    from components.provider.servicer import _failures

    names = schema.Names.of(schema.resource(TOKEN))
    (failure,) = _failures([Failure("price_uact_block", "no")], names.path)
    assert failure == provider_pb2.CheckFailure(property="priceUactBlock", reason="no")


class Market(pulumi.runtime.Mocks):
    """Answers as the plugin would, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.asked = args.inputs
        told = {"hostUri": "https://host.example:8443", "usdMonth": 5.5, "priceUactBlock": "12", "uris": ["a"]}
        return "7", {**args.inputs, **told}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """Yield the loop of a program, and close those that the SDK's mock monitor makes in its threads and leaves open."""
    made = [asyncio.new_event_loop()]
    make = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made.append(make()) or made[-1])
    asyncio.set_event_loop(made[0])
    yield made[0]
    asyncio.set_event_loop(None)
    for one in made:
        one.close()


def test_the_python_class_sends_inputs_and_reads_outputs_by_their_python_names(
    loop: asyncio.AbstractEventLoop,
) -> None:
    market, got = Market(), dict[str, Any]()
    document = {**DOCUMENT, "host_uri": {"usd_month": 1}}  # names inside a document are not translated

    def program() -> None:
        made = Deployment("app", name="app.dev", sdl=document, service="web", avoid=["b"])
        pulumi.Output.all(made.host_uri, made.usd_month, made.price_uact_block, made.uris, made.sdl, made.id).apply(
            lambda values: got.update(values=values)
        )

    pulumi.runtime.set_mocks(market, preview=False)
    loop.run_until_complete(run_pulumi_func(program))
    assert market.asked == {"name": "app.dev", "sdl": document, "service": "web", "avoid": ["b"]}
    assert got["values"] == ["https://host.example:8443", 5.5, "12", ["a"], document, "7"]


def test_secrets_keep_their_places_under_the_wire_names(plugin: Plugin) -> None:
    news = encode(inputs(), {("sdl",)})
    checked = plugin.call("Check", provider_pb2.CheckRequest(urn=urn(TOKEN, "site"), news=news)).inputs
    assert wire.decode(checked)[1] == {("sdl",)}
