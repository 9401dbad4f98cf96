"""The table of limits is the manual's page."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from components import limits

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_manual_has_the_table_as_it_is() -> None:
    assert (Path(__file__).parents[2] / "docs" / "limits.md").read_text() == limits.page()


def test_every_limit_is_used_by_a_name_of_its_own() -> None:
    names = {name for name in vars(limits) if name.isupper() and name not in {"LIMITS", "TYPE_CHECKING", "_HEAD", "_N"}}
    assert len(names) == len(limits.LIMITS)
    used = "".join(path.read_text() for path in Path(limits.__file__).parent.rglob("*.py") if path.name != "limits.py")
    assert [name for name in sorted(names) if name not in used] == []


def test_amounts_are_written_in_their_largest_unit() -> None:
    assert "| an answer of a site | 64 KiB |" in limits.page()
    assert "| a visit to a site | 10 seconds |" in limits.page()


#: Numbers with such names are bounds; what bounds text from outside stands in the table.
_BOUND = re.compile(
    r"_?([A-Z_]*_)?(BYTES|CHARS|DIGITS|DEPTH|DEEPEST|LARGEST|LONGEST|MOST|LIMIT_S|WITHIN_S|TIMEOUT(_S)?|READ_S|WRITE_S|"
    r"CONNECT_S|LIFETIME_S|VISIT_S|PUBLIC_S)"
)
#: Bounds of other things: what we write, what a vendor allows, how long our own work may take.
ELSEWHERE = {
    "plan/refusals.py": {"_SITE_CHARS", "_HOST_CHARS"},  # of a site's name, by what AWS takes, and of its host
    "assess/parts.py": {"MOST"},  # the largest number of an inventory
    "config/models.py": {"LABEL_CHARS"},  # of a stack's label, which is in every name
    "config/servers.py": {"MOST"},  # own name servers
    "content/mapping.py": {"_DEEPEST"},  # folders in which pages are compared
    "kinds/static/folder.py": {"MOST_KEY_BYTES"},  # S3's for a key
    "kinds/static/memory.py": {"_MOST"},  # folders that are remembered
    "kinds/static/objects.py": {"PART_BYTES", "MOST_METADATA_BYTES"},  # of an upload; S3's
    "kinds/static/rules.py": {"LONGEST", "MOST_HEADER_BYTES"},  # a line of rules; a policy of CloudFront
    "probe/probe.py": {"_LONGEST", "_TIMEOUT"},  # a pause; how long a site may take to become well
    "stores/record.py": {"_MOST"},  # whole numbers of JSON
    "targets/akash/market/reconcile.py": {"LIMIT_S"},  # a deployment from its opening to its address
    "targets/aws/__init__.py": {"_SUBJECT_CHARS"},  # of a certificate's subject, by what ACM takes
    "targets/aws/edge.py": {"MOST_BYTES"},  # CloudFront's for a function
    "targets/aws/unit.py": {"LARGEST"},  # EC2's for user data
    "text/escape.py": {"_DEPTH"},  # of what is shown of a value
    "web/caddy/upstream.py": {"BODY_BYTES"},  # what a visitor may send, an option
}  # fmt: skip
#: Waits of our clients for one part of an answer, inside a limit of the table on the whole.
PARTS = {"stores/s3.py", "assess/discover/account.py", "doctor/project.py", "targets/aws/balancer.py"}


def _bounds(tree: ast.AST) -> Iterator[str]:
    """Yield the names of bounds that a module sets to a number, and each keyword that is a number of seconds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = [part for target in node.targets for part in getattr(target, "elts", [target])]
            for name, value in zip(names, getattr(node.value, "elts", [node.value]), strict=False):
                if isinstance(name, ast.Name) and _BOUND.fullmatch(name.id) and _is_number(value):
                    yield name.id
        elif isinstance(node, ast.keyword) and node.arg and "timeout" in node.arg and _is_number(node.value):
            yield node.arg


def _is_number(value: ast.AST) -> bool:
    return isinstance(value, ast.BinOp) or (isinstance(value, ast.Constant) and isinstance(value.value, int | float))


def test_no_other_module_has_a_limit_of_its_own() -> None:
    root = Path(limits.__file__).parent
    found = {}
    for path in root.rglob("*.py"):
        name = path.relative_to(root).as_posix()
        if name != "limits.py" and (bounds := set(_bounds(ast.parse(path.read_text())))):
            found[name] = bounds
    parts = {name for name, bounds in found.items() if bounds and all("timeout" in each for each in bounds)}
    assert {name: bounds for name, bounds in found.items() if name not in parts} == ELSEWHERE
    assert parts == PARTS
