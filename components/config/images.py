"""The image of a container in stack files, which name it by its digest."""

from __future__ import annotations

import re

_IMAGE = re.compile(r"(?P<name>[a-z0-9][a-z0-9._/:-]*)@sha256:(?P<digest>[0-9a-f]{64})")


def name_of(image: str) -> str:
    """Return the name of an image that has its digest, else ""."""
    found = _IMAGE.fullmatch(image)
    return found["name"] if found else ""


def pinned(image: str) -> str:
    """Return an image that is named by its digest. Raises ValueError for a tag or a placeholder."""
    found = _IMAGE.fullmatch(image)
    if found is None:
        raise ValueError(
            "this does not name one image for good; write NAME:TAG@sha256:DIGEST, as "
            "`docker buildx imagetools inspect NAME:TAG` prints it"
        )
    if len(set(found["digest"])) == 1:
        raise ValueError(
            f"the digest of {found['name']} is a placeholder, no image has it; build and push the image, and give the "
            "digest that `docker buildx build --push` prints"
        )
    return image
