"""What can be broken in a sandbox: every name, and the effect while it is broken."""

from __future__ import annotations

#: The account is locked, or closed: these two also take what AWS stores, where `aws-down` takes what it serves.
SUSPENDED, CLOSED = "aws-account-suspended", "aws-account-closed"
#: Faults of containers that are to start: their images cannot be pulled, or load balancers get no answer.
UNPULLED, NEVER_GREEN = "image-cannot-be-pulled", "health-never-green"
#: Faults of a zone's name servers, and of the registrar.
REUSED, FROZEN = "nameserver-address-reused", "registrar-frozen"
#: While one of these is on, AWS answers no visitor.
SILENT = ("aws-down", CLOSED)
#: The faults of `python -m sandbox break`, with parameters and their defaults. A name that ends in a dash needs a
#: suffix: the owner of an Akash provider, a store, or a number. A fault that strikes once acts at its start.
FAULTS = {
    "aws-down": "the edge and the AWS API answer nothing",
    SUSPENDED: "the AWS API and all buckets answer 403; the zone answers as it stands",
    CLOSED: "the AWS account's zone is refused, its buckets are gone, the API answers 403, and nothing is served",
    "dns-control-plane-down": "records cannot be changed; answers go on",
    "provider-gone-": "the Akash provider of this owner (or short name) disappears with its leases, which close after "
    'some seconds; it does not bid; reads that ask it take {"hold": 61.4} seconds first; once it is back, other '
    "tenants have the addresses of its leases",
    "no-bids": "no provider bids",
    "bid-too-dear": 'each provider asks {"factor": 10} times its price; above the ceiling it declines, as ever',
    "escrow-empty": "every open deployment runs out of funds, and closes; strikes once",
    "chain-halted": "nothing can be opened, changed or closed (503); leases run on",
    "api-429": 'the Console is busy: {"share": 0.5} of the calls are turned away with Retry-After',
    "api-timeout": 'the Console does what it is asked and never answers, the next {"times": n} changes (all); '
    'connections are cut after {"hold": seconds}',
    "store-gone-": "the store of this name is gone",
    "acme-down": "the certificate authority answers nothing",
    "acme-rate-limited": "the certificate authority issues no more this week",
    "challenge-blocked": "the edge passes no challenge on to the other site",
    "certificate-expired": 'the certificates on leases ended yesterday, or have {"days": N} left, and no new ones are '
    "issued; strikes once",
    "clock-skew": 'the certificates on leases begin in {"days": 1}, as all new ones do for a clock that is behind; '
    "strikes once, and its end gives good ones",
    "task-killed": "one task of a service on AWS is ended, once",
    UNPULLED: "registries answer nothing: no container of a new task or lease starts",
    NEVER_GREEN: "a load balancer on AWS gets no answer from tasks that it has not found healthy before",
    "secret-missing": "Secrets Manager has no values for tasks that start",
    "vendor-certificate-expired": "the old vendor's certificates for its customers' names are past their end",
    "volume-lost": "the volumes of leases are emptied, certificates included, and what stood on them starts again; "
    "strikes once",
    "nameserver-gone-": "the name server of this number, in the order of names at the registry, answers nothing; its "
    "lease stands",
    REUSED: 'a stranger answers at the address of the {"server": 1}st name server, with a key of its own',
    FROZEN: "the registrar refuses changes of name servers, glue and keys",
}
#: The faults that only tests start, with `State.start_fault`.
OF_TESTS = {
    "edge-slow": "distributions of CloudFront stay in progress, as they do for minutes at AWS",
    "provider-silent-": "a provider's gateway drops packets: no manifest is taken, no status shown, reads that ask "
    'it take {"hold": 61.4} seconds; what runs there goes on serving, and its leases stay',
    "read-lag": 'reads of the Console show what was opened {"seconds": 10} ago, and nothing newer',
    "list-lag": 'the list of deployments shows what was opened {"seconds": 60} ago; other reads show everything',
    "other-account": "the key is of another account, to which the deployments of this one do not exist",
    "reclaim": "providers that promised notice give it: their leases run on and take no manifest; strikes once",
    "chain-unread": "the Console reads its database instead of the chain: names and hashes are placeholders",
    "own-deposits": "the flag `auto_reload_fixed_threshold` is off: a deposit is demanded, and taken as it is given",
    "funding-always-on": "the Console of September 2026: every deployment is funded, and the setting is not read",
    "trial": "the wallet is a trial's",
}


def known(name: str) -> bool:
    """Return whether there is such a fault."""
    return any(name == each or (each.endswith("-") and name.startswith(each) and name != each) for each in FAULTS)
