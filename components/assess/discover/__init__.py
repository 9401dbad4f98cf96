"""Drafts of the inventory from what can be observed: an AWS account, a DNS zone."""
