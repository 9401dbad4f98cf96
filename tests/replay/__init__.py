"""Recordings of `unmoor record`, played against our client, and the stand-ins held to them."""
