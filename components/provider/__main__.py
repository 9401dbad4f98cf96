"""Runs the `unmoor` plugin: `python -m components.provider`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def main() -> None:
    """Serve the resources of `schema.json` until the engine hangs up."""
    from ..targets.akash.inputs import TOKEN
    from ..targets.akash.resource import DeploymentResource
    from . import schema
    from .server import serve

    try:
        own = version("unmoor")
    except PackageNotFoundError:  # run from a checkout
        own = "0.0.0"
    serve("unmoor", own, {TOKEN: DeploymentResource()}, schema=schema.package())


if __name__ == "__main__":
    main()
