"""Write the value of a secret, which comes from the environment, to AWS Secrets Manager. It is kept nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...deploy.credentials import secret
from ...errors import StepError
from ...stores.s3 import made
from ...text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Write the value of the secret `variable` of `stack` into the secret `arn` in `region`, as its newest version.

    Return the version's id. Raises ConfigError if the variable has no value, StepError if AWS does not accept it.
    """
    version = _put(given["arn"], given["region"], secret(given["variable"], given.get("stack", "")))
    report(f"Secrets Manager has the value of {given['variable']}")
    return {"version": version}


def _put(arn: str, region: str, value: str) -> str:
    """Write a value as the newest version of a secret, and return its id. No error holds the value."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        written = made("secretsmanager", region_name=region).put_secret_value(SecretId=arn, SecretString=value)
        return str(written["VersionId"])
    except ClientError as error:
        why = outside(f"{error.response['Error'].get('Code')}: {error.response['Error'].get('Message')}")
        raise StepError(f"secret {arn}: Secrets Manager does not accept its value: {why}") from None
    except BotoCoreError as error:
        raise StepError(f"secret {arn}: Secrets Manager does not answer: {outside(error)}") from None
