"""The beginning of a project: what to ask, what can be found, and the files that the answers make."""
