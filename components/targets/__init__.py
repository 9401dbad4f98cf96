"""One folder a target: building blocks, resources, clients."""
