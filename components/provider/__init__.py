"""Plain Python resources behind Pulumi's provider protocol."""
