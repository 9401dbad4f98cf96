"""What the tests of the manual read off a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.documented import Command, Section, imports, run, sections

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """# Page

## First

```yaml title="a/b.yaml"
# No heading.
x: 1
```

## Words

Nothing to run.

## Second

```console
$ cat a/b.yaml
x: 1
$ true
```

<!-- fragment -->
```python
import os
os.remove(site)
```
"""


def test_files_commands_parts_and_what_is_printed_are_read() -> None:
    first, second = sections(PAGE)
    assert (first.title, first.files, first.commands) == ("First", {"a/b.yaml": "# No heading.\nx: 1\n"}, ())
    assert second.files == {}
    assert imports(second.fragments[0]) == "import os"
    assert second.commands == (Command("cat a/b.yaml", ("x: 1",)), Command("true"))


def test_a_section_runs_as_printed(tmp_path: Path) -> None:
    first, second = sections(PAGE)
    run(Section("both", first.files, second.commands), tmp_path, {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(("old", "new"), [("$ true", "$ false"), ("cat a/b.yaml\nx: 1", "cat a/b.yaml\nx: 2")])
def test_a_command_that_fails_or_prints_something_else_fails(tmp_path: Path, old: str, new: str) -> None:
    first, second = sections(PAGE.replace(old, new))
    both = Section("both", first.files, second.commands)
    with pytest.raises(AssertionError, match=r"false|x: 2"):
        run(both, tmp_path, {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    "fence", ["```python\nx\n```\n", "```\nx\n```\n", '```python title="a" hl_lines="1"\nx\n```\n']
)
def test_a_fence_that_would_not_be_run_is_refused(fence: str) -> None:
    with pytest.raises(ValueError, match="First"):
        sections(f"# Page\n\n## First\n\n{fence}")
