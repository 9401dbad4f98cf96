"""The report: one document as plain data, written as a page, Markdown, JSON, CSV, and tables on a terminal."""
