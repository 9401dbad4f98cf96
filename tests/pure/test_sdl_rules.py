"""Every rule has a name, a sentence, a twin that breaks it and one that keeps it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.errors import SdlError
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl.rules import RULES
from components.targets.akash.sdl.rules.page import page
from components.targets.akash.sdl.rules.rule import Level

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "sdl"
EACH = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)


def report(rule, kind):
    return sdl.examine((FIXTURES / f"{rule.name}.{kind}.yaml").read_bytes())[1]


@EACH
def test_the_bad_twin_breaks_its_rule_alone(rule):
    found = report(rule, "bad")
    assert {rule.name} == {problem.rule for problem in found.errors + found.warnings}
    assert (rule.level is Level.ERROR) == (not found.accepted)


@EACH
def test_the_good_twin_is_clean(rule):
    assert sdl.Report() == report(rule, "good")


@EACH
def test_a_problem_has_its_path_and_line(rule):
    for problem in report(rule, "bad").errors:
        assert problem.line is not None
        assert problem.path or rule.name == "unreadable"
        assert problem.message
        assert "\n" not in problem.message


#: What cannot be read has no switch, and a wrong switch is never hidden.
ALWAYS_ON = {"unreadable", "allow-comment"}


@pytest.mark.parametrize("rule", [r for r in RULES.values() if r.name not in ALWAYS_ON], ids=lambda rule: rule.name)
def test_a_rule_can_be_switched_off_with_a_reason(rule):
    text = (FIXTURES / f"{rule.name}.bad.yaml").read_text()
    # What a broken rule hides from the priced rules, its switch may uncover; only the rule itself must be silent.
    found = sdl.examine(f"# unmoor: allow {rule.name} because a test says so\n{text}")[1]
    assert rule.name not in {problem.rule for problem in found.errors + found.warnings}
    assert found.accepted


def test_a_switch_without_a_reason_leaves_the_rule_on():
    text = (FIXTURES / "uakt.bad.yaml").read_text()
    found = sdl.examine(f"# unmoor: allow uakt\n{text}")[1]
    assert ["allow-comment", "uakt"] == [problem.rule for problem in found.warnings]


@EACH
def test_a_rule_is_written_for_people(rule):
    assert re.fullmatch("[a-z]+(-[a-z]+)*", rule.name)
    for sentence in (rule.claim, rule.do):
        assert sentence.endswith(".")


def test_no_fixture_is_without_a_rule():
    assert {path.name.split(".")[0] for path in FIXTURES.iterdir()} == set(RULES)


def test_the_page_of_the_manual_is_current():
    """`unmoor sdl rules --markdown > docs/sdl-rules.md` writes it."""
    assert page(RULES) == (ROOT / "docs" / "sdl-rules.md").read_text()


def test_all_faults_of_a_document_come_at_once():
    text = """
version: 2.0
services:
  Web_1:
    image: nginx
    env: [a b=1]
    expose:
      - port: 0
        to: [{global: yes}]
      - port: 81
        accept: ["https://x"]
        to: [{global: true, ip: ghost}]
profiles:
  compute:
    small:
      resources: {cpu: {units: 1000}, memory: {size: lots}, storage: []}
  placement:
    here: {pricing: {small: {denom: usd, amount: 0}}}
deployment:
  Web_1: {here: {profile: small, count: 0}, there: {profile: large, count: 1}}
"""
    document, found = sdl.examine(text)
    assert document is not None
    assert {
        ("version", "wrong-type"),
        ("services.Web_1", "service-name"),
        ("services.Web_1.env[0]", "env-name"),
        ("services.Web_1.expose[0].port", "not-allowed"),
        ("services.Web_1.expose[0].to[0].global", "wrong-type"),
        ("services.Web_1.expose[1].accept[0]", "host-name"),
        ("services.Web_1.expose[1].to[0].ip", "endpoint-unknown"),
        ("profiles.compute.small.resources.cpu.units", "cpu-limit"),
        ("profiles.compute.small.resources.memory.size", "size-amount"),
        ("profiles.placement.here.pricing.small.denom", "not-allowed"),
        ("profiles.placement.here.pricing.small.amount", "price-zero"),
        ("services.Web_1.expose[1].accept[0]", "host-twice"),
        ("deployment.Web_1.here.count", "not-allowed"),
        ("deployment.Web_1.there", "no-placement"),
        ("deployment.Web_1.there.profile", "no-compute"),
    } == {(problem.path, problem.rule) for problem in found.errors}


def test_loading_a_bad_document_raises_every_fault():
    text = (FIXTURES / "cpu-limit.bad.yaml").read_text().replace("port: 8080", "port: 0")
    with pytest.raises(SdlError) as refused:
        sdl.load(text, "sdl/x.yaml")
    assert [
        "sdl/x.yaml is not valid:",
        "  - services.web.expose[0].port: line 7: 0 is not allowed; choose a number from 1 to 65535",
        "  - profiles.compute.small.resources.cpu.units: line 16: 9m is outside 10m to 384 cores a replica",
    ] == str(refused.value).splitlines()
    with pytest.raises(SdlError, match="the SDL document is not valid:\n  - the file is empty"):
        sdl.load("")


@pytest.mark.parametrize("data", [[], None, {}, {"services": []}, {"services": {"a": [1]}, "deployment": {"a": [{}]}}])
def test_data_of_any_shape_gets_a_verdict(data):
    assert not sdl.check(sdl.Document(data)).accepted


def test_many_placements_are_unwise():
    document = sdl.load((FIXTURES / "uakt.good.yaml").read_text())
    data = sdl.plain_copy(document.data)
    for number in range(21):
        data["profiles"]["placement"][f"p{number}"] = data["profiles"]["placement"]["anywhere"]
        data["deployment"]["web"][f"p{number}"] = {"profile": "small", "count": 1}
    assert "many-replicas" in {problem.rule for problem in sdl.check(sdl.Document(data)).warnings}


def test_a_misshapen_value_is_not_also_reported_as_missing():
    text = (FIXTURES / "class-not-persistent.good.yaml").read_text().replace("mount: /data", "mount: data")
    assert ["not-allowed"] == [problem.rule for problem in sdl.examine(text)[1].errors]


def test_secrets_are_named_and_never_shown():
    text = (
        (FIXTURES / "uakt.good.yaml")
        .read_text()
        .replace(
            "    expose:",
            "    command: [curl, 'https://me:hunter22@example.org']\n    env: [API_KEY=hunter22]\n    expose:",
            1,
        )
    )
    found = sdl.examine(text)[1]
    assert ["secret-in-text", "secret-in-text"] == [problem.rule for problem in found.warnings]
    assert "hunter22" not in repr(found)


def test_a_budget_is_kept():
    document = sdl.load((FIXTURES / "uakt.good.yaml").read_text())
    assert sdl.check(document, 2.6).warnings == ()
    assert ["ceiling-over-budget"] == [problem.rule for problem in sdl.check(document, 2.5).warnings]


DISAGREEMENTS = {
    "command: []": ("    expose:", "    command: []\n    expose:"),
    "accept: []": ("        as: 80", "        as: 80\n        accept: []"),
    "next_tries: 0": ("        as: 80", "        as: 80\n        http_options: {next_tries: 0}"),
    "line separator": ("    expose:", '    args: ["a\\u2028b"]\n    expose:'),
    "cpu 1.001": ("units: 500m", "units: 1.001"),
    "a size that is no whole number of bytes": ("size: 512Mi", "size: 536870.9121k"),
    "a named volume alone": ("        storage:\n          - size: 1Gi", "        storage: {name: disk, size: 1Gi}"),
    "spaces": ("    expose:", "    credentials: {host: ' a', username: b, password: '123456'}\n    expose:"),
    "ports out of order": ("    expose:", "    expose:\n      - {port: 9000, to: [{global: true}]}"),
    "models out of order": (
        "        storage:",
        "        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: b}, {model: a}]}}}\n        storage:",
    ),
    "any model": ("        storage:", "        gpu: {units: 1, attributes: {vendor: {nvidia: []}}}\n        storage:"),
    "memory of a model": (
        "        storage:",
        "        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: a, ram: 80000Mi}]}}}\n        storage:",
    ),
    "inner ports beside an address": (
        "          - global: true",
        "          - global: true\n            ip: main\n      - {port: 9000, to: [{service: web}]}",
    ),
}


@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_what_the_official_tools_read_differently_is_reported(name):
    text = (FIXTURES / "uakt.good.yaml").read_text()
    before, after = DISAGREEMENTS[name]
    text = text.replace(before, after, 1)
    if "ip: main" in text:
        text += "endpoints: {main: {kind: ip}}\n"
    document, found = sdl.examine(text)
    assert document is not None
    assert found.errors == ()
    assert "tools-disagree" in {problem.rule for problem in found.warnings}
