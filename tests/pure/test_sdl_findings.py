"""SDL as the chain, Console and the Go tools read it: what each refuses, in whose name, and without a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from components.commands.sdl import cli
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import groups, manifest, text
from components.targets.akash.sdl.fix import fixed
from components.targets.akash.sdl.rules import advice

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sdl"
GOOD = (FIXTURES / "uakt.good.yaml").read_text()
GPU = (FIXTURES / "gpu-amount.good.yaml").read_text()


def run(*words: object, **options: Any) -> Any:
    return CliRunner().invoke(cli, [str(word) for word in words], **options)


def said(document: str) -> str:
    """Return everything that the check prints of a document."""
    return str(run("check", "-", input=document.encode()).output)


def rules(document: str) -> set[str]:
    report = sdl.examine(document)[1]
    return {problem.rule for problem in report.errors + report.warnings}


def test_params_without_volumes_are_null_as_in_go_and_console() -> None:
    for params in ("{}", "{permissions: {read: [logs]}}", "{storage: {}}", "{tee: cpu}"):
        data = sdl.load(GOOD.replace("    expose:", f"    params: {params}\n    expose:", 1)).data
        (group,) = manifest.manifest(data)
        assert group["services"][0]["params"]["storage"] is None


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ('[{model: "*", ram: 24Gi}]', "leave ram and interface out next to *"),
        ('[{model: "*", interface: sxm}]', "leave ram and interface out next to *"),
        ("[{model: rtx 4090}]", "write it as rtx4090"),
        ("[{model: rtx4090+}]", "write it as rtx4090"),
        ("[{model: a100}, {model: a100}]", "stands there already"),
        ("[{model: a100, ram: 80Gi}, {model: h100}, {model: a100, ram: 80Gi}]", "stands there already"),
    ],
)
def test_a_gpu_that_the_chain_refuses_is_refused(models: str, message: str) -> None:
    document = GPU.replace("nvidia:\n                - model: a100\n", f"nvidia: {models}\n")
    errors = sdl.examine(document)[1].errors
    assert [error.rule for error in errors] == ["gpu-model"]
    assert message in errors[0].message


def test_the_same_gpu_with_other_memory_is_another() -> None:
    document = GPU.replace("- model: a100", "- {model: a100, ram: 40Gi}\n                - {model: a100, ram: 80Gi}")
    assert "gpu-model" not in rules(document)


TWO_PLACES = (
    GOOD.replace("  placement:\n", "  placement:\n    other:\n      pricing: {small: {denom: DENOM, amount: 7}}\n")
    .replace("deployment:\n  web:\n", "deployment:\n  web:\n    other: {profile: small, count: 1}\n")
)  # fmt: skip


def test_two_denominations_in_two_placements_are_refused() -> None:
    assert "denom-mixed" in rules(TWO_PLACES.replace("DENOM", "uakt"))
    assert "denom-mixed" not in rules(TWO_PLACES.replace("DENOM", "uact"))


def test_one_leased_address_in_two_placements_is_refused() -> None:
    leased = TWO_PLACES.replace("DENOM", "uact").replace("- global: true", "- {global: true, ip: main}")
    leased += "endpoints: {main: {kind: ip}}\n"
    (error,) = sdl.examine(leased)[1].errors
    assert (error.rule, error.message) == (
        "endpoint-placements",
        "main would belong to 2 placements; deploy web to one of them",
    )
    alone = GOOD.replace("- global: true", "- {global: true, ip: main}") + "endpoints: {main: {kind: ip}}\n"
    assert sdl.examine(alone)[1].accepted


@pytest.mark.parametrize(
    ("written", "amount", "spelled"),
    [("1gi", 1024**3, "1Gi"), ("15Gb", 15 * 10**9, "15G"), ("6GB", 6 * 10**9, "6G"), ("512mi", 512 * 1024**2, "512Mi"),
     ("1.5gi", 3 * 1024**3 // 2, "1.5Gi"), ("900000kb", 900_000_000, "900000k")],
)  # fmt: skip
def test_a_size_that_only_console_reads_is_reported_and_repaired(written: str, amount: int, spelled: str) -> None:
    document = GOOD.replace("size: 512Mi", f"size: {written}", 1)
    loaded = sdl.load(document)
    (group,) = manifest.manifest(loaded.data)
    assert group["services"][0]["resources"]["memory"] == {"size": {"val": str(amount)}}
    message = next(p.message for p in sdl.check(loaded).warnings if p.rule == "size-spelling")
    assert message == f"{written} is {amount:,} bytes to Console, and the Go tools refuse it; write {spelled}"
    mended = fixed(document)
    assert mended == GOOD.replace("size: 512Mi", f"size: {spelled}", 1)
    assert manifest.manifest(sdl.load(mended).data) == manifest.manifest(loaded.data)


def test_a_size_with_two_meanings_is_not_repaired() -> None:
    document = GOOD.replace("size: 512Mi", "size: 900Mib", 1)
    assert "write 900M, or 900Mi if that was meant" in said(document)
    assert fixed(document) == document


SECRETS = {
    "a short password": "    credentials: {host: ghcr.io, username: u, password: hunt}",
    "a password that is a number": "    credentials: {host: ghcr.io, username: u, password: 313379}",
    "a password in a list": "    credentials: {host: ghcr.io, username: u, password: [hunt]}",
    "credentials in a word": "    credentials: hunt313379",
    "a number among variables": "    env: [313379]",
    "variables in a word": "    env: PASSWORD=hunt313379",
    "a truth among arguments": "    args: [313379, hunt: 1]",
    "a misspelt field": "    credentials: {host: ghcr.io, username: u, passwrd: hunt313379}",
    "a key of the cloud": "    env: [AWS_SECRET_ACCESS_KEY=hunt313379]",
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_message_repeats_what_may_be_a_secret(name: str) -> None:
    document = GOOD.replace("    expose:", f"{SECRETS[name]}\n    expose:", 1)
    for words in (("check", "-"), ("check", "--json", "-"), ("hash", "-"), ("fix", "-")):
        done = run(*words, input=document.encode())
        told = done.stderr if words[0] == "fix" else done.output
        assert "hunt" not in told.replace("hunt: 1", ""), words
        assert "313379" not in told, words


def test_a_field_of_another_tool_is_answered_with_what_works() -> None:
    document = GOOD.replace("    expose:", "    depends_on: [db]\n    expose:", 1)
    (error,) = sdl.examine(document)[1].errors
    assert error.message == "no such field; write `dependencies: [{service: NAME}]`"
    followed = GOOD.replace("    expose:", "    dependencies: [{service: web}]\n    expose:", 1)
    assert sdl.examine(followed)[1].accepted
    halfway = GOOD.replace("    expose:", "    dependencies: [db]\n    expose:", 1)
    (error,) = sdl.examine(halfway)[1].errors
    assert error.message == "should be a mapping with service, is 'db'; write {service: db}"


def test_a_problem_of_the_whole_document_has_no_empty_path() -> None:
    assert str(sdl.examine(b"\xff")[1].errors[0]).startswith("line 1: this is not text")
    assert str(sdl.examine(b"")[1].errors[0]).startswith("the file is empty")


def test_no_message_speaks_of_one_tool_without_its_name() -> None:
    from components.targets.akash.sdl import rules as package

    sources = [path.read_text() for path in Path(package.__file__).parent.glob("*.py")]
    assert [source for source in sources if "one tool" in source or "one official tool" in source] == []


def test_two_services_of_one_profile_in_version_2_0_are_distinguished() -> None:
    document = GOOD.replace('version: "2.1"', 'version: "2.0"')
    assert "tools-disagree" not in rules(document)
    twice = document.replace("services:\n", "services:\n  api:\n    image: a@sha256:" + "a" * 64 + "\n", 1)
    twice = twice.replace("deployment:\n", "deployment:\n  api: {anywhere: {profile: small, count: 1}}\n", 1)
    assert "one order to Console, two to the Go tools; write version 2.1" in said(twice)
    assert "tools-disagree" not in rules(twice.replace('"2.0"', '"2.1"'))
    email = document.replace(
        "    expose:", "    credentials: {host: a.b, username: u, password: secret1, email: a@b.c}\n    expose:", 1
    )
    assert "the Go tools drop it from version 2.0" in said(email)
    assert "drop it" not in said(email.replace('"2.0"', '"2.1"'))


PORTS = """
      - {port: 9000, to: [{global: true, ip: main}]}
      - {port: 3000, to: [{global: true}]}
"""


def test_the_go_form_of_groups_is_gos() -> None:
    document = GOOD.replace("    expose:\n", f"    expose:{PORTS}", 1) + "endpoints: {main: {kind: ip}}\n"
    data = sdl.load(document).data
    (unit,) = groups.go_groups(data)[0]["resources"]
    random_, leased = {"kind": 1, "sequence_number": 0}, {"kind": 2, "sequence_number": 1}
    assert unit["resource"]["endpoints"] == [random_, {"sequence_number": 0}, random_, leased]
    done = run("groups", "--json", "--form", "go", "-", input=document.encode())
    assert json.loads(done.output) == groups.go_groups(data)
    assert "quantity" not in done.output
    sorted_ = groups.groups(data, "go")[0]["resources"][0]["resource"]["endpoints"]
    assert sorted_ == [{"sequence_number": 0}, random_, random_, leased]


def test_the_go_form_of_version_2_0_has_a_unit_for_each_service() -> None:
    document = GOOD.replace("services:\n", "services:\n  api:\n    image: a\n", 1)
    document = document.replace("deployment:\n", "deployment:\n  api: {anywhere: {profile: small, count: 2}}\n", 1)
    for version, units in (("2.0", [(1, 2), (2, 1)]), ("2.1", [(1, 3)])):
        data = sdl.load(document.replace('"2.1"', f'"{version}"')).data
        (group,) = groups.go_groups(data)
        assert [(unit["resource"]["id"], unit["count"]) for unit in group["resources"]] == units


def test_what_every_document_earns_stands_behind_what_matters_in_one_line() -> None:
    document = GOOD.replace("reclamation:\n  min_window: 24h\n", "").replace("amount: 6\n", "amount: 70000\n")
    document = document.replace("@sha256:", "#")
    lines = said(document).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["warning:", "advice:"]
    assert "ceiling-over-budget" in lines[1]
    assert lines[2] == "  advice: name images by their digests (line 5) [unpinned-image]"


COMMENTED = """---
# Kept as it is.

version:   '2.0'   # two

services:
    web:
        image:   nginx


        expose:
        -   port: 80
            to:
            -   global:   true
profiles:
    compute:
        small:
            resources: {cpu: {units: 1.0}, memory: {size: 512mi}, storage: {size: 1Gi}}
    placement:
        here:
            pricing:
                small:
                    denom:    uakt   # the old one
                    amount: 1000
deployment: {web: {here: {profile: small, count: 1}}}
"""


def test_fix_changes_what_it_mends_and_nothing_else() -> None:
    mended = fixed(COMMENTED)
    assert mended is not None
    before, after = COMMENTED.splitlines(), mended.splitlines()
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    assert "512Mi" in changed[0][1]
    assert "denom" in changed[1][1]
    assert changed[1][1].startswith(" " * 20 + "denom:")
    assert "uact" in changed[1][1]
    assert "# the old one" in changed[1][1]


def test_fix_leaves_alone_what_it_cannot_mend_and_what_needs_nothing(tmp_path: Path) -> None:
    fine = COMMENTED.replace("512mi", "512Mi").replace("uakt ", "uact ")
    refused = COMMENTED.replace("count: 1", "count: 0").replace("512mi", "512Mi").replace("uakt ", "uact ")
    for number, document in enumerate((fine, refused, fine.replace("\n", "\r\n"), fine.rstrip("\n"))):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(document.encode())
        stamp = path.stat().st_mtime_ns
        run("fix", path)
        assert path.read_bytes() == document.encode()
        assert path.stat().st_mtime_ns == stamp


def test_fix_keeps_line_ends_and_adds_lines_at_the_right_depth() -> None:
    document = COMMENTED.replace("            to:\n            -   global:   true\n", "").replace(
        "        expose:\n", "        expose:\n        -   {port: 79, to: [{global: true}]}\n"
    )
    for end in ("\n", "\r\n"):
        mended = fixed(document.replace("\n", end))
        assert mended is not None
        assert mended.count("\n") == mended.count(end)
        exposes = text.read(mended)["services"]["web"]["expose"]
        assert {"port": 80, "to": [{"global": False}]} in exposes
        assert mended.startswith(f"---{end}# Kept as it is.{end}{end}version:   '2.0'   # two{end}")


def test_a_device_without_end_is_refused(tmp_path: Path) -> None:
    done = run("check", "/dev/zero")
    assert (done.exit_code, "larger than 262,144 bytes" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("secret", "harmless"),
    [
        ("-----BEGIN EC PRIVATE KEY", "-----BEGIN PUBLIC KEY"),
        ("AKIAABCDEFGHIJKLMNOP", "xAKIAABCDEFGHIJKLMNOP"),
        *((f"gh{kind}_" + "a" * 30, f"gh{kind}_" + "a" * 29) for kind in "pousr"),
        ("xoxb-0123456789", "xoxq-0123456789"),
        ("https://user:hunter2@host", "https://user:$PASSWORD@host"),
        ("sk_live_0123456789abcdef", "task_live_0123456789abcdef"),
        ("glpat-0123456789abcdefghij", "glpat-short"),
    ],
)
def test_every_form_of_a_secret_is_found_wherever_it_stands_and_nothing_else(secret: str, harmless: str) -> None:
    around = "⚠ right https://a.example/b AKIA gh xox "
    assert advice.looks_secret(f"{around}{secret} {around}")
    assert not advice.looks_secret(f"{around}{harmless} {around}")
