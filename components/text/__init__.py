"""Functions that text from outside passes through before a person, a terminal or a page receives it."""
