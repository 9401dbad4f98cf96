"""Documents that the network takes, over every field, as Hypothesis builds them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SERVICE_NAMES = ("web", "api", "db-1", "a", "worker-2", "z9", "cache", "b-b")
PROFILES = ("small", "big", "Gpu_1", "p.4")
PLACEMENTS = ("dcloud", "eu-west", "Akash_2", "us", "docs.prod")
ENDPOINTS = ("main", "ip-2", "a_b", "zz9")
WORDS = st.one_of(
    st.sampled_from(
        (
            "sh",
            "-c",
            "off",
            "yes",
            "007",
            "1.0",
            "1e3",
            "null",
            "~",
            "2026-11-22",
            "<a & b>",
            "a: b",
            "# no",
            "- x",
            "é ü",
        )
    ),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), include_characters=" "), max_size=24),
)
AUDITOR = "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"
SIZES = ("512Mi", "1Gi", "1.5Gi", "128Mi", "2G", "100M", "10000k", "0.25Gi", "1Ti", "20480Ki")
CPUS = ("100m", "500m", "1", "0.5", 1, 2, 0.1, 0.25, 1.5, "10m", "2.0")
AMOUNTS = ("1", "8.02", 1000, 0.5, "10000000", 27.912883, 50)


def optional(keys: dict[str, st.SearchStrategy[Any]], **required: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=keys)


def http_options() -> st.SearchStrategy[Any]:
    cases = st.one_of(
        st.just(["off"]),
        st.lists(
            st.sampled_from(("error", "timeout", "500", "502", "503", "504", "403", "404", "429")),
            min_size=1,
            max_size=3,
        ),
    )
    return optional(
        {
            "max_body_size": st.integers(0, 104857600),
            "read_timeout": st.integers(0, 60000),
            "send_timeout": st.integers(0, 60000),
            "next_tries": st.integers(0, 9),
            "next_timeout": st.integers(0, 60000),
            "next_cases": cases,
        }
    )


@st.composite
def volumes(draw: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for name in draw(
        st.lists(st.sampled_from(("", "data", "cache", "shm", "Log_1")), min_size=1, max_size=4, unique=True)
    ):
        volume: dict[str, Any] = {"size": draw(st.sampled_from(SIZES))}
        if name:
            volume["name"] = name
            kind = draw(st.sampled_from((None, "ram", "beta1", "beta2", "beta3", "default")))
            if kind:
                truth = (
                    draw(st.sampled_from((True, "true"))) if kind != "ram" else draw(st.sampled_from((False, "false")))
                )
                volume["attributes"] = {"class": kind, "persistent": truth}
        made.append(volume)
    return made


@st.composite
def resources(draw: Any) -> dict[str, Any]:
    listed = draw(volumes())
    alone = len(listed) == 1 and draw(st.booleans())
    made: dict[str, Any] = {
        "cpu": {"units": draw(st.sampled_from(CPUS))},
        "memory": {"size": draw(st.sampled_from(SIZES))},
        "storage": listed[0] if alone else listed,
    }
    if draw(st.booleans()):
        made["cpu"]["attributes"] = draw(st.sampled_from(({}, {"arch": "amd64"}, {"arch": "arm64"})))
    if draw(st.integers(0, 3)) == 0:
        model = optional(
            {"ram": st.sampled_from(("24Gi", "80Gi")), "interface": st.sampled_from(("pcie", "sxm"))},
            model=st.sampled_from(("a100", "h100", "rtx4090")),
        )
        any_model = st.just({"model": "*"})
        models = st.lists(
            st.one_of(model, any_model), min_size=1, max_size=3, unique_by=lambda each: tuple(sorted(each.items()))
        )
        nvidia = draw(st.one_of(st.none(), models))
        made["gpu"] = {"units": draw(st.sampled_from((1, 2, "1", 8))), "attributes": {"vendor": {"nvidia": nvidia}}}
    elif draw(st.integers(0, 3)) == 0:
        made["gpu"] = {"units": 0}
    return made


@st.composite
def targets(draw: Any, names: list[str], ips: list[str], port: int, taken: set[int]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(("global", "inner", "address")))
        if kind == "address" and ips and port not in taken:
            taken.add(port)
            made.append({"global": True, "ip": draw(st.sampled_from(ips))})
        elif kind == "inner":
            other = {"service": draw(st.sampled_from(names))}
            made.append(draw(st.sampled_from((other, other | {"global": False}, {"global": False}, {}))))
        else:
            made.append({"global": True})
    return made


@st.composite
def exposes(draw: Any, name: str, names: list[str], ips: list[str], taken: set[int], hosts: set[str]) -> list[Any]:
    made = []
    for _ in range(draw(st.integers(0, 3))):
        expose = draw(
            optional(
                {
                    "as": st.sampled_from((80, 443, 8443, 1, 65535)),
                    "proto": st.sampled_from(("TCP", "UDP", "tcp", "udp")),
                    "http_options": http_options(),
                },
                port=st.sampled_from((80, 443, 3000, 8080, 53, 65535, 1)),
            )
        )
        expose["to"] = draw(targets(names, ips, expose.get("as", expose["port"]), taken))
        if len(expose["to"]) == 1 and draw(st.integers(0, 2)) == 0:
            host = f"{name}-{len(hosts)}.dao.example"
            hosts.add(host)
            expose["accept"] = [host]
        made.append(expose)
    return made


@st.composite
def service(draw: Any, name: str, names: list[str], ips: list[str], taken: set[int], hosts: set[str]) -> dict[str, Any]:
    lists = st.one_of(st.none(), st.lists(WORDS, max_size=3))
    variables = st.lists(st.builds("{}={}".format, st.sampled_from(("A", "LOG_LEVEL", "_x", "a.b")), WORDS), max_size=3)
    credentials = optional(
        {"email": st.just("a@b.c")}, host=st.just("ghcr.io"), username=st.just("u"), password=st.just("secret1")
    )
    made: dict[str, Any] = draw(
        optional(
            {"command": lists, "args": lists, "env": st.one_of(st.none(), variables)},
            image=st.sampled_from(("nginx", "ghcr.io/a/b:1@sha256:" + "a" * 64)),
        )
    )
    shown = draw(exposes(name, names, ips, taken, hosts))
    if shown or draw(st.booleans()):
        made["expose"] = shown
    if draw(st.integers(0, 3)) == 0:
        made["credentials"] = draw(credentials)
    if draw(st.integers(0, 4)) == 0:
        made["dependencies"] = [{"service": draw(st.sampled_from(names))}]
    return made


def mounts(asked: dict[str, Any]) -> dict[str, Any]:
    listed = asked["storage"] if isinstance(asked["storage"], list) else [asked["storage"]]
    return {
        volume["name"]: {"mount": f"/{volume['name']}", "readOnly": volume["name"] == "cache"}
        for volume in listed
        if (volume.get("attributes") or {}).get("persistent") in (True, "true")
    }


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """Build a document that every official tool takes, of the fields that release 1.0.0-alpha.25 knows."""
    names = draw(st.lists(st.sampled_from(SERVICE_NAMES), min_size=1, max_size=4, unique=True))
    profiles = draw(st.lists(st.sampled_from(PROFILES), min_size=1, max_size=2, unique=True))
    places = draw(st.lists(st.sampled_from(PLACEMENTS), min_size=1, max_size=2, unique=True))
    ips = draw(st.lists(st.sampled_from(ENDPOINTS), max_size=2, unique=True))
    ports: set[int] = set()
    hosts: set[str] = set()
    compute = {profile: {"resources": draw(resources())} for profile in profiles}
    services = {name: draw(service(name, names, ips, ports, hosts)) for name in names}
    deployment: dict[str, Any] = {}
    for name in names:
        mine = (
            places
            if len(places) == 1 or (not _alone(services[name]) and draw(st.booleans()))
            else [draw(st.sampled_from(places))]
        )
        profile = draw(st.sampled_from(profiles))
        deployment[name] = {place: {"profile": profile, "count": draw(st.integers(1, 3))} for place in mine}
        wanted = mounts(compute[profile]["resources"])
        if wanted or draw(st.integers(0, 3)) == 0:
            services[name]["params"] = {"storage": wanted} if wanted or draw(st.booleans()) else {}
            if draw(st.booleans()):
                services[name]["params"]["permissions"] = {
                    "read": draw(st.sampled_from((["logs"], ["deployment", "logs"])))
                }
    _show_one(services[names[0]], services)
    denom = draw(st.sampled_from(("uact", "uact", "uakt")))
    placement = {place: draw(_placement(profiles, denom)) for place in places}
    used = {
        to["ip"] for each in services.values() for expose in each.get("expose", []) for to in expose["to"] if "ip" in to
    }
    made = {
        "version": draw(st.sampled_from(("2.0", "2.1"))),
        "services": services,
        "profiles": {"compute": compute, "placement": placement},
        "deployment": deployment,
    }
    if used:
        made["endpoints"] = {name: {"kind": "ip"} for name in ips if name in used}
    return made


def _alone(service_: dict[str, Any]) -> bool:
    """Return whether a service can be in one placement only: it accepts a host, or leases an address."""
    exposes_ = service_.get("expose", [])
    return any("accept" in expose or any("ip" in to for to in expose["to"]) for expose in exposes_)


def _show_one(first: dict[str, Any], services: dict[str, Any]) -> None:
    shown = any(to.get("global") for each in services.values() for e in each.get("expose", []) for to in e["to"])
    if not shown:
        first.setdefault("expose", []).append({"port": 80, "to": [{"global": True}]})


@st.composite
def _placement(draw: Any, profiles: list[str], denom: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "pricing": {profile: {"denom": denom, "amount": draw(st.sampled_from(AMOUNTS))} for profile in profiles}
    }
    if draw(st.booleans()):
        made["attributes"] = draw(st.sampled_from(({"host": "akash"}, {"region": "eu", "tier": True, "nn": 3}, {})))
    if draw(st.booleans()):
        made["signedBy"] = draw(st.sampled_from(({"anyOf": [AUDITOR]}, {"allOf": [AUDITOR]}, {"anyOf": []}, {})))
    return made
