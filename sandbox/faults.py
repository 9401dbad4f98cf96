"""What can be broken in a sandbox: every name, and the effect while it is broken."""

from __future__ import annotations

#: The account is locked, or closed: these two also take what AWS stores, where `aws-down` takes what it serves.
SUSPENDED, CLOSED = "aws-account-suspended", "aws-account-closed"
#: What befalls a zone's name servers, and the place where an owner changes them.
REUSED, FROZEN = "nameserver-address-reused", "registrar-frozen"
#: While one of these is on, AWS answers no visitor.
SILENT = ("aws-down", CLOSED)
#: A name that ends in a dash needs a suffix: the owner of an Akash provider, the name of a store, or a number.
FAULTS = {
    "aws-down": "the edge and the AWS API answer nothing",
    SUSPENDED: "the AWS API and all buckets answer 403; the zone answers as it stands",
    CLOSED: "the AWS account's zone is refused, its buckets are gone, the API answers 403, and nothing is served",
    "dns-control-plane-down": "records cannot be changed; answers go on",
    "provider-gone-": "the Akash provider of this owner disappears with its leases",
    "no-bids": "no provider bids",
    "bid-too-dear": "all bids are above the ceiling",
    "escrow-empty": "the deposit is used up",
    "chain-halted": "nothing can be opened or closed; leases run on",
    "api-429": "the Console is busy",
    "api-timeout": "the Console does what it is asked and never answers",
    "store-gone-": "the store of this name is gone",
    "acme-down": "the certificate authority answers nothing",
    "acme-rate-limited": "the certificate authority issues no more this week",
    "challenge-blocked": "the edge passes no challenge on to the other site",
    "certificate-expired": "the certificates on leases are past their end, and no new ones are issued",
    "clock-skew": "the certificates on leases begin tomorrow, as all new ones do for a clock that is a day behind",
    "task-killed": "one task of a service on AWS is ended, once",
    "secret-missing": "Secrets Manager has no values for tasks that start",
    "vendor-certificate-expired": "the old vendor's certificates for its customers' names are past their end",
    "volume-lost": "the volumes of leases are lost, with the certificates on them",
    "nameserver-gone-": "the name server of this number, in the order of names at the registry, answers nothing",
    REUSED: "a stranger answers at the address of a name server, with a key of its own",
    FROZEN: "the registrar refuses changes of name servers, glue and keys",
}


def known(name: str) -> bool:
    """Return whether there is such a fault."""
    return any(name == each or (each.endswith("-") and name.startswith(each) and name != each) for each in FAULTS)
