"""The engine and the tools of the sandbox: find them, build them, and run Python programs for the engine."""
