"""The Console API: deployments, bids, leases, deposits and settings of the only account.

Routes and shapes are those of `apps/api/swagger/openapi.json` of Console d84c9e93 (August 2026).
"""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import document, shapes
from .account import USER
from .ledger import ChainError, Deployment
from .providers import BLOCKS_PER_MONTH, BY_OWNER
from .reads import Reads
from .refusals import ConsoleError, ValidationError, of_chain
from .world import ProviderError, Record, World

if TYPE_CHECKING:
    from collections.abc import Callable

TOP_UP_EVERY_MS = 86_400_000
HALTED = "Service temporarily unavailable"
#: USD in escrow under managed deposits (`DEPLOYMENT_DEFAULT_DEPOSIT`). The request's `deposit` is deprecated, optional
#: and not used.
DEFAULT_DEPOSIT_USD = 0.5


class Console:
    """The account's routes over the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reads = Reads(world)
        self._last_dseq = 0

    def routes(self) -> list[web.RouteDef]:
        """Return every route of the record."""
        return [
            web.post("/v1/deployments", self.create),
            web.get("/v1/deployments", self.list),
            web.get("/v1/deployments/{dseq}", self.show),
            web.put("/v1/deployments/{dseq}", self.update),
            web.delete("/v1/deployments/{dseq}", self.close),
            web.get("/v1/bids", self.bids),
            web.get("/v1/bids/{dseq}", self.bids),
            web.post("/v1/leases", self.lease),
            web.post("/v1/deposit-deployment", self.deposit),
            web.get("/v2/deployment-settings/{dseq}", self.settings),
            web.patch("/v2/deployment-settings/{dseq}", self.settings),
            web.post("/v2/deployment-settings", self.settings),
            *self.reads.routes(),
        ]

    @property
    def managed(self) -> bool:
        """Whether deposits are the Console's to choose."""
        return self.world.state.fault("own-deposits") is None

    # Deployments

    async def create(self, request: web.Request) -> web.Response:
        """Open a deployment; Console chooses its dseq, so two calls open two."""
        data = (await _json(request)).get("data") or {}
        deposit: Any = data.get("deposit")
        faults = [] if isinstance(data.get("sdl"), str) else [(("data", "sdl"), "Required")]
        if deposit is not None and not _money(deposit):
            faults.append((("data", "deposit"), "Expected number"))
        if faults:
            raise ValidationError(*faults)
        if self.managed:
            deposit = DEFAULT_DEPOSIT_USD
        elif deposit is None:
            raise ConsoleError(400, "deposit is required")
        submitted = self._read(data["sdl"])
        self._chain_moves()
        amount = float(deposit) * 1e6
        self._last_dseq = max(int(time.time() * 1000), self._last_dseq + 1)
        dseq = str(self._last_dseq)
        self._sign(
            lambda: self.world.ledger.create(dseq, submitted.groups, submitted.version, amount, submitted.notice),
            "Failed to create deployment",
        )
        self.world.records[dseq] = Record(submitted, data["sdl"])
        self.world.note(f"{dseq} opened with ${deposit}")
        return _data({"dseq": dseq, "manifest": submitted.manifest, "signTx": _transaction()}, status=201)

    async def list(self, request: web.Request) -> web.Response:
        """Return the open deployments, without their providers' part."""
        skip, limit = _whole(request, "skip", 0, least=0), _whole(request, "limit", 1000, least=1)
        everything = self.world.ledger.deployments.values()
        found = [each for each in everything if each.state == "active" and self.reads.in_list(each)]
        page = found[skip : skip + limit]
        pagination = {"total": len(found), "skip": skip, "limit": limit, "hasMore": skip + limit < len(found)}
        return _data({"deployments": self.reads.listed(page), "pagination": pagination})

    async def show(self, request: web.Request) -> web.Response:
        """Return one deployment, with the status of its leases from their providers."""
        return _data(await self.reads.full(self._find(request.match_info["dseq"], read=True)))

    async def update(self, request: web.Request) -> web.Response:
        """Accept a whole new SDL: a transaction if its hash is new, then the manifest to every provider."""
        data = (await _json(request)).get("data") or {}
        if not isinstance(data.get("sdl"), str):
            raise ValidationError((("data", "sdl"), "Required"))
        submitted = self._read(data["sdl"])
        deployment = self._find(request.match_info["dseq"])
        if deployment.hash != submitted.version:
            self._chain_moves()
            self._sign(lambda: self.world.ledger.update(deployment.dseq, submitted.version))
        record = self.world.records[deployment.dseq]
        record.sdl, record.submitted = data["sdl"], submitted
        self._deliver(deployment, submitted.manifest)
        return _data(await self.reads.full(deployment))

    async def close(self, request: web.Request) -> web.Response:
        """Close a deployment; repeated calls succeed."""
        deployment = self._find(request.match_info["dseq"])
        if deployment.state == "active":
            self._chain_moves()
            self._sign(lambda: self.world.ledger.close(deployment.dseq))
            self.world.end(deployment.dseq)
            self.world.note(f"{deployment.dseq} closed by its owner")
        return _data({"success": True})

    # Bids and leases

    async def bids(self, request: web.Request) -> web.Response:
        """Return the bids on a deployment; all of audited providers, as no other may bid on what Console submits."""
        dseq = request.match_info.get("dseq") or request.query.get("dseq", "")
        if not dseq:
            raise ValidationError((("dseq",), "Required"))
        deployment = self.world.ledger.deployments.get(dseq)
        return _data([shapes.bid(deployment, bid) for bid in deployment.bids] if deployment else [])

    async def lease(self, request: web.Request) -> web.Response:
        """Accept bids and send the manifest; only the manifest if a lease exists already. No data envelope."""
        body = await _json(request)
        wanted = body.get("leases")
        if not isinstance(body.get("manifest"), str):
            raise ValidationError((("manifest",), "Required"))
        if not isinstance(wanted, list) or not wanted:
            raise ValidationError((("leases",), "Required"))
        for index, each in enumerate(wanted):
            for key, kind in (("dseq", str), ("gseq", int), ("oseq", int), ("provider", str)):
                if not isinstance(each, dict) or not isinstance(each.get(key), kind):
                    raise ValidationError((("leases", index, key), f"Expected {kind.__name__}"))
        deployment = self._find(wanted[0]["dseq"])
        if not deployment.live():
            self._chain_moves()
            bids = [(each["dseq"], each["gseq"], each["oseq"], each["provider"]) for each in wanted]
            for bid in bids:  # one transaction: all of them or none
                self._sign(lambda bid=bid: self.world.ledger.takable(*bid), "Failed to create lease")  # type: ignore[misc]
            for bid in bids:
                self.world.ledger.lease(*bid)
                self.world.note(f"{bid[0]}/{bid[1]} leased from {BY_OWNER[bid[3]].name}")
            if self.managed:
                self.world.fund(deployment)
        self._deliver(deployment, body["manifest"])
        return _data(await self.reads.full(deployment))

    def _deliver(self, deployment: Deployment, manifest: str) -> None:
        try:
            parsed = json.loads(manifest.replace('"quantity":{"val', '"size":{"val'))
        except ValueError as wrong:
            raise ConsoleError(422, f"invalid manifest: {wrong}", name="ProviderError") from wrong
        try:
            self.world.deliver(deployment.dseq, parsed)
        except ProviderError as wrong:
            raise ConsoleError(wrong.status, str(wrong), name="ProviderError") from wrong

    # Money and settings

    async def deposit(self, request: web.Request) -> web.Response:
        """Add USD to a deployment's escrow."""
        data = (await _json(request)).get("data") or {}
        if not isinstance(data.get("dseq"), str):
            raise ValidationError((("data", "dseq"), "Required"))
        if not _money(data.get("deposit")):
            raise ValidationError((("data", "deposit"), "Required"))
        deployment = self._find(data["dseq"])
        self._chain_moves()
        self._sign(lambda: self.world.ledger.deposit(deployment.dseq, float(data["deposit"]) * 1e6))
        return _data(await self.reads.full(deployment))

    async def settings(self, request: web.Request) -> web.Response:
        """Read or write the automatic top-up of one deployment; a read makes it (`findOrCreateByUserIdAndDseq`)."""
        data = (await _json(request)).get("data") or {} if request.method != "GET" else {}
        dseq = request.match_info.get("dseq") or str(data.get("dseq", ""))
        if not re.fullmatch(r"\d+", dseq):
            raise ValidationError((("dseq",), "Invalid dseq"))
        if request.method == "PATCH" and not isinstance(data.get("autoTopUpEnabled"), bool):
            raise ValidationError((("data", "autoTopUpEnabled"), "Required"))
        record, live = self.world.records.get(dseq), []
        if record is not None:
            record.auto_top_up = data.get("autoTopUpEnabled", record.auto_top_up)
            live = self.world.ledger.get(dseq).live()
        always = self.world.state.fault("funding-always-on") is not None
        daily = sum(each.price for each in live) * BLOCKS_PER_MONTH / 30.437 / 1e6
        made = (
            datetime.fromtimestamp(record.created if record else time.time(), UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        body = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, dseq)),
            "userId": USER,
            "dseq": dseq,
            "autoTopUpEnabled": always or bool(record and record.auto_top_up),
            "estimatedTopUpAmount": round(daily, 6),
            "topUpFrequencyMs": TOP_UP_EVERY_MS,
            "createdAt": made,
            "updatedAt": made,
        }
        return _data(body, status=201 if request.method == "POST" else 200)

    # What they share

    def _read(self, sdl: str) -> document.Submitted:
        try:
            return document.read(sdl)
        except document.InvalidSdlError as wrong:
            raise ConsoleError(400, f"Invalid SDL: {wrong}") from wrong

    def _find(self, dseq: str, *, read: bool = False) -> Deployment:
        if not re.fullmatch(r"\d+", dseq):
            raise ValidationError((("dseq",), "Invalid dseq"))
        found = self.world.ledger.deployments.get(dseq)
        if found is None or self.reads.elsewhere or (read and not self.reads.visible(found)):
            raise ConsoleError(404, "Deployment not found")
        return found

    def _chain_moves(self) -> None:
        self.world.advance()
        if self.world.halted:
            raise ConsoleError(503, HALTED)

    @staticmethod
    def _sign(transaction: Callable[[], object], doing: str = "") -> None:
        try:
            transaction()
        except ChainError as wrong:
            raise of_chain(str(wrong), doing) from wrong


def _transaction() -> dict[str, Any]:
    return {"code": 0, "transactionHash": uuid.uuid4().hex.upper() * 2, "rawLog": ""}


def _data(data: Any, status: int = 200) -> web.Response:
    return web.json_response({"data": data}, status=status)


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        found = await request.json()
    except ValueError as wrong:
        raise ConsoleError(400, "Malformed JSON in request body", name="HTTPException") from wrong
    if not isinstance(found, dict):
        raise ValidationError(((), "Expected object"))
    return found


def _money(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(request: web.Request, name: str, default: int, *, least: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"\d+", text) or int(text) < least:
        raise ValidationError(((name,), f"Number must be greater than or equal to {least}"))
    return int(text)
