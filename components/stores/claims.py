"""Claims in stores: which stack owns a name, so that no two stacks use one store's keys or one zone's hosts.

A claim is a small object under a key of its own, written on the condition that there is none. The store decides which
writer was first (S3 user guide, "Conditional writes"). A retried write may be refused although its first try succeeded,
so the record is read before anything is decided.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Fault, StepError
from ..limits import CLAIM_BYTES
from ..text.escape import shown
from . import s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: No key of a workload begins with this, because their names have no dot in front.
FOLDER = ".claims"
#: Tries of a claim. It may be released between a refused write and the read after it; then it is free, and the write is
#: repeated.
_TRIES = 3


def key(name: str) -> str:
    """Return the key of a name's claim, the same in every store."""
    return f"{FOLDER}/{name}"


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Claim `names` for `stack` in each of `stores`; with `wait`, on removal, release them.

    Raises StepError with every name that another stack has, and ConfigError for a store without credentials. On removal
    only claims of exactly these names are released: one that has since been renewed with others is kept. What cannot be
    released is reported.
    """
    named = s3.settings(given["stores"])
    missing = s3.missing_credentials(named)
    if missing and not given.get("wait"):
        raise ConfigError("the stores cannot be opened", missing)
    closed = {fault.path.split(".")[1] for fault in missing}
    opened = [s3.OpenStore(name, settings) for name, settings in named.items() if name not in closed]
    stack, names = given["stack"], given["names"]
    content = _content(stack, names)
    task = _release if given.get("wait") else _claim
    with ThreadPoolExecutor(max(1, len(opened))) as pool:
        done = list(pool.map(lambda store: list(task(store, stack, names, content)), opened))
    found = [fault for each in done for fault in each]
    if not given.get("wait"):
        if found:
            raise StepError(f"names of stack {stack} are taken", found)
        return {"names": names, "stack": stack}
    for fault in (*missing, *found):
        report(f"claims of stack {stack} stay in a store: {fault}")
    return {"names": [], "stack": stack}


def holder(store: s3.OpenStore, name: str) -> str | None:
    """Return the stack that has a name, None where no stack has. Raises StepError for an object that is no claim."""
    content = store.read(key(name), CLAIM_BYTES)
    return None if content is None else _stack(store, name, content)


def clash(store: str, name: str, other: str, stack: str) -> str:
    """Return the sentence about a name that two stacks want."""
    return (
        f"{name} belongs to stack {other}, whose claim store {store} holds, and this is stack {stack}; give this stack "
        "`unmoor:label`, another host, or stores of its own. If the other stack is gone for good, remove the object "
        f"{key(name)} from the store"
    )


def _claim(store: s3.OpenStore, stack: str, names: Iterable[str], content: bytes) -> Iterator[Fault]:
    for name in names:
        try:
            other = _settled(store, stack, name, content)
        except StepError as error:
            yield Fault("", str(error))
            continue
        if other != stack:
            yield Fault("", clash(store.name, name, other, stack))


def _settled(store: s3.OpenStore, stack: str, name: str, content: bytes) -> str:
    """Claim a name and return which stack has it then."""
    for _ in range(_TRIES):
        first = store.claim(key(name), content)
        there = store.read(key(name), CLAIM_BYTES)
        if there is None:
            continue
        other = _stack(store, name, there)
        if other == stack and not first and there != content:
            store.write(key(name), content)
        return other
    raise StepError(f"store {store.name}: {key(name)} is written and removed by others all the time; run it again")


def _release(store: s3.OpenStore, stack: str, names: Iterable[str], content: bytes) -> Iterator[Fault]:  # noqa: ARG001 the other task's
    for name in names:
        try:
            if store.read(key(name), CLAIM_BYTES) == content:
                store.delete([key(name)])
        except StepError as error:
            yield Fault("", str(error))


def _content(stack: str, names: Iterable[str]) -> bytes:
    """Return the content of a claim: the stack, and a mark of all names that were claimed together."""
    mark = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]
    return json.dumps({"stack": stack, "with": mark}, sort_keys=True).encode()


def _stack(store: s3.OpenStore, name: str, content: bytes) -> str:
    try:
        stack = json.loads(content)["stack"]
    except (ValueError, TypeError, KeyError, RecursionError):
        stack = None
    if not isinstance(stack, str):
        raise StepError(
            f"store {store.name}: {key(name)} is no claim: {shown(content.decode(errors='replace'))}; look who wrote "
            "it, and remove it"
        )
    return stack
