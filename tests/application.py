"""A kind as a user would write one: an application from an image, with stand-in resources on both targets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pulumi

from components.action import Action, Phase, Run
from components.config.models import Setting
from components.exposure import Endpoint, Exposure, Proof, Reach
from components.kind import Deployed, Implementation, Kind, Rollout
from components.release import Release
from components.topology import Line

if TYPE_CHECKING:
    from pathlib import Path


class Options(Setting):
    """What it runs."""

    image: str = "registry.example/app@sha256:" + "aa" * 32


class Part(pulumi.CustomResource):
    """Something on a target."""

    def __init__(self, name: str, image: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tests:index:Part", name, {"image": image}, opts)


class Place(pulumi.ComponentResource):
    """A site of two parts, whose author passes nothing on but the parent."""

    def __init__(self, name: str, image: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tests:index:Place", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.network = Part(f"{name}-network", "none", inside)
        self.machine = Part(f"{name}-machine", image, inside)
        self.register_outputs({})


class On(Implementation[Options]):
    """One target."""

    def __init__(self, exposure: Exposure) -> None:
        self._exposure = exposure

    def exposure(self, options, acme):
        return self._exposure

    def bill(self, options, release):
        yield Line("a machine", 3.0, "stated")

    def deploy(self, site, context):
        place = Place(site.name, context.plan.release.data, context.opts)
        alias = site.exposure.reach is Reach.ALIAS
        endpoint = Endpoint(name="d1.example", zone="Z2") if alias else Endpoint(addresses=("192.0.2.7",))
        return Deployed(
            pulumi.Output.from_input(endpoint), pulumi.Output.from_input(site.target), place.machine.id, place
        )


class Application(Kind[Options]):
    """An application, prepared by one program."""

    name = "application"
    options = Options
    rollout = Rollout.ONE_BY_ONE
    on = {
        "aws": On(Exposure(Reach.ALIAS, "amazon.com", Proof.DNS)),
        "akash": On(Exposure(Reach.ADDRESS, "letsencrypt.org", Proof.PASSED_ON)),
    }

    def declared(self, options: Options) -> Release:
        return Release(hashlib.sha256(options.image.encode()).hexdigest(), options.image)

    def release(self, options: Options, root: Path) -> Release:
        return self.declared(options)

    def actions(self, plan):
        given = {"workload": plan.name}
        yield Action(f"{plan.name}-prepare", Phase.PREPARE, "prepare", plan.name, Run("keep", given))


APPLICATION = Application()
