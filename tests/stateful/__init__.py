"""Two sites with real PostgreSQL and pgBackRest, and object stores of two makes: no acknowledged row is lost."""
