"""The files of a new project: templates filled in, and written where no file stands yet."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from .. import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: File of the project → its template. `Pulumi.yaml` and `__main__.py` make it a program; the rest runs it.
PROGRAM: Mapping[str, str] = {
    "Pulumi.yaml": "Pulumi.yaml",
    "__main__.py": "main.txt",
    "project.py": "project.txt",
    "requirements.txt": "requirements.txt",
}
#: The exact engine version that this version of the library is tested with; a runner's own may be any.
ENGINE = "3.259.0"
WORKFLOWS = ("review", "preview", "up")
_SETUP = "python -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt"
_WORKFLOW = ".github/workflows/unmoor-{}.yml"


@dataclass(frozen=True)
class Facts:
    """Values of the templates: names, the region, the command that builds the site, and variables that hold secrets.

    `checkout`: the project is a checkout of this library, which has a launcher and a lock file of its own.
    """

    project: str
    stack: str
    region: str
    build: str
    secrets: tuple[str, ...]
    checkout: bool = False

    @property
    def command(self) -> str:
        """Return how this project calls `unmoor`."""
        return "./unmoor" if self.checkout else ".venv/bin/unmoor"


def program(facts: Facts) -> dict[str, str]:
    """Return the files of the program by path."""
    return {path: _filled(template, facts) for path, template in PROGRAM.items()}


def workflows(facts: Facts) -> dict[str, str]:
    """Return the workflows by path.

    Other stacks have workflows of other names, except for the one review of all stacks.
    """
    made = {}
    for name in WORKFLOWS:
        whole = name if name == "review" else f"{name}-{facts.stack}"
        made[_WORKFLOW.format(whole)] = _filled(f"{name}.yml", facts)
    return made


def write(root: Path, wanted: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Write each file that does not exist; return the paths that were written, and those that were kept."""
    written, kept = [], []
    for path, text in wanted:
        target = root / path
        if target.exists() or target.is_symlink():
            kept.append(path)
        else:
            files.write(target, text)
            written.append(path)
    return written, kept


def _filled(template: str, facts: Facts) -> str:
    """Fill in a template once; `%` marks a place, because workflows have braces and dollars of their own."""
    text = resources.files(__package__).joinpath("templates", template).read_text(encoding="utf-8")
    called = sorted({*facts.secrets, "AKASH_CONSOLE_API_KEY"})  # the last one belongs to the daily check
    places = {
        "LIBRARY": __name__.partition(".")[0],
        "PROJECT": facts.project,
        "STACK": facts.stack,
        "REGION": _quoted(facts.region),
        "UNMOOR": facts.command,
        "SETUP": "make setup" if facts.checkout else _SETUP,
        "BUILD": _quoted(facts.build or "echo the files of the site are in the repository"),
        "SECRETS": "\n".join(f"      {name}: ${{{{ secrets.{name} }}}}" for name in facts.secrets),
        "CALLED": "".join(f"      {name}: {{required: false}}\n" for name in called),
        "ENGINE": ENGINE,
    }
    return re.sub(rf"%({'|'.join(places)})%", lambda place: places[place[1]], text)


def _quoted(text: str) -> str:
    """Return a text as YAML in one line, which no reader takes for anything else."""
    import yaml

    return yaml.safe_dump(text, default_style='"', width=sys.maxsize, allow_unicode=True).strip()
