"""A kept version comes back whole and verified from whichever store answers, or not at all."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from components.commands import restore as command
from components.commands.restore import cli
from components.errors import ConfigError, StepError
from components.kinds.static import bundle, keep
from tests.contract.object_stores import kept, quiet
from tests.settings import settings


@pytest.fixture
def stack(clouds, tmp_path):
    """Write the stack file of a workload kept in both stores."""
    whole = settings() | {"stores": clouds.stores}
    path = tmp_path / "Pulumi.prod.yaml"

    def write():
        path.write_text(yaml.safe_dump({"config": {f"unmoor:{name}": value for name, value in whole.items()}}))
        return str(path)

    write()
    return write


@pytest.fixture
def versions(clouds, site):
    """Keep two versions; the second is the newer by its content, and by the second the stores count in."""
    made = []
    for text in ("old", "new"):
        (site / "index.html").write_text(text)
        keep.take(kept(clouds, site), quiet)
        made.append(bundle.version(site))
    return made


def restore(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False, standalone_mode=False)


def test_a_version_comes_back_as_it_was(stack, versions, site, tmp_path):
    done = restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[1])
    assert bundle.version(tmp_path / "out") == versions[1] == bundle.version(site)
    assert done.stdout == f"{tmp_path}/out: 6 of 6 files written; version {versions[1]}, from store aws\n"


def test_the_newest_is_what_was_published_last(clouds, stack, versions, site, tmp_path):
    """An older version that is published again is the newest again."""
    for name in ("dao-aws", "dao-storj"):
        clouds.age(name, f"docs/{versions[1]}.tar", days=1)
        clouds.age(name, f"docs/{versions[0]}.tar", days=2)
    (site / "index.html").write_text("old")
    keep.take(kept(clouds, site), quiet)
    restore("docs", tmp_path / "out", "--stack", stack())
    assert (tmp_path / "out" / "index.html").read_text() == "old"


@pytest.fixture
def evil(clouds, tmp_path):
    """Put content of an attacker's into one store, under its own hash and newest of all."""
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "index.html").write_text("send your coins to evil")
    version = bundle.version(folder)
    with (tmp_path / "evil.tar").open("w+b") as tar:
        bundle.pack(folder, tar)
        tar.seek(0)
        clouds.client("s3").put_object(Bucket="dao-storj", Key=f"docs/{version}.tar", Body=tar.read())
    for name in ("dao-aws", "dao-storj"):
        for each in clouds.client("s3").list_objects_v2(Bucket=name)["Contents"]:
            if version not in each["Key"]:
                clouds.age(name, each["Key"], days=1)
    return version


def test_one_store_alone_is_not_believed(clouds, stack, versions, evil, tmp_path):
    with pytest.raises(StepError) as caught:
        restore("docs", tmp_path / "out", "--stack", stack())
    assert "the newest version of docs is not certain; name with --version" in str(caught.value)
    assert [f"store storj has {evil}" in str(fault) for fault in caught.value.faults] == [False, True]
    assert not (tmp_path / "out").exists()


def test_one_store_alone_is_not_believed_while_the_other_is_silent(clouds, stack, versions, evil, tmp_path):
    clouds.stores["aws"] |= {"endpoint": "http://127.0.0.1:9", "public_url": "http://127.0.0.1:9/dao-aws"}
    with pytest.raises(StepError) as caught:
        restore("docs", tmp_path / "out", "--stack", stack())
    assert "store aws is not listed" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_version_that_the_stack_file_names_is_meant(clouds, stack, versions, evil, tmp_path):
    path = Path(stack())
    whole = yaml.safe_load(path.read_text())
    whole["config"]["unmoor:workloads"]["docs"]["options"]["version"] = versions[0]
    path.write_text(yaml.safe_dump(whole))
    done = restore("docs", tmp_path / "out", "--stack", path)
    assert versions[0] in done.stdout
    assert bundle.version(tmp_path / "out") == versions[0]


def test_a_store_that_gives_more_than_any_lists_is_not_read_on(clouds, stack, versions, tmp_path):
    key = f"docs/{versions[1]}.tar"
    size = clouds.client("s3").head_object(Bucket="dao-storj", Key=key)["ContentLength"]
    clouds.client("s3").put_object(Bucket="dao-aws", Key=key, Body=b"x" * (size + 5_000_000))
    named, _, _ = command.stores_of(Path(stack()), "docs")
    with tempfile.TemporaryFile() as tar, pytest.raises(StepError) as caught:
        command._fetch(tar, {"aws": named["aws"]}, key, versions[1], size)
    assert f"is larger than {size:,} bytes" in str(caught.value)


def test_with_one_store_gone_the_next_gives_it_and_is_named(clouds, stack, versions, tmp_path):
    clouds.stores["aws"] |= {"endpoint": "http://127.0.0.1:9", "public_url": "http://127.0.0.1:9/dao-aws"}
    done = restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0], "--json")
    assert json.loads(done.stdout)["store"] == "storj"
    assert "store aws" in done.stderr


def test_a_damaged_copy_is_not_restored(clouds, stack, versions, tmp_path):
    clouds.client("s3").put_object(Bucket="dao-aws", Key=f"docs/{versions[0]}.tar", Body=b"damaged")
    done = restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0], "--json")
    assert json.loads(done.stdout)["store"] == "storj"


def test_a_bucket_that_is_no_longer_public_still_gives_it_to_its_owner(clouds, stack, versions, tmp_path):
    clouds.client("s3").delete_bucket_policy(Bucket="dao-aws")
    done = restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0], "--json")
    assert json.loads(done.stdout)["store"] == "aws"


def test_without_any_credentials_a_named_version_still_comes_back(clouds, stack, versions, tmp_path, monkeypatch):
    del clouds.stores["aws"]
    clouds.stores["aws"] = clouds.stores["storj"]
    monkeypatch.delenv("STORJ_SECRET_KEY")
    done = restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0], "--json")
    assert json.loads(done.stdout)["files"] == 6
    assert "the environment variable STORJ_SECRET_KEY is not set" in done.stderr


def test_the_list_shows_what_is_where_newest_first(clouds, stack, versions):
    clouds.age("dao-aws", f"docs/{versions[0]}.tar", days=2)
    clouds.client("s3").delete_object(Bucket="dao-storj", Key=f"docs/{versions[0]}.tar")
    rows = json.loads(restore("docs", "--stack", stack(), "--list", "--json").stdout)["versions"]
    assert [(row["version"], row["stores"]) for row in rows] == [
        (versions[1], ["aws", "storj"]),
        (versions[0], ["aws"]),
    ]
    lines = restore("docs", "--stack", stack(), "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [versions[1], versions[0]]


def test_the_beginning_of_a_version_is_enough(stack, versions, tmp_path):
    restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0][:10])
    assert bundle.version(tmp_path / "out") == versions[0]


@pytest.mark.parametrize(
    ("beginning", "sentence"), [("zz", "no version of docs begin"), ("", "2 versions of docs begin")]
)
def test_a_beginning_that_is_not_one_version_is_a_sentence(stack, versions, tmp_path, beginning, sentence):
    with pytest.raises(StepError, match=sentence):
        restore("docs", tmp_path / "out", "--stack", stack(), "--version", beginning)


def test_a_version_that_no_store_gives_names_every_store(stack, versions, tmp_path):
    with pytest.raises(StepError) as caught:
        restore("docs", tmp_path / "out", "--stack", stack(), "--version", "0" * 64)
    assert len(caught.value.faults) == 2
    assert not (tmp_path / "out").exists()


def test_with_nothing_kept_there_is_nothing_newest(stack, tmp_path):
    with pytest.raises(StepError, match="no version of docs is known from any store"):
        restore("docs", tmp_path / "out", "--stack", stack())
    assert restore("docs", "--stack", stack(), "--list").stderr == "no versions\n"


def test_a_folder_with_other_content_is_left_as_it_is(stack, versions, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    (out / "index.html").write_text("changed")
    with pytest.raises(StepError, match=r"is not empty, and index\.html, mine\.txt would be overwritten or left"):
        restore("docs", out, "--stack", stack())
    assert {path.name for path in out.iterdir()} == {"mine.txt", "index.html"}


def test_a_folder_that_only_lacks_files_gets_them_back(stack, versions, tmp_path):
    out = tmp_path / "out"
    restore("docs", out, "--stack", stack(), "--version", versions[0])
    (out / "guide" / "index.html").unlink()
    done = restore("docs", out, "--stack", stack(), "--version", versions[0])
    assert done.stdout.startswith(f"{out}: 1 of 6 files written")
    assert bundle.version(out) == versions[0]
    assert restore("docs", out, "--stack", stack(), "--version", versions[0]).stdout.startswith(f"{out}: 0 of 6")


def test_a_link_is_never_taken_for_the_file(stack, versions, tmp_path):
    out = tmp_path / "out"
    restore("docs", out, "--stack", stack(), "--version", versions[0])
    (out / "index.html").rename(tmp_path / "elsewhere")
    (out / "index.html").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StepError, match="is not empty"):
        restore("docs", out, "--stack", stack(), "--version", versions[0])


def test_an_interrupted_restore_leaves_no_half_folder(stack, versions, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "unpack", full)
    before = set(tmp_path.iterdir())
    with pytest.raises(StepError, match=r"cannot be written: .*No space left"):
        restore("docs", tmp_path / "out", "--stack", stack(), "--version", versions[0])
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("workload", "sentence"), [("dosc", "no workload 'dosc'; did you mean docs"), ("x", "no workload 'x'; choose docs")]
)
def test_a_workload_that_is_not_there_is_a_sentence(stack, tmp_path, workload, sentence):
    with pytest.raises(ConfigError, match=sentence):
        restore(workload, tmp_path / "out", "--stack", stack())


def test_a_stack_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="no such stack file"):
        restore("docs", tmp_path / "out", "--stack", str(tmp_path / "Pulumi.none.yaml"))
