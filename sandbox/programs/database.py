"""The program of the image of `images/postgres/`: `unmoor-postgres FILE --site NAME`.

It uses the sandbox's ports and folder for the image's own, and runs as `postgres` if the sandbox runs as root.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
#: The image's own PATH, because a container of the sandbox has only its own tools.
_PATH = "/usr/local/bin:/usr/bin:/bin"
_UNPRIVILEGED = (
    *("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)


def main() -> None:
    """Replace this process by the agent."""
    volume = next(os.environ[name] for name in ("VOLUME_KEPT", "VOLUME_DATA") if name in os.environ)
    place = ["--data", volume, "--port", os.environ["PORT_5432"], "--http", f"127.0.0.1:{os.environ['PORT_8008']}"]
    os.environ.update(
        PATH=_PATH, PYTHONPATH=str(_REPOSITORY), AWS_CA_BUNDLE=os.environ["SSL_CERT_FILE"], LANG="C.UTF-8"
    )
    words = [sys.executable, "-m", "components.postgres", *sys.argv[1:], *place]
    if os.geteuid() == 0:
        shutil.chown(volume, "postgres", "postgres")
        for folder in Path(volume).parents:  # access(2) ignores capabilities
            folder.chmod(folder.stat().st_mode | 0o001)
            if (folder / "sandbox.json").exists():
                break
        os.environ["HOME"] = "/var/lib/postgresql"
        words = [*_UNPRIVILEGED, *words]
    os.execvp(words[0], words)  # noqa: S606 this process is the container


if __name__ == "__main__":
    main()
