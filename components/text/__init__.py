"""Text from outside: the functions that it passes through before a person, a terminal or a page sees it."""
