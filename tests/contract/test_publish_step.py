"""A step is a program: JSON in, one short JSON line out, a sentence and exit 1 when it did not succeed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.object_stores import kept

REPOSITORY = Path(__file__).parents[2]


def start(name: str, *words: str) -> subprocess.Popen[str]:
    code = "from components.commands.step import cli; cli()"
    return subprocess.Popen(
        [sys.executable, "-c", code, name, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=REPOSITORY, text=True, env=os.environ, start_new_session=True,
    )  # fmt: skip


def run(name: str, given: object, *words: str) -> tuple[int, str, str]:
    child = start(name, *words)
    out, err = child.communicate(given if isinstance(given, str) else json.dumps(given), timeout=60)
    return child.returncode, out, err


def test_a_step_prints_one_short_json_line(clouds, site, half):
    code, out, _ = run("publish", half)
    assert (code, out.count("\n"), json.loads(out)["written"]) == (0, 1, 13)
    assert len(out) < 4096


def test_a_step_that_fails_ends_with_a_sentence_and_no_traceback(clouds, site):
    clouds.stores["storj"] |= {"endpoint": "http://127.0.0.1:9"}
    code, out, err = run("keep", kept(clouds, site))
    assert (code, out) == (1, "")
    assert "store storj" in err
    assert "Traceback" not in err


def test_no_credential_is_printed(clouds, site):
    clouds.stores["aws"] |= {"bucket": "missing"}
    _, out, err = run("keep", kept(clouds, site))
    assert "storj-secret" not in out + err
    assert "testing" not in out + err


@pytest.mark.parametrize("given", ["", "[]", "{"])
def test_an_input_that_is_no_object_is_a_sentence(given):
    code, out, err = run("drain", given)
    assert (code, out) == (1, "")
    assert err.startswith("step drain: standard input is not one JSON object")


def test_nothing_is_drained_before_something_is_removed():
    assert run("drain", {"ttl": 60})[:2] == (0, '{"waited_s":0}\n')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_step_at_once(number):
    child = start("drain", "--wait")
    child.stdin.write('{"ttl": 600}')
    child.stdin.close()
    assert child.stderr.readline().startswith("draining: 600 s")
    os.killpg(child.pid, number)
    assert child.wait(timeout=30) == -number
    child.stdout.close()
    child.stderr.close()
