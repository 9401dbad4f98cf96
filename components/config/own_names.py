"""The names of a stack's own name servers in a plan. They are apart from the settings, because steps load no models."""

#: The workload of the servers, and its kind. Its site hosts are the names of the servers.
WORKLOAD, KIND = "ns", "nameserver"
#: The kind, and so the name, of the load balancer that small services of a stack share.
BALANCER = "balancer"
