"""What the Console knows of an account: open deployments, their names, the money, and the providers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ....errors import MarketError
from ....text.escape import outside
from .. import untrusted
from ..market.observed import RUNNING, Deployment, Standing
from ..market.reconcile import TransientError
from ..market.runway import days
from ..untrusted import BadAnswer, mapping, sequence
from . import answers
from .rail import Runway

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..market.observed import Lease
    from ..market.request import Request
    from .answers import Json
    from .console_client import Console

_PAGE = 100
#: The largest number of pages of one list: 10,000 deployments. A longer list counts as one without end.
_PAGES = 100
#: Concurrent reads: a read from a dead provider takes a minute.
_ABREAST = 16
#: Exceptions that an answer of unexpected form raises while it is read.
ODD = (BadAnswer, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)


class Books:
    """Reads of one account; what does not change within a run is asked once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._purse: Json | None = None
        self._declared: dict[str, Json] = {}

    def entries(self) -> list[tuple[Deployment, Json, list[Json]]]:
        """Return the account's open deployments, newest first, each with its own leases from any entry.

        An entry that cannot be read is left out, so that one entry does not stop a run.
        """
        entries: list[Json] = []
        for _ in range(_PAGES):
            data = mapping(self._console.call("list", params={"skip": len(entries), "limit": _PAGE})["data"])
            page = sequence(data["deployments"], 10 * _PAGE)
            entries += [each for each in page if isinstance(each, dict)]
            if not page or not mapping(data["pagination"]).get("hasMore"):
                break
        else:
            raise BadAnswer(f"its list of deployments has no end after {_PAGES} pages")
        leases: dict[str, list[Json]] = {}
        for entry in entries:
            for each in answers.leases(entry):
                leases.setdefault(answers.lease_dseq(each), []).append(each)
        found = []
        for entry in entries:
            try:
                held = answers.deployment(entry)
            except ODD:
                continue
            if held.state == "active":
                created = str(entry["deployment"].get("created_at") or "")
                found.append(((len(created), created), (held, entry, leases.get(held.id, []))))
        return [each for _, each in sorted(found, key=lambda one: one[0], reverse=True)]

    def names(self, standing: list[Deployment], want: Request | None = None) -> dict[str, str | None]:
        """Return group names by number: from the list, by our manifest's hash, else from the chain.

        The value is None for a name that is not known at the moment.
        """
        names: dict[str, str | None] = {}
        asked = []
        for each in standing:
            if each.group is not None:
                names[each.id] = each.group
            elif want is not None and each.version == want.version:
                names[each.id] = want.name
            else:
                asked.append(each)
        names.update(zip((each.id for each in asked), abreast(self._name, asked), strict=True))
        return names

    def _name(self, held: Deployment) -> str | None:
        try:
            answer = self._console.call("named", owner=held.owner, dseq=held.id, missing=None)
        except (
            MarketError
        ):  # It is not known at the moment; the run continues, because the deployment may be another stack's.
            return None
        other = answer.get("other") if isinstance(answer, dict) else None
        return answers.group_name(other) if isinstance(other, dict) else None

    def stands(self, providers: set[str]) -> dict[str, tuple[str, str]]:
        """Return the organization and the region of providers."""
        asked = sorted(providers)
        shown = dict(zip(asked, abreast(self._declares, asked), strict=True))
        return {
            provider: (outside(each.get("organization") or "", 80), outside(each.get("locationRegion") or "", 80))
            for provider, each in shown.items()
        }

    def _declares(self, provider: str) -> Json:
        """Return a provider's own attributes, asked once per run; empty where they are not available."""
        if provider not in self._declared:
            try:
                answer = self._console.call("provider", owner=provider, missing={})
            except MarketError:  # it was tried several times
                answer = None
            self._declared[provider] = answer if isinstance(answer, dict) else {}
        return self._declared[provider]

    def owner(self) -> str:
        """Return the address of the key's wallet; empty if it is not available."""
        with reading():
            wallet = self._wallet()
            if wallet.get("address"):
                return untrusted.identity(wallet["address"])
            return next((held.owner for held, _, _ in self.entries()), "")

    def trial(self) -> bool:
        """Return whether the key's wallet is a trial."""
        try:
            with reading():
                return self._wallet().get("isTrialing") is True
        except TransientError:
            return False

    def _wallet(self) -> Json:
        if self._purse is None:
            self._purse = self._find_wallet()
        return self._purse

    def _find_wallet(self) -> Json:
        user = self._console.call("me", missing={})
        at = user.get("data") if isinstance(user, dict) else None
        number = at.get("id") if isinstance(at, dict) else None
        if not isinstance(number, str):
            return {}
        found = mapping(self._console.call("wallets", params={"userId": number}, missing={}))
        wallets = [each for each in sequence(found.get("data") or []) if isinstance(each, dict)]
        return next((each for each in wallets if each.get("address")), {})

    def account(self) -> list[Standing]:
        """List every open deployment of the account, with the names of their groups as far as they are known."""
        with reading():
            entries = self.entries()
            names = self.names([held for held, _, _ in entries])
        found = []
        for held, entry, leases in entries:
            try:
                found.append(answers.standing(entry, {held.id: leases}, names.get(held.id)))
            except ODD:
                found.append(Standing(replace(held, group=names.get(held.id))))
        return found

    def runway(self, standing: list[Standing]) -> Runway:
        """Return the account's money, and the number of days for which each of these leases is paid."""
        with reading():
            money = mapping(self._console.call("balances")["data"])
            balance, bound = (untrusted.amount(money.get(key)) for key in ("balance", "deployments"))
        leased = [each for each in standing if runs(each)]
        funded = abreast(lambda each: replace(each, topped_up=self._funded(each.deployment.id)), leased)
        return Runway(balance, bound, days(funded, balance), self.trial())

    def _funded(self, dseq: str) -> bool | None:
        try:
            answer = self._console.call("settings", dseq=dseq, missing={})
        except MarketError:
            return None
        data = answer.get("data") if isinstance(answer, dict) else None
        enabled = data.get("autoTopUpEnabled") if isinstance(data, dict) else None
        return enabled if isinstance(enabled, bool) else None

    def gateway(self, provider: str) -> str:
        """Return the address of a provider's gateway; empty if it is not available."""
        declared = self._declares(provider)
        return untrusted.gateway(declared.get("hostUri")) if declared else ""


class reading:  # noqa: N801 it is used as a word
    """Turn an answer of unexpected form into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, ODD):
            raise MarketError(f"akash: the Console's answer is not what its API describes ({why(fault)})") from fault


def why(fault: BaseException) -> str:
    """Return what was wrong with an answer."""
    return outside(str(fault) if isinstance(fault, BadAnswer) else repr(fault), 160)


def own_lease(leases: list[Json], dseq: str) -> Lease | None:
    """Return a deployment's lease; None if there is none, or none that can be read."""
    try:
        return answers.lease({"leases": leases}, dseq)[0]
    except ODD:
        return None


def runs(each: Standing) -> bool:
    """Return whether a deployment has a lease that runs."""
    return each.lease is not None and each.lease.state in RUNNING


def abreast(call: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    """Call a function concurrently for each value, and return the results in order."""
    if len(values) < 2:
        return [call(each) for each in values]
    with ThreadPoolExecutor(_ABREAST) as pool:
        return list(pool.map(call, values))
