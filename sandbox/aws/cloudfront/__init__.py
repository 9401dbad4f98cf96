"""A CloudFront control plane that stores each document as sent; moto's covers a seventh of it, and drops parts."""
