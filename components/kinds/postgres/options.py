"""The options of an application with a database in a stack file, and their rules."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from ...config import images
from ...config.models import EnvironmentName, Setting
from ...postgres import settings as database
from ...targets.akash.notice import Notice  # noqa: TC001 pydantic reads annotations
from ..service.options import Health, Image, SecretName, SubnetId, Variable, Word

if TYPE_CHECKING:
    from pydantic import ValidationInfo

    from ...config.models import Bucket
    from ...postgres.settings import Witness

#: The variables by which the application finds its database. libpq reads them.
GIVEN = ("PGDATABASE", "PGHOST", "PGPORT", "PGUSER")
#: The variable with the password, which is handed over as a secret.
PASSWORD = "PGPASSWORD"  # noqa: S105 a name
#: The workflow that builds images of the database.
_WORKFLOW = ".github/workflows/image-postgres.yml"
#: The parameter of AWS that always holds the id of the same machine image, because it has the image's name in it (ECS
#: developer guide, "Retrieving Amazon ECS-optimized Linux AMI metadata"). `recommended` changes each month.
_AMI = r"^/aws/service/ecs/optimized-ami/amazon-linux-2023/[A-Za-z0-9._-]+/image_id$"


def _own(image: str) -> str:
    if (name := images.name_of(image)) and len(set(image.rpartition(":")[2])) == 1:
        raise ValueError(
            f"the digest of {name} is a placeholder, no image has it; run {_WORKFLOW}, which builds the image, and "
            "give the digest that its summary shows"
        )
    return image


def _pinned(parameter: str) -> str:
    if parameter.split("/")[-2] == "recommended":
        raise ValueError(
            "names the image that AWS recommends on that day; give the parameter of one image, which `aws ssm "
            "get-parameters-by-path --path /aws/service/ecs/optimized-ami/amazon-linux-2023 --recursive` lists"
        )
    if parameter.split("/")[-2].endswith("arm64"):
        raise ValueError("names an image for ARM processors; choose one for x86_64, which its name ends in")
    return parameter


def _keys(store: Bucket) -> list[str]:
    return [name for name in (store.access_key, store.secret_key) if name]


class Machine(Setting):
    """The machine at AWS, which runs the containers."""

    ami: Annotated[str, StringConstraints(pattern=_AMI), AfterValidator(_pinned)] = Field(
        description="The parameter of Systems Manager that holds the id of one ECS-optimized image of Amazon Linux "
        "2023, by the image's name.",
    )
    type: str = Field(
        default="t3.medium", pattern=r"^[a-z][a-z0-9-]*[.][a-z0-9]+$", description="The type of the machine, of x86_64."
    )
    subnet: SubnetId | None = Field(
        default=None, description="A public subnet; without it, one of the default VPC. The data stays in its zone."
    )


class Database(database.Database):
    """The database: PostgreSQL with the agent that archives, restores, and moves its writer."""

    image: Annotated[str, AfterValidator(_own)] = Field(
        description=f"The image with its digest; {_WORKFLOW} builds it, and prints NAME@sha256:DIGEST."
    )
    cpu: int = Field(default=1000, ge=100, le=64_000, description="CPU in thousandths of a core.")
    memory: int = Field(default=1024, ge=256, le=262_144, description="Memory in MiB.")
    gib: int = Field(default=20, ge=2, le=10_000, description="Room for data and WAL at each site, in GiB.")

    @field_validator("image")
    @classmethod
    def _for_good(cls, image: str) -> str:
        if not images.name_of(image):
            raise ValueError("this does not name one image for good; write NAME@sha256:DIGEST")
        return image

    @property
    def stored(self) -> dict[str, str]:
        """The store of each variable with a store's key that a site reads, by the variable's name."""
        used = dict.fromkeys((*self.archive, self.witness.store))
        return {name: store for store in used for name in _keys(self.stores[store])}

    @property
    def shared(self) -> frozenset[str]:
        """The variables that are equal at both sites: the password's, and those of pass phrases."""
        return frozenset({self.password, self.cipher, *self.ciphers.values()})

    @field_validator("witness")
    @classmethod
    def _has_keys_of_its_own(cls, witness: Witness, info: ValidationInfo) -> Witness:
        keys = {name: {*_keys(store)} for name, store in info.data.get("stores", {}).items()}
        why = "a site that follows may write the record, and only read the archive; name others in one of both"
        database.refuse(
            (("store",), f"{' and '.join(sorted(twice))} stand in store {name} of the archive too: {why}")
            for name in info.data.get("archive", ())
            if name != witness.store and (twice := keys.get(name, set()) & keys.get(witness.store, set()))
        )
        return witness


class PostgresHealth(Health):
    """How an application with a database shows that it is well."""

    # A new database is made or restored before its application starts, and a certificate that was refused too early is
    # requested again only after minutes.
    grace_s: int = Field(
        default=900,
        ge=60,
        le=3_600,
        description="Seconds that each step of an update waits for a site: until it stands, and until it serves.",
    )


class PostgresOptions(Setting):
    """The options of an application with a database."""

    image: Image = Field(description="The application's image with its digest: NAME:TAG@sha256:DIGEST.")
    port: int = Field(ge=1, le=65_535, description="The port on which the application answers plain HTTP.")
    command: tuple[Word, ...] = Field(
        min_length=1,
        description="What runs: the image's entrypoint and command, which `docker image inspect` shows. It runs while "
        "its site writes, and is ended when that ends.",
    )
    args: tuple[Word, ...] = Field(default=(), description="Its arguments.")
    env: dict[Variable, Word] = Field(
        default_factory=dict,
        description="Variables of the application. The operator of the machine can read them. "
        f"{', '.join(GIVEN)} and {PASSWORD} are set.",
    )
    secrets: dict[SecretName, EnvironmentName] = Field(
        default_factory=dict,
        max_length=20,
        description="Variables of the application whose values are secret: for each the variable of your shell that "
        "holds its value during `pulumi up`.",
    )
    cpu: int = Field(default=500, ge=10, le=64_000, description="CPU of the application, in thousandths of a core.")
    memory: int = Field(default=1024, ge=16, le=262_144, description="Memory of the application, in MiB.")
    health: PostgresHealth = Field(
        default=PostgresHealth(), description="How it shows that it is well: `path`, `match` and `grace_s`."
    )
    database: Database = Field(description="Its database.")
    aws: Machine = Field(description="Its machine at AWS: `ami`, `type` and `subnet`.")
    budget_usd_month: float = Field(
        default=40.0, gt=0, le=1_000, description="Ceiling for one lease in USD a month; a dearer bid is refused."
    )
    notice: Notice = None

    @field_validator("env", "secrets")
    @classmethod
    def _are_not_those_of_the_database(cls, given: dict[str, str]) -> dict[str, str]:
        if taken := sorted(given.keys() & {*GIVEN, PASSWORD}):
            raise ValueError(f"{', '.join(taken)} is set by the database; take it out")
        return given

    @field_validator("secrets")
    @classmethod
    def _stand_nowhere_else(cls, secrets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if twice := sorted(secrets.keys() & info.data.get("env", {}).keys()):
            raise ValueError(f"{', '.join(twice)} stands in `env` too; name it once")
        return secrets

    @field_validator("database")
    @classmethod
    def _shares_no_name(cls, given: Database, info: ValidationInfo) -> Database:
        taken = {*info.data.get("secrets", {}), PASSWORD}
        database.refuse(
            (path, f"{variable} is a variable of the application too; choose another name")
            for path, variable in database.named(dict(given)).items()
            if variable in taken and (path, variable) != (("password",), PASSWORD)
        )
        return given

    def identity(self) -> str:
        """Return the release's id: the SHA-256 (hex) of every option that the application notices."""
        noticed = self.model_dump(mode="json", exclude={"aws", "budget_usd_month", "notice"})
        noticed["secrets"] = sorted(self.secrets.items())
        return hashlib.sha256(json.dumps(noticed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
