"""The generated part of the site: a page for every attack and rule, made of what the catalogues and docstrings say."""
