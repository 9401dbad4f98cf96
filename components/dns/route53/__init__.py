"""Route 53 as an authority: failover sets with health checks."""

from ...steps import Program
from .authority import Route53

AUTHORITY = Route53()
PROGRAMS = {"exchange": Program("dns.route53.exchange", "Let primary and standby change places in one change.")}
