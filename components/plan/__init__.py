"""Configuration in, topology out: pure."""
