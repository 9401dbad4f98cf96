"""What an update of sites at AWS needs there: the identity of the process. Kinds name what their sites need."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ...needs import Check, Needs
from . import account

if TYPE_CHECKING:
    from ...topology import Topology


def of(topology: Topology) -> Needs:
    """Return checks of the identity that makes sites at AWS."""
    return Needs(
        (
            Check("AWS identity", account.identity),
            Check("AWS profile", functools.partial(account.profile, topology.settings, os.environ)),
        )
    )
