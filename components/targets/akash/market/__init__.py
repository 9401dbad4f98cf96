"""The life of a lease: observe, decide, act."""
