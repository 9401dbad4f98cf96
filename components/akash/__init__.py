"""Everything Akash: reading documents, renting, and the resource that keeps a deployment."""
