"""Runs the `unmoor` plugin: `python -m components.provider`, or `pulumi-resource-unmoor` of the wheel."""

from __future__ import annotations


def main() -> None:
    """Serve the resources of `schema.json` until the engine hangs up."""
    from .. import __version__
    from ..targets.akash.inputs import TOKEN
    from ..targets.akash.resource import DeploymentResource
    from . import schema
    from .server import serve

    serve("unmoor", __version__, {TOKEN: DeploymentResource()}, schema=schema.package())


if __name__ == "__main__":
    main()
