"""`python -m benchmarks [NAME ...]`: run every `bench_*.py`, print one JSON object a line for each figure.

A benchmark module has `main()`, which yields objects with `name`, `value`, `unit` and `reach`, or prints them itself.
`load` is the load average of the last minute, because other work makes each figure worse.
One that fails does not stop the others; the exit code says so at the end.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path


def run(names: list[str]) -> int:
    """Run the named benchmarks, or all; 1 if any failed."""
    failed = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            for figure in importlib.import_module(f"benchmarks.{name}").main() or ():
                print(json.dumps(figure | {"load": round(os.getloadavg()[0], 1)}), flush=True)
        except (Exception, SystemExit):  # noqa: BLE001 one failure is reported, and must not hide the other figures
            traceback.print_exc()
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    asked = [f"bench_{word.removeprefix('bench_')}" for word in sys.argv[1:]]
    if unknown := set(asked) - set(found):
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; choose from {', '.join(found)}")
    sys.exit(run(asked or found))
