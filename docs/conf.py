"""Sphinx configuration."""

project = "hubbub"
copyright = "the hubbub developers"
extensions = ["sphinx.ext.autodoc"]
html_theme = "alabaster"
html_theme_options = {"description": "A message hub", "fixed_sidebar": True, "page_width": "1100px"}
exclude_patterns = ["_build"]
nitpicky = False
autodoc_member_order = "bysource"
man_pages = [
    ("command", "hubbub", "a message hub: every consumer has its own queue and its own threads", [], 1),
    ("settings", "hub.conf", "the configuration of hubbub", [], 5),
]
