"""The engine and the tools of the sandbox: finding them, building them, and running Python programs for the engine."""
