"""Run the `unmoor` plugin: `python -m components.provider`, or `pulumi-resource-unmoor` of the wheel."""

from __future__ import annotations


def main() -> None:
    """Serve the resources of `schema.json` until the engine hangs up."""
    from .. import __version__
    from ..probe.client import visit
    from ..project import zone_readers
    from ..targets.akash import account_resource, inputs, leads, visitors
    from ..targets.akash.resource import DeploymentResource
    from . import schema
    from .resource import Resource  # noqa: TC001 in a function
    from .server import serve

    zones = leads.first_answer(leads.held(zone_readers), leads.public)
    deployments = DeploymentResource(leads=zones, served=visitors.by(visit))
    account = account_resource.AccountResource(leads=zones, in_use=deployments.in_use, awaited=deployments.awaited)
    resources: dict[str, Resource] = {inputs.TOKEN: deployments, account_resource.TOKEN: account}
    serve("unmoor", __version__, resources, schema=schema.package())


if __name__ == "__main__":
    main()
