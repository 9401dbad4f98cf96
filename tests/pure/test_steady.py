"""A document stays as it is while only what the container learns by itself has changed."""

from __future__ import annotations

import copy

import pytest

from components.provider.wire import UNKNOWN
from components.targets.akash.sdl.steady import steady

LEARNS = "LEARNS=VERSION NUMBER"
OLD = {
    "services": {
        "web": {"image": "caddy", "env": [LEARNS, "VERSION=a", "NUMBER=1", "HOST=docs.dao.example"]},
        "app": {"env": ["VERSION=1"]},
    },
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


def test_an_old_document_without_such_variables_is_not_kept():
    """It was written for a container that does not hear of releases elsewhere."""
    old = changed(services__web__env=["VERSION=a", "NUMBER=0", "HOST=docs.dao.example"])
    assert steady(old, OLD) is OLD


@pytest.mark.parametrize(("old", "new"), [(None, OLD), (UNKNOWN, OLD), (OLD, UNKNOWN)])
def test_without_two_documents_the_new_one_counts(old, new):
    assert steady(old, new) is new
