"""The life of a lease: look, decide, act."""
