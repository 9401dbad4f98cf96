"""Two sites of one PostgreSQL on this machine, with real stores of two makes: what demos and tests hurt."""
