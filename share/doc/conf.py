"""How Sphinx makes HTML of the manual; share/doc/build runs it."""

import re
from pathlib import Path

project = "xcat-rhev"
author = "the contributors of xcat-rhev"
copyright = author  # noqa: A001 - Sphinx's name
_package = Path(__file__).resolve().parents[2] / "xcat_rhev/__init__.py"
release = version = re.findall(r'__version__ = "(.*)"', _package.read_text())[0]

extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"xcat-rhev {release}"
html_copy_source = False
exclude_patterns = ["html"]
