"""The comments that switch a rule off in a document: `# unmoor: allow RULE because REASON`."""

from __future__ import annotations

import re

_ALLOW = re.compile(r"^[ \t]*#[ \t]*unmoor:[ \t]*allow[ \t]+(\S+)(?:[ \t]+because[ \t]+(\S.*))?", re.MULTILINE)


def allowed(text: str) -> dict[str, str]:
    """Return the rules that a text switches off, with the reason (empty if none is given; then the rule stays on)."""
    return {rule: (reason or "").strip() for rule, reason in _ALLOW.findall(text)} if "unmoor:" in text else {}
