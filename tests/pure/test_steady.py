"""A document stays as it is while only what the container learns by itself has changed."""

from __future__ import annotations

import copy

import pytest

from components.provider.wire import UNKNOWN
from components.targets.akash.sdl.steady import UNSIZED, restarted, steady, taken

LEARNS = "LEARNS=VERSION NUMBER"
OLD = {
    "services": {
        "web": {"image": "caddy", "env": [LEARNS, "VERSION=a", "NUMBER=1", "HOST=docs.dao.example"]},
        "app": {"env": ["VERSION=1"]},
    },
    "deployment": {"web": {"akash": {"profile": "web", "count": 1}}},
    "profiles": {"compute": {"web": {"resources": {"cpu": {"units": "100m"}}}}},
}


def changed(**more):
    made = copy.deepcopy(OLD)
    for path, value in more.items():
        at = made
        *way, last = path.split("__")
        for key in way:
            at = at[key]
        at[last] = value
    return made


def test_a_new_release_alone_leaves_the_document():
    new = changed(services__web__env=[LEARNS, "VERSION=b", "NUMBER=2", "HOST=docs.dao.example"])
    assert steady(OLD, new) is OLD


@pytest.mark.parametrize(
    "change",
    [
        {"services__web__env": [LEARNS, "VERSION=b", "NUMBER=2", "HOST=www.dao.example"]},
        {"services__web__env": [LEARNS, "VERSION=b", "HOST=docs.dao.example"]},
        {"services__web__env": [LEARNS, "VERSION=b", "NUMBER=2", "HOST=docs.dao.example", "VERSION=c"]},
        {"services__web__env": [LEARNS, UNKNOWN, "NUMBER=2", "HOST=docs.dao.example"]},
        {"services__web__env": ["VERSION=b", "NUMBER=2", "HOST=docs.dao.example"]},
        {"services__web__env": ["LEARNS=VERSION", "VERSION=a", "NUMBER=2", "HOST=docs.dao.example"]},
        {"services__web__image": "caddy:2"},
        {"services__app__env": ["VERSION=2"]},
        {"profiles__compute__web__resources__cpu__units": "400m"},
    ],
    ids=str,
)
def test_with_any_other_change_the_new_document_counts_and_with_it_the_new_release(change):
    new = changed(**change)
    assert steady(OLD, new) is new


def test_now_becomes_the_time_in_variables_that_the_container_learns_and_nowhere_else():
    document = changed(
        services__web__env=[LEARNS, "VERSION=a", "NUMBER=now", "HOST=now"], services__app__env=["NUMBER=now"]
    )
    made = taken(None, document, 1_795_000_000)["services"]
    assert made["web"]["env"] == [LEARNS, "VERSION=a", "NUMBER=1795000000", "HOST=now"]
    assert made["app"]["env"] == ["NUMBER=now"]


def test_a_service_whose_size_is_not_known_goes_on_renting_what_it_rents():
    """A kept version is served again, and the folder it came from is gone."""
    env = [LEARNS, "VERSION=b", "NUMBER=now", "HOST=docs.dao.example", UNSIZED]
    new = changed(services__web__env=env, profiles__compute__web__resources__cpu__units="400m")
    assert taken(OLD, new, 7) == OLD
    moved = changed(services__web__env=[*env[:3], "HOST=www.dao.example", UNSIZED])
    moved["profiles"]["compute"]["web"]["resources"] = {"cpu": {"units": "400m"}}
    made = taken(OLD, moved, 7)
    assert made["profiles"] == OLD["profiles"]
    assert made["services"]["web"]["env"] == [LEARNS, "VERSION=b", "NUMBER=7", "HOST=www.dao.example"]


def test_a_new_deployment_of_unknown_size_rents_what_is_given_without_a_warning():
    new = changed(services__web__env=["VERSION=b", UNSIZED])
    assert taken(None, new, 7)["services"]["web"]["env"] == ["VERSION=b"]
    assert taken(None, new, 7)["profiles"] == OLD["profiles"]


@pytest.mark.parametrize("document", [None, UNKNOWN, {"services": UNKNOWN}, {"services": {"web": {"env": [UNKNOWN]}}}])
def test_what_is_not_known_yet_is_left_as_it_is(document):
    assert taken(None, document, 7) == document


def test_an_old_document_without_such_variables_is_not_kept():
    """It was written for a container that does not hear of releases elsewhere."""
    old = changed(services__web__env=["VERSION=a", "NUMBER=0", "HOST=docs.dao.example"])
    assert steady(old, OLD) is OLD


@pytest.mark.parametrize(("old", "new"), [(None, OLD), (UNKNOWN, OLD), (OLD, UNKNOWN)])
def test_without_two_documents_the_new_one_counts(old, new):
    assert steady(old, new) is new


def stores(*env, service="web"):
    return changed(**{f"services__{service}__env": [*env]})


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (stores(LEARNS, "STORES=a=x b=y"), stores("VERSION=2", LEARNS, "STORES=c=z b=y"), ["services.web.env[2]"]),
        (stores(LEARNS, "STORES=a=x b=y"), stores(LEARNS, "VERSION=2", "STORES=a=x b=y"), []),
        (stores("STORES=a=x"), stores(LEARNS, "STORES=a=x b=y"), []),
        (stores(LEARNS, "STORES=a=x b=y"), stores("STORES=a=x"), []),
        (stores(LEARNS), stores(LEARNS, "STORES=a=x b=y"), []),
        (stores("STORES=a=x", service="app"), stores("STORES=b=y", service="app"), []),
        (None, stores(LEARNS, "STORES=a=x b=y"), []),
        (stores(LEARNS, "STORES=a=x b=y"), UNKNOWN, []),
        (stores(LEARNS, "STORES=a=x b=y"), stores(LEARNS, UNKNOWN), []),
    ],
    ids=["other stores", "the same", "begins to learn", "learns no more", "had none", "learns nothing", "new",
         "unknown", "one is unknown"],
)  # fmt: skip
def test_other_stores_restart_a_container_that_learns_its_releases(old, new, paths):
    assert restarted(old, new) == paths
