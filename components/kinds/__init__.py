"""The table of kinds; a project adds its own to the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .nameserver.kind import NAMESERVER
from .postgres.kind import POSTGRES
from .service.kind import SERVICE
from .static.kind import STATIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kind import Kind

KINDS: Mapping[str, Kind[Any]] = {kind.name: kind for kind in (STATIC, SERVICE, NAMESERVER, POSTGRES)}
