"""Recognise a project's generator: how it is built, which folder is served, and matching settings.

Sources: the documentation of each generator, named in the table.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any

from ..config.yaml_text import load
from ..errors import ConfigError
from . import vendors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: Notion's export names each page with its title and 32 hexadecimal digits.
_NOTION = re.compile(r".+ [0-9a-f]{32}\.html")
_SETTING = r"\b{name}\s*:\s*(?P<value>true|false|[\"'][^\"']*[\"'])"


@dataclass
class Project:
    """The recognised project. `options` are settings of the kind `static`; `notes` are sentences for a person."""

    generator: str
    build: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rules: vendors.Rules = field(default_factory=vendors.Rules)

    def plain(self) -> dict[str, Any]:
        """Return the project as plain data."""
        return {
            "generator": self.generator,
            "build": self.build,
            "folder": self.folder,
            "options": self.options,
            "notes": self.notes,
            "redirects": self.rules.redirects,
            "headers": [{"for": source, "set": dict(values)} for source, values in self.rules.headers],
            "missing": self.rules.missing,
        }

    def screen(self) -> Iterator[str]:
        """Yield lines for a person."""
        yield f"{self.generator}: build with `{self.build}`" if self.build else f"{self.generator}: nothing to build"
        yield f"site: {self.folder}"
        yield from (f"{name}: {json.dumps(value)}" for name, value in self.options.items())
        yield from self.notes
        if self.rules.redirects or self.rules.headers:
            yield f"{len(self.rules.redirects)} rules for _redirects, {len(self.rules.headers)} for _headers"
        yield from (f"! {line}" for line in self.rules.missing)


def _first(folder: Path, *names: str) -> Path | None:
    return next((path for name in names for path in sorted(folder.glob(name)) if path.is_file()), None)


def _script(path: Path | None, name: str) -> str:
    """Return a setting of a JavaScript file; "" if it is not a plain value there."""
    if path is None:
        return ""
    found = re.search(_SETTING.format(name=name), path.read_text(encoding="utf-8", errors="replace"))
    return found["value"].strip("\"'") if found else ""


def _data(path: Path) -> dict[str, Any]:
    """Return the settings of a TOML, YAML or JSON file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text) if path.suffix == ".toml" else load(text, str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}; mend it") from None
    return data if isinstance(data, dict) else {}


def _npm(folder: Path, script: str) -> str:
    """Return how the project's own package manager installs and builds it."""
    script = quote(script)
    if (folder / "pnpm-lock.yaml").is_file():
        return f"pnpm install --frozen-lockfile && pnpm run {script}"
    if (folder / "yarn.lock").is_file():
        return f"yarn install --frozen-lockfile && yarn {script}"
    return f"npm {'ci' if (folder / 'package-lock.json').is_file() else 'install'} && npm run {script}"


def _docusaurus(folder: Path) -> Project | None:
    config = _first(folder, "docusaurus.config.*", "website/docusaurus.config.*", "docs/docusaurus.config.*")
    if config is None:
        return None
    inside = config.parent.relative_to(folder).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    made = Project("Docusaurus", _npm(config.parent, "build"), f"{prefix}build")
    made.build = f"cd {quote(inside)} && {made.build}" if prefix else made.build
    slash = _script(config, "trailingSlash")
    if slash:
        made.options["trailing_slash"] = slash == "true"
    base = _script(config, "baseUrl")
    if base not in ("", "/"):
        made.notes.append(f"baseUrl is {base}: set it to / unless the host serves the site below that path")
    return made


def _vitepress(folder: Path) -> Project | None:
    config = _first(folder, ".vitepress/config.*", "docs/.vitepress/config.*", "*/.vitepress/config.*")
    if config is None:
        return None
    root = config.parent.parent.relative_to(folder).as_posix()
    scripts = _scripts(folder)
    name = next((each for each, text in scripts.items() if "vitepress build" in text), "")
    prefix = "" if root == "." else f"{root}/"
    out = _script(config, "outDir")
    made = Project(
        "VitePress", _npm(folder, name) if name else f"npx vitepress build {quote(root)}", f"{prefix}.vitepress/dist"
    )
    if out:
        made.notes.append(f"outDir is {out}, relative to {root}: the site is there")
    if _script(config, "cleanUrls") != "true":
        made.notes.append("cleanUrls is off, so links end with .html; both forms are answered")
    return made


def _scripts(folder: Path) -> dict[str, str]:
    path = folder / "package.json"
    found = _data(path).get("scripts") if path.is_file() else None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _hugo(folder: Path) -> Project | None:
    config = _first(
        folder, "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default/hugo.*", "config/_default/config.*"
    )
    if config is None and (folder / "archetypes").is_dir():
        config = _first(folder, "config.toml", "config.yaml", "config.yml")
    if config is None:
        return None
    data = _data(config)
    made = Project("Hugo", "hugo --minify --gc", str(data.get("publishDir") or "public"))
    if data.get("uglyURLs") is True:
        made.notes.append("uglyURLs is on, so links end with .html; both forms are answered")
    return made


def _sphinx(folder: Path) -> Project | None:
    config = _first(folder, "conf.py", "docs/conf.py", "docs/source/conf.py", "source/conf.py", "doc/conf.py")
    if config is None or not re.search(
        r"^\s*(extensions|project|html_theme)\s*=", config.read_text("utf-8", "replace"), re.MULTILINE
    ):
        return None
    source = config.parent.relative_to(folder).as_posix()
    build = f"sphinx-build -W -b html {quote(source)} _build/html"
    return Project(
        "Sphinx", build, "_build/html", notes=["-b dirhtml makes addresses without .html; both forms are answered"]
    )


def _jekyll(folder: Path) -> Project | None:
    config = _first(folder, "_config.yml", "_config.yaml", "docs/_config.yml")
    if config is None:
        return None
    inside = config.parent.relative_to(folder).as_posix()
    out = str(_data(config).get("destination") or "_site").strip("./")
    prefix = "" if inside == "." else f"{inside}/"
    build = "bundle install && bundle exec jekyll build"
    made = Project("Jekyll", f"cd {quote(inside)} && {build}" if prefix else build, f"{prefix}{out}")
    base = str(_data(config).get("baseurl") or "")
    if base.strip("/"):
        made.notes.append(f"baseurl is {base}: set it to nothing unless the host serves the site below that path")
    return made


def _mdbook(folder: Path) -> Project | None:
    config = _first(folder, "book.toml", "docs/book.toml")
    if config is None:
        return None
    data = _data(config)
    build = data.get("build") if isinstance(data.get("build"), dict) else {}
    out = str((build or {}).get("build-dir") or "book")
    outputs = [name for name in data.get("output") or {} if name != "html"]
    inside = config.parent.relative_to(folder).as_posix()
    made = Project(
        "mdBook",
        f"mdbook build {quote(inside)}",
        "/".join(filter(None, ("" if inside == "." else inside, out, "html" if outputs else ""))),
    )
    if outputs:
        made.notes.append(f"other outputs ({', '.join(outputs)}) put the pages into {made.folder}")
    return made


def _mkdocs(folder: Path) -> Project | None:
    config = _first(folder, "mkdocs.yml", "mkdocs.yaml")
    if config is None:
        return None
    found = re.search(r"^site_dir:\s*(\S+)", config.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return Project("MkDocs", "mkdocs build --strict", found[1] if found else "site")


def _gitbook(folder: Path) -> Project | None:
    synced = (folder / "SUMMARY.md").is_file() and (folder / ".gitbook").is_dir()
    if not synced and not _first(folder, ".gitbook.yaml", ".gitbook.yml"):
        return None
    build = f"unmoor content import gitbook {quote(str(folder))} NEW && cd NEW && mkdocs build --strict"
    return Project(
        "GitBook", build, "NEW/site", notes=["GitBook has no build of its own: import it, then build the result"]
    )


def _notion(folder: Path) -> Project | None:
    pages = [path for path in folder.rglob("*.html") if _NOTION.fullmatch(path.name)]
    if not pages:
        return None
    made = Project("Notion's HTML export", "", ".")
    if not (folder / "index.html").is_file():
        top = min(pages, key=lambda path: (len(path.parts), path.name))
        made.notes.append(f"no index.html: copy {top.relative_to(folder)} to it, or write a page that links to it")
    made.notes.append(
        "names of pages hold Notion's ids; old addresses on notion.site are on its host and cannot be redirected"
    )
    return made


def _single(folder: Path) -> Project | None:
    """Recognise a single-page application, which answers unknown addresses itself."""
    path = folder / "package.json"
    if not path.is_file():
        return None
    data = _data(path)
    packages = {**(data.get("dependencies") or {}), **(data.get("devDependencies") or {})}
    for package, name, out in (
        ("react-scripts", "Create React App", "build"),
        ("@vue/cli-service", "Vue CLI", "dist"),
        ("vite", "Vite", "dist"),
    ):
        if package in packages:
            return Project(name, _npm(folder, "build"), out, {"fallback": "index.html"})
    return None


#: Generator → how it is recognised; the first match counts.
GENERATORS: Mapping[str, Callable[[Path], Project | None]] = {
    "Docusaurus": _docusaurus,  # docusaurus.io, "Deployment" and "trailingSlash"
    "VitePress": _vitepress,  # vitepress.dev, "Deploy" and "Site Config"
    "MkDocs": _mkdocs,  # mkdocs.org, "Configuration"
    "Hugo": _hugo,  # gohugo.io, "Configuration"
    "mdBook": _mdbook,  # rust-lang.github.io/mdBook, "Configuration"
    "GitBook": _gitbook,  # gitbook.com/docs, "Content configuration"
    "Sphinx": _sphinx,  # sphinx-doc.org, "sphinx-build"
    "Jekyll": _jekyll,  # jekyllrb.com, "Configuration Options"
    "single page": _single,
    "Notion": _notion,  # notion.com/help, "Export your content"
}


def recognise(folder: Path) -> Project | None:
    """Recognise a project, and read the rules that it has for a vendor; return None if it is of no known kind.

    A setting for the vendor wins over the generator's default. Raises ConfigError for a file that cannot be read.
    """
    rules = vendors.read(folder)
    made = next(filter(None, (look(folder) for look in GENERATORS.values())), None)
    if made is None and (rules.build or rules.folder):
        made = Project("Netlify or Vercel project", "", rules.folder or ".")
    if made is None and (folder / "index.html").is_file():
        made = Project("a folder of HTML", "", ".")
    if made is None:
        return None
    made.build, made.folder = rules.build or made.build, rules.folder or made.folder
    made.options = {**made.options, **rules.options}
    made.rules = rules
    return made
