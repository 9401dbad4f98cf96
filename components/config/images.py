"""The image of a container in stack files, which name it by its digest."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
#: An image as Docker reads it (distribution/reference, "Grammar"), and its tag as registries do (OCI distribution
#: specification, "Pulling manifests"). Docker takes a host in capitals too.
_NAME = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _parts(image: str) -> tuple[str, str]:
    """Return the name of an image, with its tag, and the hex digits of its digest; "" for a digest that is none."""
    name, _, digest = image.partition("@sha256:")
    return name, digest if _DIGEST.fullmatch(digest) else ""


def name_of(image: str) -> str:
    """Return the name of an image that has its digest, else ""."""
    name, digest = _parts(image)
    return name if digest and _NAME.fullmatch(name) else ""


def pinned(image: str) -> str:
    """Return an image that is named by its digest. Raises ValueError for a tag, a placeholder or no name."""
    name, digest = _parts(image)
    if not digest:
        raise ValueError(
            "this does not name one image for good; write NAME:TAG@sha256:DIGEST, as "
            "`docker buildx imagetools inspect NAME:TAG` prints it"
        )
    if not _NAME.fullmatch(name):
        raise ValueError(
            "no registry has an image of this name; write it in lower case like ghcr.io/dao-example/api:1.0"
        )
    if len(set(digest)) == 1:
        raise ValueError(
            f"the digest of {name} is a placeholder, no image has it; build and push the image, and give the "
            "digest that `docker buildx build --push` prints"
        )
    return image
