"""A mark of what signers agree to, for models and plans."""

from __future__ import annotations

#: Signed, but left out of the hash while it is empty, so that plans from before it existed keep their hash.
WHEN_SET = "when set"
