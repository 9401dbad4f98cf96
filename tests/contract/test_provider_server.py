"""The servicer, over gRPC in the engine's order of calls. It cannot prove what the engine makes of it."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from components.provider import wire
from components.provider.stubs import provider_pb2
from components.provider.wire import UNKNOWN, decode, encode

from .plugin_client import EngineError, InitFailed, Plugin, Refused, running, urn

if TYPE_CHECKING:
    from collections.abc import Iterator

THING = "sample:index:Thing"
SECRET = {wire._SIGNATURE: wire._SECRET}


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with running("tests.contract.sample_plugin") as plugin:
        plugin.configure(region="here")
        yield plugin


def test_a_value_crosses_the_wire_and_comes_back_the_same() -> None:
    document = {"s": "x", "i": 3, "f": 1.5, "b": True, "n": None, "u": UNKNOWN, "l": [1, {"k": [UNKNOWN]}], "e": {}}
    assert decode(encode(document)) == (document, frozenset())
    assert decode(encode(document))[0]["u"] is UNKNOWN


def test_an_unknown_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError):
        bool(UNKNOWN)


def test_a_secret_is_opened_and_wrapped_again_where_it_stands() -> None:
    secrets = {("a", "b"), ("l", 1)}
    struct = encode({"a": {"b": "x", "c": "y"}, "l": [1, 2]}, secrets)
    assert decode(struct) == ({"a": {"b": "x", "c": "y"}, "l": [1, 2]}, frozenset(secrets))
    assert dict(struct.fields["a"].struct_value.fields["b"].struct_value)["value"] == "x"


def test_a_secret_that_moved_hides_its_whole_property() -> None:
    assert decode(encode({"l": [1]}, {("l", 3)}))[1] == {("l",)}


def test_check_names_every_fault_at_once_by_its_path(plugin: Plugin) -> None:
    with pytest.raises(Refused) as refused:
        plugin.check(THING, "it", {"size": -1})
    assert refused.value.failures == {"size": "must be positive", "color.hue": "no such color"}


def test_an_autoname_comes_from_the_seed(plugin: Plugin) -> None:
    assert plugin.check(THING, "it", {}) == {"name": "it-0001"}


def test_a_preview_leaves_unknown_what_cannot_be_known(plugin: Plugin) -> None:
    outputs = plugin.preview(THING, "it", {"size": 2, "other": UNKNOWN})
    assert outputs == {"name": "it-0001", "size": 2, "made": UNKNOWN, "other": UNKNOWN}


def test_create_gives_an_id_and_outputs_and_knows_its_time_limit(plugin: Plugin) -> None:
    stood = plugin.create(THING, "it", {"size": 2.0, "weight": 2.5}, timeout=30)
    assert (stood.id, stood.outputs["made"]) == ("id-it", f"{THING}@30")
    assert stood.outputs["kinds"] == {"name": "str", "size": "int", "weight": "float"}


def test_secret_inputs_and_secret_outputs_leave_as_secrets(plugin: Plugin) -> None:
    inputs = encode({"password": "p", "env": {"A": "a", "B": "b"}}, {("password",), ("env", "B")})
    checked = plugin.call("Check", provider_pb2.CheckRequest(urn=urn(THING, "it"), news=inputs)).inputs
    assert decode(checked)[1] == {("password",), ("env", "B")}
    made = plugin.call("Create", provider_pb2.CreateRequest(urn=urn(THING, "it"), properties=inputs)).properties
    assert decode(made)[1] == {("password",), ("env", "B"), ("token",)}


def test_a_diff_names_each_property_and_what_replaces(plugin: Plugin) -> None:
    stood = plugin.create(THING, "it", {"size": 1, "color": "red", "deep": 1})
    answer = plugin.raw_diff(stood, {"name": "new", "size": 2, "deep": 2})
    kinds = {path: entry.kind for path, entry in answer.detailedDiff.items()}
    assert kinds == {
        "color": provider_pb2.PropertyDiff.DELETE,
        "name": provider_pb2.PropertyDiff.UPDATE_REPLACE,
        "size": provider_pb2.PropertyDiff.UPDATE,
        "deep.inner[0]": provider_pb2.PropertyDiff.UPDATE,
    }
    assert list(answer.replaces) == ["name"]
    assert list(answer.diffs) == ["color", "deep", "name", "size"]
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert answer.deleteBeforeReplace
    assert answer.hasDetailedDiff


def test_a_diff_without_changes_is_explicit(plugin: Plugin) -> None:
    stood = plugin.create(THING, "it", {"size": 1})
    assert plugin.raw_diff(stood, stood.inputs).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_update_gets_the_old_inputs_and_the_preview_flag(plugin: Plugin) -> None:
    stood = plugin.create(THING, "it", {"size": 1})
    outputs = plugin.update(stood, {"size": 2}, preview=True).outputs
    assert outputs == {"name": "it-0001", "size": 2, "was": {"name": "it-0001", "size": 1}, "preview": True}


def test_read_gives_new_inputs_and_an_empty_id_when_gone(plugin: Plugin) -> None:
    seen = plugin.read(plugin.create(THING, "it", {"size": 1}))
    assert seen is not None
    assert (seen.inputs["size"], seen.outputs["size"]) == (9, 9)
    assert plugin.read(plugin.create(THING, "it", {"gone": True})) is None


def test_a_partial_creation_keeps_id_outputs_and_reasons(plugin: Plugin) -> None:
    with pytest.raises(InitFailed) as failed:
        plugin.create(THING, "it", {"fail": "partial"})
    assert (failed.value.id, failed.value.outputs["size"]) == ("id-it", 7)
    assert failed.value.reasons == ["not ready", "not yet"]


def test_an_operators_mistake_reads_as_sentences_without_a_traceback(plugin: Plugin) -> None:
    with pytest.raises(EngineError) as error:
        plugin.create(THING, "it", {"fail": "operator"})
    assert str(error.value) == "it cannot be made:\n  - size: too big\n  - color: too red"


def test_a_bug_stays_loud(plugin: Plugin) -> None:
    with pytest.raises(EngineError, match=r"(?s)a bug in the sample plugin:\nTraceback.*ZeroDivisionError: a bug"):
        plugin.create(THING, "it", {"fail": "bug"})


def test_a_resource_that_is_not_there_is_named_with_those_that_are(plugin: Plugin) -> None:
    with pytest.raises(EngineError) as error:
        plugin.create("sample:index:Think", "it", {})
    assert str(error.value) == "the sample plugin has no resource sample:index:Think; choose from sample:index:Thing"


def test_functions_answer_or_name_what_is_missing(plugin: Plugin) -> None:
    assert plugin.invoke("sample:index:double", n=4) == {"n": 8}
    with pytest.raises(Refused) as refused:
        plugin.invoke("sample:index:double")
    assert refused.value.failures == {"n": "is missing"}
    with pytest.raises(EngineError, match="no function sample:index:triple"):
        plugin.invoke("sample:index:triple")


def test_settings_that_cannot_be_are_refused_in_a_sentence(plugin: Plugin) -> None:
    with pytest.raises(EngineError, match=r"^there is no region 'nowhere'$"):
        plugin.configure(region="nowhere")


def test_changed_settings_replace_nothing(plugin: Plugin) -> None:
    request = provider_pb2.DiffRequest(urn=urn("pulumi:providers:sample", "p"), old_inputs=encode({"a": "1"}))
    request.news.CopyFrom(encode({"a": "2"}))
    answer = plugin.call("DiffConfig", request)
    assert (answer.changes, list(answer.replaces)) == (provider_pb2.DiffResponse.DIFF_SOME, [])


def test_the_schema_names_the_resources(plugin: Plugin) -> None:
    assert plugin.schema()["resources"] == {THING: {}}
    assert plugin.call("GetPluginInfo", provider_pb2_empty()).version == "1.2.3"


def provider_pb2_empty() -> Any:
    from google.protobuf import empty_pb2

    return empty_pb2.Empty()


def _create_in_background(plugin: Plugin, how: str) -> tuple[threading.Thread, list[str]]:
    said: list[str] = []

    def create() -> None:
        try:
            plugin.create(THING, "it", {"fail": how})
        except EngineError as error:
            said.append(str(error))

    thread = threading.Thread(target=create)
    thread.start()
    return thread, said


def test_cancel_reaches_work_in_flight_and_an_interrupt_then_ends_the_process() -> None:
    with running("tests.contract.sample_plugin") as plugin:
        thread, said = _create_in_background(plugin, "wait")
        plugin.call("Cancel", provider_pb2_empty())
        thread.join(30)
        assert said == ["stopped when asked"]
        os.killpg(plugin.process.pid, signal.SIGINT)
        assert plugin.process.wait(30) == 0
        assert plugin.process.stderr is not None
        assert plugin.process.stderr.read() == b""


def test_a_stray_interrupt_before_cancel_ends_nothing() -> None:
    with running("tests.contract.sample_plugin") as plugin:
        os.killpg(plugin.process.pid, signal.SIGINT)
        assert plugin.check(THING, "it", {}) == {"name": "it-0001"}


def test_a_plugin_ends_with_its_engine_even_while_a_call_hangs() -> None:
    with running("tests.contract.sample_plugin") as plugin:
        thread, _ = _create_in_background(plugin, "hang")
        plugin.check(THING, "it", {})
        assert plugin.hang_up() == 0
        thread.join(30)
