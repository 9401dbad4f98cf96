"""The publish and bundle steps against an S3 and a CloudFront on this machine.

Cannot prove what vendors other than AWS do: moto stands for all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components import bundle, content, stores
from components.errors import ConfigError, Fault, StepError
from components.steps import bundle as keep
from components.steps import publish

pytest_plugins = ("tests.contract.object_stores",)

REPOSITORY = Path(__file__).parents[2]


def quiet(_: str) -> None:
    pass


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    files = {
        "index.html": "<h1>docs</h1>",
        "404.html": "not here",
        "guide/index.html": "guide",
        "assets/app.1a2b3c4d.js": "1",
        "assets/old.css": "old",
        "grüße & mehr.txt": "ä",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def kept(clouds, folder, retain=10):
    return {
        "workload": "docs",
        "version": bundle.version(folder),
        "folder": str(folder),
        "stores": clouds.stores,
        "retain": retain,
    }


class TestBundle:
    def test_a_version_is_put_into_every_store_and_anyone_can_fetch_it(self, clouds, site):
        given = kept(clouds, site)
        done = keep.take(given, quiet)
        assert done["stores"] == {"aws": "written", "storj": "written"}
        for store in clouds.stores.values():
            body = clouds.object(store["bucket"], f"docs/{given['version']}.tar")["Body"]
            assert hashlib.sha256(body).hexdigest() == given["version"]

    def test_a_second_run_writes_nothing(self, clouds, site):
        keep.take(kept(clouds, site), quiet)
        assert keep.take(kept(clouds, site), quiet)["stores"] == {"aws": "there", "storj": "there"}

    def test_a_damaged_bundle_is_written_again(self, clouds, site):
        given = kept(clouds, site)
        keep.take(given, quiet)
        key = f"docs/{given['version']}.tar"
        size = len(clouds.object("dao-storj", key)["Body"])
        clouds.client("s3").put_object(Bucket="dao-storj", Key=key, Body=b"x" * size)
        assert keep.take(given, quiet)["stores"] == {"aws": "there", "storj": "written"}

    def test_a_store_that_is_gone_fails_the_step_after_the_others_are_done(self, clouds, site):
        clouds.stores["storj"] |= {"endpoint": "http://127.0.0.1:9"}
        given = kept(clouds, site)
        with pytest.raises(StepError, match="store storj: .*127.0.0.1:9"):
            keep.take(given, quiet)
        assert clouds.keys("dao-aws") == {f"docs/{given['version']}.tar"}

    def test_a_bucket_that_is_not_there_is_a_sentence(self, clouds, site):
        clouds.stores["storj"] |= {"bucket": "no-such-bucket"}
        with pytest.raises(StepError) as caught:
            keep.take(kept(clouds, site), quiet)
        sentence = (
            "store storj: bucket no-such-bucket does not exist; "
            "make it first, it belongs to the DAO and outlives the stack"
        )
        assert caught.value.faults == (Fault("", sentence),)

    def test_a_bucket_that_is_not_public_fails_the_step(self, clouds, site):
        """A container fetches the site months later without credentials."""
        clouds.bucket("dao-private", public=False)
        clouds.stores["storj"] |= {"bucket": "dao-private", "public_url": f"{clouds.url}/dao-private"}
        with pytest.raises(StepError, match="answers 403 to readers without credentials"):
            keep.take(kept(clouds, site), quiet)

    def test_a_public_address_of_something_else_fails_the_step(self, clouds, site):
        given = kept(clouds, site)
        clouds.bucket("other")
        clouds.client("s3").put_object(Bucket="other", Key=f"docs/{given['version']}.tar", Body=b"other")
        clouds.stores["storj"] |= {"public_url": f"{clouds.url}/other"}
        with pytest.raises(StepError, match="gives other bytes than were written"):
            keep.take(given, quiet)

    def test_missing_credentials_are_told_by_the_name_of_their_variable(self, clouds, site, monkeypatch):
        monkeypatch.delenv("STORJ_ACCESS_KEY")
        monkeypatch.setenv("STORJ_SECRET_KEY", "")
        with pytest.raises(ConfigError) as caught:
            keep.take(kept(clouds, site), quiet)
        assert caught.value.faults == (
            Fault("stores.storj.access_key", "the environment variable STORJ_ACCESS_KEY is not set; export it"),
            Fault("stores.storj.secret_key", "the environment variable STORJ_SECRET_KEY is not set; export it"),
        )

    def test_aws_credentials_are_never_sent_to_another_vendor(self, clouds, site):
        del clouds.stores["storj"]["access_key"], clouds.stores["storj"]["secret_key"]
        with pytest.raises(ConfigError, match="stores.storj.access_key: is required at storj"):
            keep.take(kept(clouds, site), quiet)

    def test_a_folder_that_changed_since_the_plan_is_not_kept_under_the_old_name(self, clouds, site):
        given = kept(clouds, site)
        (site / "index.html").write_text("changed")
        with pytest.raises(StepError, match="has changed since the plan"):
            keep.take(given, quiet)
        assert clouds.keys("dao-aws") == set()

    def test_an_older_version_is_copied_to_the_stores_that_lack_it(self, clouds, site):
        given = kept(clouds, site)
        one = {"storj": clouds.stores["storj"]}
        keep.take(given | {"stores": one}, quiet)
        done = keep.take(given | {"folder": None}, quiet)
        assert done["stores"] == {"aws": "written", "storj": "there"}

    def test_a_damaged_copy_is_passed_over_for_a_good_one(self, clouds, site):
        given = kept(clouds, site)
        keep.take(given, quiet)
        clouds.client("s3").put_object(Bucket="dao-aws", Key=f"docs/{given['version']}.tar", Body=b"x")
        done = keep.take(given | {"folder": None}, quiet)
        assert done["stores"] == {"aws": "written", "storj": "there"}

    def test_a_version_that_no_store_has_is_a_sentence_for_each(self, clouds, site):
        with pytest.raises(StepError) as caught:
            keep.take(kept(clouds, site) | {"folder": None}, quiet)
        assert len(caught.value.faults) == 2
        assert "cannot be had from any store; `unmoor restore --list`" in caught.value.title

    def test_a_bundle_goes_only_when_enough_newer_ones_exist(self, clouds, site):
        versions = []
        for text in "abcd":
            (site / "index.html").write_text(text)
            keep.take(kept(clouds, site, retain=3), quiet)
            versions.append(bundle.version(site))
            clouds.client("s3").put_object(Bucket="dao-aws", Key="docs/notes.txt", Body=b"not ours")
        # moto's clock ticks in seconds where the listing counts, so order among these is by name at worst.
        left = {f"docs/{version}.tar" for version in versions} & clouds.keys("dao-aws")
        assert len(left) == 3
        assert f"docs/{versions[-1]}.tar" in left
        assert "docs/notes.txt" in clouds.keys("dao-aws")

    @pytest.mark.parametrize(
        ("served", "retain", "gone"),
        [("a", 2, ["c", "d"]), ("d", 2, ["c"]), ("b", 1, ["c", "d"]), ("a", 4, []), ("a", 9, [])],
    )
    def test_the_served_version_is_never_too_old(self, served, retain, gone):
        listed = [stores.Stored(key, 1, None, "") for key in "abcd"]
        assert keep.too_old(listed, served, retain) == gone

    def test_a_store_can_be_a_lock(self, clouds):
        store = keep.open_stores({"storj": clouds.stores["storj"]})[0]
        assert (store.claim("lock", b"1"), store.claim("lock", b"2")) == (True, False)
        assert clouds.object("dao-storj", "lock")["Body"] == b"1"


@pytest.fixture
def half(clouds, site):
    """The AWS half: a private bucket and its distribution, as the publish step's input."""
    clouds.bucket("docs-bucket", public=False)
    return {
        "workload": "docs",
        "version": bundle.version(site),
        "folder": str(site),
        "stores": clouds.stores,
        "bucket": "docs-bucket",
        "region": "us-east-1",
        "distribution": clouds.distribution("docs-bucket"),
    }


def changed(half, folder):
    return half | {"version": bundle.version(folder)}


class TestPublish:
    def test_the_bucket_holds_the_files_the_addresses_of_folders_and_the_version(self, clouds, site, half):
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
    def test_objects_carry_the_headers_of_the_table(self, clouds, half, key, kind, cache):
        publish.take(half, quiet)
        found = clouds.object("docs-bucket", key)
        assert (found["ContentType"], found["CacheControl"]) == (kind, cache)

    def test_a_second_run_writes_and_invalidates_nothing(self, clouds, half):
        publish.take(half, quiet)
        assert publish.take(half, quiet) == {
            "version": half["version"],
            "written": 0,
            "removed": 0,
            "invalidated": 0,
        }
        assert clouds.invalidations(half["distribution"]) == []

    def test_only_what_changed_is_written_removed_and_invalidated(self, clouds, site, half):
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

    def test_many_changes_are_one_invalidated_path(self, clouds, site, half):
        publish.take(half, quiet)
        for number in range(20):
            (site / f"page{number}.html").write_text("x")
        publish.take(changed(half, site), quiet)
        assert clouds.invalidations(half["distribution"]) == [["/*"]]

    def test_paths_are_invalidated_as_a_browser_writes_them(self, clouds, site, half):
        publish.take(half, quiet)
        (site / "grüße & mehr.txt").write_text("ö")
        publish.take(changed(half, site), quiet)
        assert clouds.invalidations(half["distribution"]) == [["/gr%C3%BC%C3%9Fe%20%26%20mehr.txt"]]

    @pytest.mark.parametrize("at", ["write", "remove", "_invalidate", "the end"])
    def test_a_run_that_was_killed_is_finished_by_the_next_and_every_cache_forgets(
        self, clouds, site, half, monkeypatch, at
    ):
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

    def test_new_rules_for_headers_write_every_file_again(self, clouds, half, monkeypatch):
        publish.take(half, quiet)
        monkeypatch.setitem(content.TYPES, ".css", "text/css")
        assert publish.take(half, quiet)["written"] == 7
        assert clouds.object("docs-bucket", "assets/old.css")["ContentType"] == "text/css"

    def test_an_older_version_comes_from_a_store(self, clouds, site, half):
        keep.take(kept(clouds, site), quiet)
        publish.take(half | {"folder": None}, quiet)
        assert clouds.object("docs-bucket", "index.html")["Body"] == b"<h1>docs</h1>"

    def test_a_bucket_that_is_not_there_is_a_sentence(self, half):
        with pytest.raises(StepError, match="bucket nowhere cannot be published to: .*NoSuchBucket"):
            publish.take(half | {"bucket": "nowhere"}, quiet)

    def test_what_others_lead_to_is_written_first_and_the_version_last(self, clouds, half, monkeypatch):
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


def start(name: str, *words: str) -> subprocess.Popen[str]:
    code = "from components.commands.step import cli; cli()"
    return subprocess.Popen(
        [sys.executable, "-c", code, name, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=REPOSITORY, text=True, env=os.environ, start_new_session=True,
    )  # fmt: skip


def run(name: str, given: object, *words: str) -> tuple[int, str, str]:
    child = start(name, *words)
    out, err = child.communicate(given if isinstance(given, str) else json.dumps(given), timeout=60)
    return child.returncode, out, err


class TestStepCommand:
    def test_a_step_prints_one_short_json_line(self, clouds, site, half):
        code, out, _ = run("publish", half)
        assert (code, out.count("\n"), json.loads(out)["written"]) == (0, 1, 7)
        assert len(out) < 4096

    def test_a_step_that_fails_ends_with_a_sentence_and_no_traceback(self, clouds, site):
        clouds.stores["storj"] |= {"endpoint": "http://127.0.0.1:9"}
        code, out, err = run("bundle", kept(clouds, site))
        assert (code, out) == (1, "")
        assert "store storj" in err
        assert "Traceback" not in err

    def test_no_credential_is_printed(self, clouds, site):
        clouds.stores["aws"] |= {"bucket": "missing"}
        _, out, err = run("bundle", kept(clouds, site))
        assert "storj-secret" not in out + err
        assert "testing" not in out + err

    @pytest.mark.parametrize("given", ["", "[]", "{"])
    def test_an_input_that_is_no_object_is_a_sentence(self, given):
        code, out, err = run("drain", given)
        assert (code, out) == (1, "")
        assert err.startswith("step drain: standard input is not one JSON object")

    def test_nothing_is_drained_before_something_is_removed(self):
        assert run("drain", {"ttl": 60})[:2] == (0, '{"waited_s":0}\n')

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_a_step_at_once(self, number):
        child = start("drain", "--wait")
        child.stdin.write('{"ttl": 600}')
        child.stdin.close()
        assert child.stderr.readline().startswith("draining: 600 s")
        os.killpg(child.pid, number)
        assert child.wait(timeout=30) == -number
        child.stdout.close()
        child.stderr.close()
