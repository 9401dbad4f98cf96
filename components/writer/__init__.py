"""The writer of a workload's database, and how it moves to another site."""
