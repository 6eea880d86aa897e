"""Lets `python -m xcat_rhev.cli` stand for `xcat-rhev`."""

import sys

from .main import main

sys.exit(main())
