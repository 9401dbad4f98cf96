"""The internet of the sandbox: names, health checks, edge and proxy in one process (`python -m sandbox.net`)."""
