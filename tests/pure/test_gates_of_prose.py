"""The gates for commit subjects and for words."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import subjects, words


@pytest.mark.parametrize(
    "subject",
    [
        "akash: compare lease owners before adopting",
        "probe, stores: limit the time",
        "dns/route53: process a set",
        "web: bring it up",
    ],
)
def test_an_imperative_after_its_component_passes(subject: str) -> None:
    assert subjects.fault(subject) is None


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        ("Compare lease owners", "component"),
        ("akash: Compare lease owners", "component"),
        ("akash: compared lease owners", "imperative"),
        ("akash: comparing lease owners", "imperative"),
        ("akash: compares lease owners", "imperative"),
        ("akash: the owners", "imperative"),
        ("akash: compare lease owners.", "full stop"),
        (f"akash: compare {'x' * 60}", "75 characters"),
    ],
)
def test_a_subject_that_breaks_a_rule_is_named_with_the_rule(subject: str, wrong: str) -> None:
    assert wrong in (subjects.fault(subject) or "")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for number, subject in enumerate(["old: add a thing", "new: add another"]):
        if not number:
            git(tmp_path, "init", "-q", "-b", "main")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", subject)
    return tmp_path


def git(folder: Path, *args: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@a.example"]
    subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True)


def test_commits_since_the_base_are_checked_and_no_others(repository: Path) -> None:
    assert subjects.recent(repository, None) == ["new: add another", "old: add a thing"]
    assert subjects.recent(repository, "HEAD~1") == ["new: add another"]
    with pytest.raises(SystemExit, match="TESTS_BASE: nowhere"):
        subjects.recent(repository, "nowhere")


def test_commits_before_the_rules_last_changed_are_not_checked(repository: Path) -> None:
    gate = repository / "tests" / "subjects.py"
    gate.parent.mkdir()
    gate.touch()
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "tests: check subjects")
    git(repository, "commit", "-q", "--allow-empty", "-m", "later: add a third")
    assert subjects.recent(repository, None) == ["later: add a third"]


def test_a_shallow_clone_and_a_folder_outside_git_can_be_checked(repository: Path, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    assert subjects.recent(outside, None) == []
    git(outside, "clone", "-q", "--depth", "1", f"file://{repository}", "clone")
    assert subjects.recent(outside / "clone", None) == ["new: add another"]


def test_words_are_counted_whole_in_any_case_and_not_in_comments_of_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "a.py").write_text("# Nobody essays; let be.\nsays\n")
    (folder / "b.bin").write_bytes(b"says\0")
    assert words.found(folder, words.pattern("# essays\nnobody\nlet be\nsays\n")) == [
        "code/a.py:1: Nobody", "code/a.py:1: let be", "code/a.py:2: says"
    ]  # fmt: skip


def test_every_exception_to_a_lint_rule_has_a_reason() -> None:
    bare = re.compile(r"#\s*(?:ruff:\s*)?noqa\b(?!: [A-Z]+\d+(?:, [A-Z]+\d+)* +\S)")
    root = Path(__file__).resolve().parents[2]
    found = [
        f"{path.relative_to(root)}:{number}"
        for folder in ("components", "sandbox", "tests", "benchmarks")
        for path in (root / folder).rglob("*.py")
        if path != Path(__file__) and "node_modules" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []
