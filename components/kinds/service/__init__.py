"""The kind `service`: a container without state of its own, behind the web server that every container has."""
