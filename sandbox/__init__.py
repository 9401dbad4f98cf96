"""An AWS, an Akash and an internet on this machine, for trying and testing; `components` knows nothing of it."""
