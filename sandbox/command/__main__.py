"""Runs the stand-in for the `command` plugin: `python -m sandbox.command`."""

from __future__ import annotations

from components.provider.server import serve

from .resource import TOKEN, LocalCommand


def main() -> None:
    """Serve `command:local:Command` until the engine hangs up."""
    serve("command", "1.2.1", {TOKEN: LocalCommand()})


if __name__ == "__main__":
    main()
