"""Console's public data: providers, and who could bid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from .ledger import DENOM
from .providers import AUDITOR, BY_OWNER, PROVIDERS, AkashProvider, refusal
from .refusals import ConsoleError, ValidationError
from .sizes import Ask

if TYPE_CHECKING:
    from .world import World

CREATED = "2025-03-01T00:00:00.000Z"
#: No ceiling: a screening asks who could, not for how much.
UNPRICED = {"denom": DENOM, "amount": "1e18"}


class Public:
    """Routes about the market that need no key."""

    #: What they begin with.
    OPEN = ("/v1/bid-screening", "/v1/providers", "/v1/deployment/")

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[web.RouteDef]:
        """Return every route."""
        return [
            web.get("/v1/providers", self.providers),
            web.get("/v1/providers/{owner}", self.provider),
            web.post("/v1/bid-screening", self.screening),
        ]

    async def providers(self, _request: web.Request) -> web.Response:
        """Return every provider, without envelope."""
        return web.json_response([self._provider(each) for each in PROVIDERS])

    async def provider(self, request: web.Request) -> web.Response:
        """Return one provider, without envelope."""
        found = BY_OWNER.get(request.match_info["owner"])
        if found is None:
            raise ConsoleError(404, "Provider not found")
        used = self._used(found)
        stats = {
            "cpu": _stat(used.threads * 1000, found.threads * 1000),
            "gpu": _stat(0, 0),
            "memory": _stat(used.memory, found.memory),
            "storage": {
                "ephemeral": _stat(used.storage[""], found.disk),
                "persistent": _stat(used.storage["persistent"], found.disk),
            },
        }
        return web.json_response({**self._provider(found), "stats": stats, "uptime": []})

    def _used(self, provider: AkashProvider) -> Ask:
        held = self.world.held(provider)
        ephemeral = sum(each.storage.get("", 0) for each in held)
        persistent = sum(sum(each.storage.values()) for each in held) - ephemeral
        return Ask(
            threads=sum(each.threads for each in held),
            memory=sum(each.memory for each in held),
            storage={"": ephemeral, "persistent": persistent},
            addresses=sum(each.addresses for each in held),
        )

    def _provider(self, one: AkashProvider) -> dict[str, Any]:
        online = self.world.online(one)
        signed = [AUDITOR] if one.audited else []
        leases = len(self.world.held(one))
        return {
            "owner": one.owner,
            "name": one.name,
            "hostUri": one.host_uri,
            "createdHeight": 19_000_000,
            "email": None,
            "website": f"https://{one.domain}",
            "lastCheckDate": None,
            "deploymentCount": leases,
            "leaseCount": leases,
            "cosmosSdkVersion": "v0.53.7",
            "akashVersion": "0.16.0",
            "ipRegion": one.region,
            "ipRegionCode": None,
            "ipCountry": one.country,
            "ipCountryCode": one.country,
            "ipLat": None,
            "ipLon": None,
            "uptime1d": 1.0 if online else 0.9,
            "uptime7d": 0.999,
            "uptime30d": 0.998,
            "isValidVersion": True,
            "isOnline": online,
            "lastOnlineDate": None,
            "isAudited": one.audited,
            "gpuModels": [],
            "attributes": [
                {"key": key, "value": value, "auditedBy": signed} for key, value in sorted(one.attributes.items())
            ],
            "host": "akash",
            "organization": one.name,
            "statusPage": None,
            "locationRegion": one.region,
            "country": one.country,
            "city": None,
            "timezone": None,
            "locationType": "datacenter",
            "hostingProvider": None,
            "hardwareCpu": None,
            "hardwareCpuArch": "x86-64",
            "hardwareGpuVendor": None,
            "hardwareGpuModels": [],
            "hardwareDisk": [],
            "featPersistentStorage": bool(one.classes),
            "featPersistentStorageType": list(one.classes),
            "hardwareMemory": None,
            "networkProvider": None,
            "networkSpeedDown": 1000,
            "networkSpeedUp": 1000,
            "tier": "community",
            "featEndpointCustomDomain": True,
            "workloadSupportChia": False,
            "workloadSupportChiaCapabilities": [],
            "featEndpointIp": bool(one.addresses),
        }

    async def screening(self, request: web.Request) -> web.Response:
        """Return who could bid, capacity and attributes considered, and price not.

        `timezone` is required, and an amount a whole number as text (console `bid-screening.schema.ts`).
        """
        try:
            body = await request.json()
            _admit(body)
            needs = body.get("requirements") or {}
            signed = needs.get("signedBy") or {}
            group = {
                "requirements": {
                    "signed_by": {"any_of": signed.get("anyOf") or [], "all_of": signed.get("allOf") or []},
                    "attributes": needs.get("attributes") or [],
                },
                "resources": [{**unit, "price": UNPRICED} for unit in body["resources"]],
            }
            able = [
                each
                for each in PROVIDERS
                if self.world.online(each)
                and not refusal(each, group, self.world.held(each), notice=body.get("reclamationWindow", 0))[0]
            ]
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise ValidationError((("resources",), "Required")) from wrong
        return web.json_response(
            {
                "providers": [
                    {
                        "owner": each.owner,
                        "hostUri": each.host_uri,
                        "isAudited": each.audited,
                        "createdAt": CREATED,
                        "location": each.region,
                        "organization": each.name,
                        "incidents": [],
                    }
                    for each in able
                ]
            }
        )


def _admit(body: dict[str, Any]) -> None:
    try:
        ZoneInfo(body["timezone"])
    except (KeyError, ValueError, TypeError, ZoneInfoNotFoundError) as wrong:
        raise ValidationError((("timezone",), "Timezone is not supported")) from wrong
    for index, unit in enumerate(body["resources"]):
        if not re.fullmatch(r"\d+", unit["price"]["amount"]):
            path = ("resources", index, "price", "amount")
            raise ValidationError((path, "Must be an unsigned integer string"))
    window = body.get("reclamationWindow", 1)
    if isinstance(window, bool) or not isinstance(window, int) or window <= 0:
        raise ValidationError((("reclamationWindow",), "Expected a positive whole number"))


def _stat(used: float, total: float) -> dict[str, float]:
    return {"active": used, "available": total - used, "pending": 0}
