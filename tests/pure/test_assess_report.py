"""The report: one document, the same bytes for the same input, everything from outside escaped in every form."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.assess import assessment, courses, explain, rounding
from components.assess.figure import HOURS, Figure, total
from components.assess.history import company_name
from components.assess.report import files, terminal, words
from components.assess.report.document import document
from components.assess.report.markdown import markdown
from components.assess.report.page import page
from components.prices import book as prices
from components.text import escape

from .assess_samples import BOT, DOCS, EVERYTHING, FORUM, LETTER, NODE, ON, VALIDATOR, advise, assess, inventory
from .assess_samples import example as assessed_example

NASTY = '<script>alert("x")</script> | [link](javascript:1) *bold* @all =1+1'


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return document(assessed_example())


@pytest.fixture(scope="module")
def nasty() -> dict[str, Any]:
    """Return a report in which every text a person can write is an attack."""
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
    again = document(assessed_example())
    assert files.as_json(again) == files.as_json(example)
    assert page(again) == page(example)
    assert markdown(again) == markdown(example)


def test_the_example_s_page_is_small_and_loads_nothing(example: dict[str, Any]):
    text = page(example)
    assert len(text.encode()) <= 200_000
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|img|iframe|link|object|embed|form)\b", text)
    assert not re.search(r"""(src|href|action)\s*=\s*["'](?!#)""", text)
    assert "url(" not in text
    assert "@import" not in text


def test_every_table_of_the_page_names_its_columns_for_a_screen_reader(example: dict[str, Any]):
    text = page(example)
    for table in re.findall(r"<table.*?</table>", text, flags=re.DOTALL):
        assert 'scope="col"' in table
    assert text.count("<h1") == 1
    assert '<html lang="en">' in text


def test_nothing_from_outside_is_markup_in_the_page(nasty: dict[str, Any]):
    text = page(nasty)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_nothing_from_outside_is_markup_in_markdown(nasty: dict[str, Any]):
    text = markdown(nasty)
    assert "<script" not in text
    assert "[link](" not in text
    assert "@all" not in text
    assert "*bold*" not in text.replace("\\*bold\\*", "")


def test_no_line_of_a_markdown_table_has_more_cells_than_its_head(nasty: dict[str, Any]):
    for block in re.findall(r"(?:^\|.*\n?)+", markdown(nasty), flags=re.MULTILINE):
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
    assert escape.markdown("# one\n two") == "\\# one two"
    assert escape.markdown("1. one") == "1\\. one"
    assert escape.markdown("a & <b>") == "a &amp; &lt;b&gt;"


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
    shares = {"today": 0, "stay": example["shared_stay"]["usd_month"], "after": example["shared"]["usd_month"]}
    for when, shared in shares.items():
        shown = sum(one["cost"][when]["usd_month"] for one in example["workloads"])
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
    assert "* on prices that are old or unverified" in out.getvalue()
    fresh = document(assess(one=VALIDATOR))
    out = io.StringIO()
    terminal.show(fresh, Console(file=out, width=200))
    assert "old or unverified" not in out.getvalue()


def test_findings_name_what_gets_worse_and_compare_with_homework(example: dict[str, Any]):
    found = list(words.findings(example))
    assert found[0] == "3 of 13 workloads move; 10 stay, with homework."
    assert any("homework alone would make it" in text for text in found)
    assert any("4 workloads today, 0 after homework alone, 0 with the plan" in text for text in found)
    assert any("AWS alone can stop 7 workloads instead of 5" in text for text in found)


def test_the_report_of_a_dao_that_moves_nothing_is_true():
    found = " ".join(words.findings(document(advise(one=VALIDATOR))))
    assert found.startswith("0 of 1 workload move; 1 stays, with homework. The bill is $80 a month; homework adds $0")
    assert "move takes" not in found
    assert "falls" not in found


def test_the_hours_and_weeks_that_are_shown_are_those_of_the_table(example: dict[str, Any]):
    slots = [slot["hours"] for slot in example["timeline"]]
    summary = example["summary"]
    for end in (0, 1):
        assert sum(one[end] for one in slots) == pytest.approx(
            summary["effort_hours"][end] + summary["homework_hours"][end]
        )


def test_a_move_that_pays_and_one_that_does_not():
    assert words.payback(5) == "pays for itself in about 5 months"
    assert words.payback(41) == "pays for itself in about 3 years"
    assert words.payback(600) == "does not pay for itself in money within 20 years"
    assert words.payback(None) == "does not pay for itself in money"


def test_every_form_of_the_report_has_the_motion_and_the_steps_once_for_the_dao(
    example: dict[str, Any], tmp_path: Path
):
    files.write(example, tmp_path)
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "moves 3 of 13 workloads" in text
        assert "Registry lock" in text
        assert "Credentials, grants, OIDC" in text
        assert "Reputational benefit" in text
        assert text.endswith("\n")
    steps = (tmp_path / "steps.csv").read_text()
    assert "Registry lock" in steps
    for what in ("data backup", "DNS forwarding", "load balancing", "credential management"):
        assert what in steps
        assert what in (tmp_path / "report.md").read_text()
    assert "Registry lock" in "\n".join(explain.lines(explain.explain_all(assessed_example(), "migration")))


def test_the_vote_s_table_has_the_same_rows_in_both_forms(example: dict[str, Any]):
    rows = list(words.compared(example["summary"]))
    assert len(rows) == 6
    on_page, in_markdown = html.unescape(page(example)), markdown(example).splitlines()
    for heading, *cells in rows:
        marked = "".join(f"<td>{cell}</td>" for cell in cells)
        assert f'<tr><th scope="row">{heading}</th>{marked}</tr>' in on_page
        assert [heading, *cells] in [[cell.strip() for cell in line.strip("|").split("|")] for line in in_markdown]


def test_own_sentences_keep_their_code_in_markdown(example: dict[str, Any]):
    text = markdown(example)
    assert "`pulumi up`" in text
    assert "\\`" not in text


def test_a_terminal_of_80_columns_breaks_no_word(example: dict[str, Any]):
    out = io.StringIO()
    terminal.show(example, Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (head,) = [line for line in lines if line.startswith("workload ")]
    assert head.split() == ["workload", "outage", "exposure", "USD", "a", "month", "work,", "h"]
    rows = lines[lines.index(head) + 1 :]
    assert [row.split()[0] for row in rows[:13]] == [one["name"] for one in example["workloads"]]


def test_an_unknown_bill_is_called_unknown_in_every_form(tmp_path: Path):
    report = document(assess(one={**BOT, "cost": {"unknown": "the treasurer"}}, two=DOCS))
    files.write(report, tmp_path)
    assert "unknown" in (tmp_path / "report.html").read_text()
    assert "unknown → $0.89" in (tmp_path / "report.md").read_text()
    out = io.StringIO()
    terminal.show(report, Console(file=out, width=100))
    assert "unknown → $0.89" in out.getvalue()


@pytest.mark.parametrize("workload", [DOCS, FORUM, BOT, NODE, VALIDATOR, LETTER])
def test_what_can_be_published_names_the_companies_that_remain(workload: dict[str, Any]):
    one = document(assess(one=workload))["workloads"][0]
    for when, claim in (("today", "claim_today"), ("after", "claim_after")):
        companies = one["residual"][when]["stoppers"]
        same = one["residual"]["today"]["stoppers"] == companies
        for company in companies if when == "today" or not same else ():
            assert company_name(company) in one["value"][claim]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (5.43, "$5.43"),
        (12.88, "$13"),
        (None, "unknown"),
        (65.0, "$65"),
        (1240.4, "$1,240"),
        (-206, "-$206"),
        (0.002, "<1¢"),
        (-0.002, "-<1¢"),
    ],
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
    assert [rounding.number(1234.5), rounding.number(6.0), rounding.number(0.034)] == ["1,234", "6", "0.03"]
    assert [rounding.between([4, 4]), words.usd_between([1, 1]), words.usd_between([1, 2])] == ["4", "$1", "$1 to $2"]
    assert [rounding.between([85, 158]), words.usd_between([6375, 11850])] == ["85 to 160", "$6,400 to $12,000"]
    assert [words.percent([99.9038, 99.9782]), words.percent([100, 100])] == ["99.90 to 99.98 %", "100.0 %"]
    assert [words.sentence("it is"), words.sentence("It is.")] == ["It is.", "It is."]


def test_warnings_say_what_is_old_or_unknown():
    what = inventory(one=BOT)
    late = ON + timedelta(days=400)
    whole = assessment.assess(
        what, courses.proposed(what, EVERYTHING), prices.read(prices.SHIPPED), late, only_in_stack=("site",)
    )
    said = "\n".join(whole.warnings)
    assert "The inventory is 421 days old." in said
    assert "The data in outages.json is 400 days old." in said
    assert "Nothing is known about forge: average values are assumed" in said
    assert "The stack has workloads that the inventory does not have: site." in said
    assert whole.grades("before")["availability"] == {"Low": 1, "Medium": 0, "High": 0}


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
    """Every leaf of every figure names its source."""
    whole = assessed_example()
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


def test_what_is_known_less_well_is_explained_too():
    both = {**BOT, "cost": {"stated": {"usd_month": 6, "source": "a"}, "measured": {"usd_month": 7, "source": "b"}}}
    said = list(explain.lines(explain.explain(assess(one=both).of("one"), "cost")))
    assert "  known as well, and less well founded" in said


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


def test_a_sum_of_nothing_is_shown_as_one():
    assert total("nothing", (), HOURS) == Figure("nothing", 0, HOURS, "nothing adds to it")
