"""Ways to the Akash market."""
