"""What an operator does, step by step, made from the live plan: chapters, their Markdown, and their execution."""
