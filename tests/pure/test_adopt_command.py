"""`unmoor adopt` writes and takes out the lines of one workload, and nothing else; and gives a host back."""

from __future__ import annotations

import dataclasses
import io
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.__main__ import main
from components.authority import Survey
from components.config.standing import StandingRecord
from components.dns.route53 import Route53
from components.errors import ConfigError, Fault
from components.runbook.edit import adopt
from tests.pure.test_flip_command import STACK
from tests.settings import site_folder

if TYPE_CHECKING:
    from pathlib import Path

CNAME = StandingRecord(type="CNAME", ttl=300, values=("dao-example.pages.example",))
CAA = StandingRecord(type="CAA", ttl=60, values=('0 issue "amazon.com"', "0 issuewild ;"))
ALIAS = StandingRecord(type="A", alias="d9.cloudfront.net", alias_zone="Z2FDTNDATAQYW2")
CENTRAL = STACK.replace("host: docs.dao.example", "host: docs.dao.example  # for people")


@pytest.mark.parametrize("records", [(CNAME,), (ALIAS, CAA)])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_written_below_the_host_and_taken_out_again(records, end):
    before = CENTRAL.replace("\n", end)
    after = adopt(before, "x", "docs", records)
    written = yaml.safe_load(after)["config"]["unmoor:workloads"]["docs"]["adopt"]
    assert [StandingRecord.model_validate(one) for one in written] == list(records)
    new = [line for line in after.split(end) if line not in before.split(end)]
    assert (new[0], len(new)) == ("      adopt:", 1 + len(records))
    assert adopt(after, "x", "docs", records) == after
    assert adopt(after, "x", "docs", ()) == before


def test_other_lines_take_the_place_of_what_was_named():
    once = adopt(CENTRAL, "x", "docs", (CNAME,))
    assert adopt(once, "x", "docs", (ALIAS,)) == adopt(CENTRAL, "x", "docs", (ALIAS,))


def test_what_has_no_line_of_its_own_is_left_to_a_person():
    with pytest.raises(ConfigError, match=r"write it by hand below `host`: adopt: \{type: CNAME, ttl: 300"):
        adopt(CENTRAL, "x", "forum", (CNAME,))
    with pytest.raises(ConfigError, match="no workload 'blog'; choose from docs, forum"):
        adopt(CENTRAL, "x", "blog", (CNAME,))


NOTHING = Survey()


@dataclasses.dataclass(frozen=True)
class Seen(Route53):
    """An authority that has been asked already."""

    sees: Any = NOTHING
    given: tuple[str, ...] = ()

    def survey(self, plan, zone):
        assert plan.adopt == ()
        return self.sees

    def give_back(self, plan, zone, report):
        report(f"{plan.host}: back")
        return bool(self.given)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(CENTRAL)
    monkeypatch.chdir(tmp_path)

    def put(sees: Survey = NOTHING, given: tuple[str, ...] = ()) -> Path:
        from components import project as ours
        from components.commands import adopt as command
        from components.commands import plan as planned

        known = ours.builtin().with_(authorities=[Seen(sees=sees, given=given)])
        for module in (command, planned):
            monkeypatch.setattr(module, "registry", lambda *_: known)
        return tmp_path / "stacks" / "Pulumi.prod.yaml"

    return put


def run(*words: str) -> tuple[int, str]:
    reported = io.StringIO()
    with redirect_stdout(reported), redirect_stderr(reported), pytest.raises(SystemExit) as ended:
        main(["adopt", *words])
    return int(ended.value.code or 0), reported.getvalue()


def test_the_command_writes_what_stands_and_forgets_it(project):
    file = project(Survey((CNAME,), (Fault("host", "it is live"),)))
    code, reported = run("docs", "--dry-run")
    assert (code, file.read_text()) == (0, CENTRAL)
    assert "+        - {type: CNAME, ttl: 300, values: [dao-example.pages.example]}" in reported
    code, reported = run("docs")
    assert code == 0
    assert "docs: CNAME dao-example.pages.example, ttl 300 s stands at docs.dao.example; written" in reported
    assert file.read_text() == adopt(CENTRAL, "x", "docs", (CNAME,))
    assert "written already" in run("docs")[1]
    code, reported = run("docs", "--forget")
    assert (code, "is forgotten; written" in reported, file.read_text()) == (0, True, CENTRAL)


def test_a_file_that_could_not_be_planned_then_is_not_written(project):
    file = project(Survey((CNAME,)))
    file.write_text(CENTRAL.replace("mode: centralized    #", "mode: decentralized    #"))
    before = file.read_text()
    code, reported = run("docs")
    assert (code, file.read_text()) == (1, before)
    assert "adopt it in two flips" in reported


@pytest.mark.parametrize(
    ("sees", "reported"),
    [
        (Survey(), "nothing of another party stands at docs.dao.example, so there is nothing to adopt"),
        (Survey((), (Fault("host", "a wildcard answers"),)), "host: a wildcard answers"),
    ],
)
def test_a_host_that_cannot_be_adopted_is_a_sentence(project, sees, reported):
    project(sees)
    code, output = run("docs")
    assert (code, reported in output) == (1, True)


def test_a_host_is_given_back_when_asked_and_only_if_it_was_adopted(project):
    file = project(given=("something",))
    code, reported = run("docs", "--undo", "--yes")
    assert (code, "has no `adopt`" in reported) == (2, True)
    file.write_text(adopt(CENTRAL, "x", "docs", (CNAME,)))
    code, reported = run("docs", "--undo", "--yes")
    assert (code, "docs.dao.example given back; the next update takes" in reported) == (0, True)
    project(given=())
    assert "was given back already" in run("docs", "--undo", "--yes")[1]
    assert run("docs", "--undo", "--forget")[0] == 2
    assert run("docs", "--undo", "--dry-run", "--yes")[0] == 2


def test_other_names_are_written_with_their_name_and_keep_what_was_adopted_before(project):
    www = CNAME.model_copy(update={"at": "www.dao.example"})
    file = project(Survey((www,)))
    host = "host: docs.dao.example  # for people"
    both = f"{host}\n      redirect_from: [www.dao.example]"
    file.write_text(adopt(CENTRAL, "x", "docs", (CNAME,)).replace(host, both))
    code, reported = run("docs")
    stand = "CNAME dao-example.pages.example, ttl 300 s stands at"
    assert (code, f"{stand} docs.dao.example, and {stand} www.dao.example; written" in reported) == (0, True)
    lines = yaml.safe_load(file.read_text())["config"]["unmoor:workloads"]["docs"]["adopt"]
    assert [line.get("at") for line in lines] == [None, "www.dao.example"]
    code, reported = run("docs", "--undo", "--yes")
    assert (code, "docs.dao.example, www.dao.example was given back already" in reported) == (0, True)
    assert "`pulumi preview` shows it" in reported
