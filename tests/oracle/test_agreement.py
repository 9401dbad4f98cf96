"""Our reading of documents against the official validator, on generated documents, in one batch.

It proves agreement with release 1.0.0-alpha.25 of `@akashnetwork/chain-sdk` (May 2026), which Console is built on. It
cannot prove what the chain and the hosts do today: the rules that only they enforce are listed by name below, and the
validator is shown to take what those rules refuse.
"""

from __future__ import annotations

import copy
import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest, text, writing
from components.targets.akash.sdl.rules import RULES
from components.targets.akash.sdl.rules.rule import By

from . import documents, mutations, official

if official.missing():
    pytest.skip(official.missing(), allow_module_level=True)

COUNT = 2_000
#: Rules that the validator does not have: they are its next release's, the Go parser's, the host's or the chain's.
BEYOND = {By.NEWER, By.PARSER, By.MANIFEST, By.CHAIN}

#: Where this release and we differ although the rule is theirs too, by the name of the mutation.
DISAGREE = {
    "no_next_case": "their generated code reads a stale variable: the port before an empty list decides",
    "attribute_of_a_list": "they write it as text, the Go parser refuses it",
    "half_an_attribute": "later releases want class and persistent, or neither",
    "an_ibc_denomination": "later releases know uakt and uact only",
}
#: What later releases and the network take, and this release refuses.
NEWER = {
    "reclamation": lambda d: d.update(reclamation={"min_window": "24h"}),
    "tee": lambda d: (
        mutations.service(d).update(params={"tee": "cpu"}) if not mutations.service(d).get("params") else False
    ),
    "events": lambda d: mutations.service(d).setdefault("params", {}).update(permissions={"read": ["events"]}),
    "proxy_buffer_size": lambda d: mutations.exposed(d).update(http_options={"proxy_buffer_size": 4096}),
    "expose of nothing": lambda d: (
        d["services"].__setitem__("idle", {"image": "a", "expose": None})
        or d["deployment"].__setitem__("idle", copy.deepcopy(next(iter(d["deployment"].values()))))
        or not any("attributes" in v for v in _volumes(d))
    ),
    "gpu without units": lambda d: mutations.resources(d).update(gpu={}),
}
#: Plain words that their YAML reads otherwise than the core schema of YAML 1.2.
WORDS = {"1_000": 1000, "0b101": 5, "2026-11-22": "2026-11-22T00:00:00.000Z"}


def _volumes(data):
    storage = mutations.resources(data)["storage"]
    return storage if isinstance(storage, list) else [storage]


@pytest.fixture(scope="module")
def valid():
    made = []

    @settings(
        max_examples=COUNT, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(documents.documents())
    def collect(data):
        made.append(data)

    collect()
    unique = {json.dumps(data): data for data in made}
    return list(unique.values())


@pytest.fixture(scope="module")
def broken(valid):
    """Return every mutation on documents all over the batch."""
    made = []
    share = COUNT // len(mutations.MUTATIONS) + 1
    for index, (rule, name, mutate) in enumerate(mutations.MUTATIONS):
        start = index * 17 % len(valid)
        candidates = (mutations.mutated(data, mutate) for data in valid[start:] + valid[:start])
        found = [data for _, data in zip(range(share), (each for each in candidates if each is not None), strict=False)]
        made += [(rule, name, data) for data in found]
    return made


@pytest.fixture(scope="module")
def verdicts(valid, broken):
    """Return one process for everything."""
    texts = [writing.written(data, "") for data in [*valid, *(data for *_, data in broken)]]
    answers = official.ask([{"yaml": each} for each in texts])
    assert len(texts) == len(answers)
    pairs = list(zip(texts, answers, strict=True))
    return pairs[: len(valid)], pairs[len(valid) :]


def test_there_are_thousands_of_documents_and_every_mutation_occurs(valid, broken):
    assert len(valid) >= COUNT * 0.95
    assert {name for _, name, _ in mutations.MUTATIONS} == {name for _, name, _ in broken}


def test_every_error_has_a_mutation():
    errors = {rule.name for rule in RULES.values() if rule.level == "error"}
    untouched = {"unreadable", "tee-conflict", "group-name"}
    assert errors - untouched == {rule for rule, _, _ in mutations.MUTATIONS}


def test_what_they_take_we_take_with_the_same_manifest_and_hash(verdicts):
    for written, theirs in verdicts[0]:
        document = sdl.load(written)
        made = manifest.manifest(document.data)
        assert theirs["accepted"], theirs["errors"]
        # Releases after 1.0.0-alpha.35 write null for params without volumes, as Go does and Console with them.
        ours = manifest.canonical(made)
        assert theirs["manifest"].replace('"storage":[]', '"storage":null') == ours
        if '"storage":[]' not in theirs["manifest"]:
            assert theirs["hash"] == manifest.version(made).hex()
        assert hashlib.sha256(ours.encode()).hexdigest() == manifest.version(made).hex()


def test_sizes_in_other_spellings_are_read_as_they_read_them(valid):
    words = ("1gi", "15Gb", "6GB", "512mi", "1GI", "2g", "10000K", "90000kb", "90000Kib", "1.5gi", "900MIB", "1.25tI")
    texts = []
    for word in words:
        data = copy.deepcopy(valid[0])
        mutations.resources(data)["memory"]["size"] = word
        texts.append(writing.written(data, ""))
    for word, written, theirs in zip(words, texts, official.ask([{"yaml": each} for each in texts]), strict=True):
        document, report = sdl.examine(written)
        assert theirs["accepted"], word
        ours = manifest.canonical(manifest.manifest(document.data))
        assert ours == theirs["manifest"].replace('"storage":[]', '"storage":null'), word
        assert "size-spelling" in {problem.rule for problem in report.warnings}, word


def test_our_groups_are_theirs(verdicts):
    for written, theirs in verdicts[0]:
        ours = manifest.groups(sdl.load(written).data, "go")
        for group in ours:
            requirements = group["requirements"]
            signed = requirements.pop("signed_by")
            requirements["signedBy"] = {"allOf": signed["all_of"] or [], "anyOf": signed["any_of"] or []}
            if requirements["attributes"] is None:
                del requirements["attributes"]
        expected = json.loads(theirs["groups"])
        for unit in (unit for groups in (ours, expected) for group in groups for unit in group["resources"]):
            unit["price"]["amount"] = Decimal(unit["price"]["amount"])
        assert expected == ours


def test_what_breaks_a_rule_is_refused_by_it_and_by_them(broken, verdicts):
    for (rule, name, _), (written, theirs) in zip(broken, verdicts[1], strict=True):
        rules = {problem.rule for problem in sdl.examine(written)[1].errors}
        assert rule in rules, (name, rules)
        if name not in DISAGREE and RULES[rule].by not in BEYOND:
            assert not theirs["accepted"], (rule, name)


def test_the_rules_of_the_chain_and_the_hosts_are_beyond_the_validator(broken, verdicts):
    """The list of what it lets pass, by rule: where it refuses too, the rule's label would be wrong."""
    refused = {rule for (rule, _, _), (_, theirs) in zip(broken, verdicts[1], strict=True) if not theirs["accepted"]}
    needs_newer_fields = {"reclamation-window", "tee-without-gpu"}
    assert {rule for rule in refused if RULES[rule].by in BEYOND} == needs_newer_fields


def test_every_listed_disagreement_is_one(broken, verdicts):
    taken = {name for (_, name, _), (_, theirs) in zip(broken, verdicts[1], strict=True) if theirs["accepted"]}
    beyond = {name for rule, name, _ in mutations.MUTATIONS if RULES[rule].by in BEYOND}
    assert set(DISAGREE) == taken - beyond


def test_what_only_later_releases_take_is_known(valid):
    for change in NEWER.values():
        data = next(made for made in (mutations.mutated(each, change) for each in valid) if made)
        written = writing.written(data, "")
        assert sdl.examine(written)[1].errors == ()
        (theirs,) = official.ask([{"yaml": written}])
        assert not theirs["accepted"]


def test_their_yaml_reads_plain_words_as_ours():
    words = [
        "off", "yes", "No", "true", "False", "null", "~", "010", "0o17", "0x1F", "-3", "+3", "1.0", ".5", "1e3",
        "-1.5E-3", "12:30", "1.2.3", "=", "0o9", "é", "''", '"\\u2028"', "a b",
        "2Gi", "500m", "'off'", "[a, 1, off]", "{a: 1, b: {}}",
        "&x a", "!!str 1", *WORDS,
    ]  # fmt: skip
    answers = official.ask([{"yaml": f"a: {word}", "only": "yaml"} for word in words])
    differ = {}
    for word, theirs in zip(words, answers, strict=True):
        ours = text.read(f"a: {word}")
        if theirs != {"value": ours}:
            differ[word] = theirs["value"]["a"]
    assert differ == WORDS


def test_a_fraction_of_a_thousandth_is_their_arithmetic(valid):
    """0.035 processors are 35 thousandths, and 35.00000000000001 for them, as the rule tools-disagree has it."""
    data = copy.deepcopy(valid[0])
    mutations.resources(data)["cpu"]["units"] = 1.001
    written = writing.written(data, "")
    (theirs,) = official.ask([{"yaml": written}])
    assert '"1000.9999999999999"' in theirs["manifest"]
    assert '"1001"' in manifest.canonical(manifest.manifest(data))
    assert "tools-disagree" in {problem.rule for problem in sdl.examine(written)[1].warnings}
