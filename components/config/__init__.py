"""What operators write: models, files, and every fault in them at once."""
