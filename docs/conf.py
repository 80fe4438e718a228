"""Sphinx configuration."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

project = "hubbub"
copyright = "the hubbub developers"
extensions = ["sphinx.ext.autodoc"]
html_theme = "alabaster"
html_theme_options = {"description": "A message hub", "fixed_sidebar": True, "page_width": "1100px"}
exclude_patterns = ["_build"]
nitpicky = False
PAGE = re.compile(r"([\w-]+)\.rst(#.*)?")
"""What a link to another page looks like: a forge follows it as it is."""
autodoc_member_order = "bysource"
man_pages = [
    ("command", "hubbub", "a message hub: every consumer has its own queue and its own threads", [], 1),
    ("settings", "hub.conf", "the configuration of hubbub", [], 5),
]


def setup(app: Sphinx) -> None:
    """Pages are plain reStructuredText, which a forge shows too, and link each other by file name."""
    app.connect("doctree-resolved", link_pages)
    app.connect("doctree-resolved", plain_in_a_manual_page)


def link_pages(app: Sphinx, tree: nodes.document, page: str) -> None:
    """``guide.rst`` becomes the place where this builder puts that page; a page that is not there is a warning."""
    for link in tree.findall(nodes.reference):
        if found := PAGE.fullmatch(link.get("refuri", "")):
            if found[1] in app.env.found_docs:
                link["refuri"] = app.builder.get_relative_uri(page, found[1]) + (found[2] or "")
                link["internal"] = True
            else:
                logging.getLogger(__name__).warning("no such page: %s", found[0], location=link)


def plain_in_a_manual_page(app: Sphinx, tree: nodes.document, page: str) -> None:
    """A manual page has no pictures, and no links to other pages but their names."""
    if app.builder.name == "man":
        for figure in list(tree.findall(nodes.figure)):
            figure.parent.remove(figure)
        for link in list(tree.findall(nodes.reference)):
            if link.get("internal"):
                link.parent.replace(link, nodes.strong("", link.astext()))
