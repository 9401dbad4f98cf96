"""The publish step makes the AWS half what the version is, and has CloudFront forget what changed.

Cannot prove that CloudFront forgets: moto only notes the invalidation.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random

import pytest
from botocore.exceptions import ClientError

from components.errors import StepError
from components.kinds.static import bundle, keep, objects, publish
from components.needs import State
from components.targets.aws import existing
from components.web import headers as content
from tests.contract.object_stores import kept, quiet


def changed(half, folder):
    return half | {"version": bundle.version(folder)}


def test_the_bucket_holds_the_files_the_addresses_of_folders_and_the_version(clouds, site, half):
    done = publish.take(half, quiet)
    assert clouds.keys("docs-bucket") == {
        ".unmoor/root", "index.html", "index", ".unmoor/404.html", "404.html", "404",
        "guide", "guide/", "guide/index", "guide/index.html",
        "assets/app.1a2b3c4d.js", "assets/old.css", "grüße & mehr.txt", "healthz", ".unmoor/published.json",
    }  # fmt: skip
    assert done == {"version": half["version"], "written": 13, "removed": 0, "invalidated": 0}
    assert clouds.object("docs-bucket", "healthz")["Body"].decode() == f"{half['version']}\n"
    assert clouds.object("docs-bucket", "guide/")["Body"] == b"guide"
    moved = clouds.object("docs-bucket", "guide")
    assert moved["Metadata"] == {"status": "301", "slash": "add"}
    assert moved["Body"]


@pytest.mark.parametrize(
    ("key", "kind", "cache"),
    [
        ("guide/", "text/html; charset=utf-8", content.ALWAYS_FRESH),
        ("assets/app.1a2b3c4d.js", "text/javascript; charset=utf-8", content.FOR_EVER),
        ("assets/old.css", "text/css; charset=utf-8", content.ALWAYS_FRESH),
        ("healthz", "text/plain; charset=utf-8", content.ALWAYS_FRESH),
    ],
)
def test_objects_carry_the_headers_of_the_table(clouds, half, key, kind, cache):
    publish.take(half, quiet)
    found = clouds.object("docs-bucket", key)
    assert (found["ContentType"], found["CacheControl"]) == (kind, cache)


def test_the_mark_is_the_second_line_of_health_and_stays_with_a_new_version(clouds, site, half):
    publish.take(half, quiet)  # as a run before there were marks
    for text in ("", "another page"):
        if text:
            (site / "guide/index.html").write_text(text)
        publish.take(changed(half, site) | {"mark": "unmoor-01"}, quiet)
        lines = clouds.object("docs-bucket", "healthz")["Body"].decode().splitlines()
        assert lines == [bundle.version(site), "unmoor-01"]


def test_a_second_run_writes_and_invalidates_nothing(clouds, half):
    publish.take(half, quiet)
    assert publish.take(half, quiet) == {
        "version": half["version"],
        "written": 0,
        "removed": 0,
        "invalidated": 0,
    }
    assert clouds.invalidations(half["distribution"]) == []


def test_only_what_changed_is_written_removed_and_invalidated(clouds, site, half):
    publish.take(half, quiet)
    (site / "guide/index.html").write_text("new")
    (site / "assets/old.css").unlink()
    (site / "assets/app.1a2b3c4d.js").rename(site / "assets/app.5e6f7a8b.js")
    done = publish.take(changed(half, site), quiet)
    assert (done["written"], done["removed"]) == (4, 1)
    assert "assets/old.css" not in clouds.keys("docs-bucket")
    # The new hashed asset has a new address, which no cache can know.
    assert clouds.invalidations(half["distribution"]) == [
        ["/assets/old.css", "/guide/", "/guide/index", "/guide/index.html"]
    ]


def test_an_immutable_file_of_the_last_version_stays_for_a_day(clouds, site, half, monkeypatch):
    """A page that is open in a browser asks for it; later publications do not begin the day anew."""
    clock = [1_000_000.0]
    monkeypatch.setattr(publish.time, "time", lambda: clock[0])
    old = "assets/app.1a2b3c4d.js"
    publish.take(half, quiet)
    (site / old).rename(site / "assets/app.5e6f7a8b.js")
    for hours, text, there in ((0, "1", True), (23, "2", True), (2, "3", False)):
        clock[0] += hours * 3600
        (site / "index.html").write_text(text)
        publish.take(changed(half, site), quiet)
        assert (old in clouds.keys("docs-bucket")) == there


def test_an_immutable_name_with_other_content_is_forgotten_by_caches(clouds, site, half):
    publish.take(half, quiet)
    (site / "assets/app.1a2b3c4d.js").write_text("changed")
    publish.take(changed(half, site), quiet)
    assert clouds.invalidations(half["distribution"]) == [["/assets/app.1a2b3c4d.js"]]


def test_many_changes_are_one_invalidated_path(clouds, site, half):
    publish.take(half, quiet)
    for number in range(20):
        (site / f"page{number}.html").write_text("x")
    publish.take(changed(half, site), quiet)
    assert clouds.invalidations(half["distribution"]) == [["/*"]]


def test_paths_are_invalidated_as_browsers_and_as_the_function_at_the_edge_write_them(clouds, site, half):
    publish.take(half, quiet)
    (site / "grüße & mehr.txt").write_text("ö")
    publish.take(changed(half, site), quiet)
    (site / "c++ (1).txt").write_text("1")
    publish.take(changed(half, site), quiet)
    assert clouds.invalidations(half["distribution"]) == [
        ["/gr%C3%BC%C3%9Fe%20%26%20mehr.txt", "/gr%C3%BC%C3%9Fe%20&%20mehr.txt"],
        ["/c%2B%2B%20(1).txt", "/c++%20(1).txt"],
    ]


@pytest.mark.parametrize("at", ["write", "remove", "_invalidate", "the end"])
def test_a_run_that_was_killed_is_finished_by_the_next_and_every_cache_forgets(clouds, site, half, monkeypatch, at):
    """The next run invalidates everything that the killed one changed, although it has nothing left to write."""
    publish.take(half, quiet)
    (site / "index.html").write_text("new")
    (site / "assets/old.css").unlink()
    new = changed(half, site)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if at == "_invalidate":
            patch.setattr(publish, at, kill)
        elif at == "the end":
            once = publish._Bucket.write_health
            patch.setattr(
                publish._Bucket, "write_health", lambda self, mark: kill() if mark["settled"] else once(self, mark)
            )
        else:
            real = getattr(publish._Bucket, at)
            patch.setattr(publish._Bucket, at, lambda *given: (real(*given), kill()))
        with pytest.raises(Killed):
            publish.take(new, quiet)
    publish.take(new, quiet)
    assert clouds.invalidations(half["distribution"])[-1] == ["/*"]
    assert "assets/old.css" not in clouds.keys("docs-bucket")
    assert publish.take(new, quiet)["written"] == 0


@pytest.mark.parametrize("after", [1, 2, 5, 14, 15])
def test_a_first_run_that_was_killed_leaves_a_bucket_that_the_next_update_knows(clouds, half, monkeypatch, after):
    """Each update checks a bucket of `existing.bucket` first, and never removes objects of others."""
    assert free(half).state is State.READY

    class Killed(BaseException):
        pass

    real, requests = publish.session, itertools.count(1)

    def dies(*_: object, **__: object) -> None:
        if next(requests) > after:
            raise Killed

    def session():
        made = real()
        made.events.register("before-send.s3.PutObject", dies)
        return made

    real.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(publish, "session", session)
        with pytest.raises(Killed):
            publish.take(half, quiet)
    real.cache_clear()
    assert clouds.keys("docs-bucket") - {"healthz"} == clouds.keys("docs-bucket") != set()
    assert free(half).state is State.READY
    publish.take(half, quiet)
    assert free(half).state is State.READY
    assert publish.take(half, quiet)["written"] == 0


def free(half):
    (finding,) = existing.bucket(half["bucket"], "docs-aws.dao.example", (), objects.MANIFEST)
    return finding


def test_new_rules_for_headers_write_the_files_that_they_are_about(clouds, site, half, monkeypatch):
    publish.take(half, quiet)
    monkeypatch.setitem(content.TYPES, ".css", "text/css")
    assert publish.take(half, quiet)["written"] == 1
    assert clouds.object("docs-bucket", "assets/old.css")["ContentType"] == "text/css"
    (site / "_headers").write_text("/guide/*\n  X-A: 1\n")
    assert publish.take(changed(half, site), quiet)["written"] == 3
    assert clouds.object("docs-bucket", "guide/")["Metadata"] == {"headers": '[["X-A","1"]]'}


def test_a_bucket_of_an_earlier_unmoor_is_taken_over(clouds, half):
    """Its objects have no manifest, and so nothing is known of their headers."""
    publish.take(half, quiet)
    clouds.client("s3").delete_object(Bucket="docs-bucket", Key=".unmoor/published.json")
    assert publish.take(half, quiet)["written"] == 13
    assert publish.take(half, quiet)["written"] == 0


def test_a_file_is_written_in_parts_and_found_again(clouds, site, half, monkeypatch):
    """In parts, as every file over 5 GiB has to be; reads give less than was asked for, as those over 2 GiB do."""
    monkeypatch.setattr(objects, "PART_BYTES", 5 << 20)
    real = os.pread
    monkeypatch.setattr(bundle.os, "pread", lambda fd, size, at: real(fd, min(size, 999_983), at))
    data = random.Random(1).randbytes((12 << 20) + 1)
    (site / "video.mp4").write_bytes(data)
    publish.take(changed(half, site), quiet)
    found = clouds.object("docs-bucket", "video.mp4")
    assert hashlib.sha256(found["Body"]).digest() == hashlib.sha256(data).digest()
    assert (found["ContentType"], found["ETag"][-3:]) == ("video/mp4", '-3"')
    assert publish.take(changed(half, site), quiet)["written"] == 0


def test_an_older_version_comes_from_a_store(clouds, site, half):
    keep.take(kept(clouds, site), quiet)
    publish.take(half | {"folder": None}, quiet)
    assert clouds.object("docs-bucket", "index.html")["Body"] == b"<h1>docs</h1>"


def test_a_bucket_that_is_not_there_is_a_sentence(half):
    with pytest.raises(StepError, match=r"bucket nowhere cannot be published to: .*NoSuchBucket"):
        publish.take(half | {"bucket": "nowhere"}, quiet)


def test_what_others_lead_to_is_written_first_and_the_version_last(clouds, half, monkeypatch):
    order = []
    put = publish._Bucket._put
    monkeypatch.setattr(publish, "_WIDE", 1)
    monkeypatch.setattr(publish._Bucket, "_put", lambda self, item: (order.append(item.key), put(self, item)))
    publish.take(half, quiet)
    assert order[:3] == ["assets/app.1a2b3c4d.js", "assets/old.css", "grüße & mehr.txt"]
    assert len(order) == 13
    assert (
        clouds.object("docs-bucket", "healthz")["LastModified"] >= clouds.object("docs-bucket", "guide")["LastModified"]
    )


class CloudFront:
    """CloudFront as slow as it is: busy at first, then under way, and done in the end or never."""

    def __init__(self, statuses):
        self.statuses = statuses
        self.asked = []

    def client(self, *_, **__):
        return self

    def create_invalidation(self, **given):
        self.asked.append(("create", given["InvalidationBatch"]["CallerReference"]))
        return self._answer()

    def get_invalidation(self, **given):
        self.asked.append(("get", given["Id"]))
        return self._answer()

    def _answer(self):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == "TooManyInvalidationsInProgress":
            raise ClientError({"Error": {"Code": status, "Message": ""}}, "CreateInvalidation")
        return {"Invalidation": {"Id": "I1", "Status": status}}


@pytest.fixture
def slow(monkeypatch):
    """Put a slow CloudFront in place, and make waiting quick."""
    now = [0.0]
    monkeypatch.setattr(publish.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(publish.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))

    def start(*statuses):
        made = CloudFront(list(statuses))
        monkeypatch.setattr(publish, "session", lambda: made)
        return made

    return start


def test_it_waits_until_cloudfront_has_forgotten_and_asks_once(slow):
    made = slow("TooManyInvalidationsInProgress", "InProgress", "InProgress", "Completed")
    publish._invalidate("D1", ("/*",), "a" * 64, quiet)
    assert [what for what, _ in made.asked] == ["create", "create", "get", "get"]
    assert made.asked[0] == made.asked[1]


def test_a_cloudfront_that_never_finishes_is_a_sentence(slow):
    slow("InProgress")
    with pytest.raises(StepError, match="distribution D1 is still invalidating after 900 s"):
        publish._invalidate("D1", ("/*",), "a" * 64, quiet)
