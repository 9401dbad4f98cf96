"""Building blocks of the halves that run on AWS."""
