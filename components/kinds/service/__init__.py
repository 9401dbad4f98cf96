"""The kind `service`: a stateless container behind the web server that every container has."""
