"""The names that a stack's own name servers have in a plan. Apart from their settings: steps load no models."""

#: The workload that the servers are, and its kind. Site hosts of it are the names of the servers.
WORKLOAD, KIND = "ns", "nameserver"
