"""What the operator writes: the stack file's `unmoor:` settings as models, with all faults at once."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sized
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..errors import ConfigError, Fault
from ..limits import VALUE_CHARS
from ..text.escape import outside, shown
from . import servers as own_servers  # noqa: TC001 pydantic reads annotations
from .own_names import WORKLOAD
from .setting import Setting as Setting  # noqa: PLC0414 other modules have it from here
from .signers import NAME as _NAME
from .signers import Signers
from .standing import StandingRecord, StandingType, possible, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

#: The Pulumi project's name, and so the prefix of our settings in a stack file.
PROJECT = "unmoor"

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"^({_LABEL}\.)+{_LABEL}$"
_LABEL_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
#: The most characters of a stack's label; it stands in site hosts and keys.
LABEL_CHARS = 16
_ENVIRONMENT_NAME = r"^[A-Z_][A-Z0-9_]*$"
_VERSION = r"^[0-9a-f]{64}$"
_ZONE_ID = r"^[A-Za-z0-9]{1,64}$"
_16_BITS = r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})"
_8_BITS = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[0-9]{1,2})"
#: Key tag, algorithm, and each digest of IANA's registry "DS RR Type Digest Algorithms" in its length.
DS = rf"^{_16_BITS} {_8_BITS} (1 [0-9a-f]{{40}}|[2356] [0-9a-f]{{64}}|4 [0-9a-f]{{96}})$"
#: What S3 and its likes take in an address: AWS' rule is narrower, but older buckets, and other vendors', are wider.
_BUCKET = r"^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$"
HostName = Annotated[str, StringConstraints(pattern=_HOST, max_length=253)]
Name = Annotated[str, StringConstraints(pattern=_NAME)]


def _of_a_variable(value: object) -> object:
    """Return the name of an environment variable. Raises ValueError without what stands there: it may be a secret."""
    if not isinstance(value, str) or not re.fullmatch(_ENVIRONMENT_NAME, value):
        raise ValueError(
            "this is not the name of an environment variable, like STORJ_SECRET_KEY; the value itself never stands here"
        )
    return value


EnvironmentName = Annotated[str, StringConstraints(pattern=_ENVIRONMENT_NAME), BeforeValidator(_of_a_variable)]
Label = Annotated[str, StringConstraints(pattern=_LABEL_NAME, max_length=LABEL_CHARS)]
Version = Annotated[str, StringConstraints(pattern=_VERSION)]


class Mode(StrEnum):
    """Which sites of a workload exist."""

    CENTRALIZED = "centralized"
    ACTIVE_STANDBY = "active-standby"
    DECENTRALIZED = "decentralized"


class Side(StrEnum):
    """One of the two sides a workload moves between."""

    CENTRALIZED = "centralized"
    DECENTRALIZED = "decentralized"


class Bucket(Setting):
    """An S3-compatible bucket at a named vendor; it exists before the stack and outlives it.

    `access_key` and `secret_key` are the *names* of environment variables that hold the credentials;
    left out, the ordinary AWS credential chain is used.
    """

    vendor: Name = Field(
        description="Who runs the store, e.g. aws, storj. Two stores at one vendor are one point of failure."
    )
    bucket: str = Field(min_length=3, max_length=63, pattern=_BUCKET, description="The bucket's name.")
    endpoint: str | None = Field(
        default=None, pattern=r"^https?://[^\s]+$", description="The S3 endpoint; left out for AWS itself."
    )
    region: str | None = Field(default=None, description="The store's region, if the vendor has regions.")
    access_key: EnvironmentName | None = Field(
        default=None, description="Name of the environment variable with the access key id."
    )
    secret_key: EnvironmentName | None = Field(
        default=None, description="Name of the environment variable with the secret access key."
    )

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> Bucket:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together; name both variables, or neither")
        return self


class Store(Bucket):
    """An S3-compatible bucket at a named vendor, which everyone can read; it exists before the stack and outlives it.

    `access_key` and `secret_key` are the *names* of environment variables that hold the credentials;
    left out, the ordinary AWS credential chain is used.
    """

    public_url: str = Field(
        pattern=r"^https?://[^\s]+[^/\s]$",
        description="Where anyone can read the objects without credentials; containers fetch the site from here.",
    )


class Placement(Setting):
    """Which targets play each side; a second decentralized entry is the standby of decentralized mode."""

    centralized: str | None = Field(
        default=None,
        description="The target of the centralized side; left out, the project's first that is not rented.",
    )
    decentralized: tuple[str, ...] = Field(
        default=(),
        max_length=2,
        description="One target, or two: the second is the standby of decentralized mode. Left out, the project's "
        "first that is rented.",
    )


class OfServers(Placement):
    """Which targets the name servers are on: all of them answer, and none is a standby that waits."""

    decentralized: tuple[str, ...] = ()


class Split(Setting):
    """How look-ups of the public name are shared between the two sides."""

    decentralized: int = Field(
        ge=0, le=100, description="Of 100 look-ups, how many lead to the decentralized side; 0 keeps it as the standby."
    )


class Backup(Setting):
    """Where every published version is kept, and how many."""

    stores: tuple[str, ...] = Field(min_length=1, description="Names from `stores`; every version is put into each.")
    retain: int = Field(default=10, ge=1, le=1000, description="A version is kept until this many newer ones exist.")

    @field_validator("stores")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("a store is named twice; name each once")
        return names


class Workload(Setting):
    """A thing run for users, and where."""

    kind: str = Field(description="The class of workload, e.g. static.")
    mode: Mode = Field(description="Which sites exist: centralized, active-standby or decentralized.")
    active: Side = Field(
        default=Side.CENTRALIZED, description="In active-standby, which side is primary; no meaning in other modes."
    )
    split: Split | None = Field(
        default=None,
        description="Active-standby in which both sides answer: how look-ups of the name are shared between them.",
    )
    balance: bool = Field(
        default=False, description="Where two sites stand, both answer, and look-ups are shared in halves."
    )
    host: HostName | None = Field(
        default=None, description="The public name, inside `zone`; required by every kind that visitors reach by one."
    )
    # A certificate of ACM has ten names (quota "domain names per ACM certificate"), and two are the site's.
    redirect_from: tuple[HostName, ...] = Field(
        default=(),
        max_length=8,
        description="Other public names inside `zone`, the zone itself among them, that lead visitors to `host`.",
    )
    adopt: Annotated[tuple[Annotated[StandingRecord, AfterValidator(possible)], ...], AfterValidator(together)] = Field(
        default=(),
        description="What stands at the host, and at names of `redirect_from`, before this stack has them: "
        "replaced in one change a name, and put back at the end.",
    )
    placement: Placement = Field(default=Placement(), description="Which targets play each side.")
    backup: Backup | None = Field(
        default=None, description="Where every version is kept; required by every kind that has something to keep."
    )
    options: dict[str, Any] = Field(default_factory=dict, description="What the kind needs to know; see the kind.")

    @model_validator(mode="after")
    def _shared_in_one_way(self) -> Workload:
        if self.split and self.balance:
            raise ValueError("split and balance are two ways to share look-ups; keep one of them")
        return self


class Delegation(Setting):
    """How the zone's parent should lead to it, and who can change that."""

    registrar: str = Field(
        min_length=1, max_length=60, description="Who can point the zone elsewhere: the company that the domain is at."
    )
    name_servers: tuple[HostName, ...] = Field(
        min_length=1, max_length=13, description="The name servers that the parent names, all of them."
    )
    ds: tuple[Annotated[str, StringConstraints(pattern=DS)], ...] = Field(
        default=(),
        description="The keys that the parent vouches for, as DS records; none for a zone without DNSSEC. On name "
        "servers of your own the first one signs.",
    )

    @field_validator("name_servers")
    @classmethod
    def _in_one_order(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(values)))

    @field_validator("ds")
    @classmethod
    def _once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values))


class Dns(Setting):
    """The authority for the zone."""

    authorities: tuple[Name, ...] = Field(
        default=(), max_length=2, description="Who answers for the zone; left out, the project's first authority."
    )
    zone_id: str | None = Field(
        default=None,
        pattern=_ZONE_ID,
        description="The zone's id at the authority, where its name alone does not choose one.",
    )
    delegation: Delegation | None = Field(
        default=None,
        description="What stands at the zone's parent; `status` and `doctor` compare it with what is there.",
    )
    servers: own_servers.Servers | None = Field(
        default=None, description="Name servers of the stack's own, for the authority `powerdns`."
    )


class Acme(Setting):
    """The issuer of certificates of sites outside AWS."""

    directory: str = Field(
        default="https://acme-v02.api.letsencrypt.org/directory",
        pattern=r"^https://[^\s]+$",
        description="The issuer's ACME directory.",
    )
    issuer: HostName = Field(default="letsencrypt.org", description="The issuer's name in CAA records (RFC 8659).")


class StackConfig(Setting):
    """All of a stack file that is ours."""

    label: Label | None = Field(
        default=None,
        description="A name of this stack's own, in its site hosts, keys of stores, buckets and functions, so that "
        "several stacks share a zone, stores and accounts. Set it before the first update: it renames what stands.",
    )
    zone: HostName = Field(description="The zone that all hosts lie in; it exists before the stack.")
    dns: Dns = Field(default=Dns(), description="Who answers for the zone.")
    ttl: int = Field(default=60, ge=5, le=60, description="Seconds resolvers may keep an answer of a failover name.")
    acme: Acme = Field(default=Acme(), description="Who signs certificates of sites outside AWS.")
    stores: dict[Name, Store] = Field(default_factory=dict, description="Stores by name.")
    workloads: dict[Name, Workload] = Field(min_length=1, description="Workloads by name.")
    signers: Signers | None = Field(default=None, description="Who approves plans with `unmoor approve`.")
    require_approval: bool = Field(
        default=False, description="Refuse an update that the signers of the last approved plan have not approved."
    )

    @field_validator("require_approval")
    @classmethod
    def _has_an_approver(cls, required: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 pydantic passes it so
        if required and info.data.get("signers", ...) is None:
            raise ValueError("there are no signers; name them under `signers`, with a quorum")
        return required


#: pydantic's error types in our words; other types use pydantic's own text.
_SENTENCES: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "must be text, not {input}",
    "int_parsing": "must be a whole number, not {input}",
    "int_type": "must be a whole number, not {input}",
    "int_from_float": "must be a whole number, not {input}",
    "float_parsing": "must be a number, not {input}",
    "float_type": "must be a number, not {input}",
    "bool_parsing": "must be true or false, not {input}",
    "bool_type": "must be true or false, not {input}",
    # Not what stands there: in place of secrets it may be one.
    "dict_type": "must be a mapping; write each one as `NAME: VALUE`",
    "model_type": "must be a mapping of settings, not {input}",
    "model_attributes_type": "must be a mapping of settings, not {input}",
    "tuple_type": "must be a list, not {input}",
    "list_type": "must be a list, not {input}",
    "greater_than": "{input} must be more than {gt:g}",
    "greater_than_equal": "{input} must be {ge:g} or more",
    "less_than": "{input} must be less than {lt:g}",
    "less_than_equal": "{input} must be {le:g} or less",
    "int_parsing_size": "{input} is out of range; write a whole number of fewer digits",
    "finite_number": "must be a finite number, not {input}",
    "too_short": "holds {count}, which is too few; give {min_length} or more",
    "too_long": "holds {count}, which is too many; give {max_length} or fewer",
    "string_too_short": "has {count} characters; write {min_length} or more",
    "string_too_long": "has {count} characters; write {max_length} or fewer",
}

#: What a value that does not match a pattern should have been.
_MEANT: Mapping[str, str] = {
    _HOST: "is not a host name; write it in lower case like docs.dao.example",
    _NAME: "is not a name; use lower-case letters, digits and hyphens, at most 40",
    _LABEL_NAME: f"is not a stack's label; use lower-case letters, digits and hyphens, at most {LABEL_CHARS}",
    _ZONE_ID: "is not the id of a zone; give what the authority shows, such as Z0123456789ABCDEFGHIJ",
    DS: "is not a DS record; write key tag, algorithm, digest type and the digest of that type's length in lower case, "
    "without spaces in it",
    _BUCKET: "is not the name of a bucket; use letters, digits, hyphens and dots, as the vendor shows it",
    _VERSION: "is not a version; give the 64 hex digits that `unmoor restore --list` prints",
}


def join(path: Iterable[str | int]) -> str:
    """Return a location in the form `workloads.docs.placement.decentralized[0]`."""
    text = ""
    for part in path:
        key = outside(part)
        text += f"[{key}]" if isinstance(part, int) else f".{key}" if text else key
    return text


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean X?` when a choice is close to the word, else nothing."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Return the settings that exist at a place in a model, for suggestions."""
    here: Any = model
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        else:
            arguments = getattr(here, "__args__", ())
            here = (
                arguments[-1] if arguments and arguments[-1] is not Ellipsis else (arguments[0] if arguments else None)
            )
        if get_origin(here) is Annotated and isinstance(here.__origin__, type):
            here = here.__origin__
        models = [a for a in getattr(here, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        if models and type(here).__name__ in {"UnionType", "_UnionGenericAlias"}:
            here = models[0]
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def faults(error: ValidationError, model: type[BaseModel], prefix: tuple[str | int, ...] = ()) -> list[Fault]:
    """Turn pydantic's findings, each into one fault: path, what is wrong, and what to choose."""
    return [_fault(item, model, prefix) for item in error.errors(include_url=False)]


def _fault(item: ErrorDetails, model: type[BaseModel], prefix: tuple[str | int, ...] = ()) -> Fault:
    place = tuple(part for part in item["loc"] if part != "[key]")
    kind, context, value = item["type"], item.get("ctx", {}), shown(item["input"])
    if kind == "extra_forbidden":
        message = "no such setting" + did_you_mean(str(place[-1]), _fields_at(model, place[:-1]))
    elif kind == "enum":
        choices = re.findall(r"'([^']+)'", str(context["expected"]))
        what = "a mode" if place[-1] == "mode" else "a choice"
        message = f"{value} is not {what}; choose {' or '.join([', '.join(choices[:-1]), choices[-1]])}"
    elif kind == "string_pattern_mismatch":
        message = f"{value} " + _MEANT.get(context["pattern"], f"does not match {context['pattern']}")
    elif kind in {"value_error", "assertion_error"}:
        message = str(context["error"])
    elif kind in _SENTENCES:
        message = _SENTENCES[kind].format(input=value, count=_count(item), **context)
    else:
        message = f"{item['msg'][0].lower()}{item['msg'][1:]}, not {value}"
    return Fault(join((*prefix, *place)), message)


def _count(item: ErrorDetails) -> int:
    return len(item["input"]) if isinstance(item["input"], Sized) else 1


def _stands(item: ErrorDetails) -> bool:
    """Return whether a finding holds for what was written: pydantic counts only valid items of a list."""
    return item["type"] != "too_short" or _count(item) < item["ctx"]["min_length"]


def read(settings: Mapping[str, Any]) -> tuple[StackConfig | None, list[Fault]]:
    """Read the `unmoor:` settings (without the prefix). Raises ConfigError with every fault."""
    try:
        stack = StackConfig.model_validate(dict(settings))
    except ValidationError as error:
        found = filter(_stands, error.errors(include_url=False))
        return None, [_fault(item, StackConfig) for item in found]
    whole, wrong = _with_servers(stack)
    wrong += _at_the_apex(stack)
    return (None if wrong else whole), wrong


def _at_the_apex(stack: StackConfig) -> list[Fault]:
    """Refuse a CNAME where the zone's own records stand (RFC 1034 §3.6.2)."""
    why = "no CNAME can stand at the zone itself; name what really stands there, such as the addresses"
    return [
        Fault(f"workloads.{name}.adopt[{index}]", why)
        for name, workload in stack.workloads.items()
        for index, record in enumerate(workload.adopt)
        if record.type is StandingType.CNAME and (record.at or workload.host) == stack.zone
    ]


def _with_servers(stack: StackConfig) -> tuple[StackConfig | None, list[Fault]]:
    """Return the stack with the workload of its own name servers, if it has any, and faults."""
    own = stack.dns.servers
    if own is None:
        return stack, []
    if WORKLOAD in stack.workloads:
        why = "is what the name servers of dns.servers are called; choose another name"
        return None, [Fault(f"workloads.{WORKLOAD}", why)]
    placement = OfServers(centralized="", decentralized=own.placement)
    made = Workload.model_validate(own.workload(stack.zone, stack.stores) | {"placement": placement})
    return stack.model_copy(update={"workloads": {WORKLOAD: made, **stack.workloads}}), []


def settings_of(document: Any, source: str) -> dict[str, Any]:
    """Return our settings from a parsed stack file; settings of other projects and plug-ins are ignored.

    Raises ConfigError when the document is not a stack file at all, and for keys without a prefix: the engine adds the
    project's name to them (sdk/v3 go/common/workspace/loaders.go), which a file alone does not show, and `pulumi config
    set` never writes one.
    """
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise ConfigError(f"{source}: no `config:` section; see stacks/Pulumi.example.yaml")
    bare = [str(key) for key in document["config"] if ":" not in str(key)]
    if bare:
        raise ConfigError(f"{source}: settings lack the prefix of their owner", map(_prefixed, bare))
    return {
        str(key).removeprefix(f"{PROJECT}:"): value
        for key, value in document["config"].items()
        if str(key).startswith(f"{PROJECT}:")
    }


def _prefixed(key: str) -> Fault:
    whose = f"write {PROJECT}:{key}" if key in StackConfig.model_fields else f"write {PROJECT}: before it if it is ours"
    return Fault(f"config.{outside(key, VALUE_CHARS)}", f"has no prefix; {whose}, else the name of its project")


def settings_of_others(values: Mapping[str, Any], secret: Iterable[str] = ()) -> dict[str, str]:
    """Return the settings of other plug-ins from a stack's configuration, such as `aws:region`, without secrets.

    Values have the text form that the engine passes to programs, so that a stack file and a running program agree.
    """
    return {
        str(key): _text(value)
        for key, value in sorted(values.items(), key=lambda item: str(item[0]))
        if not str(key).startswith(f"{PROJECT}:")
        and key not in set(secret)
        and not (isinstance(value, dict) and set(value) == {"secure"})
    }


def _text(value: Any) -> str:
    """Return a configuration value as the engine writes it: scalars as they are, the rest as JSON."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def load_file(path: Path) -> dict[str, Any]:
    """Read our settings of a stack file from disk; see `load_document`."""
    return settings_of(load_document(path), str(path))


def load_document(path: Path) -> Any:
    """Read a stack file from disk as plain data.

    Raises ConfigError when there is no such file, or it is not YAML.
    """
    from . import yaml_text

    try:
        return yaml_text.load_file(path, yaml_text.STACK)
    except FileNotFoundError:
        there = sorted(p.name.split(".")[1] for p in path.parent.glob("Pulumi.*.yaml"))
        raise ConfigError(
            f"{path}: no such stack file; choose from {', '.join(there) or 'none yet: `unmoor init` writes one'}"
        ) from None


def parse(text: str, source: str) -> dict[str, Any]:
    """Read the settings of a stack file's text; `source` names it in errors.

    Raises ConfigError when it is not YAML, or holds a key twice.
    """
    from . import yaml_text

    return settings_of(yaml_text.load(text, source, yaml_text.STACK), source)
