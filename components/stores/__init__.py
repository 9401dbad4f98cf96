"""Object stores: what they keep of releases, and the record of who writes a workload."""
