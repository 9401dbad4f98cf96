"""The figures of the project's goals, measured; never asserted in tests."""
