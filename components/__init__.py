"""unmoor: move a DAO's workloads between AWS and Akash, one line of a stack file at a time."""

__version__ = "0.1.0"

from . import recording

recording.begin()
