"""An Akash as a client of the Console API sees it: market, escrow, leases that run, and things that break.

What it cannot prove: that an image exists or runs (leases are processes of this machine, with the tools that the
table in `images` gives an image); that real providers bid, at these prices, in this time; that the live API has not
moved on. It differs from the network where noted: an escrow is found empty at once and not hours later, one replica
answers for all, leased ports carry TCP only, the ingress passes no WebSockets, and providers have no gateway of their
own (no logs, no shell): every question of Console about one gets an answer.
"""
