"""The kind `nameserver`: PowerDNS and its keeper, one server a site, for the zone of their own stack."""
