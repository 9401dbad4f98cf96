"""What operators write: models, files, and all faults in them at once."""
