"""The replay names each difference between a recorded answer and what the stand-ins give, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.replay import client, shapes
from tests.replay.__main__ import main
from tests.replay.exchange import Exchange, load

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = {
    "id": {"owner": "akash1abc", "dseq": "7777777"}, "state": "active", "hash": "AAAA", "created_at": "12",
}  # fmt: skip
LIST = {"data": {"deployments": [{"deployment": DEPLOYMENT, "leases": []}], "pagination": {"hasMore": False}}}


def console(body: Any, status: int = 200, method: str = "GET", path: str = "/v1/deployments") -> Exchange:
    request = {"method": method, "path": path, "query": {}, "headers": {"x-api-key": "(not kept)"}, "body": {}}
    return Exchange("1.json", "http", request, {"status": status, "headers": {}, "body": body})


def changed(**fields: Any) -> Exchange:
    entry = {
        "deployment": {name: held for name, held in {**DEPLOYMENT, **fields}.items() if held is not ...},
        "leases": [],
    }
    return console({"data": {"deployments": [entry], "pagination": {"hasMore": False}}})


KNOWN = shapes.learn([console(LIST), console({"data": {"deployments": [], "pagination": {"hasMore": True}}})])


@pytest.mark.parametrize("body", [LIST, {"data": {"deployments": [], "pagination": {"hasMore": False}}}])
def test_what_the_stand_ins_give_is_no_difference(body: Any) -> None:
    assert list(shapes.differences(console(body), KNOWN)) == []
    assert list(client.differences(console(body))) == []


@pytest.mark.parametrize(
    ("exchange", "difference"),
    [
        (changed(nap=True), "deployments[].deployment.nap: the stand-ins never give it"),
        (changed(hash=...), "deployments[].deployment.hash: is not there; the stand-ins always give it"),
        (changed(created_at=12), "deployment.created_at: is a number; the stand-ins give a text"),
        (changed(hash=None), "deployment.hash: is null; the stand-ins give a text"),
        (console(LIST, 206), "console list 206: the stand-ins never answered this"),
    ],
)
def test_each_way_to_differ_is_named(exchange: Exchange, difference: str) -> None:
    (line,) = shapes.differences(exchange, KNOWN)
    assert line.endswith(difference)


@pytest.mark.parametrize(
    ("exchange", "difference"),
    [
        (changed(state="asleep"), "our client cannot read it: BadAnswer: 'asleep' is not the state of a deployment"),
        (console({"data": 7}), "our client cannot read it: TypeError"),
        (console({}, path="/v9/else"), "is no route of our client"),
        (console({"data": {"bids": 7}}, path="/v1/bids"), "our client cannot read it"),
    ],
)
def test_what_our_client_cannot_read_is_named(exchange: Exchange, difference: str) -> None:
    (line,) = client.differences(exchange)
    assert difference in line


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 429, 500, 503])
def test_a_refusal_in_the_clients_own_words_is_no_difference(status: int) -> None:
    assert list(client.differences(console({"error": "x", "message": "y"}, status))) == []


def test_the_fields_of_a_map_are_names_and_are_not_compared() -> None:
    one, other = ({"data": {"services": {name: {"total": 1}}}} for name in ("web", "api"))
    known = shapes.learn([console(one)])
    assert list(shapes.differences(console(other), known)) == []
    assert list(shapes.differences(console({"data": {"services": {"api": {"total": "1"}}}}), known)) != []


def test_pages_and_errors_have_no_contract() -> None:
    page = replace(console(LIST), request={"method": "GET", "path": "/", "headers": {}})
    assert [*shapes.differences(page, {}), *client.differences(page)] == []
    assert list(shapes.differences(replace(console(LIST), answer=None), {})) == []


def test_a_folder_is_read_in_order_and_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for number in (2, 1):
        (tmp_path / f"{number}-x.json").write_text(json.dumps({"door": "dns", "request": {"type": "A"}}))
    assert [each.file for each in load(tmp_path)] == ["1-x.json", "2-x.json"]
    (tmp_path / "3-x.json").write_text("[]")
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert (done.exit_code, "3-x.json: is no exchange of `unmoor record`" in done.output) == (2, True)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert (done.exit_code, "the folder holds no exchanges" in done.output) == (2, True)
