"""Publish 2,000 files (50 MB) into moto, and again with one changed, as the command that Pulumi runs.

Prints one JSON object a line. Moto runs in a process of its own, as in the sandbox.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

REPOSITORY = Path(__file__).parents[1]
FILES, BYTES = 2000, 50_000_000


def main() -> None:
    """Measure, and print."""
    with tempfile.NamedTemporaryFile() as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
        try:
            measure(_address(Path(log.name)))
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def measure(url: str) -> None:
    """Publish thrice and print each figure."""
    os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="site")
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        make(folder)
        _report("publish_2000_files_s", publish(folder), 30)
        (folder / "page7.html").write_text("changed")
        _report("publish_one_changed_s", publish(folder), 3)
        _report("publish_nothing_changed_s", publish(folder), 3)


def make(folder: Path) -> None:
    """Write the site: pages, and assets with hashed names."""
    dice = random.Random(1)  # noqa: S311 a site, not a secret
    (folder / "index.html").write_text("first")
    for number in range(FILES - 1):
        name = f"page{number}.html" if number % 2 else f"asset{number}.{number:08x}.bin"
        (folder / name).write_bytes(dice.randbytes(BYTES // FILES))


def publish(folder: Path) -> float:
    """Publish a folder as Pulumi does, and return the seconds it took."""
    version = _python("from components.kinds.static import bundle; from pathlib import Path; import sys; "
                      "print(bundle.version(Path(sys.argv[1])))", str(folder))  # fmt: skip
    given = {
        "workload": "docs",
        "version": version.strip(),
        "folder": str(folder),
        "stores": {},
        "bucket": "site",
        "region": "us-east-1",
    }
    start = time.perf_counter()
    _python("from components.commands.step import cli; cli()", "publish", given=json.dumps(given))
    return time.perf_counter() - start


def _python(code: str, *words: str, given: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *words], input=given, capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _address(log: Path) -> str:
    for _ in range(300):
        if found := re.search(r"Running on (\S+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"moto did not start: {log.read_text()}")


def _report(name: str, value: float, reach: float) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": "s", "reach": reach}))


if __name__ == "__main__":
    main()
