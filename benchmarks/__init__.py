"""The figures that the project wants to reach, measured; never asserted in tests."""
