"""What attacks share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can get to; pytest's own are root's."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)
