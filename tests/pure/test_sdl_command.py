"""The command line: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.commands.sdl import cli
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest, text
from components.targets.akash.sdl.fix import fixed

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "sdl"
DOCS = ROOT / "sdl" / "docs.yaml"
GOOD, BAD, UNWISE = (str(FIXTURES / name) for name in ("uakt.good.yaml", "cpu-limit.bad.yaml", "uakt.bad.yaml"))
VERSION = manifest.version(manifest.manifest(sdl.load(DOCS.read_bytes()).data)).hex()


def run(*args, **options):
    return CliRunner().invoke(cli, [str(arg) for arg in args], **options)


def test_our_own_documents_are_clean_without_exceptions():
    ours = list((ROOT / "sdl").glob("*.yaml"))
    assert ours
    done = run("check", "--json", *ours)
    assert 0 == done.exit_code
    for line in done.output.splitlines():
        verdict = json.loads(line)
        assert (True, [], []) == (verdict["accepted"], verdict["errors"], verdict["warnings"])
    assert not any("unmoor: allow" in path.read_text() for path in ours)


def test_the_exit_status_shows_fine_refused_or_misused():
    assert [0, 0, 1, 1, 2, 2, 2] == [
        run("check", *args).exit_code for args in ([GOOD], [UNWISE], [BAD], [GOOD, BAD], ["nowhere.yaml"], [], [ROOT])
    ]


def test_many_files_end_with_a_summary():
    assert "3 files: 2 accepted, 1 refused, 1 warning(s)" == run("check", GOOD, BAD, UNWISE).output.splitlines()[-1]


def test_a_problem_is_reported_with_line_path_message_and_rule():
    assert (
        "error: line 16, profiles.compute.small.resources.cpu.units: 9m is outside 10m to 384 cores"
        in run("check", BAD).output
    )


def test_machines_get_one_object_a_file():
    verdicts = [json.loads(line) for line in run("check", "--json", GOOD, BAD, "-", input=b"").output.splitlines()]
    assert [GOOD, BAD, "-"] == [verdict["file"] for verdict in verdicts]
    assert [True, False, False] == [verdict["accepted"] for verdict in verdicts]
    (error,) = verdicts[1]["errors"]
    assert {"path", "line", "rule", "message"} == set(error)
    assert None is verdicts[2]["errors"][0]["line"]


def test_a_budget_is_checked():
    assert "over the budget of $2.00" in run("check", "--budget", "2", GOOD).output


def test_hash_manifest_and_groups_print_what_the_network_sees():
    data = sdl.load(DOCS.read_bytes()).data
    assert f"{VERSION}\n" == run("hash", DOCS).output
    assert f"{VERSION}  {DOCS}\n{VERSION}  -\n" == run("hash", DOCS, "-", input=DOCS.read_bytes()).output
    assert {"file": str(DOCS), "hash": VERSION} == json.loads(run("hash", "--json", DOCS).output)
    assert manifest.canonical(manifest.manifest(data)) + "\n" == run("manifest", "--json", DOCS).output
    assert manifest.manifest(data) == json.loads(run("manifest", DOCS).output)
    assert manifest.groups(data) == json.loads(run("groups", "--json", DOCS).output)


@pytest.mark.parametrize("command", ["manifest", "groups", "hash", "price"])
def test_a_refused_document_has_no_result(command):
    done = run(command, BAD)
    assert 1 == done.exit_code
    assert "" == done.stdout
    assert "[cpu-limit]" in done.stderr


def test_price_shows_the_parts_the_ceiling_and_the_share_of_a_budget():
    done = run("price", DOCS, "--budget", "12")
    assert "$5.51 a month by the formula; the ceiling lets $11.99 be charged" in done.output
    assert "docs.web at 27.912883 uact a block" in done.output
    told = json.loads(run("price", "--json", "--budget", "12", DOCS).output)
    assert 5.51 == pytest.approx(told["usd_month"]) == pytest.approx(sum(part["usd_month"] for part in told["parts"]))
    assert [{"placement": "docs", "profile": "web", "uact_block": "27.912883"}] == told["ceilings"]
    assert "ceilings" not in json.loads(run("price", "--json", DOCS).output)


def test_diff_shows_what_each_difference_takes(tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text(DOCS.read_text().replace("128Mi", "256Mi").replace("    expose:", "    env: [A=b]\n    expose:", 1))
    done = run("diff", DOCS, new)
    assert 0 == done.exit_code
    assert ["update   services.web.env", "replace  profiles.compute.web.resources.memory.size"] == [
        line.partition(":")[0] for line in done.output.splitlines()
    ]
    assert {"path", "kind", "why"} == set(json.loads(run("diff", "--json", DOCS, new).output.splitlines()[0]))
    assert "" == run("diff", DOCS, DOCS).output
    assert 1 == run("diff", DOCS, BAD).exit_code


MENDABLE = """\
# kept
version: 2.0  # as a number
services:
  web:
    image: nginx
    command: []
    args: [off, 3, true]
    credentials: {host: " ghcr.io", username: b, password: "123456"}
    expose:
      - port: 9000   # nobody's
      - port: 80
        accept: []
        http_options: {next_tries: 0, next_cases: [off]}
        to:
          - global: true
profiles:
  compute:
    p:
      resources:
        cpu: {units: 1.001}
        memory: {size: 2Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: b}, {model: a}]}}}
        storage:
          - size: 2Gi   # the larger
          - {name: tmp, size: 1Gi}
    q:
      resources:
        cpu: {units: 1}
        memory: {size: 2Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: []}}}
        storage: {size: 1Gi}
  placement:
    here:
      pricing:
        p: {denom: uakt, amount: 1}
deployment:
  web: {here: {profile: p, count: 1}}
"""


def test_fix_mends_what_has_one_right_answer_in_place_and_shows_it(tmp_path):
    path = tmp_path / "sdl.yaml"
    path.write_text(MENDABLE)
    done = run("fix", path)
    assert 0 == done.exit_code, done.output
    after = path.read_text()
    for line in (
        'version: "2.0" # as a number',
        'args: ["off", "3", "true"]',
        "denom: uact",
        "units: 1001m",
        "# the larger",
        "# kept",
    ):
        assert line in after
    assert "-version: 2.0  # as a number" in done.output
    rules = {problem.rule for problem in sdl.examine(after)[1].warnings}
    assert {"unpinned-image", "secret-in-text", "no-audit", "ceiling-too-low"} == rules
    assert 0 == run("fix", path).exit_code
    assert after == path.read_text()


def test_fix_changes_only_what_both_tools_read_as_the_same():
    """The order of ports and volumes, empty lists and defaults: what the Go tool makes of the document stays."""
    before = sdl.examine(MENDABLE.replace("2.0", '"2.0"').replace("[off, 3, true]", '["off", "3", "true"]'))[0]
    after = sdl.load(fixed(MENDABLE))
    asked = after.data["profiles"]["compute"]["p"]["resources"]
    assert ["1Gi", "2Gi"] == [volume["size"] for volume in asked["storage"]]
    assert ["a", "b"] == [model["model"] for model in asked["gpu"]["attributes"]["vendor"]["nvidia"]]
    assert None is after.data["profiles"]["compute"]["q"]["resources"]["gpu"]["attributes"]["vendor"]["nvidia"]
    assert [80, 9000] == [expose["port"] for expose in after.data["services"]["web"]["expose"]]
    assert [{"global": False}] == after.data["services"]["web"]["expose"][1]["to"]
    assert {"next_cases": ["off"]} == after.data["services"]["web"]["expose"][0]["http_options"]
    assert before is not None


def test_fix_reads_from_standard_input():
    done = run("fix", "-", input=DOCS.read_bytes())
    assert (0, DOCS.read_text()) == (done.exit_code, done.stdout)
    assert "+" in run("fix", "-", input=MENDABLE.encode()).stderr


def test_fix_leaves_what_it_cannot_read_or_mend(tmp_path):
    unreadable, wrong = tmp_path / "a.yaml", tmp_path / "b.yaml"
    unreadable.write_bytes(b"\xff")
    wrong.write_text("version: 2.1\nservices: []\n")
    done = run("fix", unreadable, wrong)
    assert 1 == done.exit_code
    assert b"\xff" == unreadable.read_bytes()
    assert 'version: "2.1"\nservices: []\n' == wrong.read_text()


def test_every_fixture_can_be_repaired_without_a_new_fault():
    for path in FIXTURES.glob("*.yaml"):
        after = fixed(path.read_bytes())
        if after is not None:
            mine, theirs = sdl.examine(path.read_bytes())[1], sdl.examine(after)[1]
            assert {problem.rule for problem in theirs.errors} <= {problem.rule for problem in mine.errors}
            assert text.read(after) is not None


def test_the_rules_can_be_listed():
    assert "refused" not in run("rules").output
    assert "error    unknown-field" in run("rules").output
    assert (ROOT / "docs" / "sdl-rules.md").read_text() == run("rules", "--markdown").output
