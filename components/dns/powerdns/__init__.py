"""The zone for PowerDNS: plain rows, of which the ones of a public name change when its primary is down."""
