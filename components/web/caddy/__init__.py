"""The web server of every container: stock Caddy in front of a folder or of an application, with certificates."""
