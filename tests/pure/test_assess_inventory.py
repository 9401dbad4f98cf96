"""Reading an inventory: every fault at once, each with its path and what to choose."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.assess import reading
from components.assess.schema import schema
from components.errors import ConfigError

from .assess_samples import BOT, DOCS, FORUM, ON

ROOT = Path(__file__).parent.parent.parent


def faults(document: dict[str, Any], today: date = ON) -> dict[str, str]:
    """Read a document that is wrong and return what is said, by path."""
    with pytest.raises(ConfigError) as caught:
        reading.parse(yaml.safe_dump(document), today)
    return {fault.path: fault.message for fault in caught.value.faults}


def document(**workloads: dict[str, Any]) -> dict[str, Any]:
    return {"dao": {"name": "Example"}, "as_of": date(2026, 11, 1), "workloads": copy.deepcopy(workloads)}


def test_the_example_is_valid_and_its_schema_is_the_models():
    reading.load(ROOT / "stacks" / "inventory.yaml", ON)
    text = (ROOT / "stacks" / "inventory.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(schema()))


def test_the_example_names_its_schema():
    first = (ROOT / "stacks" / "inventory.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=inventory.schema.json"


def test_every_fault_is_said_at_once():
    wrong = document(docs=DOCS, forum=FORUM)
    wrong["dao"]["rate_usd_hour"] = -3
    wrong["workloads"]["docs"]["parts"] = [
        {"what": "ec3"},
        {"type": "t3.micro"},
        {"what": "ec2", "tpe": "t3.micro", "disk_gib": -1},
    ]
    wrong["workloads"]["docs"]["parties"] = {"computer": "aws"}
    wrong["workloads"]["forum"]["state"] = "databas"
    assert faults(wrong) == {
        "dao.rate_usd_hour": "-3 must be more than 0",
        "workloads.docs.parts[0]": "no part 'ec3'; did you mean ec2?; choose from akash, alb, cloudfront, "
        "cloudfront-plan, ec2, egress, elasticache, fargate, fixed, ipv4, lightsail, logs, nat, rds, s3, "
        "secret, ses, storj, zone",
        "workloads.docs.parts[1]": "say what it is: `what` is required, as `what: ec2`",
        "workloads.docs.parts[2].type": "is required",
        "workloads.docs.parts[2].disk_gib": "-1 must be 0 or more",
        "workloads.docs.parts[2].tpe": "no such setting; did you mean type?",
        "workloads.docs.parties.computer": "no layer 'computer'; did you mean compute?; choose from registrar, dns, "
        "edge, compute, database, storage, mail, ci, images",
        "workloads.forum.state": "'databas' is not a choice; choose none, cache, singleton, database, rebuildable, "
        "keys or external",
    }


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"size": {"cpu": 1, "memory_gib": 1, "disk_gib": 5}},
            "workloads.forum",
            "size.disk_gib 5 holds less than data.gb 20",
        ),
        ({"data": None}, "workloads.forum", "data is required for a workload with a database"),
        ({"parts": []}, "workloads.forum", "nothing says what it costs"),
        ({"size": None}, "workloads.forum", "size is required, to price it elsewhere"),
        ({"parties": {"dns": "route53"}}, "workloads.forum.parties", "the layer compute is required"),
        ({"parties": {"compute": []}}, "workloads.forum.parties.compute", "at least 1 item"),
        ({"after": ["doks"]}, "workloads.forum.after[0]", "no workload 'doks'; did you mean docs?"),
        ({"after": ["forum"]}, "workloads.forum.after", "forum wait for each other"),
        ({"exit_rehearsed": date(2027, 1, 1)}, "workloads.forum.exit_rehearsed", "lies in the future"),
        ({"signers": {"needed": 4, "of": 3}}, "workloads.forum.signers", "4 signatures are needed of 3 people"),
        (
            {"data": {"gb": 1, "restore_proved": date(2027, 1, 1)}},
            "workloads.forum.data.restore_proved",
            "2027-01-01 lies in the future; it is 2026-11-22",
        ),
    ],
)
def test_what_contradicts_itself_is_a_sentence(change: dict[str, Any], path: str, message: str):
    said = faults(document(docs=DOCS, forum={**FORUM, **change}))
    assert list(said) == [path]
    assert message in said[path]


def test_workloads_that_wait_for_each_other_are_named():
    said = faults(document(docs={**DOCS, "after": ["forum"]}, forum={**FORUM, "after": ["docs"]}, bot=BOT))
    assert said == {"workloads.docs.after": "docs, forum wait for each other; drop one `after`"}


def test_an_inventory_from_the_future_is_refused():
    said = faults(document(docs=DOCS), date(2026, 1, 1))
    assert said == {"as_of": "2026-11-01 lies in the future; it is 2026-01-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "inventory:2: not YAML"),
        ("- 1", "an inventory has `dao`, `as_of` and `workloads`"),
        ("dao: {name: x, name: y}", "says 'name' twice, in lines 1 and 1; keep one"),
        ("dao: {name: x}\nworkloads: {}\ndao: {name: y}", "says 'dao' twice, in lines 1 and 3"),
    ],
)
def test_what_is_no_inventory_says_why(text: str, message: str):
    with pytest.raises(ConfigError) as caught:
        reading.parse(text, ON)
    assert message in str(caught.value)


def test_keys_that_are_no_text_and_merges_are_read_as_yaml_has_them():
    with pytest.raises(ConfigError, match="inventory:3: the key 1 is not text; quote it"):
        reading.parse("dao: {name: x}\nas_of: 2026-11-01\nworkloads: {1: {}}", ON)


def test_a_missing_and_an_unreadable_file_are_sentences(tmp_path: Path):
    with pytest.raises(ConfigError, match="no such inventory"):
        reading.load(tmp_path / "none.yaml", ON)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        reading.load(tmp_path / "bytes.yaml", ON)
    with pytest.raises(ConfigError, match="cannot be read"):
        reading.load(tmp_path, ON)


def test_one_party_stands_without_brackets_and_several_are_alternatives():
    read = reading.parse(
        yaml.safe_dump(document(docs={**DOCS, "parties": {"compute": "aws", "dns": ["route53", "desec"]}})), ON
    )
    assert read.workloads["docs"].parties == {"compute": ("aws",), "dns": ("route53", "desec")}
