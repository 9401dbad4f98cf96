"""An Akash as a client of the Console API sees it: market, escrow, running leases, and faults.

It cannot prove that an image exists or runs (leases are processes of this machine, with the tools that the table in
`images` gives an image); that real providers bid, at these prices, in this time; or that the live API has not changed.
It differs from the network as follows: an escrow is found empty at once and not hours later, one replica answers for
all, leased ports carry TCP only, the ingress passes no WebSockets, and providers have no gateway of their own (no logs,
no shell): Console answers every question about one.
"""
