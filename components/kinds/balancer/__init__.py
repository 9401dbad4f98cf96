"""The load balancer that the small services of a stack share."""
