"""The web pages: HTML routes, templates, static files, words in English and German."""
