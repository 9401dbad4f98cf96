"""Two sites with real PostgreSQL and pgBackRest, and object stores of two makes; what is acknowledged is never lost."""
