"""Fixtures of the contract tests, each defined beside what it stands for."""

from tests.contract.object_stores import clouds, half, moto_url, site

__all__ = ["clouds", "half", "moto_url", "site"]
