"""The CloudFront distributions, their addresses, their certificates, and their invalidations."""

from __future__ import annotations

import asyncio
import itertools
import json
from functools import partial
from typing import TYPE_CHECKING

from ..state import read as read_text
from ..state import write
from . import distribution, headers
from .function import Code
from .headers import HeadersPolicy
from .known import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..state import State
    from .cloud import Cloud, Shape
    from .distribution import Distribution

#: The addresses of the edge: 192.0.2.10 to 192.0.2.249 (TEST-NET-1), one for each distribution.
FIRST, PAST = 10, 250
#: Seconds between two reads when no request comes.
LOOK_S = 1.0
#: Policies older than this (seconds) are read again.
POLICY_FRESH_S = 5.0


class Distributions:
    """Keeps what the edge serves, and the routes to it."""

    def __init__(self, state: State, cloud: Cloud) -> None:
        self._state = state
        self._cloud = cloud
        self._known: Known[None] = Known(self._read, None)
        self._ports: tuple[int, int] | None = None
        self._routed: set[str] = set()
        self._seen: set[str] = set()
        self._deployed: dict[str, Distribution] = {}
        self._policies: dict[str, Known[Shape]] = {}
        self._codes: dict[str, Known[Code]] = {}
        self._file = state.root / "edge.json"
        #: Distribution id -> address. It outlives this process, as resolvers' caches do.
        self._places: dict[str, str] = json.loads(read_text(self._file) or "{}")
        self._numbers = itertools.cycle(range(FIRST, PAST))
        #: Called with a distribution's id and the paths of a new invalidation.
        self.invalidated: Callable[[str, Iterable[str]], None] = lambda *_: None
        #: Alias or domain name -> the enabled distribution that serves it.
        self.by_name: Mapping[str, Distribution] = {}
        #: Domain name -> address.
        self.addresses: Mapping[str, str] = {}
        #: ARN of a certificate that exists -> the names on it.
        self.certified: Mapping[str, tuple[str, ...]] = {}

    async def run_routes(self, plain: int, secure: int) -> None:
        """Keep the routes to the edge's two ports until cancelled."""
        self._ports = plain, secure
        while True:
            await self.get()
            await asyncio.sleep(LOOK_S)

    async def get(self) -> Distributions:
        """Itself, as fresh as can be had."""
        await self._known.get()
        return self

    async def code(self, arn: str) -> Code:
        """Return the live code of a function."""
        name = arn.rpartition("/")[2]
        if name not in self._codes:
            self._codes[name] = Known(lambda: self._cloud.function(name), Code("", ""))
        return await self._codes[name].get()

    def headers_policy(self, policy: str) -> HeadersPolicy:
        """Return a response headers policy of a distribution that is served; none does nothing."""
        return headers.read(self._policies[policy].last) if policy else HeadersPolicy()

    async def _read(self) -> None:
        shapes = await self._cloud.distributions()
        for shape in shapes:
            await self._read_policies(shape)
        found = [distribution.read(shape, lambda policy: self._policies[policy].last) for shape in shapes]
        # The edge works by the last version that was deployed, and not by what has been written since.
        ready = {one.id: one if one.deployed else self._deployed.get(one.id) for one in found}
        self._deployed = {name: one for name, one in ready.items() if one}
        serving = [one for one in self._deployed.values() if one.enabled]
        certified = {}
        for arn in {one.certificate for one in serving if one.certificate}:
            if certificate := await self._cloud.certificate(arn):
                names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())]
                certified[arn] = tuple(dict.fromkeys(names))
        for one in serving:
            await self._sweep(one)
        self.certified = certified
        self.by_name = {name: one for one in serving for name in (*one.aliases, one.domain)}
        self._place(found)

    async def _read_policies(self, shape: Shape) -> None:
        for kind, load in (
            ("CachePolicyId", self._cloud.cache_policy),
            ("ResponseHeadersPolicyId", self._cloud.headers_policy),
        ):
            for policy in distribution.named(shape, kind):
                if policy not in self._policies:
                    self._policies[policy] = Known(partial(load, policy), {}, POLICY_FRESH_S)
                await self._policies[policy].get()

    async def _sweep(self, one: Distribution) -> None:
        for invalidation in await self._cloud.invalidations(one.id):
            if invalidation not in self._seen:
                self.invalidated(one.id, await self._cloud.invalidated(one.id, invalidation))
                self._seen.add(invalidation)

    def _place(self, found: list[Distribution]) -> None:
        """Give every distribution its address and routes, and withdraw those of the ones that are gone."""
        before = dict(self._places)
        for gone in before.keys() - {one.id for one in found}:
            address = self._places.pop(gone)
            for port in (80, 443):
                self._state.withdraw_route(address, port)
            self._routed.discard(gone)
        for one in found:
            if one.id not in self._places:
                self._places[one.id] = self._free()
        if self._places != before:
            write(self._file, json.dumps(self._places) + "\n")
        self.addresses = {one.domain: self._places[one.id] for one in found}
        for new in self._places.keys() - self._routed if self._ports else ():
            for port, real in zip((80, 443), self._ports or (), strict=True):
                self._state.publish_route(self._places[new], port, real)
            self._routed.add(new)

    def _free(self) -> str:
        """Return the next address in turn that is not in use, so that one given up is not someone else's at once."""
        used = set(self._places.values())
        while (address := f"192.0.2.{next(self._numbers)}") in used:
            pass
        return address
