"""The registry of this project: the kinds, targets and authorities that its stack files may name.

The Pulumi program and every `unmoor` command use it. Add your own kind with `builtin().with_(kinds=[...])`.
"""

from components.project import builtin

REGISTRY = builtin()
