"""Tags of everything at AWS: whose it is, where several stacks share an account."""

from __future__ import annotations

import pulumi

#: The keys of our tags; AWS reserves `aws:` alone (Tagging AWS resources, "Tag naming limits and requirements").
STACK, WORKLOAD = "unmoor:stack", "unmoor:workload"


def tagged(workload: str) -> pulumi.ResourceTransformation:
    """Tag every resource of pulumi_aws that takes tags with its stack and workload; tags that are given stay."""
    ours = {STACK: f"{pulumi.get_project()}/{pulumi.get_stack()}", WORKLOAD: workload}

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # What has an id already is read, not made: it is another's.
        if not args.type_.startswith("aws:") or "tags" not in args.props or args.opts.id is not None:
            return None
        tags = pulumi.Output.from_input(args.props["tags"]).apply(lambda given: ours | (given or {}))
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)

    return tag
