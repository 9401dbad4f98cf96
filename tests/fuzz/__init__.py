"""Inputs that are made up, for every door through which text from outside comes: no traceback, no flood, no wait."""
