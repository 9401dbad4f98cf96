"""Every limit on input and output from outside, in one table; `docs/limits.md` is this table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Limit(NamedTuple):
    """One limit: what it bounds, its amount in `unit`, and what happens to what exceeds it."""

    what: str
    amount: float
    unit: str
    beyond: str


LIMITS: dict[str, Limit] = {
    "yaml_bytes": Limit("a stack file, inventory or file of approvals", 2 << 20, "bytes", "it is refused"),
    "yaml_values": Limit("values in such a file, each alias counted in full", 100_000, "values", "it is refused"),
    "sdl_bytes": Limit("an Akash document", 256 << 10, "bytes", "it is refused"),
    "sdl_values": Limit("values in an Akash document, each alias counted in full", 10_000, "values", "it is refused"),
    "yaml_depth": Limit("nesting of any YAML", 64, "levels", "it is refused"),
    "value_chars": Limit("a value from a file or a service, quoted in a message", 80, "characters", "it is cut"),
    "quote_chars": Limit("a sentence from outside, quoted in a message", 300, "characters", "it is cut"),
    "fault_chars": Limit("one fault in a message", 1_000, "characters", "it is cut"),
    "message_chars": Limit("a whole message", 8_000, "characters", "the number of faults left out is given"),
    "page_bytes": Limit("an answer of a site", 64 << 10, "bytes", "reading stops, and its beginning is judged"),
    "page_s": Limit("a visit to a site", 10, "seconds", "the visit has failed"),
    "bundle_bytes": Limit("a bundle read from a store", 4 << 30, "bytes", "reading stops, and the next store is asked"),
    "bundle_files": Limit("files of a bundle", 100_000, "files", "it is refused"),
    "bundle_s": Limit("reading a bundle from a store", 1_800, "seconds", "reading stops, and the next store is asked"),
    "space_bytes": Limit("a page of a space that is imported", 5 << 20, "bytes", "it is listed, and not carried"),
    "crawl_addresses": Limit("addresses of an old site, without `--limit`", 5_000, "addresses", "the rest is counted"),
    "crawl_bytes": Limit("a page of an old site", 5 << 20, "bytes", "reading stops, and its beginning is matched"),
    "crawl_s": Limit("a part of an answer of an old site", 20, "seconds", "the address is listed as not read"),
    "sitemap_bytes": Limit("a sitemap, unpacked", 50 << 20, "bytes", "it is listed as not read"),
    "zone_bytes": Limit("a zone file, or the values of a zone transfer", 16 << 20, "bytes", "it is refused"),
    "step_input_bytes": Limit("standard input of `unmoor step`", 1 << 20, "bytes", "it is refused"),
    "step_output_bytes": Limit("the result of `unmoor step`", 4_096, "bytes", "the step fails"),
}

YAML_BYTES, YAML_VALUES, YAML_DEPTH, SDL_BYTES, SDL_VALUES = (
    int(LIMITS[name].amount) for name in ("yaml_bytes", "yaml_values", "yaml_depth", "sdl_bytes", "sdl_values")
)
VALUE_CHARS, QUOTE_CHARS, FAULT_CHARS, MESSAGE_CHARS = (
    int(LIMITS[name].amount) for name in ("value_chars", "quote_chars", "fault_chars", "message_chars")
)
PAGE_BYTES, BUNDLE_BYTES, BUNDLE_FILES = (
    int(LIMITS[name].amount) for name in ("page_bytes", "bundle_bytes", "bundle_files")
)
STEP_INPUT_BYTES, STEP_OUTPUT_BYTES = (int(LIMITS[name].amount) for name in ("step_input_bytes", "step_output_bytes"))
SPACE_BYTES, CRAWL_ADDRESSES, CRAWL_BYTES, SITEMAP_BYTES = (
    int(LIMITS[name].amount) for name in ("space_bytes", "crawl_addresses", "crawl_bytes", "sitemap_bytes")
)
ZONE_BYTES = int(LIMITS["zone_bytes"].amount)
PAGE_S, BUNDLE_S, CRAWL_S = (LIMITS[name].amount for name in ("page_s", "bundle_s", "crawl_s"))

_HEAD = """# Limits

<!-- Written from components/limits.py by `python -m components.limits`; change the table there. -->

What comes from outside is bounded in size, time and depth before it is used. Messages are bounded too, and control
characters in them are written as `\\x1b`.

| what | limit | beyond it |
|---|---|---|
"""


def page() -> str:
    """Return the manual's page of limits."""
    return _HEAD + "".join(_rows())


def _rows() -> Iterator[str]:
    for limit in LIMITS.values():
        yield f"| {limit.what} | {_amount(limit)} | {limit.beyond} |\n"


def _amount(limit: Limit) -> str:
    """Write an amount with the largest binary unit that divides it."""
    if limit.unit == "bytes":
        for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
            if limit.amount % (1 << shift) == 0:
                return f"{int(limit.amount) >> shift} {unit}"
    return f"{limit.amount:,.0f} {limit.unit}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 it is a program
