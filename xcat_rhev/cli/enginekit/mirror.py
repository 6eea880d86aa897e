"""Repositories: how they are mirrored, and how a machine of the kit reads them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from .releases import Repository


def repository_file(repositories: Sequence[Repository]) -> str:
    """The configuration with which repositories of known URLs are mirrored."""
    sections = [
        f"[{each.name}]\nname={each.name}\nbaseurl={each.url}\nenabled=1\ngpgcheck=0\n"
        for each in repositories
        if each.url
    ]
    return "\n".join(sections)


def script(repositories: Sequence[Repository], major: int, packages: Path, configuration: Path) -> str:
    """The commands that mirror, for a machine that can read the repositories.

    Args:
        repositories: Which.
        major: The major version of their Enterprise Linux: from 8 on the metadata have to come along, because modules
            exist, and then nothing may be left out.
        packages: The folder of the mirrors; each repository becomes a folder of its name.
        configuration: Where `repository_file` stands.
    """
    lines = [
        "#!/bin/sh -e",
        "# Mirrors the repositories of this kit. Repositories without an URL need a subscription that has them; run it",
        f"# on such a machine of Enterprise Linux {major}, and bring the folder to the management node.",
        f"packages=${{1:-{shlex.quote(str(packages))}}}",
        f"configuration=${{2:-{shlex.quote(str(configuration))}}}",
        'mkdir -p "$packages"',
    ]
    return "\n".join([*lines, *(_command(each, major) for each in repositories), ""])


def _command(each: Repository, major: int) -> str:
    source = '-c "$configuration" ' if each.url else ""
    name = shlex.quote(each.name)
    if major >= 8:
        return f'dnf {source}reposync --repoid={name} --download-path="$packages" --download-metadata'
    sync = f'reposync {source}--repoid={name} --download_path="$packages" --downloadcomps --newest-only'
    # Packages may lie in a folder Packages of their own; createrepo reads those below, too.
    return f'{sync}\ncreaterepo "$packages"/{name}'
