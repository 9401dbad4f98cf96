"""`python -m tests.words`: count the words of `words.txt` in the code; exit with 1 if a folder has more than it may.

A few stay where they are another's: a method of Python's files, a value that stack files have, a key of `--json`.
"""

# ruff: noqa: T201  it is a program

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("words.txt")
#: The most that each folder may have.
MOST = {"components": 40, "sandbox": 20}


def pattern(listed: str) -> re.Pattern[str]:
    """Return an expression for the words of a list, one a line, whole and in any case."""
    words = [line.strip() for line in listed.splitlines() if line.strip() and not line.startswith("#")]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def found(folder: Path, words: re.Pattern[str]) -> list[str]:
    """Return `path:line: word` for each word in a folder's text files, sorted by path."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts or b"\0" in (content := path.read_bytes()):
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            lines += [f"{path.relative_to(folder.parent)}:{number}: {word}" for word in words.findall(line)]
    return lines


def main() -> int:
    """Print where the words are in each folder that has too many; 1 if there is one."""
    words, failed = pattern(LIST.read_text()), 0
    for folder, most in MOST.items():
        places = found(ROOT / folder, words)
        if len(places) > most:
            print(*places, f"{folder}: {len(places)} of the words in tests/words.txt; at most {most}", sep="\n")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
