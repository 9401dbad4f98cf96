"""Settings of every test: a machine that is busy fails no property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unmoor", deadline=None)
settings.load_profile("unmoor")
