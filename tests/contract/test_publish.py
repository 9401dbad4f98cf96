"""The publish step makes the AWS half what the version is, and has CloudFront forget what changed.

Cannot prove that CloudFront forgets: moto only notes the invalidation.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from components.errors import StepError
from components.kinds.static import bundle, keep, publish
from components.web import headers as content
from tests.contract.object_stores import kept, quiet


def changed(half, folder):
    return half | {"version": bundle.version(folder)}


def test_the_bucket_holds_the_files_the_addresses_of_folders_and_the_version(clouds, site, half):
    done = publish.take(half, quiet)
    assert clouds.keys("docs-bucket") == {
        "index.html", "404.html", "guide/index.html", "guide/", "assets/app.1a2b3c4d.js", "assets/old.css",
        "grüße & mehr.txt", "healthz",
    }  # fmt: skip
    assert done == {"version": half["version"], "written": 7, "removed": 0, "invalidated": 0}
    assert clouds.object("docs-bucket", "healthz")["Body"].decode() == f"{half['version']}\n"
    assert clouds.object("docs-bucket", "guide/")["Body"] == b"guide"


@pytest.mark.parametrize(
    ("key", "kind", "cache"),
    [
        ("guide/", "text/html; charset=utf-8", content.ALWAYS_FRESH),
        ("assets/app.1a2b3c4d.js", "text/javascript; charset=utf-8", content.FOR_EVER),
        ("assets/old.css", "text/css; charset=utf-8", content.SHORT),
        ("healthz", "text/plain; charset=utf-8", content.ALWAYS_FRESH),
    ],
)
def test_objects_carry_the_headers_of_the_table(clouds, half, key, kind, cache):
    publish.take(half, quiet)
    found = clouds.object("docs-bucket", key)
    assert (found["ContentType"], found["CacheControl"]) == (kind, cache)


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
    (site / "index.html").write_text("new")
    (site / "assets/old.css").unlink()
    (site / "assets/app.1a2b3c4d.js").rename(site / "assets/app.5e6f7a8b.js")
    done = publish.take(changed(half, site), quiet)
    assert (done["written"], done["removed"]) == (2, 2)
    assert not {"assets/old.css", "assets/app.1a2b3c4d.js"} & clouds.keys("docs-bucket")
    # The new hashed asset has a new address, which no cache can know.
    assert clouds.invalidations(half["distribution"]) == [
        ["/", "/assets/app.1a2b3c4d.js", "/assets/old.css", "/index.html"]
    ]


def test_many_changes_are_one_invalidated_path(clouds, site, half):
    publish.take(half, quiet)
    for number in range(20):
        (site / f"page{number}.html").write_text("x")
    publish.take(changed(half, site), quiet)
    assert clouds.invalidations(half["distribution"]) == [["/*"]]


def test_paths_are_invalidated_as_a_browser_writes_them(clouds, site, half):
    publish.take(half, quiet)
    (site / "grüße & mehr.txt").write_text("ö")
    publish.take(changed(half, site), quiet)
    assert clouds.invalidations(half["distribution"]) == [["/gr%C3%BC%C3%9Fe%20%26%20mehr.txt"]]


@pytest.mark.parametrize("at", ["write", "remove", "_invalidate", "the end"])
def test_a_run_that_was_killed_is_finished_by_the_next_and_every_cache_forgets(clouds, site, half, monkeypatch, at):
    """Whatever the killed run changed, the next one invalidates, although it finds nothing left to write."""
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
            once = publish._Bucket.write_mark
            patch.setattr(
                publish._Bucket, "write_mark", lambda self, mark: kill() if mark["settled"] else once(self, mark)
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


def test_new_rules_for_headers_write_every_file_again(clouds, half, monkeypatch):
    publish.take(half, quiet)
    monkeypatch.setitem(content.TYPES, ".css", "text/css")
    assert publish.take(half, quiet)["written"] == 7
    assert clouds.object("docs-bucket", "assets/old.css")["ContentType"] == "text/css"


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
    monkeypatch.setattr(
        publish._Bucket, "_put", lambda self, key, *rest, **more: (order.append(key), put(self, key, *rest, **more))
    )
    publish.take(half, quiet)
    assert order[0] == "assets/app.1a2b3c4d.js"
    assert order[1:3] == ["assets/old.css", "grüße & mehr.txt"]
    assert order[-2:] == ["healthz", "healthz"]


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
