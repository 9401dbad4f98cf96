"""Checks before an update, run concurrently, and their findings on one screen."""
