"""Every limit on input and output from outside, in one table; `docs/limits.md` is this table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator


_N = TypeVar("_N", int, float)


class Limit(NamedTuple):
    """One limit: what it bounds, its amount in `unit`, and what happens to what exceeds it."""

    what: str
    amount: float
    unit: str
    beyond: str


#: All of them, in the order of the manual's page.
LIMITS: list[Limit] = []


def _limit(what: str, amount: _N, unit: str, beyond: str) -> _N:
    """Add a limit to the table, and return its amount."""
    LIMITS.append(Limit(what, amount, unit, beyond))
    return amount


YAML_BYTES = _limit("a stack file, inventory or file of approvals", 2 << 20, "bytes", "it is refused")
YAML_VALUES = _limit("values in such a file, each alias counted in full", 100_000, "values", "it is refused")
SDL_BYTES = _limit("an Akash document", 256 << 10, "bytes", "it is refused")
SDL_VALUES = _limit("values in an Akash document, each alias counted in full", 10_000, "values", "it is refused")
YAML_DEPTH = _limit("nesting of any YAML", 64, "levels", "it is refused")
VALUE_CHARS = _limit("a value from a file or a service, quoted in a message", 80, "characters", "it is cut")
QUOTE_CHARS = _limit("a sentence from outside, quoted in a message", 300, "characters", "it is cut")
FAULT_CHARS = _limit("one fault in a message", 1_000, "characters", "it is cut")
MESSAGE_CHARS = _limit("a whole message", 8_000, "characters", "the number of faults left out is given")
LOG_LINES = _limit("lines of a container's log, quoted in a message", 10, "lines", "older ones are left out")
PAGE_BYTES = _limit("an answer of a site", 64 << 10, "bytes", "reading stops, and its beginning is judged")
PAGE_S = _limit("a visit to a site", 10, "seconds", "the visit has failed")
BUNDLE_BYTES = _limit("a bundle read from a store", 4 << 30, "bytes", "reading stops, and the next store is asked")
BUNDLE_FILES = _limit("files of a bundle", 100_000, "files", "it is refused")
BUNDLE_S = _limit("reading a bundle from a store", 1_800, "seconds", "reading stops, and the next store is asked")
SPACE_BYTES = _limit("a page of a space that is imported", 5 << 20, "bytes", "it is listed, and not carried")
CRAWL_ADDRESSES = _limit("addresses of an old site, without `--limit`", 5_000, "addresses", "the rest is counted")
CRAWL_BYTES = _limit("a page of an old site", 5 << 20, "bytes", "reading stops, and its beginning is matched")
CRAWL_S = _limit("a part of an answer of an old site", 20, "seconds", "the address is listed as not read")
CRAWL_ANSWER_S = _limit("a whole answer of an old site", 120, "seconds", "the address is listed as not read")
SITEMAP_BYTES = _limit("a sitemap, unpacked", 50 << 20, "bytes", "it is listed as not read")
ZONE_BYTES = _limit("a zone file, or the values of a zone transfer", 16 << 20, "bytes", "it is refused")
ZONE_SET_VALUES = _limit("values of one set of a zone file", 1_000, "values", "the file is refused")
STEP_INPUT_BYTES = _limit("standard input of `unmoor step`", 1 << 20, "bytes", "it is refused")
STEP_OUTPUT_BYTES = _limit("the result of `unmoor step`", 4_096, "bytes", "the step fails")
KEY_CHARS = _limit("a key of YAML, quoted in a message", 60, "characters", "it is cut")
NUMBER_DIGITS = _limit("digits of an unquoted number in YAML", 400, "digits", "it is refused, or stays text")
RULE_BYTES = _limit("`_redirects` or `_headers` of a site", 4_000_000, "bytes", "it is refused")
RELEASE_BYTES = _limit("a store's record of the newest release", 300, "bytes", "the rest is not read")
RECORD_BYTES = _limit("the record of a writer", 4_096, "bytes", "the rest is not read")
RECORD_TEXT_CHARS = _limit("a text in the record of a writer", 500, "characters", "the record is refused")
# A lease lasts longer than this: a slower renewal would come too late.
RECORD_S = _limit("a part of an answer of the record's store", 5, "seconds", "the request has failed")
SMALL_S = _limit("reading a small object of a store", 10, "seconds", "it is not read")
LISTED_OBJECTS = _limit("objects in a listing of a store", 100_000, "objects", "the listing is refused")
# A page of 100 deployments with their groups is below 1 MiB.
CONSOLE_BYTES = _limit("an answer of the Akash Console", 8_388_608, "bytes", "the call has failed")
CONSOLE_DEPTH = _limit("nesting of an answer of the Akash Console", 40, "levels", "the answer is not read")
CONSOLE_CONNECT_S = _limit("connecting to the Akash Console", 10, "seconds", "the call has failed")
# An observation reaches the Akash provider: four tries of 15 s before the Console gives up on it (provider-proxy
# `utils/retry.ts`), up to 75 s in its own client. A change waits for a block, and then for the provider.
CONSOLE_READ_S = _limit(
    "a question to the Akash Console; it asks providers for 75 s", 95, "seconds", "the call has failed"
)
CONSOLE_CHANGE_S = _limit("a change at the Akash Console; it waits for a block", 150, "seconds", "the call has failed")
PROVIDER_LOG_LINES = _limit("lines of a lease's log that are asked for", 20, "lines", "older ones stay there")
PROVIDER_LOG_BYTES = _limit("a lease's log", 64 << 10, "bytes", "reading stops")
PROVIDER_LOG_S = _limit("reading a lease's log", 20, "seconds", "what was read is shown")
SCREENING_S = _limit("asking the Akash Console who could bid", 5, "seconds", "the plan does without")
MARKET_S = _limit("asking the Akash market for sizes", 10, "seconds", "the assessment does without")
LEADS_S = _limit("asking a zone's own name servers", 5, "seconds", "the name counts as answered")
VISITOR_S = _limit("a visit to an address before it is given back", 5, "seconds", "the address counts as silent")
DNS_S = _limit("a question to a resolver", 4, "seconds", "the step fails, or the name is listed as not known")
AWS_CONNECT_S = _limit("connecting to AWS, for a look", 3, "seconds", "it is tried once more")
AWS_ACCOUNT_S = _limit("a part of an answer about the AWS account", 6, "seconds", "it is tried once more")
AWS_ZONE_S = _limit("a part of an answer about the records of a zone", 10, "seconds", "it is tried once more")
NAME_SERVER_S = _limit("a question to a name server of a zone", 3, "seconds", "it is tried once more")
CLOUDFLARE_S = _limit("a part of an answer of Cloudflare", 15, "seconds", "the command fails")
CONSOLE_FIELDS = _limit("names, addresses or services of one deployment", 64, "of them", "the answer is not read")
# Three round trips around the world, with some reserve.
KEEPER_PROBE_S = _limit("a probe by the keeper of own name servers", 1.5, "seconds", "the site has failed it")
# A name server asks itself for its zone meanwhile: twice over UDP and once over TCP, 3 s each.
HEALTH_S = _limit("a connection to the health of a name server or a database", 15, "seconds", "it is closed")
HEALTH_CONNECTIONS = _limit("such connections at a time", 32, "connections", "the oldest is closed")
ZONE_BUNDLE_BYTES = _limit("a document of a zone's bundle", 67_108_864, "bytes", "the store is passed over")
ZONE_BUNDLE_S = _limit("reading a document of a zone's bundle", 20, "seconds", "the store is passed over")
SIGNATURE_BYTES = _limit("a signature on standard input", 16_384, "bytes", "the rest is not read")
SIGNATURE_S = _limit("verifying a signature by a program", 20, "seconds", "the approval does not count")
PRICES_S = _limit("a part of an answer of a price list", 60, "seconds", "the old prices stay")
ROOM_BYTES = _limit("room on the disks of state and temporary files", 32 << 20, "bytes", "below it no update begins")
RESERVE_BYTES = _limit("room held back for the state of an update", 8 << 20, "bytes", "it is given back on a full disk")
DOCTOR_S = _limit("a look of `unmoor doctor`", 8, "seconds", "it is listed as not known")
DOCTOR_PROGRAM_S = _limit("a program that `unmoor doctor` asks", 6, "seconds", "it is listed as not known")
DOCTOR_STORE_S = _limit("a read of a store by `unmoor doctor`", 5, "seconds", "it is listed as not known")
DOCTOR_HOST_S = _limit("a look of `unmoor doctor` at a vendor", 5, "seconds", "a caution gives the reason")
CLAIM_BYTES = _limit("a claim in a store", 2_000, "bytes", "it is another stack's")
# A task definition has 64 KiB ("Amazon ECS service quotas"), of which the web server and 30 secrets take up to 43 kB.
# Linux executes no word of more than 128 KiB (execve(2), MAX_ARG_STRLEN).
RUN_BYTES = _limit(
    "variables, command and arguments of a service together, as JSON", 20 << 10, "bytes", "they are refused"
)
SECRET_BYTES = _limit("the value of a secret of a service", 16 << 10, "bytes", "the update is refused")
SECRETS_BYTES = _limit("all values of a service together", 32 << 10, "bytes", "the update is refused")
HELD_BYTES = _limit("secrets of a stack's configuration, handed to a step", 1 << 20, "bytes", "the step fails")
HELD_S = _limit("a part of handing them to a step", 10, "seconds", "the step fails")
HANDOVER_BYTES = _limit("what a lease is handed at a time", 64 << 10, "bytes", "the web server refuses it")
DATABASE_STATE_BYTES = _limit("what a site of a database reports", 4 << 10, "bytes", "the site counts as silent")
DATABASE_PROOF_BYTES = _limit("the proof of a restore, or its counts", 1 << 20, "bytes", "it proves nothing")
INCLUDE_DEPTH = _limit("pages of a space that include each other", 5, "levels", "the place is listed")
BLOCK_DEPTH = _limit("blocks of a page of a space in each other", 30, "levels", "the place is listed")
TAG_DEPTH = _limit("HTML tags of a page of a space in each other", 60, "levels", "deeper tags are left out")
VENDOR_PAGES = _limit("pages in which forms are looked for", 2_000, "pages", "the rest is not looked at")
VENDOR_PAGE_BYTES = _limit("such a page", 1_000_000, "bytes", "it is not looked at")

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
    for limit in LIMITS:
        yield f"| {limit.what} | {_amount(limit)} | {limit.beyond} |\n"


def _amount(limit: Limit) -> str:
    """Return an amount as text in the largest binary unit that divides it."""
    if limit.unit == "bytes":
        for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
            if limit.amount % (1 << shift) == 0:
                return f"{int(limit.amount) >> shift} {unit}"
    return f"{limit.amount:,.10g} {limit.unit}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 it is a program
