"""The container half: real Caddy under the container's own script, which fetches the bundle from two stores."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from components.kinds.static import bundle
from tests.contract import containers

from .ask import HOST, OTHERS, Line, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.kinds.static.kind import StaticOptions


class Container:
    """A container that takes one release after the other, as in production."""

    name, scheme = "container", "http"

    def __init__(self, root: Path) -> None:
        self._stores = containers.Shelf(), containers.Shelf()
        self._root = root
        self._number = 0
        self._container: containers.Container | None = None
        self._line: Line | None = None

    @property
    def port(self) -> int:
        """The port of this machine at which it answers, once something is published."""
        assert self._container is not None
        return self._container.http_port

    def publish(self, folder: Path, options: StaticOptions) -> bundle.Bundle:
        """Publish a folder and wait until it is served."""
        tar = io.BytesIO()
        made = bundle.pack(folder, tar, options.reading())
        self._number += 1
        for store in self._stores:
            store.hold(made.version, tar.getvalue())
            store.name(self._number, made.version, made.size)
        if self._container is None:
            where = containers.folder_in(*self._stores, size=made.size, number=self._number)
            server = containers.web_server(made.version, where, redirect_from=OTHERS)
            secret = {"SECRET": "topsecret", "POLL": "0.2"}
            self._container = containers.Container(self._root, server, secret).start()
            self._line = Line(self._container.http_port, HOST)
        self._container.serves(made.version, 60)
        return made

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """Ask the web server at the site's host."""
        assert self._line is not None
        return self._line.ask(target, method, headers)

    def close(self) -> None:
        """End everything that was started."""
        if self._line:
            self._line.close()
        if self._container:
            self._container.stop()
        for store in self._stores:
            store.silence()
