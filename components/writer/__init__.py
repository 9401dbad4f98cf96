"""Who writes a workload's database, and how that moves to another site."""
