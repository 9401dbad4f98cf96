"""SDL 2.0 and 2.1 as frozen classes: the one place for the fields that a document may have.

The check of a document's shape is derived from these annotations (`shape.py`), so the typed interface and the verdict
cannot drift apart. They are plain dataclasses, because importing a validation library would slow a command that checks
a file. Source: chain-sdk `go/sdl/sdl-input.schema.yaml` and its tests, July 2026.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 the annotations are read at run time
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from .constraint import Above, Between, Filled, Length, Nullable, OneOrMany, Pattern

Scalar = str | bool | int | float


Port = Annotated[int, Between(1, 65535)]
Milliseconds = Annotated[int, Between(0, 60_000, "timeout-too-long")]
Natural = Annotated[int, Between(0)]
Words = Annotated[tuple[str, ...], Nullable()]
NextCase = Literal["error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off"]


def named(key: str) -> Any:
    """Declare an optional field whose name in the document is a reserved word of Python."""
    return field(default=None, metadata={"key": key})


@dataclass(frozen=True, kw_only=True)
class To:
    """Who can reach a port."""

    service: str | None = None
    global_: bool | None = named("global")
    ip: Annotated[str, Length(1)] | None = None


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """How the shared ingress treats a port."""

    max_body_size: Annotated[int, Between(0, 104_857_600, "body-too-large")] | None = None
    read_timeout: Milliseconds | None = None
    send_timeout: Milliseconds | None = None
    next_tries: Natural | None = None
    next_timeout: Natural | None = None
    next_cases: Annotated[tuple[NextCase, ...], Filled()] | None = None
    proxy_buffer_size: Annotated[int, Between(0, 1_048_576)] | None = None


@dataclass(frozen=True, kw_only=True)
class Expose:
    """One port of a service."""

    port: Port
    as_: Port | None = named("as")  # noqa: RUF009 it only declares a field
    proto: Literal["TCP", "UDP", "tcp", "udp"] | None = None
    accept: tuple[str, ...] | None = None
    to: tuple[To, ...] | None = None
    http_options: HttpOptions | None = None


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a volume appears inside a container."""

    mount: Annotated[str, Pattern("/.*", "an absolute path, such as /data")] | None = None
    readOnly: bool | None = None  # noqa: N815 the document's word


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """What a service may ask the lease's own API."""

    read: tuple[Literal["deployment", "logs", "events"], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Params:
    """Volumes, permissions and the trusted execution of a service."""

    storage: Mapping[str, Mount] | None = None
    permissions: Permissions | None = None
    tee: Literal["cpu", "cpu-gpu"] | None = None


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Credentials for a private registry; the provider can read them."""

    host: Annotated[str, Length(1)]
    username: Annotated[str, Length(1)]
    password: Annotated[str, Length(6)]
    email: Annotated[str, Length(5)] | None = None


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """A service that should start first; it has no effect at run time."""

    service: str | None = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """One container image with its ports."""

    image: Annotated[str, Length(1)]
    command: Words | None = None
    args: Words | None = None
    env: Words | None = None
    expose: Annotated[tuple[Expose, ...], Nullable()] | None = None
    params: Params | None = None
    credentials: Credentials | None = None
    dependencies: tuple[Dependency, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Cpu:
    """Processors: `500m`, 0.5 or 1."""

    units: Annotated[
        str | int | float,
        Pattern(r"(?!0+(\.0+)?m?$)[0-9]+(\.[0-9]+)?[a-zA-Z]*", "an amount such as 500m, 0.5 or 1"),
        Above(0),
    ]
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Memory: `512Mi`, `2Gi`."""

    size: str


@dataclass(frozen=True, kw_only=True)
class VolumeAttributes:
    """Whether a volume outlives the container, and its storage class."""

    class_: str = field(metadata={"key": "class"})
    persistent: bool | str


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume of a compute profile; the one without a name is the container's own disk."""

    size: str
    name: str | None = None
    attributes: VolumeAttributes | None = None


@dataclass(frozen=True, kw_only=True)
class GpuModel:
    """One acceptable graphics card."""

    model: str | None = None
    ram: str | None = None
    interface: Literal["pcie", "sxm"] | None = None


@dataclass(frozen=True, kw_only=True)
class GpuVendor:
    """The vendors of graphics cards; the network knows one."""

    nvidia: Annotated[tuple[GpuModel, ...], Nullable()] | None = None


@dataclass(frozen=True, kw_only=True)
class GpuAttributes:
    """The graphics cards that are acceptable."""

    vendor: GpuVendor | None = None


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """Graphics cards."""

    units: str | int | float | None = None
    attributes: GpuAttributes | None = None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one replica needs."""

    cpu: Cpu
    memory: Memory
    storage: Annotated[tuple[Volume, ...], OneOrMany()]
    gpu: Gpu | None = None


@dataclass(frozen=True, kw_only=True)
class Compute:
    """A compute profile."""

    resources: Resources


@dataclass(frozen=True, kw_only=True)
class SignedBy:
    """Auditors who must have signed a bidder's attributes."""

    anyOf: tuple[str, ...] | None = None  # noqa: N815 the document's word
    allOf: tuple[str, ...] | None = None  # noqa: N815 the document's word


@dataclass(frozen=True, kw_only=True)
class Price:
    """The most that one replica may cost per block."""

    denom: Literal["uact", "uakt"]
    amount: Annotated[str | int | float, Pattern(r"[0-9]+(\.[0-9]+)?", "an amount a block, such as 8.02"), Between(0)]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A placement profile: who may bid, and for how much. Each one becomes a group and a lease."""

    pricing: Mapping[str, Price]
    attributes: Mapping[str, Scalar] | None = None
    signedBy: SignedBy | None = None  # noqa: N815 the document's word


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Both kinds of profile."""

    compute: Mapping[str, Compute]
    placement: Mapping[str, Placement]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """How many replicas of a service run in a placement, and on which compute profile."""

    profile: str
    count: Annotated[int, Between(1)]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A leased address of its own."""

    kind: Literal["ip"]


@dataclass(frozen=True, kw_only=True)
class Reclamation:
    """The notice that a bidder must promise to give."""

    min_window: Annotated[str, Pattern("[1-9][0-9]*[smh]", "a whole number and s, m or h, such as 24h")]


@dataclass(frozen=True, kw_only=True)
class Sdl:
    """A whole document."""

    version: Literal["2.0", "2.1"]
    services: Mapping[str, Service]
    profiles: Profiles
    deployment: Mapping[str, Mapping[str, Deployed]]
    endpoints: (
        Mapping[Annotated[str, Pattern("[a-z]+[-_0-9a-z]+", "two or more of a-z, 0-9, - and _")], Endpoint] | None
    ) = None
    reclamation: Reclamation | None = None
    include: tuple[str, ...] | None = None
