"""A first inventory by a few questions, and the page that explains every setting."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from components.assess import draft, reading, reference
from components.assess.history import known_vendors, vendor
from components.assess.inventory import State, Work
from components.assess.parts import AnyPart
from components.commands.inventory import cli
from components.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
ON = date(2026, 11, 22)
ABOUT = draft.About("DAO", "namecheap", "cloudflare")


def ask(path: Path, *lines: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["init", "-i", str(path), "--date", "2026-11-22"], input="\n".join(lines) + "\n")
    return done.exit_code, done.output if done.exception is None else f"{done.output}{done.exception}"


def test_answers_become_an_inventory_that_is_read_without_a_fault(tmp_path: Path):
    path = tmp_path / "stacks" / "inventory.yaml"
    docs = ["Docs", "", "gitbook", "docs.dao.example", "", "65,50"]
    forum = ["Forum", "", "discourse", "talk.dao.example", "high", "", "12"]
    votes = ["Voting on Snapshot", "", "snapshot", "", "", ""]
    code, said = ask(path, "My DAO", "namecheap", "cloudflare", *docs, *forum, *votes, "")
    assert code == 0, said
    assert "3 workloads" in said
    read = reading.load(path, ON)
    one = read.workloads["docs"]
    assert one.cost.stated is not None
    assert (one.cost.stated.usd_month, one.work, one.state) == (65.5, Work.DOCS, State.NONE)
    assert one.parties == {"registrar": ("namecheap",), "dns": ("cloudflare",), "compute": ("gitbook",)}
    two = read.workloads["forum"]
    assert (two.state, two.cost.stated, two.data and two.data.gb) == (State.DATABASE, None, 12)
    three = read.workloads["voting-on-snapshot"]
    assert (three.work, three.state) == (Work.GOVERNANCE, State.EXTERNAL)


def test_a_slip_in_a_vendor_is_asked_back(tmp_path: Path):
    code, said = ask(tmp_path / "i.yaml", "DAO", "", "cloudfare", "y", "Bot", "", "hetzner", "", "", "5", "")
    assert code == 0, said
    assert "Do you mean cloudflare?" in said


def test_a_number_that_is_none_is_asked_again(tmp_path: Path):
    code, said = ask(tmp_path / "i.yaml", "DAO", "", "", "Bot", "", "hetzner", "", "", "five", "-1", "5", "")
    assert code == 0, said
    assert said.count("is not a number of 0 or more") == 2


def test_a_number_that_may_be_two_is_asked_again(tmp_path: Path):
    path = tmp_path / "i.yaml"
    code, said = ask(path, "DAO", "", "", "Docs", "", "gitbook", "", "", "1,234", "$1234", "Bot", "", "hetzner", "", "",
                     "0,125", "5", "")  # fmt: skip
    assert code == 0, said
    assert said.count("'1,234' may be 1234 or 1.234; write the one that is meant") == 1
    costs = [one.cost.stated for one in reading.load(path, ON).workloads.values()]
    assert [stated and stated.usd_month for stated in costs] == [1234, 0.125]


def test_a_host_that_is_none_or_is_taken_is_asked_again(tmp_path: Path):
    path = tmp_path / "i.yaml"
    docs = ["Docs", "", "gitbook", "a.dao.example/x b.dao.example", "A.dao.example. b.dao.example", "", ""]
    blog = ["Blog", "", "gitbook", "c.dao.example, a.dao.example", "c.dao.example", "", ""]
    code, said = ask(path, "DAO", "", "", *docs, *blog, "")
    assert code == 0, said
    assert "'a.dao.example/x' is not a host name" in said
    assert "'a.dao.example' is a name of Docs; keep it at one" in said
    hosts = {name: one.hosts for name, one in reading.load(path, ON).workloads.items()}
    assert hosts == {"docs": ("a.dao.example", "b.dao.example"), "blog": ("c.dao.example",)}


def test_answers_about_whole_workloads_are_kept_when_the_questions_are_interrupted(tmp_path: Path):
    path = tmp_path / "stacks" / "i.yaml"
    done = CliRunner().invoke(
        cli,
        ["init", "-i", str(path), "--date", "2026-11-22"],
        input="DAO\n\n\nDocs\n\ngitbook\na.dao.example\n\n\nBlog\n",
        standalone_mode=False,
    )
    assert (done.return_value, list(reading.load(path, ON).workloads)) == (130, ["docs"])
    assert f"interrupted; wrote {path}: 1 workload; add the others there" in done.output


def test_questions_that_are_interrupted_before_the_first_workload_write_nothing(tmp_path: Path):
    done = CliRunner().invoke(cli, ["init", "-i", str(tmp_path / "i.yaml")], input="DAO\n", standalone_mode=False)
    assert isinstance(done.exception, click.Abort)
    assert not (tmp_path / "i.yaml").exists()


def test_an_inventory_that_exists_is_never_changed(tmp_path: Path):
    path = tmp_path / "i.yaml"
    path.write_text("ours")
    with pytest.raises(ConfigError, match="exists already"):
        CliRunner().invoke(cli, ["init", "-i", str(path)], input="DAO\n", catch_exceptions=False)
    assert path.read_text() == "ours"


def test_nothing_is_written_where_nothing_was_described(tmp_path: Path):
    with pytest.raises(ConfigError, match="no workload was described"):
        CliRunner().invoke(cli, ["init", "-i", str(tmp_path / "i.yaml")], input="DAO\n\n\n\n", catch_exceptions=False)
    assert not (tmp_path / "i.yaml").exists()


@pytest.mark.parametrize("work", list(Work))
@pytest.mark.parametrize("compute", ["aws", "notion", "a-company-nobody-lists"])
def test_every_work_at_every_sort_of_vendor_makes_a_valid_workload(work: Work, compute: str):
    answers = draft.Answers("One", work, compute, ("one.dao.example",), 5.0)
    text = yaml.safe_dump(draft.document(ABOUT, [answers, answers.__class__("One", work, compute)], ON))
    read = reading.parse(text, ON)
    assert list(read.workloads) == ["one", "one-2"]


def test_the_manual_s_page_is_written_from_the_models():
    assert (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8") == reference.page()


def test_the_manual_s_page_names_every_work_state_part_layer_and_vendor():
    page = reference.page()
    union = AnyPart.__origin__.__args__
    words = [str(one) for one in (*Work, *State)]
    words += [model.model_fields["what"].annotation.__args__[0] for model in union]
    words += [name for name in known_vendors() if vendor(name, {}).key == name]
    assert [word for word in words if f"`{word}`" not in page] == []


def test_the_example_of_the_manual_s_page_is_valid():
    text = reference.page().split("```yaml\n")[1].split("```")[0]
    assert set(reading.parse(text, ON).workloads) == {"docs", "votes"}


def test_the_command_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "components", "inventory", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "init" in done.stdout
