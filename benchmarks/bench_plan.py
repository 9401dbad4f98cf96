"""`unmoor plan` as an operator runs it: a cold process, for one workload and for a thousand."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]
RUNS = 5

_HEAD = """config:
  unmoor:zone: dao.example
  unmoor:stores:
    aws: {vendor: aws, bucket: dao-aws, public_url: "https://s3.example/dao"}
  unmoor:workloads:
"""
_WORKLOAD = "    w{n}: {{kind: static, mode: active-standby, host: w{n}.dao.example, backup: {{stores: [aws]}}}}\n"


def main() -> Iterator[dict[str, Any]]:
    """Yield the median of a few cold runs for each size, and whether Pulumi was loaded."""
    for count, name, reach in ((1, "plan_one_s", 0.4), (1000, "plan_thousand_s", 1.5)):
        with tempfile.TemporaryDirectory() as root:
            project = Path(root)
            path = _project(project, count)
            yield {"name": name, "value": round(_median(path, project), 3), "unit": "s", "reach": reach}
            loaded = _run(path, project, "-X", "importtime").count("| pulumi")
    yield {"name": "plan_imports_of_pulumi", "value": loaded, "unit": "modules", "reach": 0}


def _project(project: Path, count: int) -> Path:
    """Write a project with so many workloads; return its stack file. Stacks of one folder may not share hosts."""
    (project / "stacks").mkdir()
    (project / "site").mkdir()
    (project / "site/index.html").write_text("docs")
    path = project / "stacks/Pulumi.prod.yaml"
    path.write_text(_HEAD + "".join(_WORKLOAD.format(n=n) for n in range(count)))
    return path


def _median(path: Path, cwd: Path) -> float:
    took = []
    for _ in range(RUNS):
        start = time.perf_counter()
        _run(path, cwd)
        took.append(time.perf_counter() - start)
    return sorted(took)[RUNS // 2]


def _run(path: Path, cwd: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, "-m", "components", "plan", "--stack", str(path)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr
