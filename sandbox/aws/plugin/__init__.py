"""The `aws` plugin as the sandbox has it: the resource types that the workloads use, on the account next door."""
