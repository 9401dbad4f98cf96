"""A CloudFront control plane that keeps each document as it was sent: moto has a seventh of one, and forgets parts."""
