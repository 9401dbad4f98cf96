"""The kind `postgres`: an application and its PostgreSQL, whose writer moves between two sites without loss."""
