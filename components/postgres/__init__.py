"""PostgreSQL at two sites that meet only in stores: its agent, its archive, and the proofs that it can be restored."""
