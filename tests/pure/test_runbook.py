"""A runbook is written from the plan alone: real names, in every mode, and nothing that cannot be typed."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import click
import pytest

from components.__main__ import cli
from components.config import models as config
from components.errors import ConfigError
from components.exposure import Exposure, Reach
from components.kinds.static.akash import OnAkash
from components.kinds.static.aws import OnAws
from components.project import builtin
from components.runbook import repairs
from components.runbook.case import RING, Course, case
from components.runbook.checks import names_set
from components.runbook.markdown import text, write
from components.runbook.table import chapters, parts
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from pathlib import Path

    from components.runbook.case import Case
    from components.runbook.chapter import Chapter, Check

#: The chapters that apply, by where the workload stands.
EVERYWHERE = {
    "before", "fund", "deploy", "check", "roll-back", "aws-gone", "aws-back", "account-closed", "dns-gone",
    "store-gone-aws", "store-gone-storj", "refill", "interrupted", "certificate",
    "restore-drill", "rotate", "decommission",
}  # fmt: skip
RENTED = {"lease-lost", "chain-halted"}
APPLIES = {
    RING[0]: EVERYWHERE | {"active-standby"},
    RING[1]: EVERYWHERE | RENTED | {"swap", "centralized", "game-day"},
    RING[2]: EVERYWHERE | RENTED | {"swap", "decentralized", "game-day"},
    RING[3]: EVERYWHERE | RENTED | {"active-standby"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


def made(root: Path, course: Course = RING[0], stack: str = "prod", registry=None, **more) -> Case:
    wanted = settings(str(course.mode), str(course.active)) | more
    if wanted.get("require_approval"):
        wanted["signers"] = {"quorum": 1, "keys": {"alice": "0x" + "a1" * 20}}
    read, faults = config.read(wanted)
    assert read, faults
    return case(stack, read, "docs", registry or builtin(), root)


#: The zone's authorities and delegation, with the stack's own name servers.
SERVERS = {
    "authorities": ["powerdns"],
    "servers": {"placement": ["akash", "akash"], "image": "ghcr.io/dao-example/nameserver@sha256:" + "ab" * 32},
    "delegation": {"registrar": "Gandi", "name_servers": ["ns-akash.dao.example", "ns-akash-2.dao.example"]},
}


def other(root: Path) -> Case:
    """Return the same workload, with another next to it and a second lease for decentralized mode."""
    wanted = settings("decentralized", decentralized=("akash", "akash"))
    wanted["workloads"]["handbook"] = copy.deepcopy(wanted["workloads"]["docs"]) | {"host": "handbook.dao.example"}
    read, faults = config.read(wanted)
    assert read, faults
    return case("prod", read, "docs", builtin(), root)


def checks(of: Case) -> list[Check]:
    return [check for chapter in chapters(of) for step in chapter.steps for check in (step.do, step.verify)]


def commands(of: Case) -> list[str]:
    rollbacks = [step.rollback for chapter in chapters(of) for step in chapter.steps if step.rollback]
    return [check.command for check in checks(of)] + rollbacks


def typed(of: Case) -> list[list[str]]:
    """Return every simple command of every line, as words; one that stands inside `$(…)` for itself."""
    found = []
    for command in commands(of):
        inner = re.findall(r"\$\((\./.*)\)\"", command)
        outer = re.sub(r"\$\(\./.*\)\"", 'HASH"', command)
        words = shlex.shlex("\n".join([*inner, outer]), posix=True, punctuation_chars="&|\n")
        words.whitespace_split = True
        words.whitespace = " "
        line: list[str] = []
        for word in [*words, "|"]:
            if set(word) <= set("&|\n"):
                found.append(line)
                line = []
            else:
                line.append(word)
    return found


@pytest.fixture(scope="module")
def cases(root: Path) -> list[Case]:
    """Return every way of writing a runbook that there is."""
    pinned = settings()
    pinned["workloads"]["docs"]["options"] = {"version": "a" * 64}
    return [
        *(made(root, course) for course in RING),
        *(made(root, course, require_approval=True) for course in RING),
        made(root, workloads=pinned["workloads"]),
        other(root),
        made(root, RING[3], dns=SERVERS),
    ]


@pytest.mark.parametrize("course", RING, ids=str)
def test_each_mode_has_the_chapters_that_apply(root: Path, course: Course) -> None:
    assert {chapter.name for chapter in chapters(made(root, course))} == APPLIES[course]


#: Settings of a service that exclude modes, the chapters that move it, and what is in the way next to where it stands.
EXCLUDING = [
    ("active-standby", {"split": {"decentralized": 10}}, {"swap", "game-day"}, "split"),
    ("active-standby", {"balance": True}, {"swap", "game-day"}, "balance"),
    ("centralized", {"options": {"signs": True, "update": "in-place"}}, set(), "mode"),
    ("decentralized", {"options": {"signs": True, "update": "in-place"}}, set(), "mode"),
]


@pytest.mark.parametrize(("mode", "more", "moves", "path"), EXCLUDING)
def test_what_the_settings_exclude_has_no_chapter_and_a_sentence_with_what_to_choose(root, mode, more, moves, path):
    options = {"image": f"ghcr.io/dao-example/api:1.0@sha256:{'4f' * 32}", "port": 8080} | more.get("options", {})
    workload = {"kind": "service", "mode": mode, "host": "api.dao.example"} | more | {"options": options}
    read, faults = config.read(settings() | {"workloads": {"api": workload}})
    assert read, faults
    of = case("prod", read, "api", builtin(), root)
    flips = {"active-standby", "swap", "centralized", "decentralized", "game-day"}
    assert {chapter.name for chapter in chapters(of)} & flips == moves
    (sentence,) = [line for line in write(of).splitlines() if line.startswith("No steps lead to ")]
    assert f": workloads.api.{path}: " in sentence
    assert "; " in sentence


def test_a_lost_name_server_has_a_chapter_where_the_stack_has_its_own(root: Path) -> None:
    own = made(root, RING[3], dns=SERVERS)
    (lost,) = [chapter for chapter in chapters(own) if chapter.name == "name-server-lost"]
    assert [step.name for step in lost.steps] == ["confirm", "rent", "glue"]
    assert "at Gandi" in lost.steps[-1].why
    assert "name-server-lost" not in {chapter.name for chapter in chapters(made(root, RING[3]))}


def test_a_closed_account_takes_names_along_only_where_the_zone_stands_there(root: Path) -> None:
    for servers, answered in ((SERVERS, True), ({}, False)):
        of = made(root, RING[3], dns=servers)
        (confirm, *stores) = next(each for each in chapters(of) if each.name == "account-closed").steps
        assert (confirm.do.fails, confirm.verify.fails) == (not answered, not answered)
        assert ("every name fails" in confirm.why) is not answered
        assert [step.name for step in stores] == ["store-storj"]


def test_a_chapter_has_one_name_in_every_mode_and_no_other_has_it(cases) -> None:
    for of in cases:
        names = [chapter.name for chapter in chapters(of)]
        assert sorted(names) == sorted(set(names))


def test_signatures_are_asked_for_where_the_stack_asks_for_them(root: Path) -> None:
    free, signed = (made(root, RING[1], require_approval=each) for each in (False, True))
    with_sign = {chapter.name for chapter in chapters(signed) if any(step.name == "sign" for step in chapter.steps)}
    assert with_sign == {"approve", "deploy", "swap", "centralized", "game-day", "roll-back"}
    assert not [step for chapter in chapters(free) for step in chapter.steps if step.name == "sign"]


def test_the_signature_of_a_flip_is_for_the_plan_after_it(root: Path) -> None:
    now, after = (made(root, course, require_approval=True) for course in RING[:2])
    (flip,) = (chapter for chapter in chapters(now) if chapter.name == "active-standby")
    (sign,) = (step for step in flip.steps if step.name == "sign")
    assert (f"./unmoor approve {after.hash} " in sign.do.command, after.hash == now.hash) == (True, False)


def test_a_kept_version_in_the_stack_file_is_rolled_forward_from(root: Path) -> None:
    pinned = settings()
    pinned["workloads"]["docs"]["options"] = {"version": "a" * 64}
    names = {chapter.name for chapter in chapters(made(root, workloads=pinned["workloads"]))}
    assert ("roll-forward" in names, "roll-back" in names) == (True, False)


def test_a_certificate_is_looked_after_where_there_is_tls(root: Path) -> None:
    class Plain(OnAws):
        def exposure(self, options, acme):
            return Exposure(Reach.ALIAS)

    class PlainLease(OnAkash):
        def exposure(self, options, acme):
            return Exposure(Reach.ADDRESS)

    plain = builtin().with_(on={("static", "aws"): Plain(), ("static", "akash"): PlainLease()})
    seen = [[chapter.name for chapter in repairs.certificate(made(root, registry=known))] for known in (plain, None)]
    assert seen == [[], ["certificate"]]


@pytest.mark.parametrize(
    ("course", "asked"),
    [
        (RING[0], {"aws-gone": ["https"], "active-standby": ["https"]}),
        (RING[1], {"aws-gone": ["http"], "lease-lost": ["https", "https"], "swap": ["http"], "centralized": ["https"]}),
        (
            RING[2],
            {"aws-gone": ["http"], "lease-lost": ["https", "http"], "swap": ["https"], "decentralized": ["http"]},
        ),
        (RING[3], {"aws-gone": ["http"], "lease-lost": ["http", "http"], "active-standby": ["http"]}),
    ],
    ids=str,
)
def test_the_host_is_asked_in_the_scheme_of_the_site_that_should_answer(root: Path, course, asked) -> None:
    """Behind the shared ingress it is plain HTTP, which the AWS half only sends on to HTTPS."""
    of = behind_ingress(root, course)
    found = {
        chapter.name: re.findall(r"(https?)://docs\.dao\.example/", " ".join(typed_in(chapter)))
        for chapter in chapters(of)
        if chapter.name in asked
    }
    assert found == asked


@pytest.mark.parametrize("course", RING, ids=str)
def test_a_site_without_a_certificate_is_asked_for_none(root: Path, course: Course) -> None:
    of = behind_ingress(root, course)
    asked = set(re.findall(r"(https?)://(docs-[a-z]+)\.", " ".join(commands(of))))
    sites = {("https", "docs-aws"), ("http", "docs-akash")}
    assert asked == {(scheme, name) for scheme, name in sites if name in {site.name for site in of.plan.sites}}


def behind_ingress(root: Path, course: Course) -> Case:
    wanted = settings(str(course.mode), str(course.active))
    wanted["workloads"]["docs"]["options"]["ingress"] = "shared"
    return made(root, course, workloads=wanted["workloads"])


def typed_in(chapter: Chapter) -> list[str]:
    return [check.command for step in chapter.steps for check in (step.do, step.verify)]


def test_nothing_is_rented_without_akash(root: Path, monkeypatch) -> None:
    monkeypatch.setattr("components.runbook.case.RENTED", "nowhere")
    monkeypatch.setattr("components.runbook.checks.RENTED", "nowhere")
    assert {c.name for c in chapters(made(root, RING[1]))} & {"fund", *RENTED} == set()


def test_the_credentials_are_those_that_the_registry_names(root: Path) -> None:
    of = made(root, RING[1])
    assert "AKASH_CONSOLE_API_KEY" in of.secrets
    stores = set(of.secrets) - {"AKASH_CONSOLE_API_KEY"}
    own = dataclasses.replace(of, credentials={"aws": (), "akash": ("OWN_KEY",)})
    assert set(own.secrets) == stores | {"OWN_KEY"}


def test_without_any_credential_the_login_of_pulumi_is_looked_at(root: Path) -> None:
    of = made(root, RING[1])
    bare = dataclasses.replace(
        of, plan=dataclasses.replace(of.plan, stores={}), credentials=dict.fromkeys(of.credentials, ())
    )
    assert (bare.secrets, names_set(bare).command) == ((), "pulumi whoami")


def test_the_last_store_leaves_no_other_to_ask(root: Path) -> None:
    alone = settings()
    alone["workloads"]["docs"]["backup"]["stores"] = ["storj"]
    (gone,) = repairs.store_gone(made(root, workloads=alone["workloads"]))
    assert ([step.name for step in gone.steps], "No other store" in gone.when) == (["confirm"], True)


def test_a_workload_that_is_not_alone_is_taken_out_of_the_stack_and_not_the_stack_with_it(root: Path) -> None:
    (end,) = (chapter for chapter in chapters(other(root)) if chapter.name == "decommission")
    (remove,) = (step for step in end.steps if step.name == "remove")
    assert remove.do.command.startswith("pulumi config rm --path unmoor:workloads.docs --stack prod && pulumi up ")


def test_every_command_names_the_stack_it_is_about(cases) -> None:
    for of in cases:
        for words in typed(of):
            if words[0] in {"./unmoor", "pulumi"} and words[1] not in {"--version", "version", "review"}:
                about = "select" in words or "ls" in words or words[words.index("--stack") + 1] == "prod"
                assert about, words


def test_every_command_of_ours_is_one_that_there_is(cases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options and arguments are parsed by the command itself, which is not run; a signer sets who signs."""
    monkeypatch.setenv("UNMOOR_SIGNER", "alice")
    seen = set()
    for of in cases:
        for name, *words in typed(of):
            if name == "./unmoor" and words != ["--version"]:
                found = cli.get_command(click.Context(cli), words[0])
                assert found is not None
                found.make_context(words[0], words[1:])
                seen.add(words[0])
    assert seen == {"plan", "status", "flip", "approve", "review", "restore", "zone"}


def test_every_command_is_shell_that_parses(cases) -> None:
    script = "\n".join(sorted({command for of in cases for command in commands(of)}))
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_change_can_be_taken_back_or_shows_what_to_do(cases) -> None:
    for of in cases:
        for chapter in chapters(of):
            for step in chapter.steps:
                if re.search(r"pulumi (up|destroy|config set|config rm)|unmoor flip(?!.*--dry-run)", step.do.command):
                    assert step.rollback or step.otherwise, f"{chapter.name}-{step.name}"


def test_what_moves_production_needs_an_approval(cases) -> None:
    """Two steps move it without: giving back what an incident took, and finishing what was approved before."""
    without = {
        f"{chapter.name}-{step.name}"
        for of in cases
        for chapter in chapters(of)
        for step in chapter.steps
        if re.search(r"pulumi (up|destroy)", step.do.command) and not step.approval
    }
    assert without == {
        "lease-lost-rent",
        "name-server-lost-rent",
        "interrupted-finish",
        "refill-refill",
        "game-day-back",
    }


def test_no_credential_is_an_argument(cases) -> None:
    """A key is expanded by the shell's own printf alone, whose arguments no other process sees."""
    for of in cases:
        for command in commands(of):
            for part in re.split(r"&&|\|", command):
                if "$AKASH_CONSOLE_API_KEY" in part:
                    assert part.startswith("printf "), command


def test_text_from_the_stack_file_is_quoted_for_the_shell(root: Path) -> None:
    odd = settings()
    odd["stores"]["aws"]["public_url"] = "https://s3.example/$(touch${IFS}pwned);`id`'x"
    of = made(root, stores=odd["stores"])
    for command in commands(of):
        if "s3.example" in command:
            words = shlex.split(command.replace("|", " | "))
            assert [word for word in words if word.startswith("https://s3.example/$(touch${IFS}pwned);`id`'x/docs/")]


def test_a_stack_name_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="is not the name of a stack"):
        made(root, stack="prod; reboot")


def test_a_workload_that_is_not_there_is_refused(root: Path) -> None:
    read, _ = config.read(settings())
    assert read
    with pytest.raises(ConfigError, match="no workload 'dosc' in stack prod; choose from docs"):
        case("prod", read, "dosc", builtin(), root)


def test_the_rent_counts_every_lease_where_the_workload_has_most(root: Path) -> None:
    one, two = made(root), other(root)
    assert two.rent_usd_month == pytest.approx(4 * one.rent_usd_month, abs=0.02)


def test_the_same_plan_gives_the_same_text(root: Path) -> None:
    assert write(made(root, RING[1])) == write(made(root, RING[1]))


@pytest.mark.parametrize("course", RING, ids=str)
def test_every_step_is_in_the_text_with_its_cells(root: Path, course: Course) -> None:
    of = made(root, course)
    names = re.findall(r"^`{3,}sh (\{.*\})$", write(of), re.MULTILINE)
    cells = [json.loads(name)["name"] for name in names]
    wanted = []
    for chapter in chapters(of):
        for step in chapter.steps:
            name = f"{chapter.name}-{step.name}"
            wanted += [name, f"{name}-verify", *([f"{name}-rollback"] if step.rollback else [])]
    assert cells == wanted
    assert len(cells) == len(set(cells))


def test_cells_are_as_runme_reads_them(cases) -> None:
    """By its parser: JSON from the first `{` to the first `}`, values as text; lines lose a leading `$`."""
    for of in cases:
        for line in write(of).splitlines():
            if line.lstrip("`").startswith("sh {"):
                attributes = json.loads(line[line.index("{") : line.index("}") + 1])
                assert line.endswith("}")
                assert {key: type(value) for key, value in attributes.items()} == {
                    "excludeFromRunAll": str, "interactive": str, "name": str, "promptEnv": str,
                }  # fmt: skip


def test_fences_hold_any_content(root: Path) -> None:
    odd = settings()
    odd["stores"]["aws"]["public_url"] = "https://s3.example/````"
    fences = [line for line in write(made(root, stores=odd["stores"])).splitlines() if line.startswith("`````sh")]
    assert fences


def test_some_chapters_are_written_alone(root: Path) -> None:
    found = write(made(root), {"check", "fund"})
    assert re.findall(r'<a id="(.*)">', found) == ["fund", "check"]


def test_who_approves_is_named_and_has_a_line_to_sign(root: Path) -> None:
    assert "**Approved by the owner of docs:** \\_\\_" in write(made(root), {"deploy"})


def test_links_lead_to_chapters(cases) -> None:
    for of in cases:
        found = write(of)
        assert re.findall(r"\]\(#(.*?)\)", found) == re.findall(r'<a id="(.*)">', found)


def test_text_is_never_markup() -> None:
    assert text("a_b <i> `x_y` *z*") == "a\\_b &lt;i&gt; `x_y` \\*z\\*"
    assert text("one ` tick_") == "one ' tick\\_"


def test_all_parts_have_chapters(root: Path) -> None:
    assert [part for part, found in parts(made(root)).items() if not found] == []
