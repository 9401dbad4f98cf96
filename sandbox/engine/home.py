"""The engine's own folder (PULUMI_HOME) in a sandbox: our stand-ins lie in its plugin cache, as installed ones would.

Found on PATH they would work too, but the engine would warn in every preview.
"""

from __future__ import annotations

import shlex
from importlib import metadata
from pathlib import Path

from ..state import write
from .resolve import ENGINE

#: The folder of the stand-ins, under the engine's names for them.
BIN = Path(__file__).resolve().parent.parent / "bin"


def plugins() -> dict[str, str]:
    """Return the plugin folder of each stand-in with its executable: the version is the one that programs ask for."""
    return {
        f"language-python-v{ENGINE}": "pulumi-language-python",
        f"resource-aws-v{metadata.version('pulumi-aws')}": "pulumi-resource-aws",
        f"resource-command-v{metadata.version('pulumi-command')}": "pulumi-resource-command",
    }


def furnish(home: Path) -> None:
    """Make a PULUMI_HOME whose plugins are the stand-ins; nothing has to be downloaded into it."""
    for folder, executable in plugins().items():
        script = home / "plugins" / folder / executable
        write(script, f'#!/bin/sh\nexec {shlex.quote(str(BIN / executable))} "$@"\n')
        script.chmod(0o755)
