"""Quoted logs of a container: no value of a secret in any spelling, and a few short lines."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from components.limits import LOG_LINES, QUOTE_CHARS
from components.text.hidden import hide, last

VALUE = 'correct/horse+"battery" staple'


@pytest.mark.parametrize(
    "spelt",
    [
        VALUE,
        quote(VALUE, safe=""),
        json.dumps(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        base64.b64encode(b"user:" + VALUE.encode()).decode(),
    ],
    ids=["plain", "in a URL", "JSON", "base64", "base64 of a user and it"],
)
def test_a_value_is_hidden_however_it_is_spelt(spelt: str) -> None:
    shown = hide(f"before {spelt} after", [VALUE])
    assert "horse" not in shown
    assert base64.b64encode(VALUE.encode()).decode()[8:24] not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_lines_of_a_value_and_the_password_of_a_url_are_hidden_by_themselves() -> None:
    values = ["first line of a key\nsecond line of a key\n", "postgres://api:hunter22hunter@db.example/x"]
    shown = last(["first line of a key", "got second line of a key", "password hunter22hunter is wrong"], values)
    assert shown == ["***", "got ***", "password *** is wrong"]


def test_short_values_stay_since_they_stand_in_many_texts_by_chance() -> None:
    assert hide("the port is 80", ["80", "the"]) == "the port is 80"


def test_the_last_lines_are_cut_escaped_and_few() -> None:
    lines = [f"line {number}" for number in range(50)] + ["", "\x1b[31mred\u202e", "x" * 5_000]
    shown = last(lines, [])
    assert len(shown) == LOG_LINES
    assert shown[-2] == "\\x1b[31mred\\u202e"
    assert shown[-1].startswith("x" * QUOTE_CHARS + "…")
    assert shown[0] == f"line {50 - LOG_LINES + 2}"
