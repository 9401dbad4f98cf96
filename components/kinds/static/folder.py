"""Read a built site's folder: the files that it publishes, their names, and every fault in it."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError, Fault
from ...limits import QUOTE_CHARS
from ...limits import RULE_BYTES as _MOST_RULE_BYTES
from ...text.escape import outside
from ...web import http as front
from . import rules
from .routes import OWN, Routes, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: S3's limit on a key, in bytes of UTF-8 ("Naming Amazon S3 objects").
MOST_KEY_BYTES = 1024
#: Names that hold secrets, or a repository with all of its history, in any folder. `include` allows single paths.
_SECRET = re.compile(
    r"(?:^|/)(?:\.env(?:\.[^/]*)?|\.git|\.svn|\.hg|\.htpasswd|\.npmrc|\.yarnrc\.yml|\.netrc|\.pgpass|\.pypirc|\.dockercfg"
    r"|\.git-credentials|\.docker|\.aws|\.ssh|\.gnupg|\.terraform|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|[^/]*\.(?:tfstate|kdbx|p12|pfx|jks))(?:/|$)"
)
#: Names that may hold a private key; the file's first bytes decide.
_KEY = re.compile(r"\.(?:pem|key|asc|ppk)$")
_PRIVATE_KEY = (b"PRIVATE KEY", b"PuTTY-User-Key-File")
#: Characters that no address, or no listing of a bucket (XML), can carry.
_UNSERVABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

#: Addresses that are not a site's own, and what to do instead.
_RESERVED = {
    front.HEALTH_PATH[1:]: "is the address where a site answers its version; give the file another name",
    front.CHALLENGE_PATH[1:-2]: "is where certificate authorities look for their answers; remove it from the site",
    ".well-known/unmoor": "belongs to unmoor; give it another name",
    OWN[:-1]: "belongs to unmoor; give it another name",
}


@dataclass(frozen=True)
class Options:
    """A stack file's settings for a folder: its addresses and headers, and paths (globs) that are not secrets."""

    settings: Settings = field(default_factory=Settings)
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """A folder as it would be published: (path in the site, path on disk) sorted by the former, and its routes.

    `sources` are the texts of `_redirects` and `_headers` by name. A bundle keeps them for a restore of the folder.
    """

    files: tuple[tuple[str, str], ...]
    routes: Routes
    sources: Mapping[str, bytes]


def stands(folder: Path) -> bool:
    """Return whether anything is at a path. Raises ConfigError with the reason if that cannot be seen."""
    try:
        return folder.exists()
    except OSError as error:
        why = f"cannot be looked at ({error.strerror}); name a folder that your user may read"
        raise ConfigError(f"{outside(str(folder), QUOTE_CHARS)} {why}") from None


def read(folder: Path, options: Options) -> tuple[Site | None, list[Fault]]:
    """Return the site in a folder, or every fault. A fault without a path is about the folder itself."""
    there = stands(folder)
    if not there or not folder.is_dir():
        what = "is not a folder" if there else "does not exist"
        return None, [Fault("", f"{what}; build the site first, or name the folder that the site generator writes")]
    walk = _Walk(Path(os.path.realpath(folder)), options.include)
    found = sorted(walk.files(str(folder), "", ()), key=lambda one: one[0].encode(errors="surrogateescape"))
    if not found and not walk.faults:
        return None, [Fault("", "is empty; build the site first")]
    site, faults = _with_rules(found, options.settings)
    # A page that is missing may be one of those that are refused.
    return site, [*walk.faults, *faults] if walk.faults else [*faults, *_faults_of(site.routes)]


def shown(name: str) -> str:
    """Return a name with every invisible character written as its code."""
    return "".join(one if one.isprintable() else f"\\u{{{ord(one):X}}}" for one in name)


def fault_in(path: str) -> str | None:
    """Return what is wrong with a file's name in a site, or nothing."""
    if path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        return "leads out of the folder"
    if found := _UNSERVABLE.search(path):
        kind = "a byte that is not UTF-8" if unicodedata.category(found[0]) == "Cs" else "a control character"
        return f"has {kind}, U+{ord(found[0]):04X}, in its name; rename it"
    if "\\" in path:
        return "has a backslash, U+005C, in its name, which browsers turn into a slash; rename it"
    if (size := len(path.encode())) > MOST_KEY_BYTES:
        return f"has a path of {size} bytes; S3 takes {MOST_KEY_BYTES}, shorten it"
    return None


class _Walk:
    """One walk through a folder; `faults` are complete at its end."""

    def __init__(self, root: Path, include: tuple[str, ...]) -> None:
        self._root = root
        self._include = include
        self.faults: list[Fault] = []

    def files(self, folder: str, prefix: str, inside: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
        """Yield (path in the site, path on disk, size); `inside` are the real folders above, to end circles."""
        here = os.path.realpath(folder)
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError as error:
            self.faults.append(Fault(shown(prefix.rstrip("/")), _unread(error)))
            return
        for entry in entries:
            path = f"{prefix}{entry.name}"
            try:
                fault = self._fault(path, entry, (*inside, here))
                size = None if fault or entry.is_dir() else entry.stat().st_size
            except OSError as error:
                fault, size = _unread(error), None
            if fault:
                self.faults.append(Fault(shown(path), fault))
            elif size is None:
                yield from self.files(entry.path, f"{path}/", (*inside, here))
            else:
                yield path, entry.path, size

    def _fault(self, path: str, entry: os.DirEntry[str], above: tuple[str, ...]) -> str | None:
        allowed = any(fnmatchcase(path, one) or path.startswith(f"{one.rstrip('/')}/") for one in self._include)
        if path == ".git" and not allowed:
            return "is a repository, not a built site; name the folder that the site generator writes"
        fault = _RESERVED.get(path) or fault_in(path)
        target = path
        if fault is None and entry.is_symlink():
            real = Path(os.path.realpath(entry.path))
            fault = self._fault_of_link(real, above)
            target = path if fault else real.relative_to(self._root).as_posix()
        if fault is None and not entry.is_file() and not entry.is_dir():
            fault = "is neither a file nor a folder; remove it"
        if fault is None and not allowed and any(_secret(one, entry) for one in {path, target}):
            fault = f"looks like a secret, and the world could read it; remove it, or allow it with `include: [{path}]`"
        return fault

    def _fault_of_link(self, real: Path, above: tuple[str, ...]) -> str | None:
        if not real.exists():
            return "is a link that leads nowhere; remove it, or put the file itself there"
        if not real.is_relative_to(self._root):
            return (
                f"is a link to {shown(str(real))}, outside the folder; copy it in (`cp -rL`), "
                "or have the generator write files (`mike deploy --alias-type=copy`)"
            )
        if str(real) in above:
            return "is a link to a folder that it lies in; remove it"
        return None


def _unread(error: OSError) -> str:
    return f"cannot be read ({error.strerror}); let your user read it, or remove it"


def _secret(path: str, entry: os.DirEntry[str]) -> bool:
    """Return whether a file or folder holds secrets, by its path or by its first bytes."""
    path = path.lower()
    if _SECRET.search(path):
        return True
    if not _KEY.search(path) or not entry.is_file():
        return False
    with Path(entry.path).open("rb") as file:
        head = file.read(4096)
    return any(word in head for word in _PRIVATE_KEY)


def _with_rules(found: list[tuple[str, str, int]], settings: Settings) -> tuple[Site, list[Fault]]:
    """Return a site made of files, with its own rules."""
    sources: dict[str, bytes] = {}
    faults: list[Fault] = []
    for path, disk, _ in found:
        if path in (rules.REDIRECTS, rules.HEADERS):
            try:
                sources[path] = Path(disk).read_bytes()
            except OSError as error:
                faults.append(Fault(path, _unread(error)))
    texts = {}
    for path, data in sources.items():
        try:
            texts[path] = data.decode()
        except UnicodeDecodeError:
            faults.append(Fault(path, "is not UTF-8; save it as UTF-8"))
        if len(data) > _MOST_RULE_BYTES:
            faults.append(Fault(path, f"has {len(data)} bytes; at most {_MOST_RULE_BYTES}, remove rules"))
    files = {path: size for path, _, size in found if path not in sources}
    redirects, wrong = rules.redirects(texts.get(rules.REDIRECTS, ""), files)
    blocks, also = rules.headers(texts.get(rules.HEADERS, ""))
    routes = Routes(files, settings, redirects, blocks)
    faults += [*wrong, *also]
    return Site(tuple((path, disk) for path, disk, _ in found if path not in sources), routes, sources), faults


def _faults_of(routes: Routes) -> Iterator[Fault]:
    """Yield faults in which files and settings conflict."""
    fallback = routes.settings.fallback
    if fallback and fallback not in routes.files:
        yield Fault("fallback", f"names {shown(fallback)}, which is no file of the site; name one, `index.html`")
    elif routes.resolve("/").status == 404:
        yield Fault(
            "index.html",
            "is missing; name the folder that holds the site's first page, or lead `/` elsewhere in `_redirects`",
        )
    for rule in routes.redirects:
        if re.fullmatch(re.escape(front.HEALTH_PATH) + "/?", rule.source):
            yield Fault(
                f"{rules.REDIRECTS}:{rule.line}", f"leads {front.HEALTH_PATH} away; a site answers its version there"
            )
