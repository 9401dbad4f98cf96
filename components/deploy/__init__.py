"""A topology as Pulumi resources."""
