"""Dated prices, and where each comes from."""
