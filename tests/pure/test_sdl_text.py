"""Any bytes at all get a verdict, soon, in little memory, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import text, writing

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "sdl" / "docs.yaml").read_text()

WORDS = {
    "off": "off", "yes": "yes", "No": "No", "true": True, "False": False, "null": None, "~": None, "": None,
    "010": 10, "0o17": 15, "0x1F": 31, "-3": -3, "+3": 3, "1.0": 1.0, ".5": 0.5, "1.": 1.0, "1e3": 1000.0,
    "-1.5E-3": -0.0015,
    ".inf": float("inf"), "-.INF": float("-inf"), "0b1": "0b1", "1_000": "1_000", "2026-11-22": "2026-11-22",
    "12:30": "12:30", "1.2.3": "1.2.3", "+": "+", "=": "=", "0o9": "0o9", "1e": "1e", "é": "é",
    "-x": "-x", "!!str 1": "1", "!!int 1": 1, "!!float 1": 1.0, "!!bool true": True, "!!null ~": None,
    "'1'": "1", '"a\\tb"': "a\tb",
}  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_plain_word_means_what_it_means_in_yaml_1_2(word):
    value = text.read(f"a: {word}")["a"]
    assert (WORDS[word], type(WORDS[word])) == (value, type(value))


def test_a_number_that_is_none_is_one_float():
    value = text.read("a: .nan")["a"]
    assert value != value  # noqa: PLR0124 that is what a NaN is


UNREADABLE = {
    b"": "is empty",
    b"# nothing\n": "is empty",
    b"\xff\xfe\x00a": "not UTF-8",
    b"a: \x00": "not YAML",
    b"a: 1\n---\nb: 2\n": "second document",
    b"a: 1\nb:\n  c: 1\n  c: 2\n": "holds 'c' twice, in lines 3 and 4",
    b"a:\n\tb: 1\n": "tabs",
    b"a: *x\n": "stands for nothing",
    b"a: &x [*x]\n": "stands for nothing",
    b"a: [\n": "not YAML",
    b"'a": "not YAML",
    b"? [1]\n: 2\n": "plain word",
    b"a: !!python/object:os.system x\n": "tag",
    b"a: !!map 1\n": "tag",
    b"a: !!set {b}\n": "tag",
    b"a: !!float x\n": "tag",
    b"<<: 1\n": "<< takes",
    b"- 1\n": "a list",
    b"hello\n": "'hello'",
    b"7\n": "this is 7",
    b"[" * 200_000: "nested",
    b"- " * 100_000: "nested",
    b"[" * 60 + b"x" * 20 + b"]" * 60: "a list",
    b"[" + b"a," * 100_000 + b"]": "more than 10,000 values",
    b"x" * 300_000: "at most",
}


@pytest.mark.parametrize("raw", UNREADABLE, ids=lambda raw: repr(raw[:20]))
def test_what_cannot_be_read_is_refused_with_a_sentence(raw):
    document, report = sdl.examine(raw)
    assert document is None
    (problem,) = report.errors
    assert problem.rule == "unreadable"
    assert UNREADABLE[raw] in problem.message
    assert "\n" not in problem.message


def test_a_fault_of_the_text_names_its_line():
    assert sdl.examine(b"a: 1\nb: [\n")[1].errors[0].line == 3
    assert sdl.examine(b"a: 1\n\xff")[1].errors[0].line == 2


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
MERGE_BOMB = "a0: &a0 {k0: x}\n" + "".join(
    f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: x}}\n" for n in range(1, 40)
)


@pytest.mark.parametrize("bomb", [BOMB, MERGE_BOMB], ids=["aliases", "merges"])
def test_an_alias_bomb_is_counted_before_it_goes_off(bomb):
    assert "more than 10,000 values" in sdl.examine(bomb)[1].errors[0].message


def test_anchors_aliases_and_merges_are_read():
    data = text.read("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {<<: [*x, {g: 4}]}\ng: {'<<': 1}\n")
    assert {
        "a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": {"b": 1, "c": 3}, "f": {"b": 1, "c": 2, "g": 4},
        "g": {"<<": 1},
    } == data  # fmt: skip


def test_every_path_has_its_line():
    assert {
        ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4,
    } == text.lines("a: 1\nb:\n  - x\n  - c: 1\n")  # fmt: skip


HOSTILE = {
    "deep nesting": "[" * 1_000_000,
    "alias bomb": BOMB + "#" * 900_000,
    "services": "services:\n" + "".join(f" s{n}: {{image: x}}\n" for n in range(100_000)),
    "small services": "version: '2.0'\nservices:\n" + "".join(f" s{n}: {{}}\n" for n in range(4_900)),
    "one long word": "a: " + "9" * 250_000,
    "many keys": "{" + ",".join(f"k{n}" for n in range(30_000)) + "}",
    "unknown fields": "\n".join(f"servicez{n}: 1" for n in range(4_900)),
}


#: A child tells the most memory it held itself: what the system counts for it begins with its parent's.
CHECK = """
import pathlib, re, resource, sys
from components.commands.sdl import cli
try:
    cli(["check", "--json", sys.argv[1]])
finally:
    status = pathlib.Path("/proc/self/status")
    found = status.exists() and re.search(r"VmHWM:\\s+(\\d+)", status.read_text())
    peak = int(found[1]) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak, file=sys.stderr)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_little_memory(name, tmp_path):
    """Time is measured in benchmarks; this proves the verdict, and 200 MB at most."""
    path = tmp_path / "hostile.yaml"
    path.write_text(HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(path)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        process_group=0,
        timeout=120,
    )
    assert (1, False) == (done.returncode, json.loads(done.stdout)["accepted"])
    assert int(done.stderr) < 200e6


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_get_a_verdict(raw):
    document, report = sdl.examine(raw)
    assert document is None or not report.accepted


@given(st.text(st.sampled_from("aA0-:{}[],&*!|>'\"#%@`?~ \n\t<.\u2028\x85"), max_size=80))
@settings(max_examples=500, deadline=None)
def test_any_punctuation_gets_a_verdict(raw):
    _, report = sdl.examine(raw)
    assert not report.accepted


VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        float("nan"),
        float("inf"),
        "",
        "x",
        "9" * 500,
        "é",
        [],
        [None],
        [[]],
        {},
        {"x": {}},
        {"": 1},
    ]
)


def paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


SERVICE = """    command: [a]
    args: [b]
    env: [A=b]
    credentials: {host: a, username: b, password: abcdef}
    dependencies: [{service: web}]
    expose:"""
OPTIONS = """proto: TCP
        accept: [a.example]
        http_options: {max_body_size: 1, next_cases: [off]}"""
RESOURCES = """units: 100m
          attributes: {arch: amd64}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: a}]}}}"""
FULL = text.read(
    DOCS.replace("    expose:", SERVICE, 1)
    .replace("proto: TCP", OPTIONS, 1)
    .replace("units: 100m", RESOURCES)
    .replace("      signedBy:", "      attributes: {region: eu}\n      signedBy:")
    .replace("    params:", "    params:\n      permissions: {read: [logs]}\n      tee: cpu", 1)
)


def test_the_ground_of_the_fuzzing_has_every_part():
    assert sdl.check(sdl.Document(FULL)).errors == ()


@pytest.mark.parametrize("path", [p for p in paths(FULL) if p], ids=sdl.dotted)
def test_a_wrong_type_at_any_path_gets_a_verdict(path):
    """Every value in turn stands at every path, as data and as text, and the check never fails."""
    for value in (*VALUES.elements, _MISSING):
        data = sdl.plain_copy(FULL)
        holder = data
        for part in path[:-1]:
            holder = holder[part]
        if value is _MISSING:
            del holder[path[-1]]
        else:
            holder[path[-1]] = value
        document, report = sdl.examine(writing.written(data, ""))
        assert document is not None
        assert [p.rule for p in report.errors] == [p.rule for p in sdl.examine(writing.written(data, ""))[1].errors]
        if report.accepted:
            from components.targets.akash.sdl import manifest, price

            manifest.version(manifest.manifest(document.data))
            manifest.groups(document.data)
            price.usd_month(document.data)
            assert sdl.load(writing.written(data, "")).model


_MISSING = object()
