"""The beginning of a project: what has to be asked, what can be found, and the files that the answers make."""
