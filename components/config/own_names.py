"""Names in a plan of workloads that no stack file names. Apart from their settings: steps load no models."""

#: The workload that a stack's own name servers are, and its kind. Site hosts of it are the names of the servers.
WORKLOAD, KIND = "ns", "nameserver"
#: The kind, and so the name, of the load balancer that small services of a stack share.
BALANCER = "balancer"
