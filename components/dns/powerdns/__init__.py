"""The zone for PowerDNS: plain rows, of which the ones of a public name change when its primary is down."""

from ...steps import Program
from .authority import PowerDns

AUTHORITY = PowerDns()
PROGRAMS = {
    "zone-entry": Program("dns.powerdns.publish", "Put records into the zone of own name servers, or take them out."),
    "zone-serves": Program("dns.powerdns.serves", "Wait until a name server of the stack's own answers its zone."),
}
