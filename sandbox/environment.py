"""The variables by which programs reach a sandbox: one table, as a file to source and as JSON."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

from .state import REPOSITORY, VARIABLE, State, read, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: Where the programs of this repository are installed.
INSTALLED = REPOSITORY / ".venv" / "bin"
#: Variables that would lead programs elsewhere if the operator's shell has them.
PROXIES = tuple(name for each in ("http", "https", "all", "no") for name in (f"{each}_proxy", f"{each}_PROXY".upper()))
_LOCAL = "127.0.0.1,localhost"
_KEY = "testing"
#: Folders with the distribution's servers, which the PATH of ordinary users may not have.
SERVERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find_servers() -> None:
    """Append the folders with the distribution's servers to the PATH of this process and its children."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([*folders, *SERVERS]))


def fixed(state: State) -> dict[str, str]:
    """Return the variables that are known before any world listens."""
    root = state.root
    return {
        VARIABLE: str(root),
        "PULUMI_HOME": str(root / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
        # The operator's profile, token or file must not reach a simulated cloud, nor the other way round.
        "AWS_CONFIG_FILE": str(root / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(root / "aws-credentials"),
        "AWS_PROFILE": "default",
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "STORJ_ACCESS_KEY": _KEY,
        "STORJ_SECRET_KEY": _KEY,
        "AKASH_CONSOLE_API_KEY": "sandbox-key",
        "NO_PROXY": _LOCAL,
        "no_proxy": _LOCAL,
    }


def internet(state: State) -> dict[str, str]:
    """Return the variables that lead into the sandbox's internet, once its proxy listens."""
    proxy = f"http://127.0.0.1:{state.port('proxy')}"
    authorities = str(state.ca_bundle)
    return {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
        "UNMOOR_ROUTES": str(state.root / "routes"),
        **dict.fromkeys(("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), authorities),
    }


def worlds(state: State) -> dict[str, str]:
    """Return the addresses of the simulated clouds, once all of them listen."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{state.port('aws')}",
        "AKASH_CONSOLE_URL": f"http://127.0.0.1:{state.port('console')}",
        "UNMOOR_DNS_PORT": str(state.port("dns")),
        "UNMOOR_RESOLVER": f"127.0.0.1:{state.port('dns')}",
    }


def for_worlds(state: State, folders: Iterable[Path]) -> dict[str, str]:
    """Return the whole environment of a simulated world: the operator's without proxies, and the fixed variables."""
    ours = {name: value for name, value in os.environ.items() if name not in PROXIES}
    return {**ours, **fixed(state), "PATH": _path(map(str, folders))}


def publish(state: State, folders: Iterable[Path]) -> None:
    """Write `env` and `env.json` for a sandbox in which everything listens; `folders` go first on PATH."""
    first = [str(folder) for folder in folders]
    variables = {**fixed(state), **internet(state), **worlds(state)}
    write(state.root / "env.json", json.dumps({"path": first, "variables": variables}, indent=2) + "\n")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    path = f"export PATH={shlex.quote(os.pathsep.join(first))}:$PATH"
    write(state.env_file, "\n".join(["unset ALL_PROXY all_proxy", *lines, path]) + "\n")


def published(state: State) -> Mapping[str, str] | None:
    """Return the variables of the sandbox, PATH included, for a child of this process; None before it is ready."""
    text = read(state.root / "env.json")
    if text is None:
        return None
    given = json.loads(text)
    return {**given["variables"], "PATH": _path(given["path"])}


def _path(first: Iterable[str]) -> str:
    return os.pathsep.join([*first, *os.environ.get("PATH", os.defpath).split(os.pathsep)])
