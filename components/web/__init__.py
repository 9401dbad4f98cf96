"""How visitors reach a site: HTTP, headers, the web server of containers."""
