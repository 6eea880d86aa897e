"""What tests share is checked as strictly as the product, by the names of its files."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python reads TOML since 3.11")
def test_every_helper_that_mypy_is_told_of_is_there():
    import tomllib

    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())
    strict = {
        name for each in settings["tool"]["mypy"]["overrides"] if "strict_optional" in each for name in each["module"]
    }
    helpers = {path.stem for path in TESTS.rglob("*.py") if not path.name.startswith("test_")}
    assert strict - helpers == {"xcat_rhev.*"}
