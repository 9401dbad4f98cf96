"""Fixtures of the contract tests, each defined next to what it stands for."""

from tests.contract.authority import authority
from tests.contract.aws_account import account, signed_in
from tests.contract.containers import container, shelf, shelves
from tests.contract.net_world import net, peer
from tests.contract.object_stores import clouds, half, moto_url, site

__all__ = [
    "account",
    "authority",
    "clouds",
    "container",
    "half",
    "moto_url",
    "net",
    "peer",
    "shelf",
    "shelves",
    "signed_in",
    "site",
]
