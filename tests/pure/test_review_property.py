"""Any setting that reaches what is built changes both the hash and the review; comments and order change neither."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.config import models as config
from components.errors import UnmoorError
from components.plan.canonical import canonical, plan_hash
from components.plan.stack import topology
from components.project import builtin
from components.review.comment import markdown
from components.review.review import review
from tests.application import APPLICATION

if TYPE_CHECKING:
    from components.topology import Topology

REGISTRY = builtin().with_(kinds=[APPLICATION])
QUIET = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = ("docs", "blog", "wiki", "app")
VERSIONS = (None, "a" * 64, "b" * 64)
IMAGES = tuple(f"registry.example/app@sha256:{letter * 64}" for letter in "cd")
WALLETS = tuple(f"0x{letter * 40}" for letter in "123456")
STORES = {
    "aws": {"vendor": "aws", "bucket": "dao-aws", "public_url": "https://s3.example/dao", "region": "us-east-1"},
    "storj": {
        "vendor": "storj",
        "bucket": "dao-storj",
        "public_url": "https://gateway.example/dao",
        "endpoint": "https://gateway.example",
        "access_key": "STORJ_ACCESS_KEY",
        "secret_key": "STORJ_SECRET_KEY",
    },
    "cold": {"vendor": "hetzner", "bucket": "dao-cold", "public_url": "https://cold.example/dao"},
}


@st.composite
def stacks(draw) -> dict[str, Any]:
    """Return a stack that can be planned, of one to three workloads of two kinds."""
    used = draw(st.lists(st.sampled_from(sorted(STORES)), min_size=2, max_size=3, unique=True))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    made: dict[str, Any] = {
        "zone": "dao.example",
        "ttl": draw(st.integers(5, 60)),
        "dns": {"zone_id": draw(st.sampled_from(["Z0AAAA", "Z0BBBB"]))},
        "acme": {
            "issuer": draw(st.sampled_from(["letsencrypt.org", "pki.goog"])),
            "directory": "https://acme.example/d",
        },
        "stores": {name: copy.deepcopy(STORES[name]) for name in used},
        "workloads": {name: draw(workloads(name, used)) for name in names},
    }
    if draw(st.booleans()):
        keys = draw(st.lists(st.sampled_from(WALLETS), min_size=1, max_size=4, unique=True))
        made["signers"] = {
            "keys": {f"s{n}": key for n, key in enumerate(keys)},
            "quorum": draw(st.integers(1, len(keys))),
        }
        made["require_approval"] = draw(st.booleans())
    return made


@st.composite
def workloads(draw, name: str, stores: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": draw(st.sampled_from(["static", "application"])),
        "mode": draw(st.sampled_from(["centralized", "active-standby", "decentralized"])),
        "active": draw(st.sampled_from(["centralized", "decentralized"])),
        "host": f"{name}.dao.example",
        "placement": {"centralized": "aws", "decentralized": draw(st.sampled_from([["akash"], ["akash", "akash"]]))},
        "backup": {
            "stores": draw(st.lists(st.sampled_from(stores), min_size=1, unique=True)),
            "retain": draw(st.integers(1, 1000)),
        },
    }
    if made["kind"] == "application":
        made["options"] = {"image": draw(st.sampled_from(IMAGES))}
    else:
        version = draw(st.sampled_from(VERSIONS))
        made["options"] = {
            "site": draw(st.sampled_from(["site", "public"])),
            "budget_usd_month": draw(st.integers(1, 1000)),
            "ingress": draw(st.sampled_from(["dedicated", "shared"])),
        } | ({"version": version} if version else {})
    return made


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every setting; a list counts as one."""
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in leaves(each, (*path, key))]
    return [path]


def other(path: tuple[Any, ...], value: Any, made: dict[str, Any], draw: Any) -> Any:
    """Return another value that is valid where the setting stands."""
    choices: dict[str, list[Any]] = {
        "zone_id": ["Z0CCCC"],
        "issuer": ["evil.example"],
        "directory": ["https://acme.evil.example/d"],
        "vendor": ["evil"],
        "bucket": ["other-bucket"],
        "public_url": ["https://evil.example/x"],
        "endpoint": ["https://evil.example"],
        "region": ["eu-west-1"],
        "access_key": ["OTHER_ACCESS_KEY"],
        "secret_key": ["OTHER_SECRET_KEY"],
        "mode": ["centralized", "active-standby", "decentralized"],
        "active": ["centralized", "decentralized"],
        "host": ["other.dao.example"],
        "decentralized": [["akash"], ["akash", "akash"]],
        "stores": [[name] for name in made["stores"]] + [list(made["stores"])],
        "version": ["e" * 64],
        "image": [f"registry.example/app@sha256:{'f' * 64}"],
        "site": ["elsewhere"],
        "ingress": ["dedicated", "shared"],
        "require_approval": [not value],
        "quorum": list(range(1, 1 + len(made.get("signers", {}).get("keys", {})))),
    }
    key = path[-1]
    if "keys" in path[:-1]:
        found: list[Any] = ["0x" + "e" * 40]
    elif key in choices:
        found = [each for each in choices[key] if each != value]
    elif isinstance(value, int):
        found = [value - 1 if value > 5 else value + 1]
    else:
        found = []
    return draw(st.sampled_from(found)) if found else None


def planned(made: dict[str, Any], **others: str) -> Topology:
    return topology(made, REGISTRY, None, others=others)


def put(made: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    new = copy.deepcopy(made)
    here = new
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return new


def built(plan: Topology) -> Any:
    """Return everything that reaches a resource: every action's inputs, and every site that stands."""
    actions = [canonical(action, signed_only=True) for action in plan.actions]
    sites = [
        canonical([site, one.release, one.stores])
        for one in plan.workloads
        for site in sorted(one.sites, key=lambda s: s.name)
    ]
    return actions, sites, canonical(plan.settings)


COUNTS = {"edits": 0, "built": 0}


@QUIET
@given(stacks(), st.data())
def test_an_edit_that_reaches_a_resource_changes_the_hash_and_the_review(made, data) -> None:
    try:
        before = planned(made)
    except UnmoorError:
        return
    path = data.draw(st.sampled_from(leaves(made)))
    here: Any = made
    for part in path:
        here = here[part]
    value = other(path, here, made, data.draw)
    if value is None:
        return
    try:
        after = planned(put(made, path, value))
    except UnmoorError:
        return
    COUNTS["edits"] += 1
    found = review("prod", "main", (before, after), REGISTRY)
    assert found.changed == (plan_hash(before) != plan_hash(after)) == bool(found.changes)
    if built(before) != built(after):
        COUNTS["built"] += 1
        assert found.changed, f"{path}: {here!r} → {value!r} reaches a resource, and the hash is the same"
    text = markdown([found])
    assert ("No change" in text) == (not found.changed and not found.refused)
    for change in found.changes:
        assert change.meaning
        assert change.where


def test_the_edits_above_were_many() -> None:
    """Run last in this file: the property is worth what it visited."""
    assert COUNTS["edits"] >= 500, COUNTS
    assert COUNTS["built"] >= 300, COUNTS


@pytest.mark.parametrize(("key", "value"), [("aws:region", "eu-west-1"), ("aws:profile", "other"), ("akash:x", "1")])
def test_a_setting_of_a_plug_in_changes_both(key, value) -> None:
    from tests.settings import settings as stack

    before, after = (
        planned(stack(), **{"aws:region": "us-east-1"}),
        planned(stack(), **{"aws:region": "us-east-1", key: value}),
    )
    found = review("prod", "main", (before, after), REGISTRY)
    assert found.changed
    assert [one.where for one in found.changes] == [f"settings[{key}]"]


@settings(QUIET, max_examples=200)
@given(stacks(), st.randoms(use_true_random=False))
def test_comments_and_order_change_neither(made, chance: random.Random) -> None:
    try:
        before = planned(made)
    except UnmoorError:
        return
    text = yaml.safe_dump(
        {"config": {f"unmoor:{key}": value for key, value in shuffled(made, chance).items()}}, sort_keys=False
    )
    lines = [
        line + (f"  # {chance.random()}" if chance.random() < 0.3 and line.endswith(":") else "")
        for line in text.splitlines()
    ]
    after = planned(config.parse("# a comment\n" + "\n".join(lines) + "\n", "it"))
    found = review("prod", "main", (before, after), REGISTRY)
    assert not found.changed
    assert not found.changes


def shuffled(value: Any, chance: random.Random) -> Any:
    if not isinstance(value, dict):
        return value
    keys = list(value)
    chance.shuffle(keys)
    return {key: shuffled(value[key], chance) for key in keys}
