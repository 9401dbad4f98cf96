"""Both stores refuse or never answer: the error names them in bounded time, and nothing is lost."""

from __future__ import annotations

import functools
import socket
import time

import pytest

from components.config.models import Store
from components.errors import StepError
from components.kinds.static import bundle, keep
from components.postgres import moves
from components.stores import claims, s3
from tests.contract.object_stores import kept, quiet
from tests.pure.test_postgres import GIVEN, settings

#: The time-out of a read in these tests, in seconds; 60 outside them.
READ_S = 0.3


@pytest.fixture(params=["refuses", "never answers"])
def gone(request, monkeypatch):
    """Return an address without a store."""
    if request.param == "refuses":
        yield "http://127.0.0.1:9"
        return
    monkeypatch.setattr(s3, "client", functools.partial(s3.client, attempts=2, read_s=READ_S))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def away(clouds, gone):
    """Lead both stores there, and return a function that leads them back."""
    before = {name: dict(store) for name, store in clouds.stores.items()}
    for store in clouds.stores.values():
        store["endpoint"] = gone
    return lambda: clouds.stores.update({name: dict(store) for name, store in before.items()})


def test_a_publication_names_both_and_goes_on_where_it_was_once_they_answer(clouds, site, away):
    with pytest.raises(StepError) as caught:
        keep.take(kept(clouds, site), quiet)
    named = [str(fault).partition(":")[0] for fault in caught.value.faults]
    assert named == ["store aws", "store storj"]
    assert f"version {bundle.version(site)[:12]} of docs is not in every store" in str(caught.value)
    away()
    first = keep.take(kept(clouds, site), quiet)
    assert first["stores"] == {"aws": "written", "storj": "written"}
    assert keep.take(kept(clouds, site), quiet)["number"] == first["number"]


def test_a_rollback_names_both_and_asks_no_other(clouds, site, away):
    away()
    keep.take(kept(clouds, site), quiet)
    for store in clouds.stores.values():
        store["endpoint"] = "http://127.0.0.1:9"
    with pytest.raises(StepError) as caught:
        keep.take(kept(clouds, site) | {"folder": ""}, quiet)
    assert "cannot be had from any store" in str(caught.value)
    assert [str(fault).partition(":")[0] for fault in caught.value.faults] == ["store aws", "store storj"]


def test_a_claim_names_both_and_is_not_held(clouds, away):
    given = {"stack": "dao/prod", "names": ["docs.dao.example"], "stores": clouds.stores}
    with pytest.raises(StepError) as caught:
        claims.take(given, quiet)
    assert [str(fault).partition(":")[0] for fault in caught.value.faults] == ["store aws", "store storj"]
    away()
    assert claims.take(given | {"stack": "dao/other"}, quiet)["stack"] == "dao/other"


def test_on_removal_claims_that_stay_are_reported_and_stop_nothing(clouds, away):
    said: list[str] = []
    given = {"stack": "dao/prod", "names": ["docs.dao.example"], "stores": clouds.stores, "wait": True}
    assert claims.take(given, said.append)["names"] == []
    assert [each.split(": ")[1] for each in said] == ["store aws", "store storj"]


def test_the_status_of_a_database_is_a_sentence(monkeypatch, gone):
    for name in ("KEY", "SECRET", "ARCHIVE_CIPHER"):
        monkeypatch.setenv(name, "a secret value")
    stores = {name: store | {"endpoint": gone, "bucket": name} for name, store in GIVEN["stores"].items()}
    began = time.monotonic()
    with pytest.raises(StepError) as caught:
        moves.known(settings(stores=stores))
    assert time.monotonic() - began < 60
    assert "a secret value" not in str(caught.value)
    assert "witness" in str(caught.value)


def test_a_silent_store_costs_four_minutes_a_request_at_most(clouds):
    for store in clouds.stores.values():
        config = s3.client(Store.model_validate(store)).meta.config
        seconds = config.connect_timeout + config.read_timeout
        # Standard retries wait 20 s at most in between (botocore `retries/standard.py`, ExponentialBackoff).
        assert config.retries["total_max_attempts"] * seconds + 2 * 20 <= 240
