"""The rules that follow from the shape of the model: fields, types, words and ranges."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from .rule import By, Finding, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()


@rules.error(
    "unreadable",
    By.PARSER,
    "The file is one YAML document of text.",
    "Follow the sentence: it names the byte, line or key.",
)
@rules.error("unknown-field", By.SCHEMA, "Every field is one that SDL knows.", "Correct the spelling, or take it out.")
@rules.error("missing-field", By.SCHEMA, "Every required field is there.", "Write it.")
@rules.error(
    "wrong-type", By.SCHEMA, "Every value has its field's type.", 'Quote text ("2.0", "off"), and do not quote numbers.'
)
@rules.error(
    "not-allowed", By.SCHEMA, "Every value is one that its field allows.", "Choose from what the message lists."
)
@rules.error(
    "body-too-large", By.SCHEMA, "`max_body_size` is at most 100 MiB (104857600).", "Lower it, or lease an address."
)
@rules.error(
    "timeout-too-long",
    By.SCHEMA,
    "Time-outs of the ingress are at most 60 s (60000).",
    "Lower it, or lease an address.",
)
def _held_by_the_model(_view: View) -> Iterator[Finding]:
    return iter(())


@rules.error(
    "off-alone", By.SCHEMA, "`off` in `next_cases` stands alone.", "Take the other cases out, or take `off` out."
)
def _off_alone(view: View) -> Iterator[Finding]:
    for _, path, expose in view.exposes:
        cases = (expose.get("http_options") or {}).get("next_cases") or ()
        if "off" in cases and len(cases) > 1:
            yield Finding(
                (*path, "http_options", "next_cases"), f"off cannot stand with {len(cases) - 1} other case(s)"
            )


@rules.error(
    "address-not-global", By.SCHEMA, "A port on a leased address is global.", "Write `global: true` next to `ip`."
)
def _address_not_global(view: View) -> Iterator[Finding]:
    for _, path, _, to in view.targets:
        if to.get("ip") and not to.get("global"):
            yield Finding(path, f"the address {to['ip']!r} needs global: true next to it")


@rules.error(
    "ram-persistent",
    By.SCHEMA,
    "A volume of class `ram` is not persistent.",
    "Write `persistent: false`, or another class.",
)
def _ram_persistent(view: View) -> Iterator[Finding]:
    for path, volume in chain.from_iterable(view.volumes.values()):
        attributes = volume.get("attributes") or {}
        if attributes.get("class") == "ram" and attributes.get("persistent") in {True, "true"}:
            yield Finding(path, "class ram is memory and cannot be persistent; choose persistent: false")


@rules.error(
    "class-not-persistent",
    By.NEWER,
    "A volume with a class other than `ram` is persistent.",
    "Write `persistent: true`, or take the attributes out.",
)
def _class_not_persistent(view: View) -> Iterator[Finding]:
    for path, volume in chain.from_iterable(view.volumes.values()):
        attributes = volume.get("attributes") or {}
        kind = attributes.get("class", "ram")
        if kind != "ram" and attributes.get("persistent", True) in {False, "false"}:
            yield Finding(path, f"class {kind} needs persistent: true; without it leave the attributes out")
