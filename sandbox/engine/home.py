"""The engine's own folder (PULUMI_HOME) in a sandbox: our stand-ins lie in its plugin cache, as installed ones would.

On PATH they would work too, and the engine would put a warning over every preview.
"""

from __future__ import annotations

import shlex
from importlib import metadata
from pathlib import Path

from ..state import write
from .resolve import ENGINE

#: Where the stand-ins are, under the names that the engine knows them by.
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
