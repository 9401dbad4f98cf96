"""A provider's monitor: a lease whose services lack replicas is closed after 7 to 8 minutes."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: A lease ends after more than this many consecutive checks that find a service short of replicas.
CHECKS = 40
CHECK_SECONDS, JITTER_SECONDS = 4.0, 15.0


@dataclass
class Monitor:
    """A provider's checks of one lease, which end it if its services stay short of replicas."""

    due: float = 0.0
    strikes: int = 0

    def failed(self, now: float, *, ready: bool) -> bool:
        """Check the lease when a check is due; return whether it is to be closed."""
        if now < self.due:
            return False
        self.due = now + CHECK_SECONDS + random.uniform(0, JITTER_SECONDS)
        self.strikes = 0 if ready else self.strikes + 1
        return self.strikes > CHECKS
