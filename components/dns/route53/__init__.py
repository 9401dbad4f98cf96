"""Route 53 as an authority: failover sets with health checks."""

from .authority import Route53

AUTHORITY = Route53()
