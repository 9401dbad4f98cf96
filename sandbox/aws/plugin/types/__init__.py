"""The table of resource types: every row that the workloads use, by token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .acm import ACM
from .balancers import BALANCERS
from .cloudfront import CLOUDFRONT
from .ecs import ECS
from .groups import GROUPS
from .machines import MACHINES
from .roles import ROLES
from .route53 import ROUTE53
from .s3 import S3
from .secrets import SECRETS

if TYPE_CHECKING:
    from sandbox.aws.plugin.resource import AwsType

_TABLES = (S3, ROUTE53, ACM, CLOUDFRONT, GROUPS, BALANCERS, ECS, ROLES, SECRETS, MACHINES)
TYPES: dict[str, AwsType] = {token: row for table in _TABLES for token, row in table.items()}
