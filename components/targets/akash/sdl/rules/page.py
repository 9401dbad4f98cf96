"""The manual's page of rules, generated from the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rule import By, Level, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

_WHO = {
    By.SCHEMA: "official JSON schema",
    By.VALIDATOR: "official validator",
    By.NEWER: "official validator, releases after 1.0.0-alpha.25",
    By.PARSER: "official Go parser",
    By.MANIFEST: "manifest check at the provider",
    By.CHAIN: "the chain",
}

_HEAD = """# Rules for Akash documents

<!-- Written by `unmoor sdl rules --markdown`; change the rules, not this page. -->

`unmoor sdl check FILE...` tells two things apart: what the network **refuses** (errors; the exit status is 1) and what
it takes although it is **unwise** (warnings). `unmoor sdl fix` mends what has one right answer.

A rule is switched off for one document by a comment in it, with a reason:

```yaml
# unmoor: allow unpinned-image because the vendor publishes no digests
```
"""


def page(rules: Mapping[str, Rule]) -> str:
    """Return the page."""
    parts = [_HEAD]
    for level, title in ((Level.ERROR, "Refused by the network"), (Level.WARNING, "Unwise")):
        parts.append(f"\n## {title}\n")
        for rule in rules.values():
            if rule.level is level:
                who = f" *Enforced by: {_WHO[rule.by]}.*" if rule.by in _WHO else ""
                parts.append(f"\n### {rule.name}\n\n{rule.claim} {rule.do}{who}\n")
    return "".join(parts)
