"""The demo: from a RHEV-H ISO to an installed hypervisor and running machines, on this machine only."""

from .main import main

__all__ = ["main"]
