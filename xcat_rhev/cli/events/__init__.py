"""`xcat-rhev events`: what managers note, into nodelist.status and to a site's own programs."""

from .main import main

__all__ = ["main"]
