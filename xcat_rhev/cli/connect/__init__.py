"""`xcat-rhev connect ENGINE`: from an engine's name to a command line that works, in one command."""

from .main import main

__all__ = ["main"]
