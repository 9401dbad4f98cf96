"""`unmoor review` of fifty changed workloads as a cold process, the length of comments, and twenty signatures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_plan import _HEAD, _WORKLOAD, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 3
FOLD = "<details>"


def main() -> Iterator[dict[str, Any]]:
    """Yield seconds and characters of reviews, and the seconds of verifying twenty signatures."""
    fifty = _HEAD + "".join(_WORKLOAD.format(n=n) for n in range(50))
    one = _HEAD + _WORKLOAD.format(n=0)
    seconds, text = _reviewed(fifty, fifty.replace("active-standby", "decentralized"))
    yield {"name": "review_50_s", "value": round(seconds, 3), "unit": "s", "reach": 1}
    yield {"name": "review_50_chars", "value": len(text), "unit": "characters", "reach": 60_000}
    _, text = _reviewed(one, one.replace("active-standby", "decentralized"))
    yield {"name": "review_line_chars", "value": len(text.split(FOLD)[0]), "unit": "characters", "reach": 2_000}
    yield {"name": "approvals_20_s", "value": round(_verified(), 3), "unit": "s", "reach": 0.5}


def _reviewed(before: str, after: str) -> tuple[float, str]:
    """Return the least seconds of a few cold reviews, and the comment."""
    with tempfile.TemporaryDirectory() as root:
        file = Path(root) / "stacks/Pulumi.prod.yaml"
        file.parent.mkdir()
        file.write_text(before)
        Path(root, "Pulumi.yaml").write_text("name: unmoor\n")
        who = ["-c", "user.name=x", "-c", "user.email=x@dao.example"]
        for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        file.write_text(after)
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "components", "review", "--base", "HEAD"],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            times.append(time.perf_counter() - start)
        return min(times), done.stdout


def _verified() -> float:
    """Return the seconds in which twenty approvals, ten by SSH keys and ten by wallets, are judged."""
    from components.config.signers import Signers
    from components.review.approval import Scope, Wanted, judge, sentence
    from components.review.record import Approval, Entry
    from tests.signing import Ssh, Wallet

    with tempfile.TemporaryDirectory() as root:
        people = {f"s{n}": Ssh(Path(root), f"s{n}") if n % 2 else Wallet() for n in range(20)}
        by = Signers(quorum=20, keys={name: person.key for name, person in people.items()})
        scope, wanted, until = Scope("unmoor", "prod"), Wanted("a" * 64, by, required=True), "2099-01-01"
        text = sentence(scope, 1, "", wanted, until)
        made = [Approval(signer=name, expires=until, signature=one.sign(text)) for name, one in people.items()]
        entry = Entry(number=1, plan=wanted.plan, signers=by, approvals=tuple(made))
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            found = judge(scope, None, wanted, [entry], date(2026, 1, 1))
            times.append(time.perf_counter() - start)
            assert found
            assert found.complete
        return min(times)
