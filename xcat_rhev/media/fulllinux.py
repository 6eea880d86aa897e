"""A full Enterprise Linux that Anaconda installs from a tree of packages: its kickstart, and the scripts of a node.

Only the embedded xcatd needs this: beside a Perl xCAT, that one installs such systems itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import NotFound, Usage
from .identify import NG_INITRD, NG_KERNEL
from .kickstart import kickstart
from .settings import BootSettings
from .store import Image

#: Where the node keeps its scripts, and what it was told about them.
FOLDER = "/opt/xcat-rhev"
#: Since then the packages of a medium are in two repositories, systemd starts what has to run, `install` is no command.
_SYSTEMD, _MODULAR = 7, 8
_OS = re.compile(r"(?P<family>[a-z-]+)(?P<version>(?P<major>\d+)(\.[\d.]+)?)")
_PACKAGE = re.compile(r"[@-]?[\w.+:^*/-]+")
_INCLUDED = re.compile(r"#INCLUDE:(.+)#")

TEMPLATE = """\
# Made for @@node@@ by nodeset. Edit the template, not this file.
text
@@install@@
lang en_US.UTF-8
keyboard us
timezone @@timezone@@
@@network@@
rootpw --iscrypted @@rootpw@@
firewall --enabled --ssh
selinux --enforcing
zerombr
@@disks@@
clearpart --all --initlabel
autopart
reboot

%packages
@core
@@packages@@
%end

# The node's scripts: postscripts now, postbootscripts after its first start.
%post --log=/root/xcat-rhev-post.log
@@scripts@@
%end

# Tells the management node, which lets it start from its disk then.
%post
sh /opt/xcat-rhev/run told '@@finish@@' || :
%end
"""

#: Run on the node. A script that lost its power is run again: a line of `first` is gone when its script has ended.
_RUN = """\
#!/bin/sh
# Runs the scripts of this node: `post` at the end of its installation, `first` after its first start; `told` tells the
# management node that it is installed.
cd /opt/xcat-rhev || exit 1
set -a
. ./environment
set +a
again() { # the management node may be away for some minutes
    tries=${XCAT_RHEV_TRIES:-30}
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep "${XCAT_RHEV_PAUSE:-10}"
    done
}
fetch() {
    mkdir -p "$(dirname "$1")"
    again curl --silent --show-error --fail -o "$1" "http://$NFSSERVER:$HTTPPORT/install/postscripts/$1"
}
run() {
    echo "$(date): $1"
    chmod 755 "${1%% *}"
    # Words are split on purpose; none has blanks.
    # shellcheck disable=SC2086
    ./$1 || echo "${1%% *} ended with $?"
}
case $1 in
post)
    while read -r file; do fetch "$file" || echo "$file was not fetched"; done < files
    while read -r line <&3; do run "$line"; done 3< post
    ;;
told)
    again curl --silent --show-error --fail --max-time 30 -o /dev/null "$2"
    ;;
first)
    [ -z "$OTHERPKGS" ] || again yum -y install $OTHERPKGS || exit 1
    while read -r line < first; do
        run "$line"
        sed -i 1d first
    done
    rm -f first
    ;;
esac
"""
_UNIT = """\
[Unit]
Description=Scripts of xCAT after the first start
ConditionPathExists=/opt/xcat-rhev/first
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh /opt/xcat-rhev/run first

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class LinuxParts:
    """What the tables say about the system of one node.

    Attributes:
        packages: Of the system itself.
        others: Of other repositories; installed after the first start.
        post: Command lines of its postscripts.
        first: Those of its postbootscripts.
        files: What these need, below the folder of postscripts.
        environment: What they are told.
    """

    packages: tuple[str, ...]
    others: tuple[str, ...]
    post: tuple[str, ...]
    first: tuple[str, ...]
    files: tuple[str, ...]
    environment: Mapping[str, str]


def linux_image(folder: Path, system: str, arch: str) -> Image:
    """A tree of packages as an image.

    Args:
        folder: Where it is.
        system: nodetype.os, such as `rocky9.4`.
        arch: Its architecture.

    Raises:
        Usage: The text is not a name with a version.
        NotFound: Nothing that boots is there.
    """
    found = _OS.fullmatch(system)
    if not found:
        raise Usage(f"osvers {system} has no version", "Write it as rocky9.4 or rhels8.6.0")
    for name in (NG_KERNEL, NG_INITRD):
        if not (folder / name).is_file():
            raise NotFound(
                f"{folder} has no {name}",
                f"Copy the whole medium there: mount -o loop,ro FILE.iso /mnt; cp -a /mnt/. {folder}",
            )
    family, version, linux = found["family"], found["version"], int(found["major"])
    return Image(folder, family, version, "", arch, True, system, "", NG_KERNEL, NG_INITRD, "", 0, "", linux=linux)


def linux_kickstart(
    template: str, settings: BootSettings, tree_url: str, timezone: str, image: Image, parts: LinuxParts
) -> str:
    """Write one node's kickstart.

    Args:
        template: Text with markers.
        settings: The node.
        tree_url: Where the packages are.
        timezone: Such as `Etc/UTC`.
        image: What is installed.
        parts: Its packages and scripts.

    Raises:
        Usage: The template has a marker that does not exist, or a value cannot be written in a kickstart.
    """
    more = {
        "install": "\n".join(_sources(image, tree_url)),
        "packages": "\n".join(parts.packages),
        "scripts": "\n".join(_scripts(image, parts)),
    }
    if image.linux < _SYSTEMD:
        settings = replace(settings, ntpservers=())  # its timezone command knows none
    return kickstart(template, settings, tree_url, timezone, image.linux, more)


def _sources(image: Image, tree_url: str) -> Iterator[str]:
    if image.linux < _MODULAR:
        yield "install"
    yield f"url --url={tree_url}"
    for name in ("BaseOS", "AppStream"):
        if (image.folder / name).is_dir():
            yield f"repo --name={name} --baseurl={tree_url}/{name}"


def _scripts(image: Image, parts: LinuxParts) -> Iterator[str]:
    yield f"mkdir -p -m 700 {FOLDER}"
    told = {**parts.environment, "OTHERPKGS": " ".join(parts.others)}
    yield from _file("environment", "\n".join(f"{name}={shlex.quote(value)}" for name, value in told.items()))
    for name, lines in (("files", parts.files), ("post", parts.post), ("first", parts.first)):
        yield from _file(name, "\n".join(lines))
    yield from _file("run", _RUN.rstrip("\n"))
    if image.linux < _SYSTEMD:
        yield f"echo 'test ! -e {FOLDER}/first || sh {FOLDER}/run first' >> /etc/rc.d/rc.local"
    else:
        yield from _file("/etc/systemd/system/xcat-rhev-first.service", _UNIT.rstrip("\n"))
        yield "systemctl enable xcat-rhev-first.service"
    yield f"sh {FOLDER}/run post"


def _file(name: str, text: str) -> Iterator[str]:
    yield f"cat > {name if name.startswith('/') else f'{FOLDER}/{name}'} <<'END-OF-FILE'"
    if text:
        yield text
    yield "END-OF-FILE"


def read_packages(paths: Iterable[str]) -> tuple[str, ...]:
    """The packages that xCAT's lists name, those that they include as well.

    Args:
        paths: The lists.

    Raises:
        NotFound: One of them cannot be read.
        Usage: A line is not the name of a package.
    """
    found: list[str] = []
    for path in filter(None, paths):
        try:
            lines = Path(path).read_text().splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise NotFound(
                f"cannot read the list of packages {path}: {problem}", "Correct linuximage.pkglist"
            ) from None
        for line in map(str.strip, lines):
            if included := _INCLUDED.fullmatch(line):
                found += read_packages([included[1]])
            elif line and not line.startswith("#"):
                found.append(_check_package(line, path))
    return tuple(dict.fromkeys(found))


def _check_package(line: str, path: str) -> str:
    if not _PACKAGE.fullmatch(line):
        raise Usage(f"{path}: '{line}' is not a name of a package")
    return line
