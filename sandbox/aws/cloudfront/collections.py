"""What CloudFront keeps: five collections of documents and the functions, with how each is named on the wire."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .managed import POLICIES
from .xml import from_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from xml.etree import ElementTree as ET

#: The version in every path.
PREFIX = "/2020-05-31/"
#: How long a distribution stays InProgress after a change, in seconds (AWS: minutes).
DEPLOY_S = 0.5


@dataclass(frozen=True)
class Shape:
    """The wire form of a collection: its element, and whether it is a policy of which AWS has some of its own."""

    element: str
    is_policy: bool = True
    in_use: str = ""

    @property
    def config(self) -> str:
        """The element of the part that clients write."""
        return f"{self.element}Config"

    @property
    def missing(self) -> str:
        """The code for one that is not there."""
        return f"NoSuch{self.element}"

    @property
    def exists(self) -> str:
        """The code for one that is there already."""
        return f"{self.element}AlreadyExists"


SHAPES = {
    "distribution": Shape("Distribution", is_policy=False),
    "origin-access-control": Shape("OriginAccessControl", is_policy=False, in_use="OriginAccessControlInUse"),
    "cache-policy": Shape("CachePolicy", in_use="CachePolicyInUse"),
    "origin-request-policy": Shape("OriginRequestPolicy", in_use="OriginRequestPolicyInUse"),
    "response-headers-policy": Shape("ResponseHeadersPolicy", in_use="ResponseHeadersPolicyInUse"),
}


def token(length: int = 13, letters: str = string.ascii_uppercase + string.digits) -> str:
    """Return an id in CloudFront's form."""
    return "E" + "".join(secrets.choice(letters) for _ in range(length))


def now() -> str:
    """Return the time as CloudFront writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass
class Document:
    """One thing that a client wrote, as it was written; `managed` ones belong to AWS."""

    id: str
    config: ET.Element
    managed: bool = False
    domain: str = ""
    etag: str = field(default_factory=token)
    modified: str = field(default_factory=now)
    changed_at: float = field(default_factory=time.monotonic)
    tags: dict[str, str] = field(default_factory=dict)
    invalidations: dict[str, tuple[str, ET.Element]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in its document."""
        return self.config.findtext("Name") or ""

    @property
    def status(self) -> str:
        """Deployed some time after the last change."""
        return "Deployed" if time.monotonic() - self.changed_at > DEPLOY_S else "InProgress"

    def rewrite(self, config: ET.Element) -> None:
        """Replace the document by a new version."""
        self.config, self.etag, self.modified, self.changed_at = config, token(), now(), time.monotonic()


@dataclass
class Function:
    """A CloudFront function: the version in development, and the one that distributions run."""

    name: str
    config: ET.Element
    code: str
    created: str = field(default_factory=now)
    modified: str = field(default_factory=now)
    etag: str = field(default_factory=token)
    live: Function | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Store:
    """Everything of one account; `certificates()` gives ACM's in us-east-1: arn to (status, names)."""

    account: str
    certificates: Callable[[], Mapping[str, tuple[str, list[str]]]]
    documents: dict[str, dict[str, Document]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    slow: bool = False  #: changes of distributions are not deployed while it is set

    def __post_init__(self) -> None:
        for collection, shape in SHAPES.items():
            managed = POLICIES.get(collection, {})
            self.documents[collection] = {
                id_: Document(id_, from_data(shape.config, {"Comment": "", "Name": name} | data), managed=True)
                for name, (id_, data) in managed.items()
            }

    def arn(self, collection: str, id_: str) -> str:
        """Return the name by which other services know it."""
        return f"arn:aws:cloudfront::{self.account}:{collection}/{id_}"
