"""Probe sites from outside, and wait until resolvers forget old answers."""
