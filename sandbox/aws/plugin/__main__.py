"""Runs the stand-in for the `aws` plugin: `python -m sandbox.aws.plugin`."""

from __future__ import annotations

from components.provider.server import serve

from .connection import Connection
from .invokes import functions
from .resource import AwsResource
from .schema import Schemas
from .types import TYPES


def main() -> None:
    """Serve the table until the engine hangs up."""
    aws, schemas = Connection(), Schemas(list(TYPES))
    resources = {token: AwsResource(token, row, schemas, aws) for token, row in TYPES.items()}
    serve("aws", "7.51.1", resources, functions(aws), aws.configure)


if __name__ == "__main__":
    main()
