"""The certificate authority of a sandbox: Pebble, a front at a name on the internet, and its own view of sites."""
