"""`unmoor doctor`: looks side by side within seconds, one screen, and each look at this machine well and not well."""

from __future__ import annotations

import ast
import json
import os
import sys
import threading
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import yaml
from click.testing import CliRunner

import components
from components.__main__ import cli
from components.doctor import hosts, project, room, run
from components.errors import ConfigError, StepError
from components.kinds.static.document import document_for
from components.needs import Check, Needs, State, caution, not_ready, ready, unseen
from components.plan.stack import topology
from components.project import builtin
from components.target import Target
from components.targets.akash import needs as akash
from components.targets.akash.rails.rail import Runway
from tests.settings import settings, site_folder

COMPONENTS = Path(components.__file__).parent
#: A project as `unmoor init` writes it.
PROJECT = {
    "runtime": {"name": "python", "options": {"virtualenv": ".venv"}},
    "requiredPulumiVersion": ">=3.240.0 <4.0.0",
    "plugins": {"providers": [{"name": "unmoor", "path": "bin"}]},
}


def states(found) -> list[State]:
    return [each.state for each in found]


# Side by side


def test_looks_are_made_side_by_side_and_shown_in_order() -> None:
    both = threading.Barrier(2, timeout=30)

    def look():
        both.wait()  # breaks unless the other look waits too
        yield ready("met")

    found = run.look([Check("b", look), Check("a", look)])
    assert [(each.name, each.findings[0].sentence) for each in found] == [("b", "met"), ("a", "met")]


def test_a_look_that_does_not_end_is_given_up_and_the_others_are_shown() -> None:
    never = threading.Event()
    found = run.look([Check("slow", lambda: iter([never.wait()])), Check("quick", lambda: [ready("x")])], within_s=0.5)
    assert [each.state for each in found] == [State.UNSEEN, State.READY]
    never.set()


@pytest.mark.parametrize("error", [StepError("no resolver answers"), KeyError("x"), OSError("no route")])
def test_a_look_that_fails_is_not_seen_and_has_the_reason(error: Exception) -> None:
    def look():
        raise error
        yield

    (found,) = run.look([Check("x", look)])
    assert found.state is State.UNSEEN
    assert str(error) in found.findings[0].sentence


def test_of_two_checks_of_one_name_the_first_is_made() -> None:
    found = run.look([Check("x", lambda: [ready("first")]), Check("x", lambda: [ready("second")])])
    assert [each.findings[0].sentence for each in found] == ["first"]


def test_the_worst_finding_is_the_state_of_a_check() -> None:
    found = run.Looked("x", (ready("a"), caution("b"), not_ready("c", "d"), unseen("e")))
    assert found.state is State.NOT_READY


# What a project's own target and kind add


def stack(tmp_path: Path, mode: str = "centralized"):
    if not (tmp_path / "site").exists():
        site_folder(tmp_path)
    return topology(settings(mode), builtin(), tmp_path)


def test_a_target_that_others_wrote_adds_its_own_checks(tmp_path: Path) -> None:
    mine = Target("aws", "AWS", needs=lambda _: Needs((Check("mine", lambda: [ready("x")]),)))
    names = [each.name for each in run.checks(stack(tmp_path), builtin().with_(targets=[mine]), "unmoor/prod")]
    assert "mine" in names
    assert "AWS profile" not in names


def test_akash_is_looked_at_where_a_site_stands_there(tmp_path: Path) -> None:
    def names(mode: str) -> set[str]:
        return {each.name for each in run.checks(stack(tmp_path, mode), builtin(), "unmoor/prod")}

    assert names("active-standby") - names("centralized") == {"Console account", "bidders for docs-akash"}


def with_late(look):
    """Return a registry whose one late check is `look`; another check that is not late is never ready."""
    late, other = Check("alias", look, late=True), Check("other", lambda: [not_ready("a", "b")])
    plain = SimpleNamespace(needs=lambda _: Needs())
    target = Target("aws", "AWS", needs=lambda _: Needs((late, other)))
    kind = SimpleNamespace(checks=lambda *_: (), grants=lambda *_: ())
    return SimpleNamespace(
        authorities={"route53": plain},
        targets={"aws": target, "akash": plain},
        implementations=lambda _: {"aws": kind, "akash": kind},
    )


def test_an_update_stops_at_what_would_fail_late_and_at_nothing_that_is_not_seen(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run, "PAUSE_S", 0.0)
    run.demand(stack(tmp_path), with_late(lambda: (ready("x"), unseen("y"), caution("z"))), "unmoor/prod")
    with pytest.raises(ConfigError, match="alias: taken; move it"):
        run.demand(stack(tmp_path), with_late(lambda: [not_ready("taken", "move it")]), "unmoor/prod")


def test_what_is_ready_at_a_second_look_stops_no_update(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run, "PAUSE_S", 0.0)
    shown = iter([[not_ready("not seen yet", "wait")], [ready("x")]])
    run.demand(stack(tmp_path), with_late(lambda: next(shown)), "unmoor/prod")
    assert next(shown, None) is None


# This machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a machine whose `pulumi` answers what it is given: (words, exit code, output)."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin:/bin")
    monkeypatch.delenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", raising=False)

    def answer(**given: tuple[int, str]) -> None:
        lines = [
            f"{word.replace('_', ' ')}*) printf '%s' '{text}' {'>&2' if code else ''}; exit {code};;"
            for word, (code, text) in given.items()
        ]
        (programs / "pulumi").write_text('#!/bin/sh\ncase "$*" in\n' + "\n".join(lines) + "\nesac\nexit 9\n")
        (programs / "pulumi").chmod(0o755)

    return answer


def test_no_engine_an_old_one_and_a_good_one(machine, tmp_path: Path) -> None:
    assert states(project.engine(tmp_path, PROJECT)) == [State.NOT_READY]
    machine(version=(0, "v3.148.0"))
    (finding,) = project.engine(tmp_path, PROJECT)
    assert (finding.state, "3.148.0 is older than 3.240.0" in finding.sentence) == (State.NOT_READY, True)
    machine(version=(0, "v3.259.0"))
    assert states(project.engine(tmp_path, PROJECT)) == [State.READY]
    assert states(project.engine(tmp_path, PROJECT | {"requiredPulumiVersion": ">=3.260.0"})) == [State.NOT_READY]
    assert State.NOT_READY in states(project.engine(tmp_path, {}))


def test_no_environment_an_empty_one_and_a_whole_one(tmp_path: Path) -> None:
    assert states(project.environment(tmp_path, PROJECT)) == [State.NOT_READY]
    environment(tmp_path, '#!/bin/sh\nprintf \'%s\' \'{"pulumi": "", "pulumi-aws": "", "pulumi-command": "1.2.1"}\'\n')
    (finding,) = project.environment(tmp_path, PROJECT)
    assert (finding.state, finding.sentence) == (State.NOT_READY, ".venv has no pulumi, pulumi-aws")
    environment(tmp_path, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    assert states(project.environment(tmp_path, PROJECT)) == [State.READY]


def environment(folder: Path, python: str) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    (folder / ".venv" / "bin" / "python").write_text(python)
    (folder / ".venv" / "bin" / "python").chmod(0o755)


def test_plugins_that_are_missing_are_named_where_the_engine_may_not_fetch_them(
    machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(tmp_path, '#!/bin/sh\nprintf \'%s\' \'{"pulumi-aws": "7.51.1", "pulumi-command": "1.2.1"}\'\n')
    machine(plugin=(0, json.dumps([{"name": "aws", "version": "7.51.1"}])))
    assert states(project.plugins(tmp_path, PROJECT)) == [State.NOT_READY, State.READY]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi-resource-unmoor").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "pulumi-resource-unmoor").chmod(0o755)
    (finding,) = project.plugins(tmp_path, PROJECT)
    assert (finding.state, "the engine fetches command" in finding.sentence) == (State.READY, True)
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    (finding,) = project.plugins(tmp_path, PROJECT)
    assert (finding.state, finding.mend) == (State.NOT_READY, "pulumi plugin install resource command 1.2.1")


@pytest.mark.parametrize(
    ("url", "state", "words"),
    [
        ("s3://dao-state", State.CAUTION, "losing AWS loses it"),
        ("file:///home/x", State.CAUTION, "on this machine alone"),
        ("https://app.pulumi.com/dao", State.READY, "losing AWS does not lose it"),
        ("gs://dao-state", State.READY, "losing AWS does not lose it"),
    ],
)
def test_where_the_state_is_and_whether_losing_aws_loses_it(machine, tmp_path, url, state, words) -> None:
    machine(whoami=(0, json.dumps({"user": "x", "url": url})))
    (finding,) = project.state(tmp_path, {})
    assert (finding.state, words in finding.sentence) == (state, True)


def test_without_an_engine_state_and_plugins_are_not_seen(machine, tmp_path: Path) -> None:
    assert states(project.state(tmp_path, {})) == [State.UNSEEN]
    assert State.UNSEEN in states(project.plugins(tmp_path, PROJECT))


def test_no_login_and_secrets_sealed_at_aws(machine, tmp_path: Path) -> None:
    machine(whoami=(255, "error: PULUMI_ACCESS_TOKEN must be set"))
    (finding,) = project.state(tmp_path, {})
    assert (finding.state, finding.mend) == (State.NOT_READY, "pulumi login")
    machine(whoami=(0, json.dumps({"url": "https://app.pulumi.com/dao"})))
    found = list(project.state(tmp_path, {"secretsprovider": "awskms://alias/x"}))
    assert states(found) == [State.READY, State.CAUTION]


def test_a_site_that_is_not_built_is_not_ready(tmp_path: Path) -> None:
    assert states(project.built(topology(settings(), builtin(), tmp_path, built=False))) == [State.NOT_READY]
    assert states(project.built(stack(tmp_path))) == [State.READY]


@pytest.mark.parametrize(
    ("status", "identities", "state"),
    [(200, ["letsencrypt.org"], State.READY), (200, ["ca.example"], State.NOT_READY), (404, [], State.NOT_READY)],
)
def test_the_issuer_must_answer_and_be_the_one_of_the_caa_records(monkeypatch, status, identities, state) -> None:
    content = json.dumps({"meta": {"caaIdentities": identities}}).encode()
    answer = httpx.Response(status, stream=httpx.ByteStream(content))
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *_: answer)
    (finding,) = project.issuer("https://acme.example/directory", "letsencrypt.org")
    assert finding.state is state


class Endless(httpx.SyncByteStream):
    """A body of which a megabyte is read at most; more is refused."""

    def __iter__(self):
        yield from (b"x" * 1024 for _ in range(1024))
        raise AssertionError


@pytest.mark.parametrize("status", [200, 302])
def test_an_answer_without_end_is_not_read_whole(monkeypatch, status) -> None:
    there = {"location": "https://acme.example/there"}

    def answer(_transport: object, request: httpx.Request) -> httpx.Response:
        found = request.url.path == "/there"
        return httpx.Response(200 if found else status, headers=there, stream=Endless())

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    (finding,) = hosts.answers("docs.dao.example")
    assert finding.state is State.READY
    with pytest.raises(json.JSONDecodeError):
        list(project.issuer("https://acme.example/directory", "letsencrypt.org"))


# The Console


class Market:
    """A rail of an account with this money, where these many providers take a document."""

    def __init__(self, balance: str = "100", *, trial: bool = False, able=lambda _: 3, days=()) -> None:
        self._money = Runway(Decimal(balance), Decimal(0), dict(days), trial)
        self._able = able

    def account(self) -> list:
        return []

    def runway(self, _standing: list) -> Runway:
        return self._money

    def screen(self, asked, _within_s: float) -> list:
        return [{"owner": f"akash1{index}"} for index in range(self._able(asked))]


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "key")

    def make(**given) -> None:
        @contextmanager
        def rail():
            yield Market(**given)

        monkeypatch.setattr(akash, "_rail", rail)

    return make


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, [State.READY]),
        ({"balance": "0.10"}, [State.NOT_READY]),
        ({"balance": "6"}, [State.CAUTION]),
        ({"trial": True}, [State.NOT_READY]),
        ({"days": {"1": 3.0, "2": 90.0}.items()}, [State.READY, State.CAUTION]),
    ],
)
def test_credit_trial_and_leases_that_run_out(console, given, found) -> None:
    console(**given)
    assert states(akash.account(1, 12.0)) == found


def test_without_a_key_the_account_and_the_market_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AKASH_CONSOLE_API_KEY", raising=False)
    assert states([*akash.account(1, 12.0), *akash.bidders({})]) == [State.NOT_READY] * 2


def test_a_document_without_a_possible_bidder_names_the_demand_that_excludes_all(console, tmp_path: Path) -> None:
    plan = stack(tmp_path, "active-standby").workloads[0]
    document = document_for(plan.site("docs-akash"), plan)
    console()
    assert states(akash.bidders(document)) == [State.READY]
    console(
        able=lambda asked: (
            0
            if any(
                r["resource"].get("endpoints")
                and any(e.get("kind") in ("LEASED_IP", 2) for e in r["resource"]["endpoints"])
                for r in asked["resources"]
            )
            else 5
        )
    )
    (finding,) = akash.bidders(document)
    assert (finding.state, "without a leased address 5 could" in finding.sentence) == (State.NOT_READY, True)


# The command


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: dao\n")
    site_folder(tmp_path)
    text = yaml.safe_dump({"config": {f"unmoor:{key}": value for key, value in settings().items()}})
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, findings) -> tuple[int, str]:
        monkeypatch.setattr(project, "checks", lambda *_: [])
        monkeypatch.setattr(room, "checks", lambda *_: [])
        monkeypatch.setattr(run, "checks", lambda *_: [Check("zone", lambda: findings)])
        done = CliRunner().invoke(cli, ["doctor", "--stack", "prod", *words], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.return_value, done.output

    return invoke


def test_the_screen_shows_what_is_not_ready_with_the_command_that_mends_it(command) -> None:
    code, text = command(findings=[ready("a"), not_ready("it is missing", "aws make it"), caution("b", "c")])
    assert code == 1
    assert text == "NO  zone: it is missing\n    aws make it\n!   zone: b\n    c\n1 not ready\n"


def test_what_is_ready_is_counted_and_shown_on_request(command) -> None:
    assert command(findings=[ready("a")]) == (0, "1 ready\n")
    assert command("--all", findings=[ready("a")]) == (0, "ok  zone: a\n1 ready\n")


@pytest.mark.parametrize(("finding", "code"), [(caution("a"), 0), (unseen("a"), 0), (not_ready("a", "b"), 1)])
def test_only_what_is_not_ready_is_a_failure(command, finding, code: int) -> None:
    assert command(findings=[finding])[0] == code


def test_as_json_it_is_one_object(command) -> None:
    code, text = command("--json", findings=[not_ready("a", "b")])
    made = json.loads(text)
    assert (code, made["ready"]) == (1, False)
    assert made["checks"] == [
        {"name": "zone", "state": "not ready", "findings": [{"state": "not ready", "sentence": "a", "mend": "b"}]}
    ]


def test_what_a_site_uses_at_aws_is_named_by_its_kind_and_no_look_names_a_kind() -> None:
    named = [
        (path.name, node.lineno)
        for folder in ("targets/aws", "doctor")
        for path in (COMPONENTS / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in builtin().kinds
    ]
    assert named == []
