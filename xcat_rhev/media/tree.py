"""What an Anaconda installer's medium says of itself, and the image that Anaconda goes on with."""

from __future__ import annotations

import configparser
import time

from ..errors import BadAnswer
from .medium import Medium

TREEINFO = ".treeinfo"
RHEL_7 = 7
_LIVE, _INSTALL = "LiveOS/squashfs.img", "images/install.img"


def treeinfo(medium: Medium, section: str = "general") -> dict[str, str]:
    """One section of `.treeinfo`; empty where there is none that can be read."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(medium.text(TREEINFO) or "")
    except configparser.Error:
        return {}
    return dict(parser.items(section)) if parser.has_section(section) else {}


def second_stage(medium: Medium, linux: int) -> tuple[str, str]:
    """Tell where Anaconda will fetch the image that it goes on with, and where that one is on the medium.

    With a `.treeinfo` that names it, there; RHEL 7's then looks nowhere else. Without, RHEL 7's fetches
    LiveOS/squashfs.img, those of RHEL 8 to 10 images/install.img and then that one (dracut/anaconda-netroot.sh and
    anaconda-lib.sh). oVirt's own media had no `.treeinfo` up to 4.3, and have had one that names no image since.

    Args:
        medium: The medium.
        linux: The major version of the RHEL that its Anaconda is of, or 0.

    Raises:
        BadAnswer: It would look in vain.
    """
    named = treeinfo(medium, "stage2").get("mainimage", "")
    first = named or ("" if linux == RHEL_7 else _INSTALL)
    tries = list(filter(None, (first, "" if named and linux == RHEL_7 else _LIVE)))
    there = next((path for path in tries if medium.find(path)), "")
    if there:
        return there, medium.find(there) or there
    other = medium.find(_INSTALL)
    if other and _LIVE in tries:
        return _LIVE, other
    raise BadAnswer(f"{medium.name} lacks {' and '.join(tries)}, which its installer needs", "Is it the whole image?")


def compose_time(medium: Medium) -> str:
    """The hour when the tree was made, such as `2019110413`; empty if `.treeinfo` and `.discinfo` do not tell."""
    first = (medium.text(".discinfo") or "").partition("\n")[0]
    for said in (treeinfo(medium).get("timestamp", ""), first):
        try:
            return time.strftime("%Y%m%d%H", time.gmtime(float(said)))
        except (ValueError, OverflowError, OSError):
            continue
    return ""
