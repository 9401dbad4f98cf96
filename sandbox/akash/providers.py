"""The Akash providers of this market: identity, prices, and conditions of a bid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .sizes import GIB, Ask, ask, ceiling, pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The auditor whose signature Console requires of a provider.
AUDITOR = "akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"
BLOCKS_PER_MONTH = 429_909
#: USD a month, as in the price script that providers start from.
RATES = {"thread": 1.60, "memory": 0.80, "gpu": 100.0, "endpoint": 0.05, "address": 5.00}
STORAGE_RATES = {"": 0.02, "default": 0.02, "ram": 0.02, "beta1": 0.01, "beta2": 0.03, "beta3": 0.04}


@dataclass(frozen=True)
class AkashProvider:
    """One provider: identity, place, price factor, capacity (threads, bytes) and pool of addresses."""

    name: str
    owner: str
    region: str
    country: str
    factor: float
    auditor: str  # who signs its attributes; "" for none
    delay: float  # seconds from order to bid
    ingress: str  # the address of its ingress and gateway
    addresses: tuple[str, ...]
    threads: float
    memory: int
    disk: int
    classes: tuple[str, ...] = ()
    #: Seconds of notice before it takes a machine back. 0 is the default of `--reclamation-window` (provider v0.16
    #: `cmd/provider-services/cmd/flags.go`) and of the helm chart: a provider that runs with defaults offers none.
    notice: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def audited(self) -> bool:
        """Whether Console lets it be seen bidding."""
        return self.auditor == AUDITOR

    @property
    def domain(self) -> str:
        """The provider's own domain."""
        return f"{self.name}.example"

    @property
    def host_uri(self) -> str:
        """Where its gateway is, as the chain has it."""
        return f"https://provider.{self.domain}:8443"

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes that it declares, and that its auditor signs if it has one."""
        storage = {}
        for index, name in enumerate(self.classes, 1):
            storage[f"capabilities/storage/{index}/class"] = name
            storage[f"capabilities/storage/{index}/persistent"] = "true"
        return {
            "host": "akash",
            "tier": "community",
            "organization": self.name,
            "region": self.region,
            "location-region": self.region,
            "country": self.country,
            "feat-endpoint-custom-domain": "true",
            "feat-endpoint-ip": str(bool(self.addresses)).lower(),
            "feat-persistent-storage": str(bool(self.classes)).lower(),
            **storage,
            **self.extra,
        }


def _pool(start: int, count: int) -> tuple[str, ...]:
    return tuple(f"203.0.113.{number}" for number in range(start, start + count))


PROVIDERS: tuple[AkashProvider, ...] = (
    AkashProvider("europa", "akash1gum6zh3vwch6qavtsu3u3rwt3tcnpw527a32n9", "eu-west", "NL", 1.0, AUDITOR, 0.7,
                  "198.51.100.101", _pool(10, 8), 64, 256 * GIB, 4096 * GIB, ("beta2", "beta3")),
    AkashProvider("cascadia", "akash178n7y59xkdea223t2hhw3hv4rynr9gkg3rpw5a", "us-west", "US", 1.15, AUDITOR, 1.1,
                  "198.51.100.102", _pool(30, 8), 96, 512 * GIB, 8192 * GIB, ("beta3",)),
    AkashProvider("tundra", "akash12vqg5spp65qcjw3lcypurhg9cge5yvnac33qvp", "ca-east", "CA", 1.4, AUDITOR, 1.9,
                  "198.51.100.103", _pool(50, 2), 16, 64 * GIB, 1024 * GIB, ("beta2", "beta3"), notice=86_400),
    AkashProvider("monsoon", "akash1xs7vmuuntzeljzp3pchmnwm3g7f65yaxef4q79", "asia-east", "SG", 0.8, AUDITOR, 0.5,
                  "198.51.100.104", (), 32, 128 * GIB, 2048 * GIB, ("beta1",)),
    AkashProvider("bargain", "akash1vz72jvcaq2xa0h304ceryxmqv07mvssmhe7knu", "us-east", "US", 0.5, "", 0.6,
                  "198.51.100.105", _pool(70, 4), 32, 128 * GIB, 2048 * GIB, ("beta3",)),
)  # fmt: skip
BY_OWNER = {each.owner: each for each in PROVIDERS}


def usd_month(wanted: Ask, factor: float) -> float:
    """Price a request by the provider formula, in USD a month."""
    storage = sum(STORAGE_RATES[of] * size / GIB for of, size in wanted.storage.items())
    return factor * (
        RATES["thread"] * wanted.threads
        + RATES["memory"] * wanted.memory / GIB
        + RATES["gpu"] * wanted.gpus
        + RATES["endpoint"] * wanted.endpoints
        + RATES["address"] * wanted.addresses_paid
        + storage
    )


def rate(usd: float) -> float:
    """Turn USD a month into uact per block, to the six decimals of a provider's script."""
    return round(usd * 1e6 / BLOCKS_PER_MONTH, 6)


def refusal(
    provider: AkashProvider, group: dict[str, Any], taken: Iterable[Ask], *, notice: int = 0, dearer: float = 1.0
) -> tuple[str, float]:
    """Return ("", its price in uact per block) if the provider bids on the group, else (why it does not, 0).

    `taken` is what its leases hold already, `notice` the seconds of reclamation asked for; `dearer` multiplies its
    price.
    """
    wanted, held = ask(group), list(taken)
    if notice > provider.notice:
        return f"reclamation window {provider.notice}s is shorter than {notice}s", 0.0
    if why := _unfit(provider, group["requirements"]) or _lacking(provider, wanted, held):
        return why, 0.0
    price = rate(usd_month(wanted, provider.factor * dearer))
    if price > ceiling(group):
        return f"requested rate is too low. min expected {price:.6f}", 0.0
    return "", price


def _unfit(provider: AkashProvider, needs: dict[str, Any]) -> str:
    signed, auditors = needs.get("signed_by") or {}, {provider.auditor}
    if (any_of := set(signed.get("any_of") or ())) and not any_of & auditors:
        return "not signed by any of the auditors asked for"
    if not set(signed.get("all_of") or ()) <= auditors:
        return "not signed by all of the auditors asked for"
    attributes = pairs(needs.get("attributes"))
    missing = [key for key, value in attributes.items() if provider.attributes.get(key) != value]
    return f"attribute {missing[0]} is not {attributes[missing[0]]}" if missing else ""


def _lacking(provider: AkashProvider, wanted: Ask, held: list[Ask]) -> str:
    for of in wanted.storage:
        if of not in ("", "ram", *provider.classes):
            return f"no persistent storage of class {of}"
    free = {
        "cpu": (wanted.threads, provider.threads - sum(each.threads for each in held)),
        "memory": (wanted.memory, provider.memory - sum(each.memory for each in held)),
        "GPU": (wanted.gpus, 0),
        "storage": (sum(wanted.storage.values()), provider.disk - sum(sum(each.storage.values()) for each in held)),
        "IP address": (wanted.addresses, len(provider.addresses) - sum(each.addresses for each in held)),
    }
    return next((f"insufficient capacity: {what}" for what, (asked, left) in free.items() if asked > left), "")
