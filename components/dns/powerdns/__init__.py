"""The authority PowerDNS: a zone of plain rows. Those of a public name change when its primary is down."""

from ...steps import Program
from .authority import PowerDns

AUTHORITY = PowerDns()
PROGRAMS = {
    "zone-entry": Program("dns.powerdns.publish", "Add records to the zone of own name servers, or remove them."),
    "zone-serves": Program("dns.powerdns.serves", "Wait until a name server of the stack's own answers its zone."),
}
