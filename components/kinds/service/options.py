"""The options of a service in a stack file, and their rules."""

from __future__ import annotations

import hashlib
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from ...config import images
from ...config.models import EnvironmentName, Setting
from ...limits import RUN_BYTES
from ...targets.akash.notice import Notice  # noqa: TC001 pydantic reads annotations
from ...targets.akash.sdl.rules.advice import looks_secret
from ...targets.aws import fargate
from ...web.http import HEALTH_PATH

if TYPE_CHECKING:
    from pydantic import ValidationInfo

#: Folders that the machine provides to a container.
_TAKEN = re.compile(r"/(?:proc|sys|dev|etc)(?:/|$)")
#: Prefixes of variables that the machine sets by itself.
_OF_THE_MACHINE = ("AKASH_", "ECS_", "KUBERNETES_", "UNMOOR_")
#: The most secrets of one service.
_MOST_SECRETS = 30


class Update(StrEnum):
    """Where a new release begins."""

    BESIDE = "beside"
    IN_PLACE = "in-place"


def _word(text: str) -> str:
    if len(text.encode()) > RUN_BYTES:
        raise ValueError(f"has more than {RUN_BYTES:,} bytes; put it into the image")
    if looks_secret(text):
        raise ValueError(
            "holds what looks like a secret, and the operator of the machine can read it; take it out, and name it in "
            "`secrets`"
        )
    if "\0" in text:
        raise ValueError("holds a zero byte, which cannot be passed to a program; take it out")
    return text


def _bytes(given: tuple[str, ...] | dict[str, str]) -> int:
    """Return the size of words or variables as JSON, the form in which ECS takes them."""
    parts = [{"name": name, "value": value} for name, value in given.items()] if isinstance(given, dict) else given
    return len(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode())


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("is not the name of a variable; use letters, digits and underscores")
    if name.startswith(_OF_THE_MACHINE):
        raise ValueError("is set by the machine; choose another name")
    if looks_secret("x", name):
        raise ValueError(
            "looks like a secret by its name, and the operator of the machine can read it; name it in `secrets`, or "
            "give it another name if it is public"
        )
    return name


def _secret(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
        raise ValueError("is not the name of a secret; use up to 64 capital letters, digits and underscores")
    if name.startswith(_OF_THE_MACHINE):
        raise ValueError("is set by the machine; choose another name")
    return name


def _path_of_health(path: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~!&'()*+,;=:@%/?-]{0,500}", path):
        raise ValueError("is not the path of an address; write it like /health")
    if path == HEALTH_PATH:
        raise ValueError(f"{HEALTH_PATH} is answered by the web server, with the release; choose another path")
    return path


def _path_in_container(path: str) -> str:
    parts = path.split("/")[1:]
    if not re.fullmatch(r"(?:/[A-Za-z0-9._-]+)+", path) or {".", ".."} & set(parts):
        raise ValueError("is not the path of a folder in the container; write it like /var/cache/api")
    if _TAKEN.match(path):
        raise ValueError("is a folder that the machine gives a container; choose another")
    return path


SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")]
Image = Annotated[str, AfterValidator(images.pinned)]
Word = Annotated[str, AfterValidator(_word)]
Variable = Annotated[str, AfterValidator(_variable)]
SecretName = Annotated[str, AfterValidator(_secret)]
HealthPath = Annotated[str, AfterValidator(_path_of_health)]
Folder = Annotated[str, AfterValidator(_path_in_container)]


class Health(Setting):
    """How a service shows that it is well."""

    path: HealthPath = Field(
        default="/health",
        description="The path that the application answers with 200 while it is well.",
    )
    match: str = Field(
        default="",
        max_length=200,
        pattern=r"^[ -~]*$",
        description="Text that the answer has to contain; without it the status alone counts.",
    )
    grace_s: int = Field(
        default=300,
        ge=10,
        le=3_600,
        description="Seconds within which a new release has to become healthy; after that the update fails.",
    )


class Volume(Setting):
    """A folder of the container with room of its own."""

    path: Folder = Field(description="The folder in the container.")
    gib: int = Field(ge=1, le=1_000, description="Its size in GiB.")
    persistent: bool = Field(
        default=False,
        description="Whether it outlives a restart of the container. It never outlives the site, and sites share none.",
    )


class Size(StrEnum):
    """What a service has of its own at AWS."""

    OWN = "own"
    SMALL = "small"


class Aws(Setting):
    """What a service uses at AWS. Without it: the default VPC, and a cluster and a load balancer of its own."""

    size: Size = Field(
        default=Size.OWN,
        description="`small` puts the service behind one load balancer with all other small ones of the stack, `own` "
        "behind one of its own.",
    )
    balancer: str | None = Field(
        default=None,
        pattern=r"^arn:[^\s]+:loadbalancer/app/[^\s]+$",
        description="The ARN of an application load balancer with listeners on ports 443 (HTTPS) and 80, which several "
        "services may share. Tasks then run in its VPC and subnets.",
    )
    vpc: str | None = Field(default=None, pattern=r"^vpc-[0-9a-f]+$", description="The VPC's id.")
    subnets: tuple[SubnetId, ...] = Field(
        default=(),
        validate_default=True,
        description="Two or more public subnets of that VPC, in different zones: for the load balancer.",
    )
    private_subnets: tuple[SubnetId, ...] = Field(
        default=(),
        description="Subnets with a way out, for the tasks; without them tasks run in the public ones, each with an "
        "address of its own.",
    )
    cluster: str | None = Field(
        default=None, pattern=r"^arn:[^\s]+:cluster/[^\s]+$", description="The ARN of an ECS cluster."
    )

    @field_validator("balancer", "vpc", "subnets", "private_subnets")
    @classmethod
    def _is_the_stacks(cls, given: str | tuple[str, ...] | None, info: ValidationInfo) -> str | tuple[str, ...] | None:
        if given and info.data.get("size") is Size.SMALL:
            raise ValueError("small services share a load balancer in the default VPC; take this out, or `size: small`")
        return given

    @field_validator("vpc", "subnets")
    @classmethod
    def _is_that_of_the_balancer(
        cls, given: str | tuple[str, ...] | None, info: ValidationInfo
    ) -> str | tuple[str, ...] | None:
        if given and info.data.get("balancer"):
            raise ValueError("the load balancer has a VPC and subnets already; take `vpc` and `subnets` out")
        return given

    @field_validator("subnets", "private_subnets")
    @classmethod
    def _are_named_once(cls, subnets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        named = (*(info.data.get("subnets") or ()), *subnets)
        if twice := sorted({subnet for subnet in named if named.count(subnet) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice in `subnets` and `private_subnets`; name each once")
        return subnets

    @field_validator("subnets")
    @classmethod
    def _go_with_the_vpc(cls, subnets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if 0 < len(subnets) < fargate.ZONES:
            raise ValueError("a load balancer needs two subnets in different zones; name two or more")
        if bool(subnets) != bool(info.data.get("vpc", subnets)):
            raise ValueError("`vpc` and `subnets` go together; give both, or neither for the default VPC")
        return subnets

    @field_validator("private_subnets")
    @classmethod
    def _go_with_the_public(cls, private: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if private and not info.data.get("subnets", private) and not info.data.get("balancer"):
            raise ValueError("the load balancer needs public subnets of the same VPC; name them as `subnets`")
        return private


class ServiceOptions(Setting):
    """The options of a service."""

    singleton: bool = Field(
        default=False, description="Whether two of it must not run for long, as with a bot: its standby is cold."
    )
    signs: bool = Field(
        default=False, description="Whether it signs with keys, as a validator does: it gets no standby in any mode."
    )
    image: Image = Field(description="The image with its digest: NAME:TAG@sha256:DIGEST.")
    port: int = Field(ge=1, le=65_535, description="The port on which the application answers plain HTTP.")
    command: tuple[Word, ...] = Field(default=(), description="What runs, in place of the image's entrypoint.")
    args: tuple[Word, ...] = Field(default=(), description="Its arguments, in place of the image's.")
    env: dict[Variable, Word] = Field(
        default_factory=dict, description="Variables of the application. The operator of the machine can read them."
    )
    secrets: dict[SecretName, EnvironmentName] = Field(
        default_factory=dict,
        max_length=_MOST_SECRETS,
        description="Variables of the application whose values are secret: for each the variable that holds its value "
        "during `pulumi up`, of your shell or, as `unmoor-secret:VARIABLE`, of the stack's secret configuration.",
    )
    shell: bool = Field(
        default=True,
        description="Whether the image has `sh`, and `wget` or `curl`: by them it gets its secrets on Akash.",
    )
    cpu: int = Field(default=250, ge=10, le=64_000, description="CPU of one replica, in thousandths of a core.")
    memory: int = Field(default=512, ge=16, le=262_144, description="Memory of one replica, in MiB.")
    replicas: int = Field(default=1, ge=1, le=10, description="How many of it run in each site.")
    volume: Volume | None = Field(
        default=None, description="A folder with room of its own: `path`, `gib`, `persistent`."
    )
    health: Health = Field(default=Health(), description="How it shows that it is well: `path`, `match` and `grace_s`.")
    update: Update = Field(
        default=Update.BESIDE,
        validate_default=True,
        description="Where a new release begins: `beside` the old one, which goes on until the new one is well, or "
        "`in-place`, which keeps lease, certificates and volume and answers nothing meanwhile.",
    )
    aws: Aws = Field(
        default=Aws(),
        description="What it uses at AWS: `size`, `balancer`, `vpc`, `subnets`, `private_subnets`, `cluster`.",
    )
    budget_usd_month: float = Field(
        default=20.0, gt=0, le=1_000, description="Ceiling for one lease in USD a month; a dearer bid is refused."
    )
    notice: Notice = None

    @field_validator("command", "args", "env")
    @classmethod
    def _fit_into_a_site(cls, given: tuple[str, ...] | dict[str, str], info: ValidationInfo) -> Any:
        before = [info.data[name] for name in ("command", "args") if info.data.get(name)]
        if (size := sum(map(_bytes, [*before, given]))) > RUN_BYTES:
            has = f"brings `command`, `args` and `env` to {size:,} bytes as JSON, and {RUN_BYTES:,} are allowed"
            raise ValueError(f"{has}; put some of it into the image")
        return given

    @field_validator("secrets")
    @classmethod
    def _stand_nowhere_else(cls, secrets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if twice := sorted(secrets.keys() & info.data.get("env", {}).keys()):
            raise ValueError(f"{', '.join(twice)} stands in `env` too; name it once")
        return secrets

    @field_validator("replicas")
    @classmethod
    def _only_one_of_a_singleton(cls, replicas: int, info: ValidationInfo) -> int:
        if replicas > 1 and (info.data.get("singleton") or info.data.get("signs")):
            raise ValueError("a singleton, and what signs, runs once; choose 1")
        return replicas

    @field_validator("volume")
    @classmethod
    def _belongs_to_one(cls, volume: Volume | None, info: ValidationInfo) -> Volume | None:
        if volume and volume.persistent and info.data.get("replicas", 1) > 1:
            raise ValueError("replicas share no volume; choose `replicas: 1`, or leave `persistent` out")
        return volume

    @field_validator("update")
    @classmethod
    def _is_alone(cls, update: Update, info: ValidationInfo) -> Update:
        if update is Update.BESIDE and (info.data.get("singleton") or info.data.get("signs")):
            raise ValueError("a singleton, and what signs, cannot run beside its next release; choose in-place")
        return update

    def identity(self) -> str:
        """Return the release's id: the SHA-256 (hex) of every option that the application notices.

        Of secrets it covers only names. Another variable of the shell is another release, because its value may differ.
        """
        noticed = self.model_dump(mode="json", exclude={"aws", "budget_usd_month", "notice", "shell"})
        noticed["secrets"] = sorted(self.secrets.items())
        return hashlib.sha256(json.dumps(noticed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
