"""The manual speaks of what there is: messages, settings, files and pages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import pages
from xcat_rhev.cli.overview import SECTIONS

ALL = [pages.TOP / "README.md", *sorted(pages.DOC.glob("*.md"))]


@cache
def source() -> str:
    """The product's own text, where what is written on several lines is one."""
    files = [*(pages.TOP / "xcat_rhev").rglob("*.py"), *(pages.TOP / "share/systemd").iterdir()]
    return re.sub(r'"\s*\n\s*f?"', "", "".join(file.read_text() for file in files))


def messages() -> list[str]:
    """What the first column of troubleshooting.md quotes."""
    text = (pages.DOC / "troubleshooting.md").read_text()
    return [quoted for quoted in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)]


@pytest.mark.parametrize("message", messages())
def test_a_message_that_is_explained_is_one_of_ours(message: str) -> None:
    assert message in source()


def test_every_site_key_is_explained() -> None:
    text = (pages.DOC / "settings.md").read_text()
    assert not [key for key in SECTIONS["SITE TABLE"] if f"| `{key}`" not in text and f"`{key}`" not in text]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_page_stands_in_the_contents() -> None:
    contents = (pages.DOC / "index.md").read_text().splitlines()
    assert {page.stem for page in pages.DOC.glob("*.md")} - {"index"} <= set(contents)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_files_that_a_page_names_exist(page: Path) -> None:
    for path in re.findall(r"`((?:share|tests|policy|cgi-bin|xcat_rhev)/[a-z_A-Z/.-]+)`?", page.read_text()):
        assert (pages.TOP / path).exists(), path
