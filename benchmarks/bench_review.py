"""`unmoor review` of a stack with fifty workloads, as a cold process in a repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_plan import _HEAD, _WORKLOAD, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> Iterator[dict[str, Any]]:
    """Yield the seconds of one review in which every workload changes its mode."""
    with tempfile.TemporaryDirectory() as root:
        file = Path(root) / "stacks/Pulumi.prod.yaml"
        file.parent.mkdir()
        text = _HEAD + "".join(_WORKLOAD.format(n=n) for n in range(50))
        file.write_text(text)
        who = ["-c", "user.name=x", "-c", "user.email=x@dao.example"]
        for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
            subprocess.run(["git", *words], cwd=root, check=True)
        file.write_text(text.replace("active-standby", "decentralized"))
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "components", "review", "--base", "HEAD"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        yield {"name": "review_50_s", "value": round(time.perf_counter() - start, 3), "unit": "s", "reach": 1}
