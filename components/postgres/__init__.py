"""PostgreSQL at two sites that share only stores: the agent, the archive, and the proofs that restores work."""
