project = "DAO"
extensions = ["sphinx.ext.todo"]
html_theme = "furo"
html_copy_source = True
