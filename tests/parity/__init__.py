"""Request every address of a site on both halves, and report differences between them and from the contract."""
