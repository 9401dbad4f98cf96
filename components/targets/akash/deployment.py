"""An Akash deployment as Pulumi programs write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Deployment(pulumi.CustomResource):
    """A document that runs on the Akash market, with a lease that is rented again when it is lost.

    Credentials come from the process (`AKASH_CONSOLE_API_KEY`), never from inputs, so nothing here is secret: a
    document that needs a secret is a fault, its host could read it.
    """

    dseq: pulumi.Output[str]
    """The deployment's identity on the market, an opaque string; the same as `id`."""
    owner: pulumi.Output[str]
    """The account that pays, as the market writes it."""
    provider: pulumi.Output[str]
    """The Akash provider that hosts it, as the market writes it."""
    host_uri: pulumi.Output[str]
    """The address of that provider's gateway; empty if it is not to be had."""
    version: pulumi.Output[str]
    """The hash of the manifest (SHA-256, hex): what runs."""
    address: pulumi.Output[str]
    """The leased IPv4 address of `service`; empty if the document asks for none."""
    uris: pulumi.Output[list[str]]
    """The host names under which the provider's shared ingress serves `service`."""
    usd_month: pulumi.Output[float]
    """The price of the taken bid in USD per month (30.437 days)."""
    price_uact_block: pulumi.Output[str]
    """The price of the taken bid in uact (a millionth of a USD) per block of 6.117 s, as a decimal number."""
    state: pulumi.Output[str]
    """`active`; `pending` while it is not finished; `lost: …` with the reason once its lease is gone."""

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str],
        sdl: pulumi.Input[Mapping[str, Any]],
        service: pulumi.Input[str],
        avoid: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Ask for a deployment.

        `name` is stable for life and unique to the account: by it a deployment is found again. `sdl` is the whole
        document as data, with one placement; `service` the one whose endpoint is wanted; `avoid` the addresses of
        Akash providers not to rent from.
        """
        outputs = dict.fromkeys(
            (
                "dseq",
                "owner",
                "provider",
                "host_uri",
                "version",
                "address",
                "uris",
                "usd_month",
                "price_uact_block",
                "state",
            )
        )
        super().__init__(
            "unmoor:akash:Deployment",
            resource_name,
            {"name": name, "sdl": sdl, "service": service, "avoid": avoid if avoid is not None else [], **outputs},
            opts,
        )
