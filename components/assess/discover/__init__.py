"""Drafts of the inventory from what can be seen: an AWS account, a DNS zone."""
