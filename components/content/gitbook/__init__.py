"""GitBook's synchronised repositories, as MkDocs Material projects."""
