"""The option of kinds for the notice that a provider must promise before it takes a lease back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...config.signed import WHEN_SET
from .sdl.rules.orders import WINDOW

_HOUR_S = 3600

#: In hours; None asks for no notice.
Notice = Annotated[
    int | None,
    WHEN_SET,
    Field(
        ge=WINDOW[0] // _HOUR_S,
        le=WINDOW[1] // _HOUR_S,
        description="On Akash: hours of notice that a provider must promise before it takes the lease back. Without it "
        "none is asked for, because providers offer none by default, and those cannot bid on a document that asks.",
    ),
]
