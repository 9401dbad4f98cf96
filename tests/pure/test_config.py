"""What the operator writes is read, or every fault in it is reported at once."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.config import models as config
from components.errors import ConfigError
from tests.settings import SETTINGS, settings


def faults_of(changed: dict) -> list[str]:
    stack, found = config.read(changed)
    assert (stack is None) == bool(found)
    return [str(fault) for fault in found]


def broken(**docs: object) -> dict:
    made = copy.deepcopy(SETTINGS)
    made["workloads"]["docs"] |= docs
    return made


def test_a_whole_stack_is_read() -> None:
    stack, found = config.read(settings("active-standby"))
    assert found == []
    assert stack is not None
    assert stack.workloads["docs"].mode is config.Mode.ACTIVE_STANDBY


def test_every_fault_is_reported_at_once() -> None:
    made = broken(mode="standby", mdoe="x", host="Docs.dao.example")
    made["ttl"] = 600
    made["zoen"] = "dao.example"
    assert faults_of(made) == [
        "ttl: 600 must be 60 or less",
        "workloads.docs.mode: 'standby' is not a mode; choose centralized, active-standby or decentralized",
        "workloads.docs.host: 'Docs.dao.example' is not a host name; write it in lower case like docs.dao.example",
        "workloads.docs.mdoe: no such setting; did you mean mode?",
        "zoen: no such setting; did you mean zone?",
    ]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (
            {"placement": {"decentralised": ["akash"]}},
            "workloads.docs.placement.decentralised: no such setting; did you mean decentralized?",
        ),
        ({"placement": []}, "workloads.docs.placement: must be a mapping of settings, not []"),
        (
            {"backup": {"stores": ["aws", "aws"]}},
            "workloads.docs.backup.stores: a store is named twice; name each once",
        ),
        ({"backup": "aws"}, "workloads.docs.backup: must be a mapping of settings, not 'aws'"),
        (
            {"backup": {"stores": ["aws"], "retain": "many"}},
            "workloads.docs.backup.retain: must be a whole number, not 'many'",
        ),
        ({"host": 5}, "workloads.docs.host: must be text, not 5"),
    ],
)
def test_a_fault_begins_with_its_path_and_ends_with_what_to_choose(change, shown) -> None:
    assert faults_of(broken(**change)) == [shown]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"label": "a" * 17}, "label: has 17 characters; write 16 or fewer"),
        ({"workloads": {}}, "workloads: holds 0, which is too few; give 1 or more"),
        (broken(placement={"decentralized": ["a", "b", "c"]}), "holds 3, which is too many; give 2 or fewer"),
        (broken(redirect_from=[f"{n}.dao.example" for n in range(9)]), "holds 9, which is too many; give 8 or fewer"),
        (
            {"dns": {"delegation": {"registrar": "", "name_servers": ["ns1.dao.example"]}}},
            "dns.delegation.registrar: has 0 characters; write 1 or more",
        ),
        ({"ttl": 1e300}, "ttl: 1e+300 is out of range; write a whole number of fewer digits"),
        ({"ttl": float("inf")}, "ttl: must be a finite number, not inf"),
    ],
)
def test_a_length_or_a_number_out_of_bounds_is_a_sentence_with_the_bound(change, shown) -> None:
    (found,) = faults_of(copy.deepcopy(SETTINGS) | change)
    assert found.endswith(shown)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"dns": {"delegation": {"registrar": "x", "name_servers": ["NS1.x.example"]}}},
            "dns.delegation.name_servers[0]",
        ),
        (broken(backup={"stores": [1]}), "workloads.docs.backup.stores[0]"),
        ({"dns": {"servers": {"placement": ["akash", 2]}}}, "dns.servers.placement[1]"),
    ],
)
def test_a_list_is_not_too_short_because_an_item_is_wrong(change, path) -> None:
    (found,) = faults_of(copy.deepcopy(SETTINGS) | change)
    assert found.startswith(f"{path}: ")


def test_a_key_does_not_break_the_line_of_its_fault() -> None:
    (found,) = faults_of(copy.deepcopy(SETTINGS) | {"a\nb \x1b[31m": 1})
    assert found == "a b \\x1b[31m: no such setting"


@pytest.mark.parametrize(
    ("ds", "is_one"),
    [
        (f"65535 255 1 {'a' * 40}", True),
        (f"0 13 2 {'a' * 64}", True),
        (f"12345 13 4 {'a' * 96}", True),
        (f"70000 13 2 {'a' * 64}", False),
        (f"65536 13 2 {'a' * 64}", False),
        (f"12345 256 2 {'a' * 64}", False),
        (f"12345 13 9 {'a' * 40}", False),
        (f"12345 13 1 {'a' * 64}", False),
        (f"12345 13 4 {'a' * 64}", False),
    ],
)
def test_a_ds_record_has_numbers_and_a_digest_of_their_size(ds, is_one) -> None:
    delegation = {"registrar": "Gandi", "name_servers": ["ns1.dao.example"], "ds": [ds]}
    assert (faults_of(copy.deepcopy(SETTINGS) | {"dns": {"delegation": delegation}}) == []) == is_one


@pytest.mark.parametrize("name", ["My Bucket!/x", "A B", "-dao", "dao\n", "dao/x", "dao?x"])
def test_a_bucket_has_a_name_that_can_stand_in_an_address(name) -> None:
    made = copy.deepcopy(SETTINGS)
    made["stores"]["aws"]["bucket"] = name
    assert [found.split("; ")[0] for found in faults_of(made)] == [
        f"stores.aws.bucket: {name!r} is not the name of a bucket"
    ]


CNAME = {"type": "CNAME", "ttl": 60, "values": ["dao-example.pages.example"]}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"type": "AAAA", "ttl": 60, "values": ["1.2.3.4"]}, "'1.2.3.4' is no value of a record of type AAAA"),
        ({"type": "AAAA", "ttl": 60, "values": ["fe80::1%eth0"]}, "write an IPv6 address like"),
        ({"type": "A", "ttl": 60, "values": ["192.0.2.1", "bogus"]}, "'bogus' is no value of a record of type A"),
        ({"type": "CAA", "ttl": 60, "values": ["letsencrypt.org"]}, "write flags, a tag and a value like"),
        ({"type": "HTTPS", "ttl": 60, "values": ["x.example"]}, "write a priority, a name and parameters like"),
        (CNAME | {"values": ["not a host"]}, "'not a host' is no value of a record of type CNAME"),
        (CNAME | {"values": ["a.example", "b.example"]}, "a name has one CNAME at most"),
        (CNAME | {"at": "a\nb"}, "'a\\nb' is no host name"),
        ({"type": "A", "alias": "x y", "alias_zone": "Z1"}, "'x y' is no host name"),
        (CNAME | {"at": "dao.example"}, "no CNAME can stand at the zone itself"),
    ],
)
def test_a_record_that_no_zone_can_hold_is_not_adopted(record, words) -> None:
    (found,) = faults_of(broken(adopt=[record], redirect_from=["dao.example"]))
    assert found.startswith("workloads.docs.adopt[0]: ")
    assert words in found


def test_a_record_is_adopted_as_its_authority_shows_it() -> None:
    values = {"A": "192.0.2.1", "AAAA": "2001:DB8::1", "CAA": "0 issuewild ;", "HTTPS": '1 . alpn="h2,h3"'}
    adopt = [{"type": name, "ttl": 60, "values": [value]} for name, value in values.items()]
    assert faults_of(broken(adopt=adopt)) == []
    assert faults_of(broken(adopt=[CNAME | {"values": ["_x.\\052.Pages.example."]}])) == []


def test_a_misspelt_setting_of_a_store_is_found_inside_the_mapping() -> None:
    made = copy.deepcopy(SETTINGS)
    made["stores"]["aws"]["buckets"] = "x"
    assert faults_of(made) == ["stores.aws.buckets: no such setting; did you mean bucket?"]


def test_the_value_of_a_credential_is_not_taken_for_its_name() -> None:
    made = copy.deepcopy(SETTINGS)
    made["stores"]["storj"]["secret_key"] = "wJalrXUtnFEMI/K7MDENG"
    (shown,) = faults_of(made)
    assert shown.startswith("stores.storj.secret_key: ")
    assert shown.endswith("the value itself never stands here")
    assert "wJalrXUtnFEMI" not in shown


@pytest.mark.parametrize("value", [12345678, ["hunter2"], {"x": "hunter2"}, "hunter2-s3cret", True])
def test_no_fault_repeats_what_stands_in_place_of_a_variable(value) -> None:
    made = copy.deepcopy(SETTINGS)
    made["stores"]["storj"]["access_key"] = value
    (shown,) = faults_of(made)
    assert shown == (
        "stores.storj.access_key: this is not the name of an environment variable, like STORJ_SECRET_KEY; the value "
        "itself never stands here"
    )


def test_credentials_come_in_pairs() -> None:
    made = copy.deepcopy(SETTINGS)
    del made["stores"]["storj"]["secret_key"]
    assert faults_of(made) == [
        "stores.storj: access_key and secret_key go together; name both variables, or neither",
    ]


def test_a_stack_without_workloads_is_a_fault() -> None:
    assert faults_of({"zone": "dao.example", "workloads": {}})[0].startswith("workloads: ")
    assert faults_of({}) == ["zone: is required", "workloads: is required"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["zone", "ttl", "stores", "workloads", "acme", "require_approval"]), JSON)
def test_any_value_at_any_place_gives_a_verdict(key, value) -> None:
    faults_of({**copy.deepcopy(SETTINGS), key: value})


@given(st.sampled_from(["kind", "mode", "active", "host", "placement", "backup", "options"]), JSON)
def test_any_value_at_any_place_of_a_workload_gives_a_verdict(key, value) -> None:
    faults_of(broken(**{key: value}))


def test_only_our_own_settings_are_taken_from_a_stack_file(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("encryptionsalt: v1:x\nconfig:\n  aws:region: us-east-1\n  unmoor:zone: dao.example\n")
    assert config.load_file(path) == {"zone": "dao.example"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "no `config:` section"),
        ("- 1\n", "no `config:` section"),
        ("config: 3\n", "no `config:` section"),
        ("config: [\n", "Pulumi.x.yaml:2: not YAML"),
        ("config:\n\tunmoor:zone: x\n", "Pulumi.x.yaml:2: not YAML"),
    ],
)
def test_a_file_that_is_not_a_stack_file_is_a_sentence(tmp_path: Path, text, shown) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=shown.replace("[", r"\[")):
        config.load_file(path)


def test_a_missing_stack_file_names_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    with pytest.raises(ConfigError, match="no such stack file; choose from prod"):
        config.load_file(tmp_path / "Pulumi.prd.yaml")


def test_bytes_that_are_not_text_are_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="byte 0 is not UTF-8; save the file as UTF-8"):
        config.load_file(path)


def test_a_setting_that_stands_there_twice_is_a_fault_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config:\n  unmoor:ttl: 10\n  unmoor:zone: dao.example\n  unmoor:ttl: 60\n")
    with pytest.raises(ConfigError, match="holds 'unmoor:ttl' twice, in lines 2 and 4; keep one"):
        config.load_file(path)


def test_keys_without_a_prefix_are_refused_all_at_once() -> None:
    """The engine reads `zone` as `dao:zone` in the project dao: neither ours nor in the plan's hash."""
    with pytest.raises(ConfigError) as caught:
        config.parse("config: {zone: dao.example, 'aws:region': x, own: 1, 'unmoor:ttl': 30}", "Pulumi.x.yaml")
    assert str(caught.value).splitlines() == [
        "Pulumi.x.yaml: settings lack the prefix of their owner:",
        "  - config.zone: has no prefix; write unmoor:zone, else the name of its project",
        "  - config.own: has no prefix; write unmoor: before it if it is ours, else the name of its project",
    ]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"ttl": True}, "ttl: must be a whole number, not 'true'"),
        (
            {"signers": {"keys": {"a": f"0x{'a' * 40}"}, "quorum": True}},
            "signers.quorum: must be a whole number, not 'true'",
        ),
        (
            {"dns": {"servers": {"placement": ["akash", "akash"], "budget_usd_month": True}}},
            "dns.servers.budget_usd_month: must be a number, not 'true'",
        ),
    ],
)
def test_true_is_no_number(change, shown) -> None:
    assert faults_of(copy.deepcopy(SETTINGS) | change) == [shown]
