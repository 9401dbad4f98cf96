"""The report: one document, the same bytes for the same input, everything from outside escaped in every form."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.assess import assessment, courses, explain, reading
from components.assess.figure import HOURS, Figure, total
from components.assess.report import files, terminal, words
from components.assess.report.document import document
from components.assess.report.page import page
from components.prices import book as prices

from .assess_samples import BOT, DOCS, FORUM, NODE, ON, VALIDATOR, assess, inventory

ROOT = Path(__file__).parent.parent.parent
NASTY = '<script>alert("x")</script> | [link](javascript:1) *bold* @all =1+1'


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    what = reading.load(ROOT / "stacks" / "inventory.yaml", ON)
    return document(assessment.assess(what, courses.proposed(what), prices.read(prices.SHIPPED), ON))


@pytest.fixture(scope="module")
def nasty() -> dict[str, Any]:
    """A report in which every text a person can write is an attack."""
    bad = {
        **FORUM,
        "title": NASTY,
        "notes": [NASTY],
        "sources": [NASTY],
        "secrets": [{"name": NASTY, "class": "scoped"}],
        "parts": [{"what": "fixed", "name": NASTY, "usd_month": 1, "source": NASTY}],
        "cost": {"stated": {"usd_month": 1, "source": NASTY}},
        "plan": {"mode": "active-standby", "why": NASTY},
    }
    return document(assess({"name": NASTY, "sources": [NASTY]}, one=bad, two={**BOT, "blockers": [NASTY]}))


def test_the_same_input_gives_the_same_bytes(example: dict[str, Any]):
    what = reading.load(ROOT / "stacks" / "inventory.yaml", ON)
    again = document(assessment.assess(what, courses.proposed(what), prices.read(prices.SHIPPED), ON))
    assert files.as_json(again) == files.as_json(example)
    assert page(again) == page(example)
    assert files.markdown(again) == files.markdown(example)


def test_the_example_s_page_is_small_and_loads_nothing(example: dict[str, Any]):
    text = page(example)
    assert len(text.encode()) <= 300_000
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|img|iframe|link|object|embed|form)\b", text)
    assert not re.search(r"""(src|href|action)\s*=\s*["'](?!#)""", text)
    assert "url(" not in text
    assert "@import" not in text


def test_every_table_of_the_page_tells_a_screen_reader_what_its_columns_are(example: dict[str, Any]):
    text = page(example)
    for table in re.findall(r"<table.*?</table>", text, flags=re.DOTALL):
        assert 'scope="col"' in table
    assert text.count("<h1>") == 1
    assert '<html lang="en">' in text


def test_nothing_from_outside_is_markup_in_the_page(nasty: dict[str, Any]):
    text = page(nasty)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_nothing_from_outside_is_markup_in_markdown(nasty: dict[str, Any]):
    text = files.markdown(nasty)
    assert "<script" not in text
    assert "[link](" not in text
    assert "@all" not in text
    assert "*bold*" not in text.replace("\\*bold\\*", "")


def test_no_line_of_a_markdown_table_has_more_cells_than_its_head(nasty: dict[str, Any]):
    for block in re.findall(r"(?:^\|.*\n?)+", files.markdown(nasty), flags=re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "|cmd", "\t=1", " =1"])
def test_a_formula_becomes_text_in_csv(text: str):
    assert files.cell(text) == f"'{text}"
    assert files.cell("docs") == "docs"
    assert files.cell(-5.0) == -5.0


def test_no_cell_of_any_csv_begins_a_formula(nasty: dict[str, Any], tmp_path: Path):
    for path in files.write(nasty, tmp_path):
        if path.suffix == ".csv":
            for row in csv.reader(io.StringIO(path.read_text())):
                assert not any(re.match(r"\s*[=+@|]", one) or re.match(r"\s*-\D", one) for one in row)


def test_leading_marks_of_markdown_are_escaped():
    assert files.md("# one\n two") == "\\# one two"
    assert files.md("1. one") == "1\\. one"
    assert files.md("a & <b>") == "a &amp; &lt;b&gt;"


def test_every_form_is_written(example: dict[str, Any], tmp_path: Path):
    names = {path.name for path in files.write(example, tmp_path / "new" / "folder")}
    assert names == {
        "report.html", "report.md", "report.json", "workloads.csv", "costs.csv", "residual.csv", "steps.csv",
    }  # fmt: skip
    again = json.loads((tmp_path / "new" / "folder" / "report.json").read_text())
    assert again == example
    rows = list(csv.DictReader(io.StringIO((tmp_path / "new" / "folder" / "workloads.csv").read_text())))
    assert [row["workload"] for row in rows] == [one["name"] for one in example["workloads"]]


def test_the_sums_are_the_sums_of_what_is_shown(example: dict[str, Any]):
    for when in ("today", "after"):
        shown = sum(one["cost"][when]["usd_month"] for one in example["workloads"])
        shared = example["shared"]["usd_month"] if when == "after" else 0
        assert example["summary"]["usd_month"][when] == pytest.approx(shown + shared, abs=0.1)
    for one in example["workloads"]:
        lines = one["cost"]["after"]["lines"]
        if lines:
            assert one["cost"]["after"]["usd_month"] == pytest.approx(
                sum(line["usd_month"] for line in lines), abs=0.01
            )


def test_the_terminal_shows_text_from_outside_as_text(nasty: dict[str, Any]):
    out = io.StringIO()
    terminal.show({**nasty, "dao": "[red]DAO[/red]"}, Console(file=out, width=200))
    assert "[red]DAO[/red]" in out.getvalue()
    assert "! " in out.getvalue() or not nasty["warnings"]


def test_what_is_stale_is_marked_on_the_terminal(example: dict[str, Any]):
    out = io.StringIO()
    terminal.show(example, Console(file=out, width=200))
    assert "* on prices that are stale or unverified" in out.getvalue()
    fresh = document(assess(one=VALIDATOR))
    out = io.StringIO()
    terminal.show(fresh, Console(file=out, width=200))
    assert "stale" not in out.getvalue()


def test_findings_say_what_gets_worse_too(example: dict[str, Any]):
    said = list(words.findings(example))
    assert any("bill rises" in text for text in said)
    assert "Moving does not pay for itself: what it buys is independence, and a recovery that was tried." in said
    assert any("AWS alone could stop 6 workloads instead of 5" in text for text in said)


def test_findings_of_a_move_that_pays_and_of_none():
    pays = document(assess({"rate_usd_hour": 1}, one={**BOT, "cost": {"stated": {"usd_month": 5000, "source": "x"}}}))
    assert any(text.startswith("It pays for itself in ") for text in words.findings(pays))
    stays = list(words.findings(document(assess(one=VALIDATOR))))
    assert stays[1].startswith("The bill stays from $80 to $80 a month (±$0)")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "$0"), (5.43, "$5.43"), (65.0, "$65"), (1240.4, "$1,240"), (-206, "-$206"), (0.002, "<1¢"), (-0.002, "-<1¢")],
)
def test_money_is_written_short(value: float, text: str):
    assert words.usd(value) == text


def test_words_are_right_in_number():
    assert [words.plural(1, "day"), words.plural(0, "day"), words.plural(2, "company")] == [
        "1 day",
        "0 days",
        "2 companies",
    ]
    assert [words.change(0), words.change(3), words.change(-3)] == ["±$0", "+$3", "-$3"]
    assert [words.number(1234.5), words.number(6.0), words.number(0.034)] == ["1,234", "6", "0.03"]
    assert [words.between([4, 4]), words.usd_between([1, 1]), words.usd_between([1, 2])] == ["4", "$1", "$1 to $2"]
    assert [words.sentence("it is"), words.sentence("It is.")] == ["It is.", "It is."]


def test_warnings_say_what_is_old_or_unknown():
    what = inventory(one=BOT)
    late = ON + timedelta(days=400)
    whole = assessment.assess(what, courses.proposed(what), prices.read(prices.SHIPPED), late, only_in_stack=("site",))
    said = "\n".join(whole.warnings)
    assert "The inventory is 421 days old." in said
    assert "The data in outages.json is 400 days old." in said
    assert "Nothing is known about forge: average values are assumed" in said
    assert "The stack has workloads that the inventory does not know: site." in said
    assert whole.grades(after=False)["availability"] == {"Low": 1, "Medium": 0, "High": 0}


@pytest.mark.parametrize("topic", list(explain.TOPICS))
@pytest.mark.parametrize("workload", [DOCS, FORUM, BOT, NODE, VALIDATOR])
def test_every_topic_of_every_workload_is_explained_down_to_sources(workload: dict[str, Any], topic: str):
    said = list(explain.lines(explain.explain(assess(one=workload).of("one"), topic)))
    assert said[0] == f"one: {topic}"
    assert len(said) > 1
    numbers = {int(one) for line in said for one in re.findall(r" \[(\d+)\]", line)}
    listed = {int(match[1]) for line in said if (match := re.match(r"\[(\d+)\] .", line))}
    assert numbers == listed


def test_every_number_of_the_example_rests_on_inputs_with_sources(example: dict[str, Any]):
    """Every leaf of every figure says who says so."""
    what = reading.load(ROOT / "stacks" / "inventory.yaml", ON)
    whole = assessment.assess(what, courses.proposed(what), prices.read(prices.SHIPPED), ON)
    figures = [
        whole.cost_before,
        whole.cost_after,
        whole.value.independence,
        whole.value.hours_saved,
        whole.value.effort.low,
    ]
    figures += [one.value.saving_year for one in whole.workloads]
    figures += [price for one in whole.workloads for price, _ in one.elsewhere.values()]
    leaves = [leaf for figure in figures for leaf in figure.leaves()]
    assert len(leaves) > 500
    assert [leaf for leaf in leaves if not leaf.source and leaf.value] == []


def test_a_wish_and_an_explanation_of_all():
    whole = assess(docs=DOCS, keys=VALIDATOR)
    said = list(explain.lines(explain.explain_all(whole, "cost")))
    assert any("today, all workloads" in line for line in said)
    assert "  docs: risk" in list(explain.lines(explain.explain_all(whole, "risk")))
    assert any("hours of downtime saved a year" in line for line in explain.lines(explain.explain_all(whole, "value")))


def test_what_beat_what_is_told():
    both = {**BOT, "cost": {"stated": {"usd_month": 6, "source": "a"}, "measured": {"usd_month": 7, "source": "b"}}}
    said = list(explain.lines(explain.explain(assess(one=both).of("one"), "cost")))
    assert "  known as well, and beaten by it" in said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5, "USD", "5.00 USD"),
        (0.0416, "USD", "0.0416 USD"),
        (0.5, "USD", "0.50 USD"),
        (0, "USD", "0.00 USD"),
        (12.5, "h", "12.5 h"),
        (3, "", "3"),
    ],
)
def test_amounts_show_the_digits_they_need(value: float, unit: str, text: str):
    assert explain.amount(value, unit) == text


def test_a_sum_of_nothing_says_so():
    assert total("nothing", (), HOURS) == Figure("nothing", 0, HOURS, "nothing adds to it")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "components", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_line_prints_tables_json_and_files(tmp_path: Path):
    plain = run("assess", "--date", "2026-11-22", "--out", str(tmp_path))
    assert (plain.returncode, "\x1b" in plain.stdout) == (0, False)
    assert "active-standby on akash" in plain.stdout
    assert (tmp_path / "report.html").exists()
    machine = run("assess", "--date", "2026-11-22", "--json")
    assert json.loads(machine.stdout)["dao"] == "Example DAO"


def test_assessing_loads_neither_pulumi_nor_clients_nor_templates():
    script = (
        "import sys; from components.__main__ import cli; "
        "cli.main(['assess', '--date', '2026-11-22', '--json'], standalone_mode=False); "
        "heavy = {'pulumi', 'boto3', 'httpx', 'rich', 'jinja2', 'ruamel', 'dns'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_wrong_names_are_sentences():
    wrong = run("explain", "dosc", "cost")
    assert (wrong.returncode, "did you mean docs?" in wrong.stderr) == (2, True)
    missing = run("assess", "--inventory", "nowhere.yaml")
    assert (missing.returncode, missing.stderr.startswith("nowhere.yaml: no such inventory")) == (1, True)
    stack = run("assess", "--stack", "nowhere")
    assert (stack.returncode, "no such stack file" in stack.stderr) == (1, True)


def test_a_stack_file_is_assessed_against_the_inventory(tmp_path: Path):
    good = run("assess", "--stack", "example", "--date", "2026-11-22", "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["plan"] == "stack example"
    bad = tmp_path / "Pulumi.bad.yaml"
    bad.write_text("config: {unmoor:zone: 1}")
    wrong = run("assess", "--stack", str(bad))
    assert (wrong.returncode, "is not valid" in wrong.stderr) == (1, True)


def test_explaining_goes_through_the_command_line():
    assert "one lease that is rented again" in run("explain", "bots", "migration", "--date", "2026-11-22").stdout
    assert "today, all workloads" in run("explain", "all", "cost", "--date", "2026-11-22").stdout
