"""The load balancer that a stack has for all its small services."""
