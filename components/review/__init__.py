"""What a change of stack files does, and who agreed to it."""
