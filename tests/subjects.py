"""`python -m tests.subjects`: check the subjects of recent commits; exit with 1 if one breaks a rule.

A subject reads `component: imperative`, is at most 72 characters long and has no full stop. Checked are the commits
since the merge base with the revision in TESTS_BASE, or the last RECENT after the rules changed. A
shallow clone is checked as far as it reaches. Outside git, or inside another repository, there is nothing to check.
"""

# ruff: noqa: T201  it is a program

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Commits that are checked where TESTS_BASE names no revision.
RECENT = 30
#: Git's own width for a subject (`git help commit` asks for 50; a list of 80 columns has room for 72).
LONGEST = 72
_SHAPE = re.compile(r"[A-Za-z0-9_./-]+(?:, [A-Za-z0-9_./-]+)*: (?P<verb>[a-z]+)\b")
#: First words that are no verb, and endings of a verb in another mood, with the verbs that end so themselves.
_NO_VERB = frozenset(
    {"a", "an", "and", "it", "its", "no", "not", "of", "the", "this", "what", "when", "where", "which", "who", "why"}
)
_OTHER_MOOD = re.compile(r"(?:ed|ing|[^s]s)$")
_IMPERATIVE = frozenset(
    {"bias", "bring", "embed", "exceed", "feed", "focus", "need", "ping", "proceed", "seed", "speed", "string"}
)


def fault(subject: str) -> str | None:
    """Return what is wrong with a subject and what to write, or None."""
    if len(subject) > LONGEST:
        return f"has {len(subject)} characters; write at most {LONGEST}"
    if subject.endswith("."):
        return "ends with a full stop; leave it out"
    shape = _SHAPE.match(subject)
    if shape is None:
        return "does not begin with a component and a verb; write `component: do what`"
    verb = shape["verb"]
    if verb in _NO_VERB or (_OTHER_MOOD.search(verb) and verb not in _IMPERATIVE):
        return f"has no imperative after the component; write a verb in place of {verb!r}"
    return None


def recent(root: Path, base: str | None) -> list[str]:
    """Return the subjects to check, merges left out; none outside git. Raises SystemExit if `base` is not known."""
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve() or _git(root, "rev-parse", "HEAD") is None:
        return []
    began = _git(root, "log", "-1", "--format=%H", "--", "tests/subjects.py")
    reach = [f"-{RECENT}", f"{began}..HEAD" if began else "HEAD"]
    if base:
        since = _git(root, "merge-base", base, "HEAD")
        if since is None:
            sys.exit(f"TESTS_BASE: {base} has no commit in common with HEAD here; fetch it, or leave TESTS_BASE out")
        reach = [f"{since}..HEAD"]
    return (_git(root, "log", "--no-merges", "--format=%s", *reach) or "").splitlines()


def _git(root: Path, *words: str) -> str | None:
    """Return what git prints; None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def main() -> int:
    """Print each subject that breaks a rule; 1 if there is one."""
    found = [(subject, wrong) for subject in recent(ROOT, os.environ.get("TESTS_BASE")) if (wrong := fault(subject))]
    for subject, wrong in found:
        print(f"commit {subject!r}: {wrong}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
