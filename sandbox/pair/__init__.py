"""Two sites of one PostgreSQL on this machine, with real stores of two makes, for demos and tests of faults."""
