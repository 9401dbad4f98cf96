"""What a change of stack files does, and who approved it."""
