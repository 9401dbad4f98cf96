"""The Console rail: the market through the Console's API, as values of `observed`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from ....errors import MarketError, Refused
from ....text.escape import outside
from .. import untrusted
from ..market.decide import shortfall
from ..market.names import owner_of
from ..market.observed import RUNNING, UNSEEN, Observed, Standing, pick
from ..market.reconcile import TransientError
from ..market.steps import CloseDeployment, OpenDeployment, SendManifest, Step, TakeBid, UpdateManifest
from ..sdl import document as sdl
from ..untrusted import mapping, sequence
from . import answers, provider_proxy
from .books import ODD, Books, abreast, own_lease, reading, runs, why
from .console_client import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..market.observed import Lease
    from ..market.reconcile import Clock
    from ..market.request import Request
    from .answers import Json
    from .provider_proxy import Line
    from .rail import Runway


class ConsoleRail:
    """The market with the key and the wallet of a Console account. `id` is the deployment that this run works on."""

    def __init__(self, clock: Clock, console: Console | None = None) -> None:
        self._clock = clock
        self._console = console or Console(clock)
        self._books = Books(self._console)
        self.id = ""
        self.in_use: Callable[[str], bool] = lambda _: False
        self._opened: set[str] = set()
        self._taken: frozenset[str] = frozenset()
        self._unnamed = 0
        self._closed: set[str] = set()
        self._topped_up: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._console.close()

    # -- the market

    def observe(self, want: Request) -> Observed:
        """Observe by id, and by name while there is none and before all is done: a lost opening may have landed.

        What this run holds outweighs the list, which lags: a list adds spare deployments and removes none.
        """
        with reading():
            return self._observe(want)

    def _observe(self, want: Request) -> Observed:
        self.id = want.id or self.id
        spare: tuple[str, ...] = ()
        if not self.id:
            spare = self._find(want)
        seen = self._look(self.id, bids=True) if self.id else Observed(self._clock.now())
        if seen.bids and (want.avoid or want.apart):
            seen = self._near(want, self._apart(want, seen))
        elif seen.lease and not want.id and self.id not in self._opened:  # A killed run left it.
            seen = replace(self._apart(want, seen), strangers=frozenset())
        if not want.id and seen.deployment and seen.deployment.state == "closed":
            self._closed.add(self.id)
            self.id = ""
        ready = seen.services and all(each.ready for each in seen.services.values())
        if not want.id and self.id and ready:
            self._top_up(self.id)
            if not shortfall(want, seen):
                spare = self._find(want)
        return replace(seen, spare=spare, taken=self._taken, unnamed=self._unnamed)

    def _apart(self, want: Request, seen: Observed) -> Observed:
        """Add the providers of deployments to be apart from, and of those that may be such; read each time.

        A neighbour whose lease cannot be read ends the run: its provider is not known. A stranger's is left out.
        """
        found = [each for each in (self._books.account() if want.apart else ()) if each.deployment.id != self.id]
        ours = [each for each in found if owner_of(each.deployment.group or "") in want.apart]
        unnamed = [each for each in found if each.deployment.group is None]
        neighbours = [each.lease or self._look(each.deployment.id).lease for each in ours]
        strangers = [each.lease for each in unnamed]
        return replace(seen, neighbours=_operators(neighbours), strangers=_operators(strangers))

    def _near(self, want: Request, seen: Observed) -> Observed:
        """Add organizations and regions to bids, and those of the providers to avoid and of neighbours."""
        left = want.avoid | seen.neighbours
        stands = self._books.stands({*left, *(each.provider for each in seen.bids)})
        near = [stands[each] for each in left]
        return replace(
            seen,
            bids=tuple(
                replace(each, organization=stands[each.provider][0], region=stands[each.provider][1])
                for each in seen.bids
            ),
            organizations=frozenset(filter(None, (organization for organization, _ in near))),
            regions=frozenset(filter(None, (region for _, region in near))),
        )

    def _find(self, want: Request) -> tuple[str, ...]:
        """Find our deployment by its name unless this run holds one, and list the spare ones."""
        entries = [each for each in self._books.entries() if each[0].id not in self._closed]
        names = self._books.names([held for held, _, _ in entries], want)
        known = [each for each in entries if names.get(each[0].id) is not None]
        self._unnamed = len(entries) - len(known)
        found = [Standing(replace(held, group=names[held.id]), own_lease(leases, held.id)) for held, _, leases in known]
        strange = [each.deployment.id for each in found if each.deployment.group == want.name]
        kept = {dseq for dseq in strange if dseq not in self._opened | want.keep and self.in_use(dseq)}
        self.id, spare = pick(want.name, self.id, want.keep | kept, found)
        others = [Standing(held, own_lease(leases, held.id)) for held, _, leases in entries]
        self._taken = self._holders(want, others) if want.hosts else frozenset()
        return spare

    def _holders(self, want: Request, found: Iterable[Standing]) -> frozenset[str]:
        """Return the providers whose ingress routes one of our hosts to another deployment, which would keep the host.

        Among one owner's deployments on a provider, the first one keeps a host until it ends, and the host then leads
        nowhere (provider v0.16, `cluster/hostname.go`). A deployment that cannot be read is skipped: the lease's own
        status then shows that the host does not lead to it.
        """
        others = [each for each in found if each.deployment.id != self.id and (not each.lease or runs(each))]

        def holder(each: Standing) -> str:
            try:
                seen = self._look(each.deployment.id)
            except (MarketError, *ODD):
                return ""
            led = {name for names in seen.uris.values() for name in names}
            return seen.lease.provider if seen.lease and seen.lease.state in RUNNING and want.hosts & led else ""

        return frozenset(filter(None, abreast(holder, others)))

    def look(self, id: str) -> Observed:
        """Observe one deployment, with its bids while it has no lease."""
        with reading():
            return self._look(id, bids=True)

    def _look(self, id: str, *, bids: bool = False) -> Observed:
        found = self._console.call("show", dseq=id, missing=None)
        answer = mapping(found).get("data") if found is not None else None
        seen = answers.look(self._clock.now(), id, mapping(answer) if answer else None)
        if not bids or seen.open is None or seen.lease is not None:
            return seen
        return replace(seen, bids=answers.bids(self._console.call("bids", params={"dseq": id})["data"]))

    def perform(self, want: Request, step: Step) -> None:
        """Take one step by one call; for a lease, also ask the Console to keep it funded."""
        with reading():
            match step:
                case OpenDeployment():
                    self._open(want)
                case TakeBid(dseq, bid):
                    chosen = {"dseq": dseq, "gseq": bid.gseq, "oseq": bid.oseq, "provider": bid.provider}
                    self._console.call("lease", body={"manifest": want.manifest, "leases": [chosen]})
                    self._top_up(dseq)
                case SendManifest(dseq) | UpdateManifest(dseq):
                    self._top_up(dseq)
                    self._console.call("update", dseq=dseq, body={"data": {"sdl": _text(want)}})
                case CloseDeployment(dseq):
                    self.close(dseq)

    def _open(self, want: Request) -> None:
        if self._books.trial():
            raise Refused(
                "akash: the Console account is a trial, whose deployments are closed after 24 hours; "
                "add credit to it and run it again"
            )
        body = {"data": {"sdl": _text(want), "deposit": float(want.deposit_usd)}}
        try:
            data = mapping(self._console.call("open", body=body)["data"])
            signed = data.get("signTx")
            code = signed.get("code") if isinstance(signed, dict) else 0
            if code:
                log = outside(mapping(signed).get("rawLog"))
                raise Refused(f"akash: the deployment was not opened: {log}")
            self.id = untrusted.dseq(data.get("dseq"))
            self._opened.add(self.id)
        except ODD as fault:  # It may have been opened; then it is found by its name.
            raise TransientError(f"akash: the Console does not show what it opened ({why(fault)})") from fault

    def _top_up(self, dseq: str) -> None:
        """Ask the Console to keep a lease funded, where that is a setting; without it a lease is not funded.

        Only rows of deployment settings with `autoTopUpEnabled` are funded (`deployment-setting.repository.ts`). A
        Console without the setting funds every deployment, so its refusal changes nothing.
        """
        if dseq in self._topped_up:
            return
        self._topped_up.add(dseq)
        try:
            self._console.call("top-up", dseq=dseq, body={"data": {"autoTopUpEnabled": True}}, missing=None)
        except TransientError:
            self._topped_up.discard(dseq)
        except MarketError:
            return

    # -- one deployment

    def close(self, id: str) -> None:
        """Close a deployment; one that is closed already is no error."""
        self._console.call("close", dseq=id, missing=None)
        self._closed.add(id)
        if id == self.id:
            self.id = ""

    def is_open(self, id: str) -> bool | None:
        """Return whether a deployment costs money; None if the Console shows none of that number."""
        with reading():
            found = self._look(id).deployment
        return None if found is None or found.state == UNSEEN else found.state == "active"

    # -- the account

    def gateway(self, provider: str) -> str:
        """Return the address of a provider's gateway; empty if it is not available."""
        return self._books.gateway(provider)

    def last_lines(self, dseq: str, provider: str, service: str) -> list[Line]:
        """Return the last log lines of a service's containers, or else the last events of their pods."""
        gateway = self.gateway(provider)
        if not gateway:
            raise MarketError(f"akash: the Console does not name the gateway of {provider}")
        return provider_proxy.last_lines(self._console, gateway, provider, dseq, service)

    def owner(self) -> str:
        """Return the address of the key's wallet; empty if it is not available."""
        return self._books.owner()

    def account(self) -> list[Standing]:
        """List every open deployment of the account."""
        return self._books.account()

    def runway(self, standing: list[Standing]) -> Runway:
        """Return the account's money, and the number of days for which each of these leases is paid."""
        return self._books.runway(standing)

    def screen(self, body: Json, within_s: float) -> list[Json]:
        """Ask who could bid on a group, as `BidScreeningRequestSchema` has it; nothing is opened."""
        with reading():
            answer = mapping(self._console.call("screen", body=body, within_s=within_s))
            return [each for each in sequence(answer["providers"], 1000) if isinstance(each, dict)]


def _operators(leases: Iterable[Lease | None]) -> frozenset[str]:
    return frozenset(each.provider for each in leases if each and each.state in RUNNING)


def _text(want: Request) -> str:
    return sdl.dump(sdl.Document(want.data))
