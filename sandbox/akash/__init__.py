"""An Akash as a client of the Console API sees it: market, escrow, leases that run, and things that break."""
