"""The lock, the engine's pin and pyproject.toml agree."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sandbox.engine import resolve
from sandbox.state import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
LOCK = (REPOSITORY / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", LOCK, re.MULTILINE))


def wanted() -> list[Requirement]:
    groups = [each for group in PROJECT["dependency-groups"].values() for each in group if isinstance(each, str)]
    return [Requirement(each) for each in [*PROJECT["project"]["dependencies"], *groups]]


def test_everything_asked_for_is_locked_at_a_version_that_will_do() -> None:
    """`make lock` after a change to pyproject.toml."""
    unmet = [str(each) for each in wanted() if not each.specifier.contains(PINS.get(canonicalize_name(each.name), "0"))]
    assert unmet == []


def test_every_locked_package_has_hashes() -> None:
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
    assert [block for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_the_lock_names_no_index() -> None:
    assert re.findall(r"\w+://\S+|--\w*index\S*|--find-links\S*", LOCK) == []


def test_the_engine_and_the_sdk_are_of_one_version() -> None:
    modules = (REPOSITORY / "sandbox" / "engine" / "go" / "pulumi" / "go.mod").read_text()
    built = re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", modules)
    assert {resolve.ENGINE, PINS["pulumi"]} | set(built) == {resolve.ENGINE}
