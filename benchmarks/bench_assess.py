"""Measure the assessment: cold time and memory for 200 workloads, the example's report, a review of 50 workloads.

Prints one JSON object a line: name, value, unit, reach.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
WORKLOADS = 200
RUNS = 5
STACK = 50


def big_inventory() -> str:
    """Repeat the example's workloads under new names until there are enough."""
    document = yaml.safe_load((ROOT / "stacks" / "inventory.yaml").read_text(encoding="utf-8"))
    example = document["workloads"]
    names = list(example)
    document["workloads"] = {}
    for index in range(WORKLOADS):
        name = names[index % len(names)]
        hosts = [f"w{index}.{host}" for host in example[name].get("hosts", ())]
        one = {**example[name], "after": [], **({"hosts": hosts} if hosts else {})}
        document["workloads"][f"{name}-{index}"] = one
    return yaml.safe_dump(document, sort_keys=False)


def child(*arguments: str, folder: Path = ROOT, **environment: str) -> tuple[float, int]:
    """Run the command line and return seconds and the peak of its resident memory in bytes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "components", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"exit {process.returncode}"
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return time.perf_counter() - started, peak


def line(name: str, value: float, unit: str, reach: float) -> None:
    """Print one figure."""
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "reach": reach}))


def review(folder: str) -> None:
    """Review a stack of 50 workloads in a repository of its own, in which one changes its mode."""
    settings = yaml.safe_load((ROOT / "stacks" / "Pulumi.example.yaml").read_text(encoding="utf-8"))
    docs = settings["config"]["unmoor:workloads"]["docs"]
    many = {f"docs{index}": {**docs, "host": f"docs{index}.dao.example"} for index in range(STACK)}
    project = Path(folder) / "project"
    (project / "stacks").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: unmoor\nruntime: python\n", encoding="utf-8")
    path = project / "stacks" / "Pulumi.prod.yaml"
    for mode in ("centralized", "active-standby"):
        settings["config"]["unmoor:workloads"] = {**many, "docs0": {**many["docs0"], "mode": mode}}
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        if mode == "centralized":
            for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=b", "-c", "user.email=b@dao.example",
                                                             "commit", "-qm", "base"]):  # fmt: skip
                subprocess.run(["git", *command], cwd=project, check=True)
    runs = [child("review", "--base", "HEAD", "prod", folder=project)[0] for _ in range(RUNS)]
    line("review_50_cold_s", sorted(runs)[RUNS // 2], "s", 1)


def discovery(folder: str) -> None:
    """Fill moto with 500 resources, then draft an inventory from it."""
    from moto.server import ThreadedMotoServer

    from tests.contract.filled_account import fill

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    fill(f"http://{host}:{port}", 500)
    account = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
    }
    seconds, _ = child("discover", "aws", "--inventory", f"{folder}/discovered.yaml", **account)
    line("discover_aws_500_s", seconds, "s", 20)
    server.stop()


def main() -> None:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder) / "inventory.yaml"
        inventory.write_text(big_inventory(), encoding="utf-8")
        runs = [child("assess", "--inventory", str(inventory)) for _ in range(RUNS)]
        line("assess_200_cold_s", sorted(seconds for seconds, _ in runs)[RUNS // 2], "s", 1.5)
        line("assess_200_rss_mb", max(peak for _, peak in runs) / 1e6, "MB", 150)
        child("assess", "--out", folder)
        line("report_kb", (Path(folder) / "report.html").stat().st_size / 1000, "kB", 200)
        review(folder)
        discovery(folder)


if __name__ == "__main__":
    main()
