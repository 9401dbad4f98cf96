"""The certificate authority of a sandbox: Pebble, a name on the internet in front of it, and its own way to look."""
