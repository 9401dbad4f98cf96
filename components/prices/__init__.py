"""Dated prices, each with its source."""
