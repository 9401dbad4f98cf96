"""Object stores that keep releases."""
