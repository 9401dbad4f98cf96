"""Convert GitBook's synchronised repositories to MkDocs Material projects."""
