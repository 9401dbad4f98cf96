"""Route 53 as an authority."""
