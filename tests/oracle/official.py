"""The official validator, asked once for a whole batch."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def missing() -> str:
    """Return what is missing to ask it, or nothing."""
    if not shutil.which("node"):
        return "the official validator needs Node"
    if not (HERE / "node_modules" / "@akashnetwork" / "chain-sdk").is_dir():
        return "the official validator is not installed: npm ci --prefix tests/oracle"
    return ""


def ask(lines: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    """Return the verdict on each line, in one process without a network."""
    done = subprocess.run(
        ["node", str(HERE / "validate.mjs"), *options],
        input="\n".join(json.dumps(line) for line in lines),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        process_group=0,
        env={"PATH": f"{Path(shutil.which('node') or '').parent}"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.split("\n") if line]
