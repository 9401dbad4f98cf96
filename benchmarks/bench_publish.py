"""Pack, plan and publish 20,000 files (1 GB) into moto, and again with one changed, as the commands that Pulumi runs.

Prints one JSON object a line: seconds, and the memory of the largest process in MB. Moto runs in a process of its own,
as in the sandbox. `FILES=2000 BYTES=50000000` makes it smaller.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

REPOSITORY = Path(__file__).parents[1]
FILES, BYTES = int(os.environ.get("FILES", "20000")), int(os.environ.get("BYTES", "1000000000"))


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
    """Plan, pack and publish, and print each figure."""
    os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="site")
    with tempfile.TemporaryDirectory() as root:
        folder, os.environ["XDG_CACHE_HOME"] = Path(root, "site"), str(Path(root, "cache"))
        make(folder)
        time.sleep(3)  # a folder that changes right now is not remembered
        size = f"{FILES}_files"
        _report(f"pack_{size}_s", _pack(folder), 15)
        _report(f"plan_{size}_first_s", _survey(folder), 15)
        _report(f"plan_{size}_again_s", _survey(folder), 3)
        _report(f"publish_{size}_s", publish(folder), 150)
        (folder / "d1" / "page1.html").write_text("changed")
        _report("publish_one_changed_s", publish(folder), 5)
        _report("publish_nothing_changed_s", publish(folder), 5)
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(json.dumps({"name": "publish_memory_mb", "value": round(children), "unit": "MB", "reach": 300}))


def make(folder: Path) -> None:
    """Write the site: one page for three assets with hashed names, in 200 folders."""
    dice = random.Random(1)  # noqa: S311 a site, not a secret
    noise = dice.randbytes(1 << 20)
    folder.mkdir()
    (folder / "index.html").write_text("first")
    for number in range(1, FILES):
        name = f"asset{number}.{number:08x}.png" if number % 4 else f"page{number}.html"
        at = dice.randrange(1 << 19)
        path = folder / f"d{number % 200}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(number.to_bytes(4, "big") + noise[at : at + BYTES // FILES - 4])
    (folder / "d1" / "page1.html").write_text("page")


_FROM = "from components.kinds.static import bundle; from pathlib import Path; import sys; "


def _pack(folder: Path) -> float:
    code = _FROM + "import tempfile; bundle.pack(Path(sys.argv[1]), tempfile.TemporaryFile())"
    return _timed(code, str(folder))


def _survey(folder: Path) -> float:
    """Return the seconds of what a plan does with a folder, and of what AWS would not take of it."""
    code = _FROM + (
        "from components.kinds.static import objects; "
        "print(list(objects.faults(bundle.survey(Path(sys.argv[1])).routes, site='https://docs.dao.example')))"
    )
    return _timed(code, str(folder))


def _timed(code: str, *words: str) -> float:
    start = time.perf_counter()
    _python(code, *words)
    return time.perf_counter() - start


def publish(folder: Path) -> float:
    """Publish a folder as Pulumi does, and return the seconds it took."""
    version = _python(_FROM + "print(bundle.version(Path(sys.argv[1])))", str(folder))  # fmt: skip
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
