"""The rules that no tool enforces: the network accepts the document, and it fails later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .references import truth
from .rule import Finding, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
#: Images whose name begins so are no longer made, or no longer available.
RETIRED = {
    "k8s.gcr.io/": "that registry is frozen; use registry.k8s.io",
    "bitnami/": "Bitnami took its free images away in 2025; use the project's own image",
    "openjdk": "the image is deprecated; use eclipse-temurin",
    "centos": "CentOS has ended; use almalinux or rockylinux",
    "quay.io/coreos/etcd": "the image moved; use gcr.io/etcd-development/etcd",
    "sonatype/docker-nexus": "the image is deprecated; use sonatype/nexus3",
}
#: Programs that keep state, by the last part of their image's name.
STATEFUL = frozenset(
    [
        "postgres",
        "postgresql",
        "postgis",
        "timescaledb",
        "mysql",
        "mariadb",
        "percona",
        "mongo",
        "mongodb",
        "redis",
        "valkey",
        "elasticsearch",
        "opensearch",
        "couchdb",
        "cassandra",
        "neo4j",
        "influxdb",
        "clickhouse",
        "clickhouse-server",
        "etcd",
        "minio",
        "rabbitmq",
        "nats",
        "meilisearch",
        "qdrant",
        "weaviate",
        "nextcloud",
        "discourse",
        "gitea",
        "forgejo",
        "ghost",
        "wordpress",
        "mattermost",
        "vaultwarden",
    ]
)
_SECRET_NAME = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|api_?key|access_?key|private_?key|mnemonic|seed_phrase|credentials?)$"
)
#: The forms of secrets. Each pattern begins with plain text, which `re` finds with memchr: six times as fast as a
#: pattern that begins with `\b`. The test for `\b` therefore comes after the text.
_SECRET_FORMS = tuple(
    (needed, re.compile(form))
    for needed, form in (
        ("-", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
        ("K", r"AKIA(?<=\bAKIA)[0-9A-Z]{16}\b"),
        ("_", r"gh(?<=\bgh)[pousr]_[0-9A-Za-z]{30}"),
        ("-", r"xox(?<=\bxox)[abpr]-[0-9A-Za-z-]{10}"),
        ("@", r"://[^/\s:@]+:[^/\s:@$]{3,}@"),
        ("_", r"sk_live_(?<=\bsk_live_)[0-9A-Za-z]{16}"),
        ("-", r"glpat-(?<=\bglpat-)[0-9A-Za-z_-]{20}"),
    )
)


def looks_secret(text: str, name: str = "") -> bool:
    """Return whether a text looks like a secret, by its form or by the name of its variable."""
    if text and _SECRET_NAME.search(name):
        return True
    # A search for one necessary character is much faster than the pattern.
    return any(needed in text and form.search(text) for needed, form in _SECRET_FORMS)


@rules.warning(
    "uakt",
    "Prices are in uact.",
    "Write `denom: uact`: the chain refuses new orders in uakt, Console rewrites them. `fix` does it.",
)
def _uakt(view: View) -> Iterator[Finding]:
    for where, infra in view.placement.items():
        for profile, price in (infra.get("pricing") or {}).items():
            if price.get("denom") == "uakt":
                path = ("profiles", "placement", where, "pricing", profile, "denom")
                yield Finding(path, "uakt buys nothing since March 2026; write uact, where 1,000,000 are 1 USD")


@rules.warning(
    "unpinned-image",
    "An image is named by its digest.",
    "Write `name:tag@sha256:…`; a tag is pulled once and means something else tomorrow.",
)
def _unpinned_image(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        if "image" in service and not _DIGEST.search(service["image"]):
            yield Finding(
                ("services", name, "image"),
                "is not pinned; write name:tag@sha256:… (docker buildx imagetools inspect shows it)",
            )


@rules.warning("retired-image", "An image is still made.", "Choose what the message names.")
def _retired_image(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        image = re.sub(r"^(docker\.io/)?(library/)?", "", service.get("image", ""))
        for start, what in RETIRED.items():
            if image.startswith(start) and (start.endswith("/") or re.split("[:@/]", image[len(start) :])[0] == ""):
                yield Finding(("services", name, "image"), what)


@rules.warning(
    "secret-in-text",
    "No secret stands in a document.",
    "Fetch it at start with a short-lived credential: the provider can read every variable and argument.",
)
def _secret_in_text(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        if (service.get("credentials") or {}).get("password"):
            yield Finding(
                ("services", name, "credentials", "password"),
                "the provider can read it; use a public image, or a token that only pulls",
            )
        for index, item in enumerate(service.get("env") or ()):
            variable, _, value = item.partition("=")
            if looks_secret(value, variable):
                yield Finding(
                    ("services", name, "env", index),
                    f"{variable[:60]} looks like a secret, and the provider can read it",
                )
        for key in ("command", "args"):
            for index, word in enumerate(service.get(key) or ()):
                if looks_secret(word):
                    yield Finding(
                        ("services", name, key, index), "holds what looks like a secret, and the provider can read it"
                    )


@rules.warning(
    "no-audit",
    "A placement asks for audited providers.",
    "Add `signedBy: {anyOf: [AUDITOR]}`; without it anybody who bids may win.",
)
def _no_audit(view: View) -> Iterator[Finding]:
    for where, infra in view.placement.items():
        signed = infra.get("signedBy") or {}
        if not (signed.get("anyOf") or signed.get("allOf")):
            yield Finding(
                ("profiles", "placement", where),
                "takes bids from anybody; add signedBy with an auditor",
                ("profiles", "placement", where, "signedBy"),
            )


@rules.warning(
    "state-without-volume",
    "A program that keeps state has a persistent volume.",
    "Add a volume with `persistent: true` and mount it; and keep copies elsewhere.",
)
def _state_without_volume(view: View) -> Iterator[Finding]:
    for each in view.placed:
        image = re.split("[:@]", each.service.get("image", "").rpartition("/")[2])[0]
        kept = any(
            truth((volume.get("attributes") or {}).get("persistent"))
            for _, volume in view.volumes.get(each.profile, ())
        )
        if image in STATEFUL and not kept and each.profile in view.compute:
            about = ("profiles", "compute", each.profile, "resources", "storage")
            yield Finding(
                ("services", each.name),
                f"{image} keeps state, and a restart loses what is not on a persistent volume",
                about,
            )


@rules.warning(
    "allow-comment",
    "A comment that switches a rule off names a rule and a reason.",
    "Write `# unmoor: allow RULE because REASON`.",
)
def _allow_comment(view: View) -> Iterator[Finding]:
    from . import RULES

    for name, reason in view.allowed.items():
        if name not in RULES:
            yield Finding((), f"there is no rule {name!r} to switch off")
        elif not reason:
            yield Finding((), f"the rule {name!r} is switched off without a reason, so it stays on; add because …")
