"""The endpoint of what AWS serves by a name, which records lead to by an alias."""

from __future__ import annotations

import pulumi

from ...exposure import Endpoint


def endpoint(name: pulumi.Output[str], zone: pulumi.Output[str]) -> pulumi.Output[Endpoint]:
    """Return the endpoint of a domain name, with the id of its hosted zone."""
    return pulumi.Output.all(name, zone).apply(lambda known: Endpoint(name=known[0], zone=known[1]))
