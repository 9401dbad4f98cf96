"""Changes laid over a document: exactly those, on a valid document, with its comments and order."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from ruamel.yaml import YAML

from components.errors import SdlError
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import price, text, writing
from components.targets.akash.sdl.changes import changes
from components.targets.akash.sdl.overlay import overlay
from tests.oracle.documents import documents

ROOT = Path(__file__).parents[2]
DOCS = sdl.load((ROOT / "sdl" / "docs.yaml").read_bytes(), "sdl/docs.yaml")
IMAGE = "docker.io/library/caddy:2.11@sha256:" + "a" * 64


def test_overlay_then_diff_shows_exactly_what_was_overlaid():
    made = overlay(
        DOCS, image=IMAGE, env={"VERSION": "1"}, command=["sh", "-c"], args=["true"], accept=["docs.dao.example"]
    )
    assert {
        "services.web.image", "services.web.env", "services.web.command", "services.web.args",
        "services.web.expose[0].accept",
    } == {change.path for change in changes(DOCS.data, made.data)}  # fmt: skip
    assert {"update"} == {change.kind for change in changes(DOCS.data, made.data)}


def test_an_overlay_leaves_the_document_alone():
    before = sdl.plain_copy(DOCS.data)
    overlay(DOCS, image=IMAGE, placement="p", unique="x", ceiling_usd_month=9, count=2)
    assert before == DOCS.data


def test_resources_and_count_are_overlaid():
    made = overlay(DOCS, cpu="250m", memory="256Mi", storage={"data": "2Gi", "default": "1Gi"}, count=2).data
    asked = made["profiles"]["compute"]["web"]["resources"]
    assert ("250m", "256Mi") == (asked["cpu"]["units"], asked["memory"]["size"])
    assert ["1Gi", "2Gi"] == [volume["size"] for volume in asked["storage"]]
    assert 2 == made["deployment"]["web"]["docs"]["count"]


def test_variables_are_set_by_name_and_taken_out():
    first = overlay(DOCS, env={"A": "1", "B": "2", "C": "x=y"})
    assert ["A=1", "B=2", "C=x=y"] == first.data["services"]["web"]["env"]
    second = overlay(first, env={"B": None, "A": "3", "D": "4", "E": None})
    assert ["A=3", "C=x=y", "D=4"] == second.data["services"]["web"]["env"]


def test_the_placement_and_the_endpoints_get_names_of_their_own():
    made = overlay(DOCS, placement="docs-akash.prod", unique="docs-akash.Prod").data
    assert ["docs-akash.prod"] == list(made["profiles"]["placement"]) == list(made["deployment"]["web"])
    assert ["docs-docs-akash-prod"] == list(made["endpoints"])
    assert {"docs-docs-akash-prod"} == {to["ip"] for e in made["services"]["web"]["expose"] for to in e["to"]}


def test_a_document_without_endpoints_has_nothing_to_make_unique():
    document = sdl.load((ROOT / "tests" / "fixtures" / "sdl" / "uakt.good.yaml").read_text())
    assert overlay(document, unique="x").data == document.data


def test_the_ceiling_comes_from_a_budget_and_keeps_to_it():
    made = overlay(DOCS, ceiling_usd_month=9.5)
    assert 9.49 <= price.ceiling_usd_month(made.data) <= 9.5
    assert "uact" == made.data["profiles"]["placement"]["docs"]["pricing"]["web"]["denom"]


REFUSED = {
    "no such service": ({"service": "api"}, "there is no service 'api'; choose from web"),
    "no such volume": ({"storage": {"logs": "1Gi"}}, "no volume 'logs'; choose from default, data"),
    "a bad value": ({"cpu": "1000"}, "outside 10m to 384 cores"),
    "a bad host": ({"accept": ["HTTP://x"]}, "is not a host"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_be_valid_is_refused(name):
    options, message = REFUSED[name]
    with pytest.raises(SdlError) as refused:
        overlay(DOCS, **options)
    assert message in str(refused.value)


def two():
    data = sdl.plain_copy(DOCS.data)
    data["services"]["api"] = {"image": "nginx"}
    data["deployment"]["api"] = {"docs": {"profile": "web", "count": 1}, "eu": {"profile": "web", "count": 1}}
    data["profiles"]["placement"]["eu"] = data["profiles"]["placement"]["docs"]
    data["services"]["api"]["params"] = {"storage": {"data": {"mount": "/data"}}}
    return sdl.load(writing.written(data, ""))


def test_of_two_services_one_must_be_named():
    with pytest.raises(SdlError, match="name a service; choose from web, api"):
        overlay(two(), image=IMAGE)
    assert IMAGE == overlay(two(), service="api", image=IMAGE).data["services"]["api"]["image"]


def test_hosts_and_names_reach_past_what_they_do_not_concern():
    data = sdl.plain_copy(DOCS.data)
    data["services"]["web"]["expose"].insert(0, {"port": 9000, "to": [{"service": "web"}]})
    made = overlay(sdl.load(writing.written(data, "")), accept=["docs.dao.example"], unique="x").data
    exposes = made["services"]["web"]["expose"]
    assert [None, ["docs.dao.example"], None] == [expose.get("accept") for expose in exposes]
    assert [None, "docs-x", "docs-x"] == [expose["to"][0].get("ip") for expose in exposes]


def test_hosts_need_a_port_80_that_the_world_sees():
    with pytest.raises(SdlError, match="shows no port 80 to the world"):
        overlay(two(), service="api", accept=["x.example"])


def test_two_placements_cannot_be_renamed():
    with pytest.raises(SdlError, match="one placement"):
        overlay(two(), placement="x")


def test_a_document_that_did_not_change_is_written_as_it_was_read():
    assert DOCS.text == sdl.dump(DOCS)


def test_comments_and_order_survive_a_change():
    made = overlay(
        DOCS, placement="docs-akash.prod", unique="prod", ceiling_usd_month=9, storage={"data": "2Gi"}, image=IMAGE
    )
    before, after = DOCS.text.splitlines(), sdl.dump(made).splitlines()
    assert [line for line in before if "#" in line and "amount" not in line] == [
        line for line in after if "#" in line and "amount" not in line
    ]
    assert len(before) == len(after)
    assert 8 == sum(mine != theirs for mine, theirs in zip(before, after, strict=True))
    assert made.data == text.read(sdl.dump(made))


def test_a_list_that_grows_and_shrinks_is_written():
    for args in (["a", "b", "c"], ["a"], ["x", "off"], []):
        first = sdl.load(sdl.dump(overlay(DOCS, args=["a", "b"])))
        made = overlay(first, args=args)
        assert made.data == text.read(sdl.dump(made))


def test_what_is_taken_out_is_gone_from_the_text():
    data = sdl.plain_copy(DOCS.data)
    del data["endpoints"]
    del data["services"]["web"]["params"]
    del data["profiles"]["compute"]["web"]["resources"]["storage"][1]
    made = sdl.with_data(DOCS, data)
    assert data == text.read(sdl.dump(made))
    assert "# Caddy 2.10.2" in sdl.dump(made)


def test_a_list_at_its_keys_own_depth_keeps_its_place():
    source = "a:\n- x\n- y:\n  - z\nb: 1\n"
    assert "a:\n- x\n- y:\n  - z\nb: 2\n" == sdl.dump(sdl.Document({"a": ["x", {"y": ["z"]}], "b": 2}, source))


def test_a_comment_behind_a_renamed_key_stays():
    source = "a: # why\n  b: 1 # how\n  c: 2\n"
    made = sdl.dump(sdl.Document({"z": {"y": 1, "c": 2}}, source))
    assert {"z": {"y": 1, "c": 2}} == text.read(made)
    assert "# why" in made
    assert "# how" in made


def test_a_truth_replaces_a_number():
    assert "a: true\n" == sdl.dump(sdl.Document({"a": True}, "a: 1\n"))


def test_what_an_alias_shares_is_written_apart():
    source = "a: &x {b: 1}\nc: *x\n"
    made = sdl.Document({"a": {"b": 1}, "c": {"b": 2}}, source)
    assert made.data == text.read(sdl.dump(made))


def test_data_without_text_is_written_too():
    made = sdl.Document(DOCS.data)
    assert DOCS.data == text.read(sdl.dump(made))


@pytest.mark.parametrize(
    "word",
    [
        "off",
        "yes",
        "1.0",
        "007",
        "1e3",
        "null",
        "~",
        "",
        "2026-11-22",
        "1_000",
        "12:30",
        "a\nb",
        " a",
        "=",
        "<<",
        "0x1",
    ],
)
def test_a_word_is_written_so_that_every_tool_reads_it_as_a_word(word):
    import yaml

    for source in ("", "a: x\n"):
        written = writing.written({"a": word, "b": [word, {"c": word}]}, source)
        for read in (text.read, yaml.safe_load, YAML(typ="safe", pure=True).load):
            assert {"a": word, "b": [word, {"c": word}]} == read(written)


@given(documents())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_read_write_read_is_equal(data):
    source = writing.written(data, "")
    document = sdl.load(source)
    assert data == document.data
    out = io.StringIO()
    YAML().dump(YAML().load(source), out)
    assert data == sdl.load(sdl.dump(sdl.Document(data, out.getvalue() + "# a comment\n"))).data


@given(documents(), documents())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_document_can_be_written_over_any_other(old, new):
    source = "# first\n" + writing.written(old, "")
    assert new == text.read(writing.written(new, source))
