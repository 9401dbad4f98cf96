"""Akash documents (SDL): read, check, hash, price, overlay. Pure."""
