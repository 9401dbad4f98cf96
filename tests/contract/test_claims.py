"""A name in a store belongs to one stack: the first that claims it, until it gives it back."""

from __future__ import annotations

import json

import pytest

from components.config.models import Store
from components.doctor import stores as looks
from components.errors import ConfigError, StepError
from components.kinds.static import keep
from components.needs import State
from components.stores import claims, s3
from tests.contract.object_stores import quiet

NAMES = ["docs", "docs.dao.example"]


def given(clouds, stack: str = "unmoor/prod", names=NAMES, **more):
    return {"stack": stack, "names": list(names), "stores": clouds.stores, **more}


def holders(clouds) -> dict[str, str]:
    """Return the holder of each name, which is the same in every store."""
    found = []
    for store in clouds.stores.values():
        keys = [key for key in clouds.keys(store["bucket"]) if key.startswith(claims.FOLDER)]
        bodies = {key: json.loads(clouds.object(store["bucket"], key)["Body"]) for key in keys}
        found.append({key.removeprefix(f"{claims.FOLDER}/"): body["stack"] for key, body in bodies.items()})
    assert all(each == found[0] for each in found)
    return found[0]


def test_the_first_stack_has_the_names_and_another_is_refused_with_both_names(clouds):
    claims.take(given(clouds), quiet)
    claims.take(given(clouds), quiet)
    with pytest.raises(StepError) as refused:
        claims.take(given(clouds, "unmoor/staging", ["docs", "beta.dao.example"]), quiet)
    shown = str(refused.value)
    assert "docs belongs to stack unmoor/prod, whose claim store aws holds, and this is stack unmoor/staging" in shown
    assert "whose claim store storj holds" in shown
    assert "remove the object .claims/docs from the store" in shown
    assert holders(clouds) == dict.fromkeys(NAMES, "unmoor/prod") | {"beta.dao.example": "unmoor/staging"}


def test_a_write_that_won_and_was_sent_again_is_no_refusal(clouds, monkeypatch):
    """S3 answers 412 to the second of two tries although the first one won."""
    real = s3.OpenStore.claim

    def twice(store, key, content):
        real(store, key, content)
        return real(store, key, content)

    monkeypatch.setattr(s3.OpenStore, "claim", twice)
    assert claims.take(given(clouds), quiet)["names"] == NAMES


def test_a_claim_that_is_released_between_write_and_read_is_asked_for_again(clouds, monkeypatch):
    claims.take(given(clouds, "unmoor/other"), quiet)
    real = s3.OpenStore.claim

    def released(store, key, content):
        first = real(store, key, content)
        if not first:
            store.delete([key])
        return first

    monkeypatch.setattr(s3.OpenStore, "claim", released)
    claims.take(given(clouds), quiet)
    assert set(holders(clouds).values()) == {"unmoor/prod"}


def test_only_names_that_were_not_claimed_again_are_given_back(clouds):
    claims.take(given(clouds), quiet)
    after = ["docs", "www.dao.example"]
    claims.take(given(clouds, names=after), quiet)
    claims.take(given(clouds, wait=True), quiet)  # the end of an update that replaced the names
    assert holders(clouds) == dict.fromkeys(after, "unmoor/prod")
    claims.take(given(clouds, "unmoor/other", after, wait=True), quiet)
    assert holders(clouds) == dict.fromkeys(after, "unmoor/prod"), "what another stack has is left alone"
    claims.take(given(clouds, names=after, wait=True), quiet)
    assert holders(clouds) == {}


def test_what_is_no_claim_is_left_alone_with_a_sentence(clouds):
    clouds.client("s3").put_object(Bucket="dao-storj", Key=".claims/docs", Body=b"\x1b[2Jhello")
    with pytest.raises(StepError, match=r"store storj: \.claims/docs is no claim: .*remove it") as refused:
        claims.take(given(clouds), quiet)
    assert "\x1b" not in str(refused.value)


def test_removal_without_credentials_or_stores_is_reported_and_ends_well(clouds, monkeypatch):
    claims.take(given(clouds), quiet)
    clouds.stores["storj"] |= {"access_key": "NOT_SET_KEY", "secret_key": "NOT_SET_SECRET"}
    with pytest.raises(ConfigError, match="NOT_SET_KEY is not set"):
        claims.take(given(clouds), quiet)
    clouds.stores["aws"] |= {"bucket": "no-such-bucket"}
    shown: list[str] = []
    claims.take(given(clouds, wait=True), shown.append)
    assert len(shown) == 4
    assert any("NOT_SET_KEY" in line for line in shown)
    assert any("no-such-bucket does not exist" in line for line in shown)


def test_a_look_before_an_update_names_both_stacks(clouds):
    claims.take(given(clouds, "unmoor/prod"), quiet)
    store = Store.model_validate(clouds.stores["storj"])

    def look(stack: str) -> tuple[State, str]:
        (finding,) = looks.claims("storj", store, ["docs"], stack)
        return finding.state, finding.sentence

    assert look("unmoor/prod")[0] is State.READY
    state, sentence = look("unmoor/staging")
    assert state is State.NOT_READY
    assert "docs belongs to stack unmoor/prod" in sentence
    assert "this is stack unmoor/staging" in sentence


def test_claims_are_no_versions(clouds, site):
    claims.take(given(clouds), quiet)
    store = keep.open_stores({"storj": clouds.stores["storj"]})[0]
    assert keep.bundles(store, "docs") == []
