"""Two stack files of one project that would use one name are refused in planning, with both stacks in the sentence."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.config import models as config
from components.errors import PlanError
from components.plan import neighbours
from components.plan.stack import from_file, from_pulumi, topology
from components.project import builtin
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from pathlib import Path


def read(made: dict[str, Any]) -> config.StackConfig:
    stack, faults = config.read(made)
    assert stack is not None, faults
    return stack


def clashes(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in neighbours.faults(read(one), {"prod": read(other)}, builtin())]


STAGING = settings(host="beta.dao.example") | {"label": "staging"}


def test_a_name_of_its_own_and_another_host_are_enough():
    assert clashes(STAGING, settings()) == []
    assert clashes(settings(), STAGING) == []


def test_one_host_is_refused_with_both_stacks_and_places():
    (found,) = clashes(settings() | {"label": "staging"}, settings())
    assert found == (
        "workloads.docs.host: docs.dao.example is used by stack prod too (workloads.docs.host); choose another host "
        "for one of both"
    )
    redirecting = copy.deepcopy(STAGING)
    redirecting["workloads"]["docs"]["redirect_from"] = ["docs.dao.example"]
    assert clashes(redirecting, settings())[0].startswith("workloads.docs.redirect_from[0]: docs.dao.example is used")


def test_without_a_name_site_hosts_and_keys_clash():
    found = clashes(settings(host="beta.dao.example"), settings())
    assert [line.partition(" is used")[0] for line in found] == [
        "workloads.docs: docs-aws.dao.example",
        "workloads.docs: docs-akash.dao.example",
        "workloads.docs.backup.stores: docs/ in aws bucket dao-aws",
        "workloads.docs.backup.stores: docs/ in https://gateway.storjshare.io bucket dao-storj",
    ]
    assert all("give one of both `unmoor:label`" in line for line in found)


def test_zones_of_one_name_with_different_ids_are_two_zones():
    one, other = settings() | {"dns": {"zone_id": "Z1"}}, settings() | {"dns": {"zone_id": "Z2"}}
    assert [line for line in clashes(one, other) if "bucket" not in line] == []
    assert clashes(one, settings() | {"dns": {"zone_id": "Z1"}})


@pytest.fixture
def project(tmp_path: Path):
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()

    def put(**stacks: dict[str, Any]) -> Path:
        for name, made in stacks.items():
            document = {"config": {f"unmoor:{key}": value for key, value in made.items()}}
            (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
        return tmp_path

    return put


def test_a_file_and_a_program_are_refused_alike(project):
    root = project(prod=settings(), staging=settings(), example=settings())
    (root / "stacks" / "Pulumi.broken.yaml").write_text("config: [")
    with pytest.raises(PlanError) as of_file:
        from_file(root / "stacks" / "Pulumi.staging.yaml", builtin())
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings().items()}
    values = {f"unmoor:{key}": value for key, value in texts.items()}
    with pytest.raises(PlanError) as of_program:
        from_pulumi(values, builtin(), root, stack="staging")
    assert str(of_file.value) == str(of_program.value)
    assert "is used by stack prod too" in str(of_file.value)
    assert "example" not in str(of_file.value).replace("dao.example", "")
    project(staging=STAGING)
    assert from_file(root / "stacks" / "Pulumi.staging.yaml", builtin()).workloads[0].identity == "docs.staging"


def test_a_name_that_makes_names_too_long_or_is_none_is_refused(tmp_path):
    site_folder(tmp_path)
    long = settings() | {"label": "a" * 16}
    long["workloads"] = {"w" * 40: long["workloads"]["docs"]}
    with pytest.raises(
        PlanError, match=r"label: w+-aws-a+ has 61 characters, and 47 are the most; choose a shorter one"
    ):
        topology(long, builtin(), tmp_path)
    for wrong in ("A", "a.b", "a" * 17, "-a"):
        stack, faults = config.read(settings() | {"label": wrong})
        assert stack is None
        assert faults[0].path == "label"
