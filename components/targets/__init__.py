"""The table of targets: one folder a target, with its building blocks, resources and client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import akash, aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..target import Target

TARGETS: Mapping[str, Target] = {target.name: target for target in (aws.TARGET, akash.TARGET)}
