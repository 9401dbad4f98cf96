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
    "key_chars": Limit("a key of YAML, quoted in a message", 60, "characters", "it is cut"),
    "number_digits": Limit("digits of an unquoted number in YAML", 400, "digits", "it is refused, or stays text"),
    "rule_bytes": Limit("`_redirects` or `_headers` of a site", 4_000_000, "bytes", "it is refused"),
    "release_bytes": Limit("a store's record of the newest release", 300, "bytes", "the rest is not read"),
    "record_bytes": Limit("the record of a writer", 4_096, "bytes", "the rest is not read"),
    "record_text_chars": Limit("a text in the record of a writer", 500, "characters", "the record is refused"),
    # A renewal that is slower than this is no good.
    "record_s": Limit("a part of an answer of the record's store", 5, "seconds", "the request has failed"),
    # A page of 100 deployments with their groups is below 1 MiB.
    "console_bytes": Limit("an answer of the Akash Console", 8_388_608, "bytes", "the call has failed"),
    "console_depth": Limit("nesting of an answer of the Akash Console", 40, "levels", "the answer is not read"),
    "console_connect_s": Limit("connecting to the Akash Console", 10, "seconds", "the call has failed"),
    # A look asks the Akash provider itself: four tries of 15 s before the Console gives up on it (provider-proxy
    # `utils/retry.ts`), up to 75 s in its own client. A change waits for a block, and then for the provider.
    "console_read_s": Limit(
        "a question to the Akash Console; it asks providers for 75 s",
        95,
        "seconds",
        "the call has failed",
    ),
    "console_change_s": Limit(
        "a change at the Akash Console; it waits for a block", 150, "seconds", "the call has failed"
    ),
    "screening_s": Limit("asking the Akash Console who could bid", 5, "seconds", "the plan does without"),
    "market_s": Limit("asking the Akash market for sizes", 10, "seconds", "the assessment does without"),
    "leads_s": Limit("asking a zone's own name servers", 5, "seconds", "the name counts as answered"),
    "visitor_s": Limit("a visit to an address before it is given back", 5, "seconds", "the address counts as silent"),
    "dns_s": Limit("a question to a resolver", 4, "seconds", "the step fails, or the name is listed as not known"),
    "aws_connect_s": Limit("connecting to AWS, for a look", 3, "seconds", "it is tried once more"),
    "aws_account_s": Limit("a part of an answer about the AWS account", 6, "seconds", "it is tried once more"),
    "aws_zone_s": Limit("a part of an answer about the records of a zone", 10, "seconds", "it is tried once more"),
    "name_server_s": Limit("a question to a name server of a zone", 3, "seconds", "it is tried once more"),
    "cloudflare_s": Limit("a part of an answer of Cloudflare", 15, "seconds", "the command fails"),
    "console_fields": Limit("names, addresses or services of one deployment", 64, "of them", "the answer is not read"),
    # Three round trips to the other side of the world, and some more.
    "keeper_probe_s": Limit("a probe by the keeper of own name servers", 1.5, "seconds", "the site has failed it"),
    "zone_bundle_bytes": Limit("a document of a zone's bundle", 67_108_864, "bytes", "the store is passed over"),
    "zone_bundle_s": Limit("reading a document of a zone's bundle", 20, "seconds", "the store is passed over"),
    "signature_bytes": Limit("a signature on standard input", 16_384, "bytes", "the rest is not read"),
    "signature_s": Limit("verifying a signature by a program", 20, "seconds", "the approval does not count"),
    "prices_s": Limit("a part of an answer of a price list", 60, "seconds", "the old prices stay"),
    "doctor_s": Limit("a look of `unmoor doctor`", 8, "seconds", "it is listed as not known"),
    "doctor_program_s": Limit("a program that `unmoor doctor` asks", 6, "seconds", "it is listed as not known"),
    "doctor_store_s": Limit("a read of a store by `unmoor doctor`", 5, "seconds", "it is listed as not known"),
    "doctor_host_s": Limit("a look of `unmoor doctor` at a vendor", 5, "seconds", "a caution gives the reason"),
    "claim_bytes": Limit("a claim in a store", 2_000, "bytes", "it is another stack's"),
    "secret_bytes": Limit("the value of a secret of a service", 16 << 10, "bytes", "the update is refused"),
    "secrets_bytes": Limit("all values of a service together", 32 << 10, "bytes", "the update is refused"),
    "handover_bytes": Limit("what a lease is handed at a time", 64 << 10, "bytes", "the web server refuses it"),
    "database_state_bytes": Limit("what a site of a database reports", 4 << 10, "bytes", "the site counts as silent"),
    "database_proof_bytes": Limit("the proof of a restore, or its counts", 1 << 20, "bytes", "it proves nothing"),
    "include_depth": Limit("pages of a space that include each other", 5, "levels", "the place is listed"),
    "block_depth": Limit("blocks of a page of a space in each other", 30, "levels", "the place is listed"),
    "tag_depth": Limit("HTML tags of a page of a space in each other", 60, "levels", "deeper tags are left out"),
    "vendor_pages": Limit("pages in which forms are looked for", 2_000, "pages", "the rest is not looked at"),
    "vendor_page_bytes": Limit("such a page", 1_000_000, "bytes", "it is not looked at"),
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
KEY_CHARS, NUMBER_DIGITS, RULE_BYTES, RELEASE_BYTES = (
    int(LIMITS[name].amount) for name in ("key_chars", "number_digits", "rule_bytes", "release_bytes")
)
RECORD_BYTES, RECORD_TEXT_CHARS, CONSOLE_BYTES, CONSOLE_DEPTH = (
    int(LIMITS[name].amount) for name in ("record_bytes", "record_text_chars", "console_bytes", "console_depth")
)
ZONE_BUNDLE_BYTES, SIGNATURE_BYTES, INCLUDE_DEPTH, BLOCK_DEPTH = (
    int(LIMITS[name].amount) for name in ("zone_bundle_bytes", "signature_bytes", "include_depth", "block_depth")
)
TAG_DEPTH, VENDOR_PAGES, VENDOR_PAGE_BYTES = (
    int(LIMITS[name].amount) for name in ("tag_depth", "vendor_pages", "vendor_page_bytes")
)
RECORD_S, CONSOLE_CONNECT_S, CONSOLE_READ_S, CONSOLE_CHANGE_S = (
    LIMITS[name].amount for name in ("record_s", "console_connect_s", "console_read_s", "console_change_s")
)
SCREENING_S, MARKET_S, LEADS_S, VISITOR_S = (
    LIMITS[name].amount for name in ("screening_s", "market_s", "leads_s", "visitor_s")
)
DNS_S, AWS_CONNECT_S, AWS_ACCOUNT_S, AWS_ZONE_S = (
    LIMITS[name].amount for name in ("dns_s", "aws_connect_s", "aws_account_s", "aws_zone_s")
)
KEEPER_PROBE_S, ZONE_BUNDLE_S, SIGNATURE_S, PRICES_S = (
    LIMITS[name].amount for name in ("keeper_probe_s", "zone_bundle_s", "signature_s", "prices_s")
)
DOCTOR_S, DOCTOR_PROGRAM_S, DOCTOR_STORE_S, DOCTOR_HOST_S = (
    LIMITS[name].amount for name in ("doctor_s", "doctor_program_s", "doctor_store_s", "doctor_host_s")
)
CLAIM_BYTES, SECRET_BYTES, SECRETS_BYTES, HANDOVER_BYTES = (
    int(LIMITS[name].amount) for name in ("claim_bytes", "secret_bytes", "secrets_bytes", "handover_bytes")
)
DATABASE_STATE_BYTES, DATABASE_PROOF_BYTES = (
    int(LIMITS[name].amount) for name in ("database_state_bytes", "database_proof_bytes")
)
NAME_SERVER_S, CLOUDFLARE_S = (LIMITS[name].amount for name in ("name_server_s", "cloudflare_s"))
CONSOLE_FIELDS = int(LIMITS["console_fields"].amount)
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
    return f"{limit.amount:,.10g} {limit.unit}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 it is a program
