"""What a running deployment takes in place, and what needs a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest
from components.targets.akash.sdl.changes import Change, changes

ROOT = Path(__file__).parents[2]
DOCS = sdl.load((ROOT / "sdl" / "docs.yaml").read_bytes())


def edited(**edits):
    """Return the docs document with values set by dotted path; None takes one out."""
    data = sdl.plain_copy(DOCS.data)
    for dotted, value in edits.items():
        holder = data
        *parts, last = [int(part) if part.isdigit() else part for part in dotted.split("__")]
        for part in parts:
            holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
    return data


PROFILE = "profiles__compute__web__resources"
UPDATES = {
    "services__web__image": "nginx@sha256:" + "a" * 64,
    "services__web__env": ["A=b"],
    "services__web__command": ["sh"],
    "services__web__args": ["-c"],
    "services__web__credentials": {"host": "a", "username": "b", "password": "123456"},
    "services__web__dependencies": [{"service": "web"}],
    "services__web__params__storage__data__mount": "/certificates",
    "services__web__params__permissions": {"read": ["logs"]},
    "services__web__expose__0__accept": ["docs.dao.example"],
    "services__web__expose__0__http_options": {"max_body_size": 1},
    "services__web__expose__0__port": 8080,
    "version": "2.0",
    "include": ["x"],
}
REPLACES = {
    "services__web__params__tee": "cpu",
    "services__web__expose__0__as": 81,
    "services__web__expose__0__to": [{"global": True}],
    f"{PROFILE}__cpu__units": "200m",
    f"{PROFILE}__memory__size": "256Mi",
    f"{PROFILE}__storage__0__size": "1Gi",
    f"{PROFILE}__gpu": {"units": 1, "attributes": {"vendor": {"nvidia": None}}},
    "deployment__web__docs__count": 2,
    "profiles__placement__docs__pricing__web__amount": 28,
    "profiles__placement__docs__pricing__web__denom": "uakt",
    "profiles__placement__docs__signedBy": {"anyOf": []},
    "profiles__placement__docs__attributes": {"region": "eu"},
    "reclamation__min_window": "48h",
}
SAME = {
    f"{PROFILE}__cpu__units": 0.1,
    f"{PROFILE}__memory__size": "131072Ki",
    "profiles__placement__docs__pricing__web__amount": "27.90",
}


@pytest.mark.parametrize("path", UPDATES)
def test_what_the_manifest_carries_updates_in_place(path):
    (change,) = changes(DOCS.data, edited(**{path: UPDATES[path]}))
    assert "update" == change.kind
    assert change.why


@pytest.mark.parametrize("path", REPLACES)
def test_what_is_ordered_on_the_chain_needs_a_new_deployment(path):
    made = changes(DOCS.data, edited(**{path: REPLACES[path]}))
    assert {"replace"} == {change.kind for change in made}
    assert all(change.why for change in made)


@pytest.mark.parametrize("path", SAME)
def test_another_spelling_of_the_same_amount_replaces_nothing(path):
    (change,) = changes(DOCS.data, edited(**{path: SAME[path]}))
    assert ("update", "it is spelled differently and means the same on the network") == (change.kind, change.why)


def test_what_is_the_same_has_no_changes():
    assert [] == changes(DOCS.data, DOCS.data)
    assert [] == changes(DOCS.data, json.loads(json.dumps(DOCS.data), parse_int=float))
    assert [] == changes(
        edited(services__web__env=["A=b"]), edited(services__web__env=["A=b"], endpoints__docs__kind="ip")
    )


def test_nothing_and_null_are_the_same():
    data = sdl.plain_copy(DOCS.data)
    data["services"]["web"]["env"] = None
    assert [] == changes(DOCS.data, data)


def test_a_truth_is_not_a_number():
    old, new = edited(), edited()
    old["profiles"]["placement"]["docs"]["attributes"] = {"tier": True}
    new["profiles"]["placement"]["docs"]["attributes"] = {"tier": 1}
    assert [("profiles.placement.docs.attributes.tier", "replace")] == [(c.path, c.kind) for c in changes(old, new)]


def test_renaming_what_the_lease_knows_replaces():
    renamed = json.loads(json.dumps(DOCS.data).replace('"docs"', '"pages"'))
    kinds = {change.path: change.kind for change in changes(DOCS.data, renamed)}
    assert {
        "endpoints.docs": "replace",
        "endpoints.pages": "replace",
        "deployment.web.pages": "replace",
    }.items() <= kinds.items()
    service = json.loads(
        json.dumps(DOCS.data)
        .replace('"web": {"image"', '"site": {"image"')
        .replace('"deployment": {"web"', '"deployment": {"site"')
    )
    assert sdl.check(sdl.Document(service)).errors == ()
    assert {"replace"} == {change.kind for change in changes(DOCS.data, service)}


def test_an_inner_port_that_is_shown_to_the_world_replaces():
    """An inner port that is shown to the world differs in one place, and so in two endpoints of one unit."""
    old = edited()
    old["services"]["api"] = {"image": "nginx", "expose": [{"port": 9000, "to": [{"service": "web"}]}]}
    old["deployment"]["api"] = {"docs": {"profile": "web", "count": 1}}
    new = sdl.plain_copy(old)
    new["services"]["api"]["expose"][0]["to"] = [{"global": True}]
    made = changes(old, new)
    assert {"replace"} == {change.kind for change in made}


def test_a_change_of_the_order_is_never_an_update(monkeypatch):
    """The table could miss a path one day: the groups have the last word."""
    monkeypatch.setattr("components.targets.akash.sdl.changes.TABLE", (((), "update", "a table that knows nothing"),))
    made = changes(DOCS.data, edited(**{f"{PROFILE}__cpu__units": "200m"}))
    assert [
        Change(
            f"{PROFILE}__cpu__units".replace("__", "."),
            "replace",
            "together these differences change the order on the chain",
        )
    ] == made


def test_an_inner_port_comes_and_goes_in_place():
    data = sdl.plain_copy(DOCS.data)
    data["services"]["web"]["expose"].append({"port": 9000, "to": [{"service": "web"}]})
    (change,) = changes(DOCS.data, data)
    assert ("services.web.expose", "update") == (change.path, change.kind)


def test_what_updates_keeps_the_groups_and_changes_the_hash_or_nothing():
    for path, value in UPDATES.items():
        new = edited(**{path: value})
        assert manifest.groups(DOCS.data) == manifest.groups(new)
