"""Read a zone at Cloudflare for `unmoor zone import`: as octoDNS reads it, compared with what Cloudflare lists.

Fields and paging are those of Cloudflare's API v4, "List DNS Records" (cloudflare/api-schemas, openapi.yaml).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..limits import CLOUDFLARE_S as _TIMEOUT_S
from .reading import Found, Listed, compare, from_octodns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

#: The environment variables that Cloudflare's own clients read.
TOKEN, ADDRESS = "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"
_API = "https://api.cloudflare.com/client/v4"
_PER_PAGE = 100
_PROXIED = "is proxied, so this is the origin that the proxy hides, and visitors see Cloudflare"


def read(zone: str) -> Found:
    """Return the zone's sets and what cannot be carried; the token is in CLOUDFLARE_API_TOKEN.

    Raises ConfigError without a token, or when Cloudflare does not give the zone.
    """
    import httpx
    import requests
    from octodns.provider import ProviderException
    from octodns_cloudflare import CloudflareProvider

    token, api = os.environ.get(TOKEN), os.environ.get(ADDRESS, _API).rstrip("/")
    if not token:
        raise ConfigError(f"{TOKEN} is not set; make an API token that may read the zone's DNS, and export it")
    provider = CloudflareProvider("cloudflare", token=token, pagerules=False, retry_count=0, api_url=api)
    try:
        with httpx.Client(timeout=_TIMEOUT_S, headers={"Authorization": f"Bearer {token}"}) as client:
            zones = list(_pages(client, f"{api}/zones", {"name": zone}))
            if not zones:
                raise ConfigError(
                    f"zone: Cloudflare has no zone {zone} for this token; choose a token that may read it"
                )
            listed = [_listed(each) for each in _pages(client, f"{api}/zones/{zones[0]['id']}/dns_records")]
            rules = list(_pages(client, f"{api}/zones/{zones[0]['id']}/pagerules", {"status": "active"}))
        return compare(from_octodns(provider, zone), [*listed, *map(_rule, rules)])
    except (AttributeError, LookupError, TypeError) as error:  # of a value that is none of the API's
        why = f"its answer is not as its API v4 has it ({type(error).__name__}: {error})"
        raise ConfigError(f"Cloudflare does not give the zone {zone}: {why}; try again, or give a zone file") from None
    except (httpx.HTTPError, requests.RequestException, ProviderException, ValueError) as error:
        why = str(error) or type(error).__name__
        raise ConfigError(f"Cloudflare does not give the zone {zone}: {why}") from None


def _pages(client: httpx.Client, url: str, more: Mapping[str, str] | None = None) -> Iterator[Any]:
    page, pages = 1, 1
    while page <= pages:
        answer = client.get(url, params={**(more or {}), "page": page, "per_page": _PER_PAGE})
        if answer.is_client_error:
            errors = answer.json().get("errors") or [{}]
            raise ConfigError(f"Cloudflare answers {answer.status_code} to {url}: {errors[0].get('message', '')}")
        answer.raise_for_status()
        read = answer.json()
        yield from read["result"]
        page, pages = page + 1, (read.get("result_info") or {}).get("total_pages", 1)


def _listed(record: Mapping[str, Any]) -> Listed:
    why, choose = "", ""
    if record.get("proxied"):
        why, choose = _PROXIED, "decide: add the origin to the file, or keep a proxy in front of it"
    elif record["type"] == "CNAME" and record["name"] == record.get("zone_name"):
        why, choose = "is a CNAME at the apex, which Cloudflare flattens", "add the addresses to the file"
    return Listed(record["name"].lower(), record["type"], _value(record), why, choose)


def _value(record: Mapping[str, Any]) -> str:
    """Return a record's value as a zone file writes it."""
    type_, content = record["type"], record.get("content", "")
    if type_ == "SRV":
        return "{priority} {weight} {port} {target}".format(**record["data"])
    if type_ == "MX":
        return f"{record['priority']} {content}"
    if type_ == "TXT" and not content.startswith('"'):
        escaped = content.replace("\\", "\\\\").replace('"', '\\"')
        return " ".join(f'"{escaped[at : at + 255]}"' for at in range(0, len(escaped) or 1, 255))
    return str(content).removeprefix("IN LOC ")


def _rule(rule: Mapping[str, Any]) -> Listed:
    where = rule["targets"][0]["constraint"]["value"]
    actions = ", ".join(each["id"] for each in rule["actions"])
    host = where.partition("://")[2] or where
    why = "is a page rule, which only Cloudflare's proxy follows"
    return Listed(host.partition("/")[0], "page rule", f"{where} ({actions})", why, "move it to the site's own rules")
