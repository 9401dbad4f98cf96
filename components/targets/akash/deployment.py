"""`unmoor:akash:Deployment` as Pulumi programs write it; made from the provider's `schema.json` by `make classes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 the SDK evaluates annotations
from typing import Any, cast

import pulumi


@pulumi.input_type
class _Inputs:
    name: pulumi.Input[str] | None = pulumi.property("name")
    sdl: pulumi.Input[Mapping[str, Any]] | None = pulumi.property("sdl")
    service: pulumi.Input[str] | None = pulumi.property("service")
    avoid: pulumi.Input[list[str]] | None = pulumi.property("avoid")
    apart: pulumi.Input[list[str]] | None = pulumi.property("apart")
    hosts: pulumi.Input[list[str]] | None = pulumi.property("hosts")
    screening: pulumi.Input[bool] | None = pulumi.property("screening")


class Deployment(pulumi.CustomResource):
    """A document that runs on the Akash market, with a lease that is rented again when it is lost.

    Nothing here is secret: an Akash provider can read the whole document, so a secret in it is a fault. Image,
    environment, command and accepted hosts of a service change in place. Resources, volumes, endpoints, prices and
    placement need a new lease: the deployment is replaced, the new one before the old one.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str],
        sdl: pulumi.Input[Mapping[str, Any]],
        service: pulumi.Input[str],
        avoid: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        apart: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        hosts: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        screening: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the resource.

        `name`: the name by which the deployment is found again: stable for life; the mark of project, stack and
        resource is added. Up to 48 of a-z, 0-9, - and .; a change replaces the deployment.

        `sdl`: the whole SDL document as data, with one placement.

        `service`: the service of the document whose endpoint is wanted.

        `avoid`: the addresses of Akash providers not to rent from; none unless given. Bids of their organizations are
        refused too, and another region is preferred.

        `apart`: the names of the stack's resources of this type that are not to share an Akash provider with it; none
        unless given. When a lease is rented, the account is asked where they run, and bids from there and from the same
        organizations are refused. It waits for none of them, and a change of it changes nothing that stands.

        `hosts`: the names of the zone that may lead to the deployment: it is not closed while one of them does.
        Accepted hosts of the document count too.

        `screening`: whether a preview asks the market who could bid; it does where a key is set, unless this is false.
        """
        inputs = _Inputs.__new__(_Inputs)
        inputs.__dict__.update(
            {
                "name": name,
                "sdl": sdl,
                "service": service,
                "avoid": avoid,
                "apart": apart,
                "hosts": hosts,
                "screening": screening,
                "dseq": None,
                "owner": None,
                "group": None,
                "provider": None,
                "host_uri": None,
                "version": None,
                "address": None,
                "uris": None,
                "usd_month": None,
                "price_uact_block": None,
                "state": None,
            }
        )
        super().__init__("unmoor:akash:Deployment", resource_name, inputs, opts)  # type: ignore[arg-type]

    @property
    @pulumi.getter
    def name(self) -> pulumi.Output[str]:
        """The name by which the deployment is found again."""
        return cast("pulumi.Output[str]", pulumi.get(self, "name"))

    @property
    @pulumi.getter
    def sdl(self) -> pulumi.Output[Mapping[str, Any]]:
        """The whole SDL document as data."""
        return cast("pulumi.Output[Mapping[str, Any]]", pulumi.get(self, "sdl"))

    @property
    @pulumi.getter
    def service(self) -> pulumi.Output[str]:
        """The service whose endpoint is given."""
        return cast("pulumi.Output[str]", pulumi.get(self, "service"))

    @property
    @pulumi.getter
    def avoid(self) -> pulumi.Output[list[str]]:
        """The addresses of Akash providers that are not rented from, sorted."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "avoid"))

    @property
    @pulumi.getter
    def apart(self) -> pulumi.Output[list[str] | None]:
        """The names of the resources that share no Akash provider with it, sorted."""
        return cast("pulumi.Output[list[str] | None]", pulumi.get(self, "apart"))

    @property
    @pulumi.getter
    def hosts(self) -> pulumi.Output[list[str] | None]:
        """The names of the zone that may lead to the deployment, sorted."""
        return cast("pulumi.Output[list[str] | None]", pulumi.get(self, "hosts"))

    @property
    @pulumi.getter
    def screening(self) -> pulumi.Output[bool | None]:
        """Whether a preview asks the market who could bid."""
        return cast("pulumi.Output[bool | None]", pulumi.get(self, "screening"))

    @property
    @pulumi.getter
    def dseq(self) -> pulumi.Output[str]:
        """The deployment's identity on the market, an opaque string; the same as `id`."""
        return cast("pulumi.Output[str]", pulumi.get(self, "dseq"))

    @property
    @pulumi.getter
    def owner(self) -> pulumi.Output[str]:
        """The address of the account that pays."""
        return cast("pulumi.Output[str]", pulumi.get(self, "owner"))

    @property
    @pulumi.getter
    def group(self) -> pulumi.Output[str]:
        """The name of its group on the market.

        It has a label, a mark of project, stack and resource, and a hash of what cannot change in place.
        """
        return cast("pulumi.Output[str]", pulumi.get(self, "group"))

    @property
    @pulumi.getter
    def provider(self) -> pulumi.Output[str]:
        """The address of the Akash provider that runs it."""
        return cast("pulumi.Output[str]", pulumi.get(self, "provider"))

    @property
    @pulumi.getter(name="hostUri")
    def host_uri(self) -> pulumi.Output[str]:
        """The URL of that Akash provider's gateway; empty if it is not known."""
        return cast("pulumi.Output[str]", pulumi.get(self, "host_uri"))

    @property
    @pulumi.getter
    def version(self) -> pulumi.Output[str]:
        """The SHA-256 of the manifest that runs, in hexadecimal."""
        return cast("pulumi.Output[str]", pulumi.get(self, "version"))

    @property
    @pulumi.getter
    def address(self) -> pulumi.Output[str]:
        """The leased IPv4 address of `service`; empty if the document asks for none."""
        return cast("pulumi.Output[str]", pulumi.get(self, "address"))

    @property
    @pulumi.getter
    def uris(self) -> pulumi.Output[list[str]]:
        """The host names under which the Akash provider's shared ingress serves `service`."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "uris"))

    @property
    @pulumi.getter(name="usdMonth")
    def usd_month(self) -> pulumi.Output[float]:
        """The price of the lease in USD per month of 30.437 days."""
        return cast("pulumi.Output[float]", pulumi.get(self, "usd_month"))

    @property
    @pulumi.getter(name="priceUactBlock")
    def price_uact_block(self) -> pulumi.Output[str]:
        """The price of the lease in uact (a millionth of a USD) per block of 6.117 s, as a decimal number."""
        return cast("pulumi.Output[str]", pulumi.get(self, "price_uact_block"))

    @property
    @pulumi.getter
    def state(self) -> pulumi.Output[str]:
        """`active`, `pending`, `silent since …` or `lost: …`.

        It is pending while it is not finished, silent while its Akash provider does not answer, and lost with the
        reason once its lease is gone.
        """
        return cast("pulumi.Output[str]", pulumi.get(self, "state"))
