"""Repositories: how they are mirrored, and how a machine of the kit reads them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from .repositories import Repository


def repository_file(repositories: Sequence[Repository]) -> str:
    """The configuration with which repositories of known URLs are mirrored."""
    return "\n".join(_section(each) for each in repositories if each.url)


def _section(each: Repository) -> str:
    lines = [f"[{each.name}]", f"name={each.name}", f"baseurl={each.url}", "enabled=1", "gpgcheck=0"]
    lines += [f"includepkgs={each.only}"] if each.only else []
    lines += [f"exclude={each.without}"] if each.without else []
    return "\n".join([*lines, ""])


def script(repositories: Sequence[Repository], major: int, packages: Path, configuration: Path) -> str:
    """The commands that mirror, for a machine that can read the repositories.

    Args:
        repositories: Which.
        major: The major version of their Enterprise Linux: from 8 on the metadata have to come along, because modules
            exist, and then nothing may be left out. Repositories of which a part is taken have no modules.
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
        sync = f'dnf {source}reposync --repoid={name} --download-path="$packages"'
        part = each.only or each.without
        return f'{sync} --newest-only\ncreaterepo_c "$packages"/{name}' if part else f"{sync} --download-metadata"
    sync = f'reposync {source}--repoid={name} --download_path="$packages" --downloadcomps --newest-only'
    # Packages may lie in a folder Packages of their own; createrepo reads those below, too.
    return f'{sync}\ncreaterepo "$packages"/{name}'
