"""The sandbox's `aws` plugin: the resource types that the workloads use, on the sandbox's account."""
