"""The risk of exposure: who can read or change data and secrets, by the same rules for every target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inventory import Confidentiality, SecretClass
from .level import Level, likelihood
from .risk import Facts, Rating, Reason, why
from .situation import SELF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .inventory import Workload

_HOST_POINTS: Mapping[str, tuple[float, str]] = {
    "flux": (22, "a node operator that you do not know can read memory; the specification is public"),
    "akash": (20, "an operator that you do not know can read memory, disk and environment"),
}
_SECRET_POINTS: Mapping[SecretClass, tuple[float, str, str]] = {
    SecretClass.CUSTODY: (40, "custody of funds, names or accounts", "custody secrets never leave a signer of the DAO"),
    SecretClass.SCOPED: (12, "scoped credentials", "credentials that expire, rotated with every lease"),
    SecretClass.SEALED: (6, "sealed secrets, opened at start", "confidential computing with attestation"),
    SecretClass.ENCLAVE: (2, "secrets released to an attested enclave only", ""),
}


#: Words in a secret's name that mean custody, regardless of the class that the inventory gives it.
_CUSTODY_WORDS = ("wallet", "private key", "mnemonic", "seed phrase", "signing key", "validator key", "treasury")


def custody(workload: Workload) -> tuple[str, ...]:
    """Return the secrets that give away funds, names or accounts: by their class, or by their name."""
    return tuple(
        secret.name
        for secret in workload.secrets
        if secret.kind is SecretClass.CUSTODY
        or (secret.kind is not SecretClass.ENCLAVE and any(word in secret.name.lower() for word in _CUSTODY_WORDS))
    )


def _hosts(facts: Facts) -> Iterator[Reason]:
    hosts = facts.situation.hosts
    for key, (points, because) in _HOST_POINTS.items():
        if any(host.key == key for host in hosts):
            yield why(points, because, "audited providers only; confidential computing where it is offered")
    companies = dict.fromkeys(host.name for host in hosts if not host.anonymous and host.company != SELF)
    if companies:
        yield why(8, f"{' and '.join(companies)} can read memory, under a contract")


def _by_class(workload: Workload) -> dict[SecretClass, list[str]]:
    """Return the secrets by class; one that is custody by its name counts as custody."""
    found: dict[SecretClass, list[str]] = {}
    grave = custody(workload)
    for secret in workload.secrets:
        kind = SecretClass.CUSTODY if secret.name in grave else secret.kind
        found.setdefault(kind, []).append(secret.name)
    return found


def _secrets(facts: Facts) -> Iterator[Reason]:
    by_class = _by_class(facts.workload)
    held = set(by_class)
    for kind, (points, what, lowers) in _SECRET_POINTS.items():
        if kind in held:
            names = ", ".join(by_class[kind])
            yield why(points, f"its environment holds {what}: {names}", lowers)
    sites = len(facts.situation.hosts)
    if held and sites > 1:
        yield why(
            5 * (sites - 1),
            f"the same secrets stand in {sites} places",
            "other credentials for each site, the standby's read-only",
        )


def _readers(facts: Facts) -> Iterator[Reason]:
    for party in facts.situation.layers.get("edge", ()):
        if party.company != SELF:
            yield why(5, f"{party.name} ends TLS and reads all traffic", "TLS that ends on the site itself")
    if any(host.anonymous for host in facts.situation.hosts):
        yield why(
            5,
            "the site's certificate key is on a machine whose operator you do not know",
            "a certificate for this name only, bound by CAA",
        )


def _names(facts: Facts) -> Iterator[Reason]:
    if any(party.key == "powerdns" for party in facts.situation.layers.get("dns", ())):
        yield why(
            4,
            "who runs the name servers can forge the zone, whose key lies there",
            "operators that run no site, as a plan chooses them",
        )


def _supply(facts: Facts) -> Iterator[Reason]:
    if any(one.layer.key == "images" for one in facts.dependence.residuals):
        yield why(4, "images come from one registry", "images pinned by digest, with a copy in a second registry")


_CONFIDENTIAL_POINTS: Mapping[Confidentiality, float] = {
    Confidentiality.PUBLIC: 0,
    Confidentiality.PERSONAL: 15,
    Confidentiality.SECRET: 30,
}


def _confidential(facts: Facts) -> Iterator[Reason]:
    data = facts.workload.data
    points = _CONFIDENTIAL_POINTS[data.confidentiality] if data else 0
    if points and data and any(host.anonymous for host in facts.situation.hosts):
        yield why(
            points,
            f"{data.confidentiality} data lies with an operator that you do not know",
            "a privacy notice, encryption of the columns that matter",
        )


#: The rules, in the order of the report.
RULES = (_hosts, _secrets, _readers, _names, _supply, _confidential)

_EXPOSURE_IMPACT: Mapping[Confidentiality, Level] = {
    Confidentiality.PUBLIC: Level.LOW,
    Confidentiality.PERSONAL: Level.HIGH,
    Confidentiality.SECRET: Level.VERY_HIGH,
}


def exposure(facts: Facts) -> Rating:
    """Rate the risk that other parties read or change data or secrets."""
    reasons = tuple(reason for rule in RULES for reason in rule(facts))
    data = facts.workload.data
    kind = data.confidentiality if data else Confidentiality.PUBLIC
    impact = _EXPOSURE_IMPACT[kind]
    reasons_of_impact = [why(0, f"its data is {kind}")]
    held = set(_by_class(facts.workload))
    if SecretClass.CUSTODY in held:
        impact = Level.VERY_HIGH
        reasons_of_impact.append(why(1, "a leak gives away funds, names or accounts"))
    elif held and impact.rank < Level.MODERATE.rank:
        impact = Level.MODERATE
        reasons_of_impact.append(why(1, "a leak gives away credentials, if scoped ones"))
    return Rating(likelihood(sum(one.points for one in reasons)), impact, reasons, tuple(reasons_of_impact))
