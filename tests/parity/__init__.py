"""Asks every address of a site on both halves, and tells every difference between them and from the contract."""
