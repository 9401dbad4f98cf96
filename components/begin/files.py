"""The files of a new project: templates filled in, and written where no file stands yet."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from .. import files
from ..config import yaml_text
from ..errors import ConfigError, Fault
from ..text.escape import outside

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
LIBRARY = __name__.partition(".")[0]
_IMPORT = f"from {LIBRARY}.program import run"
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


def lacking(root: Path, facts: Facts) -> list[str]:
    """Return a sentence for each thing that the program needs, and a file that is there does not have.

    Raises ConfigError when the Pulumi.yaml that is there cannot become that of this program.
    """
    import yaml

    wanted = program(facts)
    there = {path for path in PROGRAM if (root / path).is_file()}
    found = []
    if "Pulumi.yaml" in there:
        has = _settings(root / "Pulumi.yaml", root)
        for key, value in yaml.safe_load(wanted["Pulumi.yaml"]).items():
            if not has.get(key, True):
                line = yaml.safe_dump({key: value}, default_flow_style=True, sort_keys=False, width=sys.maxsize)
                found.append(f"Pulumi.yaml: has no `{line.strip()[1:-1]}`; add it")
    for path, mark, missing in (
        ("__main__.py", rf"\b{LIBRARY}\.program\b", f"does not run this library; add `{_IMPORT}` and `run()`"),
        ("requirements.txt", r"\bunmoor\b|^\s*-r", "has no `unmoor[pulumi]`; add it"),
    ):
        if path in there and not re.search(mark, (root / path).read_text("utf-8", "replace"), re.MULTILINE):
            found.append(f"{path}: {missing}")
    return found


def _settings(path: Path, root: Path) -> dict[str, bool]:
    """Return which settings of our own a Pulumi.yaml has."""
    project = yaml_text.load_file(path)
    if not isinstance(project, dict):
        raise ConfigError(f"{path}: is no Pulumi project; mend it, or choose another folder")
    runtime = project.get("runtime")
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    if name not in (None, "python"):
        raise ConfigError(
            f"{path}: its runtime is {outside(str(name))}, and an update runs Python; choose a folder outside of it"
        )
    plugins = project.get("plugins")
    providers = plugins.get("providers") if isinstance(plugins, dict) else None
    return {
        "runtime": name is not None,
        "stackConfigDir": (root / str(project.get("stackConfigDir"))).resolve() == (root / "stacks").resolve(),
        "plugins": any(isinstance(each, dict) and each.get("name") == "unmoor" for each in providers or ()),
    }


def demand(root: Path, paths: Iterable[str]) -> None:
    """Raise ConfigError with every place that keeps a file that does not exist from being written."""
    found: dict[str, Fault] = {}
    for path in paths:
        if os.path.lexists(root / path):
            continue
        place = next(each for each in (root / path).parents if os.path.lexists(each))
        name = place.relative_to(root).as_posix() if place != root else str(root)
        if not place.is_dir():
            found.setdefault(name, Fault(name, f"is no folder, and {path} goes below it; move it away"))
        elif not os.access(place, os.W_OK | os.X_OK):
            found.setdefault(name, Fault(name, "may not be written to; allow it, or choose another folder"))
    if found:
        raise ConfigError("files of the project cannot be written, so none is", found.values())


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
        "LIBRARY": LIBRARY,
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
