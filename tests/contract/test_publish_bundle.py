"""The bundle step keeps a version in every store, or fails and names the stores without it.

Cannot prove what vendors other than AWS do: moto stands for all of them.
"""

from __future__ import annotations

import hashlib
import time

import pytest

from components.errors import ConfigError, Fault, StepError
from components.kinds.static import bundle, keep, memory, releases
from components.stores import s3 as stores
from tests.contract.object_stores import kept, quiet


def test_a_version_is_put_into_every_store_and_anyone_can_fetch_it(clouds, site):
    given = kept(clouds, site)
    done = keep.take(given, quiet)
    assert done["stores"] == {"aws": "written", "storj": "written"}
    for store in clouds.stores.values():
        body = clouds.object(store["bucket"], f"docs/{given['version']}.tar")["Body"]
        assert hashlib.sha256(body).hexdigest() == given["version"]


def test_a_second_run_writes_nothing(clouds, site):
    keep.take(kept(clouds, site), quiet)
    assert keep.take(kept(clouds, site), quiet)["stores"] == {"aws": "there", "storj": "there"}


def test_what_was_kept_is_remembered_for_the_next_plan_and_what_was_not_is_not(clouds, site, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    given, name = kept(clouds, site), memory.published(site)
    there = clouds.stores["storj"]["bucket"]
    clouds.stores["storj"]["bucket"] = "no-such-bucket"
    with pytest.raises(StepError):
        keep.take(kept(clouds, site), quiet)
    assert memory.recall(name) is None
    clouds.stores["storj"]["bucket"] = there
    keep.take(given, quiet)
    packed = bundle.survey(site)
    assert memory.recall(name) == (given["version"], packed.size, packed.undated)


def test_a_damaged_bundle_is_written_again(clouds, site):
    given = kept(clouds, site)
    keep.take(given, quiet)
    key = f"docs/{given['version']}.tar"
    size = len(clouds.object("dao-storj", key)["Body"])
    clouds.client("s3").put_object(Bucket="dao-storj", Key=key, Body=b"x" * size)
    assert keep.take(given, quiet)["stores"] == {"aws": "there", "storj": "written"}


def test_a_store_that_is_gone_fails_the_step_after_the_others_are_done(clouds, site):
    clouds.stores["storj"] |= {"endpoint": "http://127.0.0.1:9"}
    given = kept(clouds, site)
    with pytest.raises(StepError, match=r"store storj: .*127\.0\.0\.1:9"):
        keep.take(given, quiet)
    assert clouds.keys("dao-aws") == {f"docs/{given['version']}.tar"}


def test_a_bucket_that_is_not_there_is_a_sentence(clouds, site):
    clouds.stores["storj"] |= {"bucket": "no-such-bucket"}
    with pytest.raises(StepError) as caught:
        keep.take(kept(clouds, site), quiet)
    sentence = (
        "store storj: bucket no-such-bucket does not exist; make it first, it belongs to the DAO and outlives the stack"
    )
    assert caught.value.faults == (Fault("", sentence),)


def test_a_bucket_that_is_not_public_fails_the_step(clouds, site):
    """A container fetches the site months later without credentials."""
    clouds.bucket("dao-private", public=False)
    clouds.stores["storj"] |= {"bucket": "dao-private", "public_url": f"{clouds.url}/dao-private"}
    with pytest.raises(StepError, match="answers 403 to readers without credentials"):
        keep.take(kept(clouds, site), quiet)


def test_a_public_address_of_something_else_fails_the_step(clouds, site):
    given = kept(clouds, site)
    clouds.bucket("other")
    clouds.client("s3").put_object(Bucket="other", Key=f"docs/{given['version']}.tar", Body=b"other")
    clouds.stores["storj"] |= {"public_url": f"{clouds.url}/other"}
    with pytest.raises(StepError, match="gives other bytes than were written"):
        keep.take(given, quiet)


def test_missing_credentials_are_reported_by_the_name_of_their_variable(clouds, site, monkeypatch):
    monkeypatch.delenv("STORJ_ACCESS_KEY")
    monkeypatch.setenv("STORJ_SECRET_KEY", "")
    with pytest.raises(ConfigError) as caught:
        keep.take(kept(clouds, site), quiet)
    assert caught.value.faults == (
        Fault("stores.storj.access_key", "the environment variable STORJ_ACCESS_KEY is not set; export it"),
        Fault("stores.storj.secret_key", "the environment variable STORJ_SECRET_KEY is not set; export it"),
    )


def test_aws_credentials_are_never_sent_to_another_vendor(clouds, site):
    del clouds.stores["storj"]["access_key"], clouds.stores["storj"]["secret_key"]
    with pytest.raises(ConfigError, match=r"stores\.storj\.access_key: is required at storj"):
        keep.take(kept(clouds, site), quiet)


def test_a_folder_that_changed_since_the_plan_is_not_kept_under_the_old_name(clouds, site):
    given = kept(clouds, site)
    (site / "index.html").write_text("changed")
    with pytest.raises(StepError, match="has changed since the plan"):
        keep.take(given, quiet)
    assert clouds.keys("dao-aws") == set()


def test_an_older_version_is_copied_to_the_stores_that_lack_it(clouds, site):
    given = kept(clouds, site)
    one = {"storj": clouds.stores["storj"]}
    keep.take(given | {"stores": one}, quiet)
    done = keep.take(given | {"folder": None}, quiet)
    assert done["stores"] == {"aws": "written", "storj": "there"}


def test_a_damaged_copy_is_passed_over_for_a_good_one(clouds, site):
    given = kept(clouds, site)
    keep.take(given, quiet)
    clouds.client("s3").put_object(Bucket="dao-aws", Key=f"docs/{given['version']}.tar", Body=b"x")
    done = keep.take(given | {"folder": None}, quiet)
    assert done["stores"] == {"aws": "written", "storj": "there"}


def test_a_version_that_no_store_has_is_a_sentence_for_each(clouds, site):
    with pytest.raises(StepError) as caught:
        keep.take(kept(clouds, site) | {"folder": None}, quiet)
    assert len(caught.value.faults) == 2
    assert "cannot be had from any store; `unmoor restore --list`" in caught.value.title


def test_a_bundle_goes_only_when_enough_newer_ones_exist(clouds, site):
    versions = []
    clouds.client("s3").put_object(Bucket="dao-aws", Key="docs/notes.txt", Body=b"not ours")
    for text in "abcd":
        (site / "index.html").write_text(text)
        for key in clouds.keys("dao-aws") & clouds.keys("dao-storj"):
            clouds.age("dao-aws", key, days=1)
            clouds.age("dao-storj", key, days=1)
        keep.take(kept(clouds, site, retain=3), quiet)
        versions.append(bundle.version(site))
    left = {"docs/newest", *(f"docs/{version}.tar" for version in versions[1:])}
    assert clouds.keys("dao-storj") == left
    assert clouds.keys("dao-aws") == left | {"docs/notes.txt"}


@pytest.mark.parametrize(
    ("served", "retain", "gone"),
    [("a", 2, ["c", "d"]), ("d", 2, ["c"]), ("b", 1, ["c", "d"]), ("a", 4, []), ("a", 9, [])],
)
def test_the_served_version_is_never_too_old(served, retain, gone):
    listed = [stores.Stored(key, 1, None, "") for key in "abcd"]
    assert keep.too_old(listed, served, retain) == gone


def test_a_store_can_be_a_lock(clouds):
    store = keep.open_stores({"storj": clouds.stores["storj"]})[0]
    assert (store.claim("lock", b"1"), store.claim("lock", b"2")) == (True, False)
    assert clouds.object("dao-storj", "lock")["Body"] == b"1"


def records(clouds):
    """Return what each store names the newest release."""
    found = {}
    for name, store in clouds.stores.items():
        held = clouds.object(store["bucket"], "docs/newest")
        assert held["CacheControl"] == "no-cache"
        found[name] = releases.read(held["Body"], "docs")
    return found


def test_a_release_is_named_the_newest_in_stores_of_two_vendors(clouds, site):
    given = kept(clouds, site)
    number = keep.take(given, quiet)["number"]
    assert abs(number - time.time()) < 60
    size = len(clouds.object("dao-aws", f"docs/{given['version']}.tar")["Body"])
    assert set(records(clouds).values()) == {releases.Record("docs", number, given["version"], size)}
    assert keep.take(given, quiet)["number"] == number
    (site / "more.txt").write_text("more")
    assert keep.take(kept(clouds, site), quiet)["number"] > number


def test_stores_of_one_vendor_name_no_release(clouds, site):
    """One party could then choose what is served."""
    clouds.stores["storj"] |= {"vendor": "aws"}
    assert "number" not in keep.take(kept(clouds, site), quiet)
    assert not clouds.keys("dao-aws") & {"docs/newest"}


def test_a_run_that_was_interrupted_between_two_stores_goes_on_with_its_number(clouds, site):
    given = kept(clouds, site)
    number = keep.take(given, quiet)["number"]
    clouds.client("s3").delete_object(Bucket="dao-storj", Key="docs/newest")
    assert keep.take(given, quiet)["number"] == number
    assert len(set(records(clouds).values())) == 1


def test_a_record_from_the_future_is_refused_and_nothing_is_named(clouds, site):
    keep.take(kept(clouds, site), quiet)
    before = records(clouds)
    future = releases.Record("docs", 999_999_999_999, "ab" * 32, 1)
    clouds.client("s3").put_object(
        Bucket="dao-storj", Key="docs/newest", Body=future.content(), CacheControl="no-cache"
    )
    (site / "more.txt").write_text("more")
    with pytest.raises(ConfigError, match="the order of releases is not known"):
        keep.take(kept(clouds, site), quiet)
    assert records(clouds) == {"aws": before["aws"], "storj": future}
