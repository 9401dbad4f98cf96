"""The kind `nameserver`: PowerDNS and its keeper, one server for each site, for the zone of their own stack."""
