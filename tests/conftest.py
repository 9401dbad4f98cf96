"""Settings of every test: a machine that is busy fails no property."""

from __future__ import annotations

from hypothesis import settings

from sandbox.environment import find_servers

find_servers()
settings.register_profile("unmoor", deadline=None)
settings.load_profile("unmoor")
