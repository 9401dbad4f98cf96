"""Text from outside: cut, harmless to a terminal, and no markup; and devices that fail or cannot write a letter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import limits
from components.errors import Fault, UnmoorError
from components.text import device, escape

ROOT = Path(__file__).parents[2]
EVIL = "A\x1b]0;pwned\a\x1b[2J\u202eB\u2066\x9b31m\u2028\ud800\U000e0041"
EVERYTHING = st.text(st.characters(), max_size=200)


def _obeyed(text: str) -> str:
    """Return what a terminal would obey or a reader not see."""
    return "".join(
        c for c in text if (unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in "\n\t")
        or unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )  # fmt: skip


def test_what_a_terminal_obeys_is_written_out() -> None:
    assert escape.printable(EVIL) == ("A\\x1b]0;pwned\\x07\\x1b[2J\\u202eB\\u2066\\x9b31m\\u2028\\ud800\\U000e0041")
    assert escape.printable("né 日本 \n\tx") == "né 日本 \n\tx"


@pytest.mark.parametrize(
    "point", [0xAD, 0x34F, 0x115F, 0x17B4, 0x180B, 0x200C, 0x200D, 0x2800, 0x3164, 0xFE0F, 0xFFA0, 0x1D173]
)
def test_a_name_with_a_character_that_nobody_sees_does_not_look_like_another(point: int) -> None:
    name = f"admin{chr(point)}"
    for made in (escape.printable(name), escape.outside(name), escape.shown(name), escape.markdown(name)):
        assert chr(point) not in made
        assert f"{point:x}" in made


@given(EVERYTHING)
def test_nothing_is_obeyed_by_any_way_out(text: str) -> None:
    for made in (
        escape.printable(text), escape.outside(text), escape.shown(text), escape.shown({text: [text]}),
        escape.markdown(text), escape.markdown(text, code=True), str(Fault(text, text)),
        str(UnmoorError(text, [Fault("a", text)])), *escape.tree({text: [text]}), device.terminal(text),
    ):  # fmt: skip
        assert not _obeyed(re.sub(r"\x1b\[[0-9;]*m", "", made) if made == device.terminal(text) else made)


def test_what_is_quoted_is_one_line_and_cut() -> None:
    assert escape.outside(b"one\n  two\xff") == "one two\ufffd"
    assert escape.outside("x" * 400) == "x" * 300 + "… (100 characters more)"
    assert len(escape.outside("x " * 1_000_000)) < 400
    assert len(escape.outside(EVIL * 100_000)) < 3_000


def test_a_value_is_shown_without_being_written_out() -> None:
    wide: list[object] = []
    deep: list[object] = wide
    for _ in range(60):
        deep = [deep] * 9
    assert escape.shown(deep).startswith("[[[[…], […], […]")
    assert len(escape.shown(deep)) < 120
    assert escape.shown("it's") == '"it\'s"'
    assert escape.shown("x" * 100) == f"'{'x' * 80}'… (100 characters)"
    assert escape.shown(10**6000) == "a number of 19,932 bits"
    assert escape.shown({"a": 1, "b": [None, True, ()]}) == "{'a': 1, 'b': [None, True, ()]}"


def test_an_error_is_bounded_and_counts_what_it_leaves_out() -> None:
    error = UnmoorError(EVIL * 1_000, [Fault("p" * 5_000, "m" * 5_000)] * 1_000)
    assert len(str(error)) < limits.MESSAGE_CHARS + 100
    assert str(error).splitlines()[-1].startswith("  - … and 99")
    assert str(UnmoorError("a", [Fault("b", "c"), Fault("", "d")])) == "a:\n  - b: c\n  - d"


MARKDOWN = {
    "# one\n two": "\\# one two",
    "1. one": "1\\. one",
    "12) one": "12\\) one",
    "- one": "\\- one",
    "a & <b>": "a &amp; &lt;b&gt;",
    "a|b `c` *d* _e_ [f](g) ~h~": "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) \\~h\\~",
    "see http://evil.example, www.evil.example": "see http&#58;//evil.example, www&#46;evil.example",
    "me@evil.example": "me&#64;evil.example",
    "5-x": "5-x",
}


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_is_no_markup(text: str) -> None:
    assert escape.markdown(text) == MARKDOWN[text]


def test_our_own_sentences_keep_their_code() -> None:
    assert escape.markdown("run `a*b` in <dir>", code=True) == "run `a*b` in &lt;dir&gt;"
    assert escape.markdown("one ` tick_", code=True) == "one ' tick\\_"


def test_every_report_escapes_markdown_by_the_same_function() -> None:
    from components.assess.report import markdown
    from components.review import text

    assert markdown.md is escape.markdown
    assert text.markdown is escape.markdown


def test_colours_of_ours_stay_and_controls_go() -> None:
    assert device.terminal("\x1b[31mred\x1b[0m \x1b[2J\x07") == "\x1b[31mred\x1b[0m \\u001b[2J\\u0007"


def _run(words: list[str], redirect: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    line = " ".join([sys.executable, "-m", "components", *words, redirect])
    return subprocess.run(
        ["sh", "-c", line], cwd=ROOT, capture_output=True, check=False, env={**os.environ, **variables}
    )


NOT_JSON = "step probe: standard input is not one JSON object: "
ASSESS = ["assess", "--date", "2026-11-26"]


@pytest.mark.parametrize(
    ("words", "redirect", "said"),
    [
        (ASSESS, "> /dev/full", "the output cannot be written: No space left on device\n"),
        (["--help"], "> /dev/full", "the output cannot be written: No space left on device\n"),
        (["sdl", "manifest", "--json", "sdl/docs.yaml"], "> /dev/full",
         "the output cannot be written: No space left on device\n"),
        ([*ASSESS, "--out", "/dev/null/x"], "> /dev/null", "/dev/null/x: Not a directory\n"),
        (["step", "probe"], "<&-", f"{NOT_JSON}Expecting value: line 1 column 1 (char 0)\n"),
        (["step", "probe"], "< /dev/zero", f"{NOT_JSON}it is longer than 1,048,576 bytes\n"),
        ([*ASSESS, "-i", "/dev/null/x"], "2> /dev/full", ""),
    ],
)  # fmt: skip
def test_a_device_that_fails_is_a_sentence(words: list[str], redirect: str, said: str) -> None:
    done = _run(words, redirect)
    assert (done.returncode, done.stderr.decode()) == (1, said)


def test_a_closed_device_is_no_traceback() -> None:
    for redirect in (">&-", "2>&-", ">&- 2>&- <&-", "| head -c 1"):
        done = _run(ASSESS, redirect)
        assert b"Traceback" not in done.stderr + done.stdout, redirect


def test_input_that_is_nested_too_deep_or_no_number_is_a_sentence() -> None:
    for text, said in {"[" * 100_000: "it is nested too deep", '{"a": NaN}': "NaN is not JSON"}.items():
        words = [sys.executable, "-m", "components", "step", "probe"]
        done = subprocess.run(words, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, f"{NOT_JSON}{said}\n")


def test_a_device_that_cannot_write_a_letter_escapes_it_and_json_stays_json(tmp_path: Path) -> None:
    shown = _run(ASSESS, PYTHONIOENCODING="ascii")
    assert (shown.returncode, b"\\u2192" in shown.stdout) == (0, True)
    text = (ROOT / "stacks" / "inventory.yaml").read_text()
    path = tmp_path / "inventory.yaml"
    path.write_text(re.sub(r"name: .*", "name: Kōan 🜁", text, count=1))
    words = [*ASSESS, "--json", "-i", str(path)]
    plain, ascii_ = (_run(words, PYTHONIOENCODING=encoding).stdout for encoding in ("utf-8", "ascii"))
    assert json.loads(ascii_) == json.loads(plain)
    assert ascii_ != plain


def test_an_inventory_cannot_write_on_the_terminal_or_into_a_report(tmp_path: Path) -> None:
    text = (ROOT / "stacks" / "inventory.yaml").read_text()
    evil = 'name: "A\\e]0;pwned\\a\\e[2J\\u202eB"'
    path = tmp_path / "inventory.yaml"
    path.write_text(re.sub(r"name: .*", lambda _: evil, text, count=1))
    out = tmp_path / "out"
    outputs = [
        _run([*ASSESS, "-i", str(path), "--out", str(out)]).stdout,
        _run([*ASSESS, "-i", str(path), "--json"]).stdout,
        _run(["explain", "all", "cost", "-i", str(path), "--date", "2026-11-26"]).stdout,
        *(file.read_bytes() for file in out.iterdir()),
    ]
    assert len(outputs) > 6
    assert b"pwned" in outputs[0]
    for made in outputs:
        assert _obeyed(made.decode()) == ""
