"""One reader of YAML: bounded in bytes, values and depth, with a sentence for everything that it does not read."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components import limits
from components.assess import reading
from components.config import models, yaml_text
from components.errors import ConfigError
from components.review import record
from tests.settings import settings

ROOT = Path(__file__).parents[2]

WORDS = {
    "no": "no", "on": "on", "yes": "yes", "y": "y", "1:30": "1:30", "true": True, "null": None, "~": None,
    "010": 8, "0o17": 15, "0x1f": 31, "0b11": 3, "08": 8, "1_000": 1000, "1.0": 1, "1e3": 1000, "1.5": 1.5, ".5": 0.5,
    "99999999999999999999": 100000000000000000000, "2026-11-22": "2026-11-22", "!!str 1": "1", "'1'": "1",
}  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_what_the_engine_reads(word: str) -> None:
    value = yaml_text.load(f"a: {word}", "file")["a"]
    assert (value, type(value)) == (WORDS[word], type(WORDS[word]))


def test_the_example_of_a_mapping_is_text_and_not_true_false_and_ninety() -> None:
    text = "config: {unmoor:a: {on: {kind: no, y: 1:30}}}"
    assert models.parse(text, "file") == {"a": {"on": {"kind": "no", "y": "1:30"}}}


def test_a_date_is_what_go_makes_of_it_in_a_stack_file_and_stays_text_elsewhere() -> None:
    text = "a: 2026-11-22"
    assert yaml_text.load(text, "file", yaml_text.STACK) == {"a": "2026-11-22 00:00:00 +0000 UTC"}
    assert yaml_text.load(text, "file", yaml_text.TEXT) == {"a": "2026-11-22"}


#: What is not read, and the sentence; libyaml itself takes all of the nested ones.
REFUSED = {
    "a: " + "[" * 100_000 + "]" * 100_000: "file:1: values are nested more than 64 deep",
    "{a: " * 50_000: "file:1: values are nested more than 64 deep",
    "a:\n" + "".join(f"{' ' * depth}- \n" for depth in range(1, 900)): "nested more than 64 deep",
    "a: &a [" + "x," * 9 + "]\n" + "".join(
        f"b{n}: &b{n} [" + f"*{'a' if n == 0 else f'b{n - 1}'}," * 9 + "]\n" for n in range(9)
    ): "file:6: the document has more than 100,000 values, aliases counted",
    "a: '" + "x" * (3 << 20) + "'": "file: the document is larger than 2,097,152 bytes",
    "a: .inf": "file:1: .inf is not a number here; write an amount",
    "a: " + "1" * 5_000: "file:1: a number of 5,000 digits; quote it if it is text",
    "a: 1\nb: 2\na: 3": "file:3: holds 'a' twice, in lines 1 and 3; keep one",
    "true: 1": "file:1: the key true is not text; quote it",
    "a: !!python/object:os.system x": "tag:yaml.org,2002:python/object:os.system' is not read",
    "a: 1\n---\nb: 2": "file:2: a second document begins here",
    "a: \x00": "file: not YAML",
    "a: \x1b[2J": "file: not YAML",
    "a: \ud800": "file: not YAML",
    "a: &x [*x]": "file:1: the alias *x stands for nothing before it; define it above, or take it out",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_what_is_not_read_is_one_short_sentence_at_once(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        yaml_text.load(text, "file")
    assert REFUSED[text] in str(caught.value)
    assert len(str(caught.value)) < 300
    assert time.monotonic() - began < 2


NESTED = "config:\n  unmoor:a: " + "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("words", [["plan", "-s"], ["assess", "-i"], ["flip", "docs", "centralized", "-s"]])
def test_a_nested_file_ends_no_command_with_a_signal(words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(NESTED)
    done = subprocess.run(
        [sys.executable, "-m", "components", *words, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{path}:2: values are nested more than 64 deep\n"


def test_a_nested_file_at_the_base_of_a_review_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "stacks" / "Pulumi.x.yaml"
    path.parent.mkdir()
    path.write_text(NESTED)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    path.write_text(yaml.safe_dump({"config": {f"unmoor:{key}": value for key, value in settings().items()}}))
    done = subprocess.run(
        [sys.executable, "-c", "from components.__main__ import main; main()", "review", "--base", "HEAD"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "the base cannot be planned" in done.stdout
    assert "values are nested more than 64 deep" in done.stdout


def test_an_expanded_alias_in_a_wrong_place_makes_a_short_message() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"b{n}: &b{n} [{','.join(['*' + ('a' if n == 0 else f'b{n - 1}')] * 9)}]\n" for n in range(3)
    )
    document = yaml_text.load(f"{bomb}ttl: *b2\n", "file", yaml_text.STACK)
    stack, faults = models.read({"ttl": document["ttl"], "zone": "x" * 1_000_000, "y" * 500_000: 1})
    assert stack is None
    message = str(ConfigError("not valid", faults))
    assert "ttl: must be a whole number, not [[[[…" in message
    assert len(message) < 10_000


def test_many_faults_are_one_bounded_message_that_counts_the_rest() -> None:
    _, faults = models.read({f"k{n}": 1 for n in range(5_000)})
    message = str(ConfigError("not valid", faults))
    assert len(message) < 10_000
    assert "no such setting" in message
    assert message.splitlines()[-1].endswith(" more")


def test_a_device_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(ConfigError, match="larger than 2,097,152 bytes"):
        models.load_file(Path("/dev/zero"))


def test_approvals_are_read_by_the_same_reader(tmp_path: Path) -> None:
    path = tmp_path / "approvals.x.yaml"
    for text, output in {
        "[" * 100_000: "values are nested more than 64 deep",
        "- {plan: a, plan: b}": "holds 'plan' twice",
        "a: 1": "not a file of approvals",
        "- [1]": "not a file of approvals",
        "- {plan: 1, signer: a, on: b}": "holds approvals without signatures",
        "\xff": "not UTF-8",
    }.items():
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ConfigError, match=output):
            record.read(path)


def test_a_rate_that_is_no_number_is_refused() -> None:
    from datetime import date

    with pytest.raises(ConfigError, match=r"inventory:1: \.inf is not a number here"):
        reading.parse("dao: {name: x, rate_usd_hour: .inf}\nas_of: 2026-01-01\nworkloads: {}", date(2026, 11, 26))


@given(st.binary(max_size=300))
def test_any_bytes_are_data_or_one_sentence(raw: bytes) -> None:
    output = ""
    try:
        yaml_text.load(raw, "file", yaml_text.STACK)
    except ConfigError as error:
        output = str(error)
    assert len(output) <= limits.FAULT_CHARS


def test_every_path_has_its_line() -> None:
    assert yaml_text.lines("a: 1\nb:\n  - x\n", yaml_text.TEXT) == {("a",): 1, ("b",): 2, ("b", 0): 3}
