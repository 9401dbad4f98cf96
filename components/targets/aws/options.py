"""Settings of a static site at AWS: existing resources that it uses, and how its distribution serves."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from ...config.models import Setting

#: CloudFront accepts certificates and web ACLs of this region only (API reference, ViewerCertificate and WebACLId).
REGION = "us-east-1"
#: Names of that form which S3 takes for no bucket of this use (S3 user guide, "General purpose bucket naming rules").
_NO_BUCKET = re.compile(
    r"[.][.]|^[0-9]+(?:[.][0-9]+){3}$|^(?:xn--|sthree-|amzn-s3-demo-)"
    r"|(?:-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$"
)


def _of_s3(name: str) -> str:
    if found := _NO_BUCKET.search(name):
        raise ValueError(f"{name} is not the name of a bucket: S3 takes none with {found[0]}; name one that exists")
    return name


Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), AfterValidator(_of_s3)]
_CERTIFICATE = r"^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[A-Za-z0-9-]+$"
_WEB_ACL = r"^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/[\w-]+/[A-Za-z0-9-]+$"


class PriceClass(StrEnum):
    """The edge locations that answer visitors (CloudFront developer guide, "Price class")."""

    CHEAPEST = "100"
    MOST = "200"
    ALL = "all"

    @classmethod
    def _missing_(cls, value: object) -> PriceClass | None:
        """Accept a number, which YAML makes of `100` without quotes."""
        return next((each for each in cls if type(value) is int and each.value == str(value)), None)

    @property
    def api(self) -> str:
        """The name in CloudFront's API."""
        return "PriceClass_All" if self is PriceClass.ALL else f"PriceClass_{self.value}"


#: Existing resources that cannot be used as they stand, and what to do instead.
_REFUSED = {
    "distribution": (
        "a distribution that serves visitors cannot be used, because its origins, behaviours and aliases would be "
        "rewritten under them; let the stack make one next to it, and take the host over with `unmoor adopt`"
    ),
    "zone": "a zone is named for the whole stack: `unmoor:dns: {zone_id: …}`",
}


class Existing(Setting):
    """Existing resources of the account, used as they are: never changed, and never deleted with the stack."""

    certificate: str | None = Field(
        default=None,
        pattern=_CERTIFICATE,
        description="ARN of a certificate that ACM has issued in us-east-1 for every name of the site.",
    )
    bucket: Bucket | None = Field(
        default=None,
        description="Name of an empty bucket without a policy, which holds the site. Its settings are left alone, and "
        "so is its content at the end.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _no_other(cls, given: Any, read: ModelWrapValidatorHandler[Existing]) -> Existing:
        """Refuse what cannot be used, each by its name, together with what is wrong with the rest."""
        refused = _REFUSED.keys() & given.keys() if isinstance(given, dict) else set()
        wrong = [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "", {"error": _REFUSED[name]}), loc=(name,), input=""
            )
            for name in sorted(refused)
        ]
        try:
            made = read({name: value for name, value in given.items() if name not in refused} if refused else given)
        except ValidationError as error:
            wrong += [
                InitErrorDetails(type=each["type"], loc=each["loc"], input=each["input"], ctx=each.get("ctx", {}))
                for each in error.errors(include_url=False)
            ]
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return made


class Delivery(Setting):
    """How the site's distribution serves."""

    price_class: PriceClass = Field(
        default=PriceClass.CHEAPEST,
        description="Places that answer: `100` North America, Europe and Israel, `200` all but South America, "
        "Australia and New Zealand, or `all`.",
    )
    logs: Bucket | None = Field(
        default=None,
        description="Bucket for standard access logs, below the site's name; its owner must have enabled ACLs on it.",
    )
    web_acl: str | None = Field(
        default=None, pattern=_WEB_ACL, description="ARN of a web ACL of AWS WAF for CloudFront (scope global)."
    )


def existing_of(options: BaseModel) -> Existing:
    """Return the existing resources that a site's options name; none for kinds that use none."""
    found = getattr(options, "existing", None)
    return found if isinstance(found, Existing) else Existing()
