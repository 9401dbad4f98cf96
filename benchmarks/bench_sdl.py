"""Measure the reading of Akash documents: one JSON object a line, `reach` being the figure to stay at or below.

Run: .venv/bin/python -m benchmarks.bench_sdl
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest, writing
from tests.oracle import documents, official

ROOT = Path(__file__).parents[1]
COUNT = 2_000
ROUNDS = 4
#: Characters of the largest document that is published in akash-network/awesome-akash (metal-validator), and how often.
LARGE_CHARS, LARGE_TIMES = 20_979, 200


def figure(name: str, value: float, unit: str, reach: float | None) -> None:
    """Print one figure."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "reach": reach}), flush=True)


def whole(text: str) -> bytes:
    """Check a document, make its manifest and hash it."""
    document, report = sdl.examine(text)
    assert document is not None
    assert report.accepted
    return manifest.version(manifest.manifest(document.data))


def milliseconds(texts: list[str]) -> float:
    """Return the time for all of them, after some to warm up."""
    for text in texts[:200]:
        whole(text)
    begin = time.perf_counter()
    for text in texts:
        whole(text)
    return (time.perf_counter() - begin) * 1000


def generated() -> list[str]:
    """Return the documents that the oracle tier compares, too."""
    made: list[str] = []

    @settings(
        max_examples=COUNT,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents.documents())
    def collect(data: dict[str, object]) -> None:
        made.append(writing.written(data, ""))

    collect()
    return made


def large() -> str:
    """Make a document of the size and shape of the largest published one: a shell script in a block, not all ASCII."""
    text = """version: "2.0"
services:
  web:
    image: ubuntu:22.04
    env:
      # Set it once the address is known.
      - PUBLIC_IP=
    expose:
      - {port: 9650, as: 9650, to: [{global: true}]}
    command:
      - /bin/bash
      - -c
      - |
        # The script.
profiles:
  compute:
    web: {resources: {cpu: {units: 4}, memory: {size: 16Gi}, storage: [{size: 500Gi}]}}
  placement:
    any: {pricing: {web: {denom: uact, amount: 10000}}}
deployment:
  web: {any: {profile: web, count: 1}}
"""
    step = """        if [ -z "$PUBLIC_IP" ] && [[ "$IP" =~ ^[0-9]+\\.[0-9]+$ ]]; then
          echo "⚠️  Detected from $(jq -r '.items[] | select(.type=="LoadBalancer")' <<< "$ANSWER"): ${IP%%:*}"
        fi

"""
    while len(text) < LARGE_CHARS:
        text = text.replace("        # The script.\n", "        # The script.\n" + step)
    return text


def median(text: str) -> float:
    """Return the median of the milliseconds of many readings of one document: busy neighbours hardly change it."""
    times = []
    for _ in range(LARGE_TIMES):
        begin = time.perf_counter()
        whole(text)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def command(*files: str) -> float:
    """Return the seconds of `unmoor sdl check` in a new process."""
    begin = time.perf_counter()
    program = [sys.executable, "-m", "components", "sdl", "check", *files]
    subprocess.run(program, cwd=ROOT, stdout=subprocess.DEVNULL, check=False, process_group=0)
    return time.perf_counter() - begin


def megabytes(file: str) -> float:
    """Return the most memory that reading and checking a file takes in a new process, as that process reports it."""
    program = (
        "import pathlib, re, resource, sys\n"
        "from components.targets.akash.sdl import document as sdl\n"
        "report = sdl.examine(pathlib.Path(sys.argv[1]).read_bytes())[1]\n"
        "assert report.errors\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6\n"
        "found = status.exists() and re.search(r'VmHWM:\\s+(\\d+)', status.read_text())\n"
        "print(int(found[1]) / 1e3 if found else peak)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, file], cwd=ROOT, capture_output=True, check=True, process_group=0
    )
    return float(done.stdout)


def hostile() -> dict[str, str]:
    """Documents of about 1 MB, and the worst of those that are small enough to be read."""
    levels = (f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
    return {
        "nesting": "[" * 1_000_000,
        "alias-bomb": "a0: &a0 [x]\n" + "".join(levels) + "#" * 1_000_000,
        "services": "services:\n" + "".join(f" s{n}: {{image: x}}\n" for n in range(100_000)),
        "small-alias-bomb": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1},*a{n - 1}]\n" for n in range(1, 60)),
        "small-services": "version: '2.0'\nservices:\n" + "".join(f" s{n}: {{}}\n" for n in range(4_900)),
        "small-unknown": "\n".join(f"servicez{n}: 1" for n in range(4_900)),
    }


def measure_large() -> None:
    """Compare one large document, in turns, by the median of its readings."""
    text = large()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(median(text))
        if not official.missing():
            theirs.append(float(official.ask([{"yaml": text}] * LARGE_TIMES, "--bench")[0]["median"]))
    figure("sdl.large-document", min(ours), f"ms for {len(text):,} characters", None)
    if theirs:
        figure("sdl.large-document.official", min(theirs), f"ms for {len(text):,} characters", None)
        figure("sdl.large-document.ratio", min(ours) / min(theirs), "ours/official", 1)


def main() -> None:
    """Measure everything."""
    common = (ROOT / "sdl" / "docs.yaml").read_text()
    figure("sdl.common-document", min(milliseconds([common] * 500) / 500 for _ in range(3)), "ms", 2)
    texts = generated()
    lines = [{"yaml": text} for text in texts]
    ours, theirs = [], []
    for _ in range(ROUNDS):  # in turns, so that both see the same neighbours on the machine
        ours.append(milliseconds(texts))
        if not official.missing():
            theirs.append(float(official.ask(lines, "--bench")[0]["milliseconds"]))
    figure("sdl.documents", min(ours), f"ms for {len(texts)}", None)
    if theirs:
        figure("sdl.documents.official", min(theirs), f"ms for {len(texts)}", None)
        figure("sdl.documents.ratio", min(ours) / min(theirs), "ours/official", 1)
    measure_large()
    figure("sdl.check.cold", min(command("sdl/docs.yaml") for _ in range(5)), "s", 0.35)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate(texts):
            path = Path(folder) / f"{number}.yaml"
            path.write_text(text)
            files.append(str(path))
        few, many = (min(command(*some) for _ in range(2)) for some in (files[::4], files))
        figure(
            "sdl.check.linear", (many / len(files)) / (few / len(files[::4])), "time a file, of 2000 against 500", 1.25
        )
        for name, text in hostile().items():
            path = Path(folder) / f"{name}.yaml"
            path.write_text(text)
            figure(f"sdl.hostile.{name}", min(command(str(path)) for _ in range(2)), "s", 1)
            figure(f"sdl.hostile.{name}.memory", megabytes(str(path)), "MB", 200)


if __name__ == "__main__":
    main()
