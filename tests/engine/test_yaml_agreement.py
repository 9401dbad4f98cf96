"""The meaning of a stack file's YAML: what `unmoor plan` reads is what the real engine hands to a program.

Each document is a value of a stack file that `pulumi config --json` prints. It proves agreement with the engine that
the sandbox builds. What we refuse and the engine takes is listed by name, with the reason.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.config import yaml_text
from components.errors import ConfigError, UnmoorError
from sandbox.engine import resolve

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = """
true True TRUE tRUE false False FALSE yes Yes YES no No NO on On ON off Off OFF y Y n N
null Null NULL nUll ~ ~a '' "" "null"
0 1 -1 +1 007 010 08 09 0o17 0O17 0o8 -0o17 0x1f 0X1F 0xg -0x1f +0x1f 0b11 0B11 0b2 -0b11 +0b11 00 000 0_1
1_000 1__000 _1 1_ 0x_1f 0b_1 0_0 12_34.5_6 -1_0 +1_0
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
18446744073709551616 99999999999999999999 +18446744073709551615 0xffffffffffffffff 0xfffffffffffffffff
0b1111111111111111111111111111111111111111111111111111111111111111 01777777777777777777777
0.0 1.0 -1.0 +1.0 1. .5 -.5 +.5 .5e3 1e3 1E3 1e+3 1e-3 1.5e300 1e999 -1e999 1e21 1e20 123456789.125 1e 1e+ e1 .e1 1.2.3
-0.0 0e0 08.5 09e1 1_0e1_0 .1_0 ._1 +._1 1.e2 +e1 - + . .. ... -- -a --- -- +- -.
.inf-a .infa .nana -.infx Infinity Inf NaN nan inf -Inf +Inf .Inf5
1:30 190:20:30 12:30:45 1:30.5 :a a:b
2026-11-22 2026-1-2 2026-13-01 2026-02-30 2024-02-29 2026-11-22T10:00:00Z 2026-11-22t1:2:3Z
2026-11-22T10:00:00 2026-11-22T10:00:00.5Z 2026-11-22T10:00:00.123456789Z 2026-11-22T10:00:00,5Z
2026-11-22T24:00:00Z 2026-11-22T10:60:00Z 02026-11-22 226-11-22 2026-11 2026- 2026-11-22x '2026-11-22' 0000-01-01
!!str&1 !!int&'5' !!int&0x10 !!float&1 !!float&'1.5' !!bool&'true' !!null&~ !!str&true !!str&2026-11-22
'it''s' "a\\tb" "\\u00e9" é =a <<a *a& abc a-b a_b a.b a/b http://x a#b @a& %a& `a& docs.dao.example ZZ
"""

WORDS = tuple(dict.fromkeys(_WORDS.split()))

#: Documents of more than a word, as the value of one key; each line is indented below it.
TREES = {
    "the example of a mapping": "{on: {kind: no, y: 1:30}}",
    "an anchor": "{a: &x {b: 1, c: 2}, d: *x}",
    "a merge": "{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}",
    "a merge that comes last": "{a: &x {b: 1, c: 2}, d: {c: 3, <<: *x}}",
    "merges in a list": "{a: &x {b: 1}, y: &y {b: 2, c: 3}, d: {<<: [*x, *y]}}",
    "a merge of a mapping of its own": "{d: {<<: {b: 1}, c: 2}}",
    "merges within merges": "{a: &x {b: 1, e: 5}, y: &y {<<: *x, b: 2}, d: {<<: *y, e: 6}}",
    "an anchor named again": "{a: &x 1, b: *x, c: &x 2, d: *x}",
    "an anchor of a key": "{&k a: 1, b: *k}",
    "a list of everything": "[1, 1.5, true, null, ~, '', a, [b], {c: d}, 010, 1_0]",
    "empty things": "{a: {}, b: [], c: '', d: , e: ~}",
    "words as keys": "{on: 1, yes: 2, no: 3, y: 4, off: 5}",
    "quoted keys": "{'1': a, 'true': b, 'null': c, '2026-11-22': d}",
    "tagged keys": "{!!str 1: a, !!str true: b}",
    "a block": "a:\n  - b: 1\n    c: 2\n  -\n    d: [e, f]\n  - - x\n    - y",
    "a list that is not indented": "a:\n- 1\n- 2\nb: 3",
    "literal text": "a: |\n  one\n   two\n\n  three\nb: 1",
    "folded text": "a: >\n  one\n  two\n\n  three\nb: 1",
    "text that keeps its end": "a: |+\n  one\n\nb: 1",
    "text that drops its end": "a: >-\n  one\n  two\nb: 1",
    "text with an indent of its own": "a: |2\n    one\n  two\nb: 1",
    "text over lines": "a: one\n  two\n  three\nb: 'x\n  y'\nc: \"x \\\n  y\"",
    "comments": "a: 1 # one\n# two\nb: '# three' # four\nc: a#b",
    "a key that asks": "? a\n: 1\n? b\n: 2",
    "colons": 'a: b:c\nd: http://e:1/f\n"g:h": 1',
    "commas outside a flow": "a: 1,000\nb: x, y",
    "a number with a comma in a flow": "[1,000]",
    "trailing commas": "{a: [1, 2, ], b: {c: 1, }}",
    "text beyond ASCII": 'a: ü\nb: "\\u65e5"\nc: 🜁\nd: "\\U0001F701"',
    "control characters as escapes": 'a: "\\e[31m\\a\\0"',
    "line ends of text": 'a: "x\\r\\ny\\Nz\\_\\L\\P"',
    "a secret-like mapping with another key": "{secure: a, b: 1}",
    "json": '{"a": [1, 2.5, true, null, "x"], "b": {"c": "d"}}',
    "deep": "[" * 50 + "1" + "]" * 50,
    "nulls in lists": "[~, null, a]",
    "a long line": "a: " + "x" * 5000,
}

#: What neither reads.
REFUSED = {
    "a key twice": "{a: 1, a: 2}",
    "a key twice, once in quotes": "{a: 1, 'a': 2}",
    "a key twice in a block": "a: 1\nb: 2\na: 3",
    "two merges": "{x: &x {a: 1}, b: {<<: *x, <<: *x}}",
    "a list as a key": "{[a]: b}",
    "a mapping as a key": "{{a: b}: c}",
    "an alias of nothing": "{a: *x}",
    "an anchor within itself": "{a: &x [*x]}",
    "a merge of a word": "{<<: 1}",
    "a merge of an alias of a list": "{a: &x [{b: 1}], c: {<<: *x}}",
    "a tab": "a:\n\tb: 1",
    "an open list": "[1, 2",
    "an open text": "'a",
    "not a number": "{a: .nan}",
    "infinity": "{a: .inf}",
    "a word that is no integer": "{a: !!int x}",
    "a word that is no truth": "{a: !!bool yes}",
    "a colon too many": "a: b: c",
    "a reserved character": "{a: @b}",
    "another reserved character": "{a: `b}",
}

#: What the engine reads and we do not, and why.
STRICTER = {
    "a number as a key": ("{1: a}", "1 and 01 would be one key"),
    "a truth as a key": ("{true: a}", "the key would be text where the value is none"),
    "nothing as a key": ("{~: a}", "the key would be <nil>"),
    "a date as a key": ("{2026-11-22: a}", "the key would be another text than the one written"),
    "a merge in quotes": ("{a: {'<<': {b: 1}}}", "the engine merges what the quotes protect"),
    "a second document": ("a: 1\n---\nb: 2", "the engine drops it without a word"),
    "a moment with an offset": ("{a: 2026-11-22T10:00:00+02:00}", "its text depends on the machine's time zone"),
    "a tag of another's": ("{a: !x b}", "the engine drops the tag"),
    "a set": ("{a: !!set {b: ~}}", "the engine drops the tag"),
    "an alias as a key": ("{a: &x b, *x : 1}", "the same word may be an anchor elsewhere"),
    "deeper than any settings": ("[" * 80 + "]" * 80, "a depth that our own reader must survive"),
    "a number of 500 digits": ("{a: " + "1" * 500 + "}", "it is text that lacks its quotes"),
}


class Engine:
    """A stack on a backend of its own; the engine reads its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: unmoor\nruntime: python\n")
        self.environment = {
            "PATH": f"{resolve.engine()}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        made = self._run("stack", "init", "s", "--non-interactive")
        assert made.returncode == 0, made.stderr

    def read(self, text: str) -> dict[str, Any] | None:
        """Return the settings of a stack file as a program gets them, by key; None where the engine refuses it."""
        number = len(list(self.folder.glob("f*.yaml")))
        file = self.folder / f"f{number}-{os.urandom(4).hex()}.yaml"
        file.write_text(text)
        done = self._run("config", "--json", "--stack", "s", "--config-file", str(file))
        if done.returncode:
            return None
        given = json.loads(done.stdout)
        return {
            key: json.loads(each["value"]) if "objectValue" in each else each["value"] for key, each in given.items()
        }

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    try:
        return Engine(tmp_path_factory.mktemp("yaml"))
    except UnmoorError as error:
        pytest.skip(str(error))


def _file(document: str) -> str:
    """Write a stack file with one setting."""
    if "\n---" in document:
        return f"config:\n  unmoor:v: {{}}\n---\n{document}"
    lines = document.splitlines() or [""]
    return "config:\n  unmoor:v:\n" + "".join(f"    {line}\n" for line in lines)


def _ours(text: str) -> Any:
    """Return our reading of the setting; None where we refuse it."""
    try:
        document = yaml_text.load(text, "file", yaml_text.STACK)
    except ConfigError:
        return None
    return document["config"] | {}


def _exact(value: Any) -> str:
    """Write a value so that 1 and true, and 1 and "1", differ; a whole float is the integer that JSON makes of it."""
    return json.dumps(value, sort_keys=True)


def _compare(engine: Engine, documents: dict[str, str]) -> dict[str, tuple[Any, Any]]:
    """Return the documents on which the two differ, with both readings."""
    files = {name: _file(document) for name, document in documents.items()}
    with ThreadPoolExecutor(2) as pool:
        theirs = dict(zip(files, pool.map(engine.read, files.values()), strict=True))
    pairs = {name: (theirs[name], _ours(text)) for name, text in files.items()}
    return {name: pair for name, pair in pairs.items() if _exact(pair[0]) != _exact(pair[1])}


def test_there_are_two_hundred_documents() -> None:
    assert len(WORDS) + len(TREES) + len(REFUSED) >= 200


def test_every_plain_word_is_read_as_the_engine_reads_it(engine: Engine) -> None:
    documents = {word: f"{{v: {word.replace('&', ' ')}, w: [{word.replace('&', ' ')}]}}" for word in WORDS}
    differ = _compare(engine, documents)
    assert not differ, "\n".join(f"{word}: {pair}" for word, pair in differ.items())


def test_every_tree_is_read_as_the_engine_reads_it(engine: Engine) -> None:
    assert _compare(engine, TREES) == {}
    refused = [name for name, document in TREES.items() if _ours(_file(document)) is None]
    assert refused == []


def test_what_the_engine_refuses_we_refuse(engine: Engine) -> None:
    read = {name: (engine.read(_file(document)), _ours(_file(document))) for name, document in REFUSED.items()}
    assert {name: pair for name, pair in read.items() if pair != (None, None)} == {}


def test_what_only_the_engine_reads_is_listed(engine: Engine) -> None:
    for name, (document, _why) in STRICTER.items():
        assert engine.read(_file(document)) is not None, name
        assert _ours(_file(document)) is None, name


@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.lists(st.text("0123456789+-._:eExXoObBTZ ntf~", min_size=1, max_size=12), min_size=40, max_size=40))
def test_words_made_of_the_characters_of_numbers_are_read_alike(engine: Engine, words: list[str]) -> None:
    """One file of forty words, each alone on its line, so that none can change the meaning of another."""
    ours, settings_ = {}, []
    for index, word in enumerate(words):
        line = f"    k{index}: {word}\n"
        read = _ours(f"config:\n  unmoor:v:\n{line}")
        if read is not None:
            ours |= read["unmoor:v"]
            settings_.append(line)
    theirs = engine.read(f"config:\n  unmoor:v:\n{''.join(settings_)}")
    assert theirs is not None
    assert {
        key: (theirs["unmoor:v"].get(key), ours[key]) for key in ours if theirs["unmoor:v"].get(key) != ours[key]
    } == {}
