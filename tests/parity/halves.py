"""Every way to serve a site, by name: the crawler asks those that are wanted."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from components.kinds.static import bundle

from .aws import Aws
from .container import Container
from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from components.kinds.static.kind import StaticOptions
    from components.kinds.static.routes import Routes

    from .ask import Half


def _aws(root: Path, folder: Path, options: StaticOptions, stack: ExitStack) -> Half:
    half = Aws(root / "aws", options)
    stack.callback(half.close)
    half.publish(folder)
    return half


def _container(root: Path, folder: Path, options: StaticOptions, stack: ExitStack) -> Half:
    half = Container(root / "container")
    stack.callback(half.close)
    half.publish(folder, options)
    return half


def _table(root: Path, folder: Path, options: StaticOptions, stack: ExitStack) -> Half:
    return Reference(bundle.survey(folder, options.reading()).routes, folder)


#: The halves by name; each gets a folder of its own, the site, the options, and what to end afterwards.
HALVES: Mapping[str, Callable[[Path, Path, StaticOptions, ExitStack], Half]] = {
    "aws": _aws,
    "container": _container,
    "table": _table,
}


@contextmanager
def serving(
    root: Path, folder: Path, options: StaticOptions, names: Sequence[str]
) -> Iterator[tuple[Routes, list[Half]]]:
    """Serve a site on the named halves; give its routes and them. Raises ConfigError if it cannot be served."""
    routes = bundle.survey(folder, options.reading()).routes
    with ExitStack() as stack:
        yield routes, [HALVES[name](root, folder, options, stack) for name in names]
