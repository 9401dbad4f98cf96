"""Both drills of a closed AWS account, as in the demo: names are lost with Route 53, and none with own servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.chapters import CHAPTERS
from sandbox.state import REPOSITORY, VARIABLE
from tests.contract.powerdns import MISSING, NO_RESOLVER

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not os.environ.get("TESTS_DRILLS"), reason="takes minutes; `python -m tests drills` runs it"),
]


def play(folder: Path, chapter: str) -> dict[str, Any]:
    """Play a chapter on a new sandbox, and return its figures."""
    subprocess.run(["make", "--silent", "site/index.html"], cwd=REPOSITORY, check=True)  # all chapters serve it
    (known,) = [each for each in CHAPTERS if each.name == chapter]
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo", "--chapter", chapter],
        cwd=REPOSITORY,
        env=os.environ | {VARIABLE: str(folder / "S")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        shown, _ = child.communicate()
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait()
    assert child.returncode == 0, shown
    figures: dict[str, Any] = json.loads((folder / "S" / "demo.json").read_text())
    assert figures.keys() >= set(known.figures)
    return figures


def test_a_closed_account_takes_every_name_of_a_zone_in_route53(tools: None, tmp_path: Path) -> None:
    figures = play(tmp_path, "lose-account")
    assert figures["account_closed_lost_names"] == 2
    assert figures["account_closed_lost_requests"] >= 20


@pytest.mark.skipif(bool(MISSING or NO_RESOLVER), reason=MISSING or NO_RESOLVER or "")
def test_a_closed_account_takes_no_validated_request_where_own_servers_answer(tools: None, tmp_path: Path) -> None:
    figures = play(tmp_path, "own-names")
    assert figures["own_names_requests"] >= 500
    assert figures["own_names_lost_requests"] == 0
    assert figures["own_names_control_s"] < 15 * 60
