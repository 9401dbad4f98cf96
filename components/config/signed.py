"""A mark of what signers agree to, for models and plans."""

from __future__ import annotations

#: Signed, but no part of the hash while it is empty: plans from before it existed keep theirs.
WHEN_SET = "when set"
