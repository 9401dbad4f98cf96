"""Reading an inventory: every fault at once, each with its path and what to choose."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.assess import history, reading
from components.assess.inventory import Work
from components.assess.schema import schema
from components.errors import ConfigError

from .assess_samples import BOT, DOCS, FORUM, ON, assess, inventory

ROOT = Path(__file__).parent.parent.parent


def faults(document: dict[str, Any], today: date = ON) -> dict[str, str]:
    """Read a document that is wrong and return the messages by path."""
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


def test_every_fault_is_reported_at_once():
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
        "workloads.docs.parts[1]": "the kind of part is missing; `what` is required, as `what: ec2`",
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
            "workloads.forum.size.disk_gib",
            "5 holds less than data.gb 20",
        ),
        ({"data": None}, "workloads.forum.data", "is required for a workload with a database"),
        (
            {"parts": []},
            "workloads.forum.cost",
            "no figure; give `parts`, `cost.stated` or `cost.measured`, or `cost: {unknown: who knows it}`",
        ),
        ({"parties": {"dns": "route53"}}, "workloads.forum.parties", "the layer compute is required"),
        ({"parties": {"compute": []}}, "workloads.forum.parties.compute", "the list is empty; add an item"),
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
    output = faults(document(docs=DOCS, forum={**FORUM, **change}))
    assert list(output) == [path]
    assert message in output[path]


def test_workloads_that_wait_for_each_other_are_named():
    output = faults(document(docs={**DOCS, "after": ["forum"]}, forum={**FORUM, "after": ["docs"]}, bot=BOT))
    assert output == {"workloads.docs.after": "docs, forum wait for each other; drop one `after`"}


def test_an_inventory_from_the_future_is_refused():
    output = faults(document(docs=DOCS), date(2026, 1, 1))
    assert output == {"as_of": "2026-11-01 lies in the future; it is 2026-01-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "inventory:2: not YAML"),
        ("- 1", "an inventory has `dao`, `as_of` and `workloads`"),
        ("dao: {name: x, name: y}", "holds 'name' twice, in lines 1 and 1; keep one"),
        ("dao: {name: x}\nworkloads: {}\ndao: {name: y}", "holds 'dao' twice, in lines 1 and 3"),
    ],
)
def test_an_invalid_inventory_gets_a_reason(text: str, message: str):
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


def test_faults_of_single_values_do_not_hide_those_across_settings():
    """One round of errors: a wrong date, a missing state, and what only whole workloads can show."""
    wrong = document(docs={**DOCS, "after": ["doks"]}, forum={**FORUM, "importance": "hgih", "data": None})
    wrong["as_of"] = "20.11.2026"
    wrong["workloads"]["docs"].pop("state")
    wrong["workloads"]["copy"] = {**copy.deepcopy(DOCS), "parts": [], "cost": {}}
    assert faults(wrong) == {
        "as_of": "'20.11.2026' is not a date; write year, month and day, as 2026-11-20",
        "workloads.docs.state": "is required",
        "workloads.forum.importance": "'hgih' is not a choice; choose very-low, low, moderate, high or very-high",
        "workloads.docs.after[0]": "no workload 'doks'; did you mean docs?",
        "workloads.forum.data": "is required for a workload with a database; give at least `data: {gb: 5}`",
        "workloads.copy.cost": "no figure; give `parts`, `cost.stated` or `cost.measured`, or `cost: {unknown: who "
        "knows it}`",
        "workloads.docs.hosts[0]": "docs.dao.example stands in workload 'copy' too; keep it in one, or merge the two",
    }


def test_what_rests_on_a_fault_is_not_reported_twice():
    wrong = document(docs={**DOCS, "parts": [{"what": "ec3"}], "cost": {}})
    assert list(faults(wrong)) == ["workloads.docs.parts[0]"]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (
            "cost: {stated: {usd_month: 1e308, source: x}}",
            "cost.stated.usd_month",
            "1e+308 is more than any DAO pays or keeps",
        ),
        ("cost: {stated: {usd_month: '225,50', source: x}}", "cost.stated.usd_month", "after a point, as 225.50"),
        ("cost: {stated: {usd_month: 2, source: x, as_of: 31.10.2026}}", "cost.stated.as_of", "as 2026-11-20"),
        ("cost: {stated: {usd_month: 2, source: x, as_of: 7}}", "cost.stated.as_of", "as 2026-11-20"),
        ("yes: 1", "yes", "no such setting"),
        ("parties: {compute: cloudfare}", "parties.compute", "did you mean cloudflare?"),
        ("parties: {compute: netlfy}", "parties.compute", "did you mean netlify?"),
        ("state: external\n    plan: {mode: decentralized}", "plan.mode", "not possible for state external"),
    ],
)
def test_bad_values_are_sentences_with_a_path(text: str, path: str, message: str):
    head = "dao: {name: x}\nas_of: 2026-11-01\nworkloads:\n  one:\n    title: One\n    importance: low\n"
    rest = [
        ("state", "state: none"),
        ("parties", "parties: {compute: aws}"),
        ("cost", "cost: {unknown: the treasurer}"),
    ]
    body = "".join(f"    {line}\n" for key, line in rest if not text.startswith(key)) + f"    {text}\n"
    with pytest.raises(ConfigError) as caught:
        reading.parse(head + body, ON)
    output = {fault.path: fault.message for fault in caught.value.faults}
    assert list(output) == [f"workloads.one.{path}".rstrip(".")]
    assert message in output[f"workloads.one.{path}".rstrip(".")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_names_the_command_that_writes_one(text: str):
    with pytest.raises(ConfigError, match="the file is empty; `unmoor inventory init` writes an inventory"):
        reading.parse(text, ON)


def test_an_inventory_without_workloads_is_a_sentence():
    wrong = document()
    assert faults(wrong) == {"workloads": "no workload is described; add one, as in docs/inventory.md"}


def test_another_spelling_of_a_vendor_is_the_same_company():
    read = reading.parse(yaml.safe_dump(document(docs={**DOCS, "parties": {"compute": "discourse"}})), ON)
    known = history.vendor(read.workloads["docs"].parties["compute"][0], {})
    assert (known.key, known.company, known.known) == ("discourse-hosting", "discourse", True)


@pytest.mark.parametrize("vendor", ["snapshot", "notion", "pinata", "thegraph", "vercel", "ghost", "mirror", "safe",
                                    "alchemy", "quicknode", "infura", "discourse"])  # fmt: skip
def test_what_daos_use_is_known_with_what_it_lets_out(vendor: str):
    known = history.vendor(vendor, {})
    assert known.known
    assert known.leave


@pytest.mark.parametrize("work", [one for one in Work if one is not Work.VALIDATOR])
def test_a_workload_without_a_size_gets_the_usual_one_of_its_work(work: Work):
    one = inventory(one={**DOCS, "work": str(work), "size": None}).workloads["one"]
    assert one.needs is not None
    big = inventory(one={**DOCS, "work": str(work), "size": None, "data": {"gb": 9000}}).workloads["one"]
    assert big.needs is not None
    assert big.needs.disk_gib >= 9000


def test_an_assumed_size_is_shown_next_to_the_workload():
    notes = assess(one={**DOCS, "size": None}).of("one").notes
    assert notes == (
        "Its size is assumed, as usual for docs: 0.1 threads, 0.25 GiB of memory, 1 GiB of disk.",
    )  # fmt: skip


#: What a person does after reading each fault: the faulty text, and what the message leads to.
CORRECTIONS = (
    ("dao:\n", "as_of: 2026-11-20\ndao:\n"),
    ("work: doc,", "work: docs,"),
    ("importance: medium", "importance: moderate"),
    ("cloudfare", "cloudflare"),
    ("{usd_month: 65}", "{usd_month: 65, source: invoice}"),
    ("{what: vm, type: cx22}", "{what: fixed, name: cx22, usd_month: 4, source: invoice}"),
    ("class: secret", "class: scoped"),
    ("state: database, importance", "state: database, data: {gb: 5}, importance"),
    ("31.10.2026", "2026-10-31"),
    (", docs.novice.example]", "]"),
    ("compute: ghost}}", "compute: ghost}, cost: {unknown: the treasurer}}"),
    ("after: [dosc]", "after: [docs]"),
)


def test_ten_workloads_of_a_person_new_to_the_tool_take_two_rounds_of_errors():
    """The first is of the text, which no setting can be read from; the second has every other fault."""
    text = (Path(__file__).parent / "novice_inventory.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="the key 50 is not text; quote it, or write decimals after a point"):
        reading.parse(text, date(2026, 11, 26))
    text = text.replace("225,50", "225.50")
    with pytest.raises(ConfigError) as caught:
        reading.parse(text, date(2026, 11, 26))
    assert len(caught.value.faults) == len(CORRECTIONS)
    for wrong, right in CORRECTIONS:
        assert wrong in text
        text = text.replace(wrong, right)
    assert len(reading.parse(text, date(2026, 11, 26)).workloads) == 10


@pytest.mark.parametrize("value", [".nan", ".inf"])
def test_what_is_no_amount_is_a_sentence_with_its_line(value: str):
    with pytest.raises(ConfigError, match=f"{value} is not a number here; write an amount"):
        reading.parse(f"workloads: {{one: {{cost: {{stated: {{usd_month: {value}}}}}}}}}", ON)
