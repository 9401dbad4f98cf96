"""Route 53 as an authority: failover sets with health checks."""

from ...steps import Program
from .authority import Route53

AUTHORITY = Route53()
#: The authority of a stack file that names none.
DEFAULT = True
PROGRAMS = {
    "adopt": Program("dns.route53.adopt", "Replace what stands at a live host by our records in one change."),
    "exchange": Program("dns.route53.exchange", "Let primary and standby change places in one change."),
    "join": Program("dns.route53.join", "Give the standby of an adopted host its place, after it was given back."),
    "leave": Program("dns.route53.leave", "Put back what stood at an adopted host before its stack ends."),
}
