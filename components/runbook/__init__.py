"""An operator's steps, made from the live plan: chapters, their Markdown, and their execution."""
