"""Ask sites from outside, and wait out what resolvers remember."""
