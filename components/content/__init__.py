"""Move content in: import from a vendor, keep old addresses working, recognise generators."""
