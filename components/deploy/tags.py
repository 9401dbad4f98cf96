"""Tags of everything at AWS: its owner, where several stacks share an account."""

from __future__ import annotations

import pulumi

from ..targets.aws import STACK, WORKLOAD


def tagged(workload: str) -> pulumi.ResourceTransformation:
    """Tag every resource of pulumi_aws that accepts tags with its stack and workload; tags that are set stay."""
    ours = {STACK: f"{pulumi.get_project()}/{pulumi.get_stack()}", WORKLOAD: workload}

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # A resource with an id is read, not created: it belongs to another party.
        if not args.type_.startswith("aws:") or "tags" not in args.props or args.opts.id is not None:
            return None
        tags = pulumi.Output.from_input(args.props["tags"]).apply(lambda given: ours | (given or {}))
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)

    return tag
