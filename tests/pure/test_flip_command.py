"""A flip changes one line of a stack file, and only if the result can be planned."""

from __future__ import annotations

import io
import stat
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.__main__ import main
from components.config.models import Mode, Side
from components.errors import ConfigError
from components.runbook.case import RING, Course
from components.runbook.edit import flip
from tests.settings import site_folder

STACK = """\
# The DAO's stack.
encryptionsalt: v1:abc=
config:
  aws:region: us-east-1   # where else
  unmoor:zone: dao.example
  unmoor:stores:
    storj: {vendor: storj, bucket: dao-storj, public_url: "https://gateway.storjshare.io/dao-storj",
            access_key: STORJ_ACCESS_KEY, secret_key: STORJ_SECRET_KEY}
  unmoor:workloads:
    docs:
      kind: "static"
      mode: centralized    # since 2024
      # where people read
      host: docs.dao.example
      backup: {stores: [storj]}
    'forum':
      {kind: static, mode: 'centralized', host: forum.dao.example, backup: {stores: [storj]}}
"""
STANDBY = Course(Mode.ACTIVE_STANDBY, Side.CENTRALIZED)
TURNED = Course(Mode.ACTIVE_STANDBY, Side.DECENTRALIZED)


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_one_line_changes_and_its_comment_stays() -> None:
    after = flip(STACK, "x", "docs", STANDBY, say_active=True)
    assert lines(STACK, after) == (
        ["      mode: centralized    # since 2024"], ["      mode: active-standby    # since 2024"],
    )  # fmt: skip


def test_the_side_that_answers_is_added_behind_the_mode() -> None:
    after = flip(STACK, "x", "docs", TURNED, say_active=True)
    assert "      mode: active-standby    # since 2024\n      active: decentralized\n      # where" in after


def test_the_side_that_answers_is_changed_where_it_stands() -> None:
    once = flip(STACK, "x", "docs", TURNED, say_active=True)
    back = flip(once, "x", "docs", STANDBY, say_active=True)
    assert lines(once, back) == (["      active: decentralized"], ["      active: centralized"])


def test_the_side_stays_unless_it_is_given() -> None:
    once = flip(STACK, "x", "docs", TURNED, say_active=True)
    assert "active: decentralized" in flip(once, "x", "docs", RING[3], say_active=False)


def test_a_mapping_on_one_line_stays_on_it() -> None:
    after = flip(STACK, "x", "forum", TURNED, say_active=True)
    assert "{kind: static, mode: active-standby, active: decentralized, host: forum" in after


def test_line_ends_stay_as_they_are() -> None:
    after = flip(STACK.replace("\n", "\r\n"), "x", "docs", TURNED, say_active=True)
    assert after == flip(STACK, "x", "docs", TURNED, say_active=True).replace("\n", "\r\n")


def test_a_last_line_without_an_end_is_accepted() -> None:
    text = "config:\n  unmoor:workloads:\n    docs:\n      mode: centralized"
    assert flip(text, "x", "docs", TURNED, say_active=True) == (
        "config:\n  unmoor:workloads:\n    docs:\n      mode: active-standby\n      active: decentralized"
    )


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  unmoor:workloads:\n    docs: {host: x}\n",
        "base: &b {mode: centralized}\nconfig:\n  unmoor:workloads:\n    docs: {<<: *b}\n",
        "config:\n  unmoor:workloads:\n    docs: {mode: &m centralized}\n    forum: {mode: *m}\n",
        "a: &a {docs: {mode: centralized}}\nconfig:\n  unmoor:workloads:\n    <<: *a\n",
    ],
)
def test_what_cannot_be_changed_in_one_place_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        flip(text, "x", "docs", STANDBY, say_active=False)


def test_a_file_that_would_not_parse_afterwards_is_left_to_a_person() -> None:
    text = "config:\n  unmoor:workloads:\n    docs:\n      ? mode\n      : centralized\n"
    with pytest.raises(ConfigError, match="write `mode: active-standby` and `active: decentralized` by hand"):
        flip(text, "x", "docs", TURNED, say_active=True)


@pytest.mark.parametrize(
    "text", ["config: {}", "config: {unmoor:workloads: 3}", "config: {unmoor:workloads: {docs: 3}}"]
)
def test_a_missing_workload_is_reported(text: str) -> None:
    with pytest.raises(ConfigError, match="no workload 'docs'"):
        flip(text, "x", "docs", STANDBY, say_active=False)


@given(
    courses=st.lists(st.sampled_from(RING), min_size=1, max_size=4),
    comment=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12),
)
def test_flips_one_after_the_other_change_nothing_else(courses: list[Course], comment: str) -> None:
    text = STACK.replace("# since 2024", f"# {comment}")
    for course in courses:
        text = flip(text, "x", "docs", course, say_active=True)
    found, wanted = yaml.safe_load(text), yaml.safe_load(STACK)
    docs = found["config"]["unmoor:workloads"]["docs"]
    assert (docs.pop("mode"), docs.pop("active", "centralized")) == (str(courses[-1].mode), str(courses[-1].active))
    del wanted["config"]["unmoor:workloads"]["docs"]["mode"]
    assert found == wanted
    assert [line for line in text.splitlines() if "#" in line and "mode" not in line] == [
        line for line in STACK.splitlines() if "#" in line and "mode" not in line
    ]


# The command


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()
    path = tmp_path / "stacks" / "Pulumi.prod.yaml"
    path.write_text(STACK)
    path.chmod(0o640)
    monkeypatch.chdir(tmp_path)
    return path


def run(*words: str) -> tuple[int, str, str]:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(["flip", *words, "--stack", "prod"])
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_the_line_is_shown_and_written(file: Path) -> None:
    code, out, _ = run("docs", "active-standby", "--active", "decentralized")
    shown = [line for line in out.splitlines() if line[0] in "+-" and line[1] == " "]
    assert (code, shown) == (
        0,
        [
            "-      mode: centralized    # since 2024",
            "+      mode: active-standby    # since 2024",
            "+      active: decentralized",
        ],
    )
    assert out.splitlines()[-1] == "docs: centralized → active-standby, active decentralized; written"
    assert file.read_text() == flip(STACK, "x", "docs", TURNED, say_active=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_dry_run_writes_nothing(file: Path) -> None:
    code, out, _ = run("docs", "active-standby", "--dry-run")
    assert (code, file.read_text()) == (0, STACK)
    assert out.splitlines()[-1] == "docs: centralized → active-standby, active centralized; not written"


def test_what_is_so_already_is_not_written(file: Path) -> None:
    before = file.stat().st_mtime_ns
    assert run("docs", "centralized")[:2] == (0, "docs: centralized → centralized; written already\n")
    assert file.stat().st_mtime_ns == before


def test_a_result_that_cannot_be_planned_is_refused_with_every_fault(file: Path) -> None:
    broken = STACK.replace('kind: "static"', "kind: dosc").replace("[storj]}\n    '", "[strj]}\n    '")
    file.write_text(broken)
    code, out, err = run("docs", "active-standby")
    assert (code, out, file.read_text()) == (1, "", broken)
    assert ("workloads.docs.kind" in err, "workloads.docs.backup.stores[0]" in err) == (True, True)


def test_a_mode_that_was_wrong_can_be_put_right(file: Path) -> None:
    file.write_text(STACK.replace("mode: centralized ", "mode: standby "))
    assert run("docs", "active-standby")[1].splitlines()[-1] == (
        "docs: standby → active-standby, active centralized; written"
    )


def test_a_link_to_a_stack_file_stays_a_link(file: Path) -> None:
    real = file.rename(file.parent / "real.yaml")
    file.symlink_to(real)
    run("docs", "active-standby")
    assert (file.is_symlink(), "mode: active-standby" in real.read_text()) == (True, True)


def test_a_disk_that_refuses_leaves_the_file_as_it_was(file: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "replace", refuse)
    code, _, reported = run("docs", "active-standby")
    assert (code, reported.endswith(f"{file.name}: no\n")) == (1, True)
    assert (file.read_text(), [path.name for path in file.parent.iterdir()]) == (STACK, [file.name])


@pytest.mark.parametrize(
    ("words", "code", "reported"),
    [
        (("docs", "standby"), 2, "'standby' is not one of"),
        (("docs", "active-standby", "--active", "aws"), 2, "'aws' is not one of"),
        (("dosc", "centralized"), 1, "no workload 'dosc'; choose from docs, forum"),
    ],
)
def test_wrong_words_are_refused(file: Path, words: tuple[str, ...], code: int, reported: str) -> None:
    found = run(*words)
    assert (found[0], reported in found[2]) == (code, True), found
