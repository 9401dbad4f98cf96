"""`unmoor init`: every answer is a flag, what can be found is offered, and nothing that exists is changed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import cli
from components.assess.discover import dns
from components.assess.history import known_vendors
from components.begin import answers, files
from components.commands import init
from components.config.models import load_document
from components.dns.route53.authority import Route53
from components.errors import UnmoorError
from components.stores.vendors import VENDORS
from sandbox.engine import resolve

ROOT = Path(__file__).parents[2]
STORJ = "storj=dao-storj,public_url=https://link.storjshare.io/raw/x/dao-storj"
STORES = ("--store", "aws=dao-aws", "--store", STORJ)
WHOLE = ("--host", "docs.dao.example", "--zone", "dao.example", "--site", "site", *STORES)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, in a world where the account has two zones and the host leads to a vendor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Route53, "zones", lambda _: ["dao.example", "other.example"])
    chain = ("harmony.gitbook.io",)
    monkeypatch.setattr(dns, "behind", lambda _asker, host: dns.Behind(host, chain, ("192.0.2.1",), "", "gitbook"))
    return tmp_path


def run(*words: str, typed: str = ""):
    return CliRunner().invoke(cli, ["init", *words], standalone_mode=False, input=typed)


def refused(*words: str) -> str:
    result = run(*words)
    assert isinstance(result.exception, UnmoorError), result.output
    return str(result.exception)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_stack_that_is_written_can_be_planned(folder: Path) -> None:
    assert run(*WHOLE).exception is None
    planned = CliRunner().invoke(cli, ["plan", "--stack", "prod", "--json"], standalone_mode=False)
    assert planned.exception is None, planned.exception
    docs = json.loads(planned.output)["workloads"]["docs"]
    assert (docs["mode"], docs["host"], docs["roles"]) == ("centralized", "docs.dao.example", {"docs-aws": "primary"})
    assert sorted(docs["stores"]) == ["aws", "storj"]


def test_the_stack_file_fits_the_schema_that_is_written_next_to_it(folder: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    run(*WHOLE)
    schema = json.loads((folder / "stacks/schema.json").read_text())
    jsonschema.validate(load_document(folder / "stacks/Pulumi.prod.yaml"), schema)


def test_without_a_terminal_every_missing_answer_is_listed_at_once_and_nothing_is_written(folder: Path) -> None:
    shown = refused()
    assert [line.split(":")[0] for line in shown.splitlines()[1:]] == [
        f"  - --{each.flag}" for each in answers.QUESTIONS
    ]
    assert tree(folder) == {}


def test_what_is_found_is_no_longer_missing(folder: Path) -> None:
    (folder / "mkdocs.yml").write_text("site_name: x\nsite_dir: out\n")
    shown = refused("--host", "docs.dao.example")
    assert shown.count("\n") == 1
    assert "--store" in shown


def test_the_zone_that_holds_the_host_is_taken_from_the_account(folder: Path) -> None:
    result = run("--host", "docs.dao.example", "--site", "site", *STORES)
    assert result.exception is None
    document = load_document(folder / "stacks/Pulumi.prod.yaml")
    assert document["config"]["unmoor:zone"] == "dao.example"


def test_a_host_in_no_zone_of_the_account_names_the_zones(folder: Path) -> None:
    assert "--zone" in refused("--host", "docs.elsewhere.example", "--site", "site", *STORES)


def test_an_account_that_cannot_be_asked_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Route53) -> list[str]:
        raise OSError("Unable to locate credentials")

    monkeypatch.setattr(Route53, "zones", fails)
    assert "--zone" in refused("--host", "docs.dao.example", "--site", "site", *STORES)
    assert run(*WHOLE).exception is None


def test_the_generators_folder_build_and_settings_are_taken(folder: Path) -> None:
    (folder / "package.json").write_text(json.dumps({"devDependencies": {"vite": "5"}}))
    result = run("--host", "app.dao.example", "--zone", "dao.example", *STORES, "--json")
    assert json.loads(result.output)["next"][0].endswith("npm run build")
    options = load_document(folder / "stacks/Pulumi.prod.yaml")["config"]["unmoor:workloads"]["app"]["options"]
    assert options == {"site": "dist", "fallback": "index.html"}
    assert "npm run build" in (folder / ".github/workflows/unmoor-up-prod.yml").read_text()


def test_what_is_exported_now_and_what_a_later_site_needs_are_distinguished(folder: Path) -> None:
    shown = run(*WHOLE).output
    assert "for updates, export: STORJ_ACCESS_KEY, STORJ_SECRET_KEY; and have AWS credentials\n" in shown
    assert "for sites elsewhere, later: AKASH_CONSOLE_API_KEY\n" in shown
    (folder / "stacks/Pulumi.prod.yaml").unlink()
    standby = json.loads(run(*WHOLE, "--mode", "active-standby", "--json").output)
    assert (standby["later"], "AKASH_CONSOLE_API_KEY" in standby["export"]) == ([], True)


def test_a_gitbook_space_is_to_be_imported_first(folder: Path) -> None:
    (folder / ".gitbook.yaml").write_text("root: ./\n")
    assert "--site" in refused("--host", "docs.dao.example", *STORES)
    assert "unmoor content import gitbook" in run(*WHOLE).output


def test_where_the_host_leads_today_is_printed() -> None:
    assert "docs.dao.example leads to harmony.gitbook.io -> 192.0.2.1 (gitbook) today" in run(*WHOLE).output


def test_nothing_that_exists_is_changed(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: ours\n")
    (folder / "project.py").write_text("from components.project import builtin\n\nREGISTRY = builtin()\n")
    before = tree(folder)
    result = run(*WHOLE)
    assert "kept project.py, which was there" in result.output
    first = tree(folder)
    assert before.items() <= first.items()
    assert "exists already" in refused(*WHOLE)
    assert tree(folder) == first


NEEDED = "runtime: python\nstackConfigDir: ./stacks\nplugins: {providers: [{name: unmoor, path: bin}]}\n"
RUNS = "from components.program import run\n\nrun()\n"
LIBRARY = "--index-url https://pypi.example\nunmoor[pulumi]==1\n"


@pytest.mark.parametrize(
    ("there", "notes"),
    [
        ({"Pulumi.yaml": NEEDED, "__main__.py": RUNS, "requirements.txt": LIBRARY}, []),
        (
            {"Pulumi.yaml": "name: ours\nruntime: {name: python}\nstackConfigDir: config\n"},
            [
                "Pulumi.yaml: has no `stackConfigDir: stacks`; add it",
                "Pulumi.yaml: has no `plugins: {providers: [{name: unmoor, path: .venv/bin}]}`; add it",
            ],
        ),
        (
            {"__main__.py": "import pulumi_aws\n", "requirements.txt": "pulumi\n"},
            [
                "__main__.py: does not run this library; add `from components.program import run` and `run()`",
                "requirements.txt: has no `unmoor[pulumi]`; add it",
            ],
        ),
    ],
)
def test_what_a_file_that_was_there_lacks_is_named(folder: Path, there: dict[str, str], notes: list[str]) -> None:
    for name, text in there.items():
        (folder / name).write_text(text)
    result = run(*WHOLE, "--json")
    assert result.exception is None
    assert [each for each in json.loads(result.output)["notes"] if "leads to" not in each] == notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nruntime: nodejs\n", "its runtime is nodejs, and an update runs Python; choose a folder"),
        ("name: x\nruntime: {name: go}\n", "its runtime is go, and an update runs Python; choose a folder"),
        ("- a\n", "is no Pulumi project; mend it"),
        ("a: [\n", "not YAML"),
    ],
)
def test_in_a_project_that_cannot_be_ours_nothing_is_written(folder: Path, text: str, message: str) -> None:
    (folder / "Pulumi.yaml").write_text(text)
    before = tree(folder)
    assert message in refused(*WHOLE)
    assert tree(folder) == before


def test_every_place_that_cannot_be_written_is_named_before_anything_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".github").write_text("x")
    (folder / "stacks").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "stacks" and access(path, mode))
    before = tree(folder)
    assert refused(*WHOLE).splitlines()[1:] == [
        "  - stacks: may not be written to; allow it, or choose another folder",
        "  - .github: is no folder, and .github/workflows/unmoor-review.yml goes below it; move it away",
    ]
    assert tree(folder) == before


def test_a_file_in_place_of_the_folder_of_stacks_is_named(folder: Path) -> None:
    (folder / "stacks").write_text("x")
    assert "  - stacks: is no folder, and stacks/schema.json goes below it; move it away" in refused(*WHOLE)
    assert set(tree(folder)) == {"stacks"}


def test_below_the_project_the_folder_of_the_files_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"in {folder}" not in run(*WHOLE).output
    (folder / "docs").mkdir()
    monkeypatch.chdir(folder / "docs")
    second = ("--host", "beta.dao.example", *another("next"))
    shown = run(*second).output
    assert shown.startswith(f"in {folder}:\n")
    assert f"next, in {folder}:\n" in shown
    third = ("--host", "gamma.dao.example", *another("third"), "--json")
    assert json.loads(run(*third).output)["folder"] == str(folder)


@pytest.mark.parametrize(
    "there", [{"index.html": "h"}, {"netlify.toml": '[build]\npublish = "./"\ncommand = "make"\n'}]
)
def test_the_projects_own_folder_is_not_offered(folder: Path, there: dict[str, str]) -> None:
    for name, text in there.items():
        (folder / name).write_text(text)
    shown = refused("--host", "docs.dao.example", "--zone", "dao.example", *STORES)
    assert [line.split(":")[0] for line in shown.splitlines()[1:]] == ["  - --site"]
    assert set(tree(folder)) == set(there)
    assert "pages are in the project's own folder" in run(*WHOLE).output


@pytest.mark.parametrize("site", [".", "site/..", ".."])
def test_a_site_that_holds_the_project_is_refused(folder: Path, site: str) -> None:
    (folder / "index.html").write_text("h")
    before = tree(folder)
    assert f"--site: {site} holds the project itself" in refused(*WHOLE, "--site", site)
    assert tree(folder) == before


def test_a_host_may_end_with_a_dot(folder: Path) -> None:
    assert run("--host", " Docs.DAO.example. ", "--site", "site", *STORES).exception is None
    config = load_document(folder / "stacks/Pulumi.prod.yaml")["config"]
    assert (config["unmoor:zone"], config["unmoor:workloads"]["docs"]["host"]) == ("dao.example", "docs.dao.example")


def another(stack: str) -> tuple[str, ...]:
    """Return the flags of another stack with the same workload, but its host."""
    return ("--stack", stack, "--workload", "docs", "--zone", "dao.example", "--site", "site", *STORES)


def test_a_second_stack_gets_a_name_of_its_own_and_must_have_another_host(folder: Path) -> None:
    assert run(*WHOLE).exception is None
    assert "unmoor:label" not in yaml.safe_load((folder / "stacks/Pulumi.prod.yaml").read_text())["config"]
    second = another("staging")
    assert "docs.dao.example is used by stack prod too" in refused("--host", "docs.dao.example", *second)
    assert not (folder / "stacks/Pulumi.staging.yaml").exists()
    assert run("--host", "beta.dao.example", *second).exception is None
    written = yaml.safe_load((folder / "stacks/Pulumi.staging.yaml").read_text())["config"]
    assert written["unmoor:label"] == "staging"


def test_the_label_of_a_long_name_is_one_that_a_stack_may_have(folder: Path) -> None:
    assert run(*WHOLE).exception is None
    assert run("--host", "beta.dao.example", *another("Production_europe_2")).exception is None
    written = yaml.safe_load((folder / "stacks/Pulumi.Production_europe_2.yaml").read_text())["config"]
    assert written["unmoor:label"] == "production-europ"


def test_a_run_that_was_interrupted_before_the_stack_file_is_completed_by_the_next(folder: Path) -> None:
    run(*WHOLE)
    whole = tree(folder)
    (folder / "stacks/Pulumi.prod.yaml").unlink()
    assert run(*WHOLE).exception is None
    assert tree(folder) == whole


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--store", "dao-aws"), "'dao-aws' is not a store; write VENDOR=BUCKET"),
        (("--store", "aws=dao-aws,regoin=x"), "no setting 'regoin'; did you mean region?"),
        (("--store", "storj=dao-storj"), "needs public_url"),
        (("--store", "scaleway=dao"), "--store scaleway: needs region; write --store scaleway=dao,region=…"),
        (("--store", "minio=dao,public_url=https://x.example/dao"), "needs endpoint"),
        (("--store", "aws=dao-aws", "--store", "aws=dao-other"), "is given twice"),
    ],
)
def test_a_store_that_is_not_one_is_a_sentence_and_nothing_is_written(folder: Path, words, message: str) -> None:
    shown = refused("--host", "docs.dao.example", "--zone", "dao.example", "--site", "site", *words)
    assert message in shown
    assert tree(folder) == {}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("aws=dao", {"region": "eu-west-1", "public_url": "https://s3.eu-west-1.amazonaws.com/dao"}),
        ("aws=dao,region=us-east-2", {"region": "us-east-2", "public_url": "https://s3.us-east-2.amazonaws.com/dao"}),
        (
            "scaleway=dao,region=fr-par",
            {
                "region": "fr-par",
                "endpoint": "https://s3.fr-par.scw.cloud",
                "public_url": "https://dao.s3.fr-par.scw.cloud",
                "access_key": "SCALEWAY_ACCESS_KEY",
                "secret_key": "SCALEWAY_SECRET_KEY",
            },
        ),
    ],
)
def test_what_follows_from_a_known_vendor_is_written_in_the_region_of_the_store(text: str, wanted) -> None:
    vendor = text.partition("=")[0]
    made, found = answers.stores([text], "eu-west-1")
    assert (made, found) == ({vendor: {"vendor": vendor, "bucket": "dao", **wanted}}, [])


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_a_known_vendor_of_stores_is_known_to_the_inventory_too(vendor: str) -> None:
    assert vendor in known_vendors()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--zone", "elsewhere.example"), "workloads.docs.host"),
        (("--workload", "DOCS"), "is not a name"),
        (("--stack", "../x"), "is not a stack's name"),
    ],
)
def test_answers_that_cannot_be_planned_are_refused_and_nothing_is_written(folder: Path, words, message: str) -> None:
    assert message in refused(*WHOLE, *words)
    assert tree(folder) == {}


def test_a_workload_of_the_inventory_gives_its_name_and_host(folder: Path) -> None:
    run("--from-inventory", "docs", "-i", str(ROOT / "stacks/inventory.yaml"), "--site", "site", *STORES)
    workloads = load_document(folder / "stacks/Pulumi.prod.yaml")["config"]["unmoor:workloads"]
    assert {name: one["host"] for name, one in workloads.items()} == {"docs": "docs.dao.example"}


@pytest.mark.parametrize(("name", "message"), [("dosc", "did you mean docs?"), ("forum", "is a forum")])
def test_a_workload_that_cannot_be_taken_names_those_that_can(name: str, message: str) -> None:
    shown = refused("--from-inventory", name, "-i", str(ROOT / "stacks/inventory.yaml"), *WHOLE)
    assert message in shown
    assert "docs" in shown


def test_at_a_terminal_only_what_is_not_given_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "can_ask", lambda: True)
    result = run("--site", "site", typed=f"docs.dao.example\n\naws=dao-aws\n{STORJ}\n\n")
    assert result.exception is None, result.exception
    config = load_document(folder / "stacks/Pulumi.prod.yaml")["config"]
    assert (config["unmoor:zone"], sorted(config["unmoor:stores"])) == ("dao.example", ["aws", "storj"])
    assert "Zone that the name lies in (it is in the account) [dao.example]" in result.stderr


def test_templates_are_filled_and_are_yaml() -> None:
    facts = files.Facts("dao", "prod", "eu-west-1", "make site", ("STORJ_ACCESS_KEY", "STORJ_SECRET_KEY"))
    made = {**files.program(facts), **files.workflows(facts)}
    for path, text in made.items():
        assert not any(
            f"%{word}%" in text
            for word in (
                "LIBRARY",
                "PROJECT",
                "STACK",
                "REGION",
                "BUILD",
                "SECRETS",
                "SETUP",
                "UNMOOR",
                "CALLED",
                "ENGINE",
            )
        ), path
        if path.endswith((".yml", ".yaml")):
            assert isinstance(yaml.safe_load(text), dict), path
    up = yaml.safe_load(made[".github/workflows/unmoor-up-prod.yml"])["jobs"]["up"]
    assert up["env"]["STORJ_SECRET_KEY"] == "${{ secrets.STORJ_SECRET_KEY }}"


COMMANDS = (
    "npm run build",
    "npm run build # prod",
    "echo a: b && npm run build",
    '"quoted" run',
    "[ -d x ] || npm run build",
    "npm ci\n  npm run build",
    "echo %SECRETS% %BUILD% %STACK%",
    "null",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["netlify.toml", "vercel.json"])
def test_any_build_command_stands_in_the_workflows_to_the_letter(folder: Path, name: str, command: str) -> None:
    vercel = {"outputDirectory": "site", "buildCommand": command}
    netlify = f'[build]\npublish = "site"\ncommand = {json.dumps(command)}\n'
    (folder / name).write_text(netlify if name == "netlify.toml" else json.dumps(vercel))
    assert run(*WHOLE).exception is None
    found = []
    for workflow in ("up", "preview"):
        jobs = yaml.safe_load((folder / f".github/workflows/unmoor-{workflow}-prod.yml").read_text())["jobs"]
        found += [step["run"] for job in jobs.values() for step in job["steps"] if step.get("name") == "Build the site"]
    assert found == [command] * 3


@pytest.mark.parametrize("name", ["2024", "1.0", "null", "true", "0x10", "ä" * 9, "x" * 120, "x" * 99 + "-y", "dao"])
def test_the_name_of_a_folder_is_a_project_s_name_that_pulumi_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    assert run(*WHOLE).exception is None
    written = yaml.safe_load(Path("Pulumi.yaml").read_text())["name"]
    assert isinstance(written, str)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,98}[A-Za-z0-9]", written)


@pytest.mark.parametrize("stack", ["2024", "null", "true", "0x10"])
def test_a_stack_s_name_stays_text_in_the_workflows(stack: str) -> None:
    made = files.workflows(files.Facts("dao", stack, "us-east-1", "", ()))
    up = yaml.safe_load(made[f".github/workflows/unmoor-up-{stack}.yml"])["jobs"]["up"]
    assert up["environment"] == stack
    preview = yaml.safe_load(made[f".github/workflows/unmoor-preview-{stack}.yml"])["jobs"]["preview"]
    assert preview["steps"][-1]["with"]["stack-name"] == stack


def test_two_stacks_share_the_review_and_nothing_else() -> None:
    one, other = (set(files.workflows(files.Facts("dao", name, "us-east-1", "", ()))) for name in ("prod", "next"))
    assert one & other == {".github/workflows/unmoor-review.yml"}


def test_the_review_is_this_repositorys_own_but_for_how_it_is_installed() -> None:
    ours = (ROOT / ".github/workflows/review.yml").read_text()
    facts = files.Facts("dao", "prod", "us-east-1", "", (), checkout=True)
    made = files.workflows(facts)[".github/workflows/unmoor-review.yml"]
    for here, there in (
        ("name: review\n", "name: unmoor review\n"),
        ("group: review-", "group: unmoor-review-"),
        ("the program of the default", "the packages of the default"),
    ):
        assert ours.count(here) == 1, here
        ours = ours.replace(here, there)
    assert made == ours


def test_a_preview_gets_no_secret_that_spends_or_deletes_and_an_update_is_never_interrupted() -> None:
    made = files.workflows(files.Facts("dao", "prod", "us-east-1", "", ("AKASH_CONSOLE_API_KEY", "STORJ_SECRET_KEY")))
    preview = made[".github/workflows/unmoor-preview-prod.yml"]
    assert "AKASH" not in preview
    assert "STORJ" not in preview
    up = yaml.safe_load(made[".github/workflows/unmoor-up-prod.yml"])["jobs"]["up"]
    assert up["concurrency"] == {"group": "unmoor-up-prod", "cancel-in-progress": False}
    assert {"AKASH_CONSOLE_API_KEY", "STORJ_SECRET_KEY"} <= up["env"].keys()


def test_a_preview_and_an_update_can_be_called_from_another_repository_with_their_secrets() -> None:
    made = files.workflows(files.Facts("dao", "prod", "us-east-1", "", ("STORJ_SECRET_KEY",)))
    for name, secrets in {
        "preview-prod": {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"},
        "up-prod": {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "AKASH_CONSOLE_API_KEY", "STORJ_SECRET_KEY"},
    }.items():
        text = made[f".github/workflows/unmoor-{name}.yml"]
        called = yaml.safe_load(text)[True]["workflow_call"]  # YAML 1.1 reads `on` as true
        assert set(called["secrets"]) == secrets
        assert secrets == {word.partition(" ")[0] for word in text.split("secrets.")[1:]}


def test_the_engine_is_pinned_to_the_version_that_is_tested() -> None:
    made = files.workflows(files.Facts("dao", "prod", "us-east-1", "", ()))
    pinned = {
        step["with"]["pulumi-version"]
        for path, text in made.items()
        if "review" not in path
        for job in yaml.safe_load(text)["jobs"].values()
        for step in job["steps"]
        if str(step.get("uses", "")).startswith("pulumi/actions")
    }
    assert pinned == {resolve.ENGINE}


def test_an_update_waits_for_the_environment_and_the_morning_look_changes_nothing() -> None:
    up = yaml.safe_load(
        files.workflows(files.Facts("dao", "prod", "us-east-1", "", ()))[".github/workflows/unmoor-up-prod.yml"]
    )
    jobs = up["jobs"]
    assert jobs["up"]["environment"] == "prod"
    assert {name: job["permissions"]["id-token"] for name, job in jobs.items()} == {"up": "write", "drift": "write"}
    assert up[True]["schedule"]
    (look,) = [step["run"] for step in jobs["drift"]["steps"] if "pulumi" in step.get("run", "")]
    assert look == "pulumi preview --refresh --diff --expect-no-changes --stack prod"
    (change,) = [step["run"] for step in jobs["up"]["steps"] if "pulumi" in step.get("run", "")]
    assert change == "pulumi up --yes --refresh --stack prod"


def test_in_a_checkout_of_the_library_the_workflows_use_its_launcher(folder: Path) -> None:
    (folder / "setup.sh").write_text("#!/bin/sh\n")
    result = run(*WHOLE)
    assert "./unmoor doctor --stack prod" in result.output
    up = (folder / ".github/workflows/unmoor-up-prod.yml").read_text()
    assert "- run: make setup\n" in up
    assert "- run: ./unmoor status --stack prod\n" in up
