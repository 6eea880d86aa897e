"""Kickstarts for RHVH and oVirt Node NG, which Anaconda installs from one file system image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import NotFound, Usage
from .copying import write_all, write_error
from .identify import Release
from .initrd import replace_file
from .networks import Address
from .settings import BootSettings

#: What fetches a page on a node that is being installed.
_FETCH = """\
fetch() { # URL [CA]: by what is there; the other side may be away for some minutes
    tries=${XCAT_RHEV_TRIES:-30}
    until fetch_once "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep "${XCAT_RHEV_PAUSE:-10}"
    done
}
fetch_once() {
    if command -v curl >/dev/null; then
        curl --silent --show-error --fail --max-time 30 ${2:+--cacert "$2"} "$1"
    else
        wget -q -O - --tries=1 --timeout=30 ${2:+--ca-certificate="$2"} "$1"
    fi
}"""

#: Markers are `@@word@@`: neither the shell, nor Anaconda, nor a password hash has such.
TEMPLATE = f"""\
# Made for @@node@@ by nodeset. Edit the template, not this file.
text
lang en_US.UTF-8
keyboard us
timezone @@timezone@@
@@network@@
rootpw --iscrypted @@rootpw@@
liveimg --url=@@payload@@
zerombr
@@disks@@
clearpart --all --initlabel
# imgbased keeps its layers in thin volumes.
autopart --type=thinp
reboot

# Lays out the layers that later updates need; nothing may change the system before it.
%post --erroronfail
if command -v nodectl >/dev/null; then nodectl init; else imgbase layout --init; fi
%end

# What a site adds goes here. A failure ends the installation only where --erroronfail stands.
%post
@@ssh_key@@
%end

# Tells the management node; whether it listens or not, the node is installed.
%post
{_FETCH}
fetch '@@finish@@' >/dev/null || :
%end
"""
_MARKER = re.compile(r"@@(\w+)@@")
_KEY = re.compile(r"(ssh|ecdsa)-[a-z0-9@.-]+ AAAA[A-Za-z0-9+/=]+( [^'\n]*)?")
#: Where an engine offers the key that it logs in to hosts with.
_KEY_PATH = "/ovirt-engine/services/pki-resource?resource=engine-certificate&format=OPENSSH-PUBKEY"
_TIMESOURCE_SINCE = 9
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+/[A-Za-z0-9._~/?=&:%@+-]*")


def template_path(installdir: str, release: Release, profile: str) -> Path:
    """Where xCAT looks for a site's own template of this system."""
    name = f"{profile}.{release.distname}.{release.arch}.tmpl"
    return Path(installdir, "custom", "install", release.family, name)


def write_template(path: Path) -> None:
    """Write the template, unless there is one already.

    Raises:
        Conflict: It cannot be written.
    """
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise write_error(path, problem) from problem
    with replace_file(path) as out:
        write_all(out, TEMPLATE.encode())


def read_template(path: str, osimage: str, usual: str = TEMPLATE) -> str:
    """Read an osimage's template; without one it is the usual.

    Raises:
        NotFound: There is none.
    """
    try:
        return Path(path).read_text() if path else usual
    except (OSError, UnicodeDecodeError) as problem:
        raise NotFound(
            f"cannot read the template {path} of {osimage}: {problem}", "Run copycds again, or set linuximage.template"
        ) from problem


def kickstart(
    template: str,
    settings: BootSettings,
    payload_url: str,
    timezone: str,
    linux: int = 0,
    more: Mapping[str, str] | None = None,
) -> str:
    """Write one node's kickstart.

    Args:
        template: Text with markers.
        settings: The node.
        payload_url: Where the file system image is, or the packages are.
        timezone: Such as `Etc/UTC`.
        linux: The RHEL that its Anaconda is of; 0 if that is not known.
        more: Values of markers that only this template has.

    Raises:
        Usage: The template has a marker that does not exist, or a value cannot be written in a kickstart.
    """
    for url in (payload_url, settings.finish_url):
        if not _URL.fullmatch(url):
            raise Usage(f"{settings.node}: '{url}' cannot be written in a kickstart")
    values = {
        "node": settings.node,
        "timezone": _timezone(settings, timezone, linux),
        "network": _network(settings),
        "rootpw": settings.root_password.reveal(),
        "payload": payload_url,
        "disks": _disks(settings),
        "ssh_key": _authorize(settings),
        "finish": settings.finish_url,
        **(more or {}),
    }
    return _MARKER.sub(lambda marker: _value(values, marker[1]), template)


def _value(values: Mapping[str, str], marker: str) -> str:
    if marker not in values:
        raise Usage(f"the kickstart template has @@{marker}@@, which is not one of: {', '.join(sorted(values))}")
    return values[marker]


def _network(settings: BootSettings) -> str:
    card = settings.card
    words = ["network", "--onboot=yes", "--activate", f"--device={card.nic}"]
    if card.bond:
        words.append(f"--bondslaves={','.join(card.bond.slaves)}")
        words += [f"--bondopts={','.join(card.bond.options)}"] if card.bond.options else []
    words += [f"--vlanid={card.vlan}"] if card.vlan else []
    words += _addresses(settings.addresses)
    words += [f"--nameserver={','.join(settings.nameservers)}"] if settings.nameservers else []
    words += [f"--hostname={_word(settings.hostname, settings.node)}"] if settings.hostname else []
    return " ".join(_word(word, settings.node) for word in words)


def _addresses(addresses: tuple[Address, ...]) -> Iterator[str]:
    if not addresses:
        yield "--bootproto=dhcp"
    elif addresses[0].is_6:
        yield "--noipv4"
    for address in addresses:
        if address.is_6:
            yield f"--ipv6={address.ip}/{address.netmask}"
        else:
            yield from ("--bootproto=static", f"--ip={address.ip}", f"--netmask={address.netmask}")
        if address.gateway:
            yield f"--{'ipv6gateway' if address.is_6 else 'gateway'}={address.gateway}"


def _disks(settings: BootSettings) -> str:
    """What live images read as `storage_init=/dev/sda,/dev/sdb` keeps Anaconda off all other disks."""
    words = [word for word in settings.extra if word.startswith("storage_init=")]
    if not words:
        return "# All disks are taken; storage_init=/dev/sda in addkcmdline would keep the others."
    disks = re.split("[,;]", words[-1].partition("=")[2])
    for disk in disks:
        if not re.fullmatch(r"/dev/[A-Za-z0-9_./:+-]+", disk):
            raise Usage(
                f"{settings.node}: '{words[-1]}': Anaconda takes disks by their path only",
                "Write storage_init=/dev/sda",
            )
    return "ignoredisk --only-use=" + ",".join(disk[len("/dev/") :] for disk in disks)


def _timezone(settings: BootSettings, timezone: str, linux: int) -> str:
    """The zone and where the time comes from: a command of its own since RHEL 9, the only way in RHEL 10."""
    zone = f"{_word(timezone, 'site.timezone')} --utc"
    servers = [_word(server, "ntpservers") for server in settings.ntpservers]
    if linux >= _TIMESOURCE_SINCE:
        return "\n".join([zone, *(f"timesource --ntp-server={server}" for server in servers)])
    return f"{zone} --ntpservers={','.join(servers)}" if servers else zone


def _authorize(settings: BootSettings) -> str:
    """Let the manager in, which is how it adds the host: by its key, if that is known, else fetched by the node."""
    if settings.ssh_key:
        if not _KEY.fullmatch(settings.ssh_key):
            raise Usage(f"the public key of {settings.manager} is not an SSH key")
        get = [f"echo '{settings.ssh_key}' >> /root/.ssh/authorized_keys"]
    elif settings.manager_ca:
        url = f"https://{_word(settings.manager, 'hypervisor.mgr')}{_KEY_PATH}"
        get = [_FETCH, f"key=$(fetch '{url}' /root/manager-ca.crt) && echo \"$key\" >> /root/.ssh/authorized_keys"]
    else:
        return ": the manager's key is not known"
    return "\n".join(
        [
            *([] if settings.ssh_key else ["cat > /root/manager-ca.crt <<'END'", settings.manager_ca, "END"]),
            "mkdir -p -m 700 /root/.ssh",
            *get,
            "chmod 600 /root/.ssh/authorized_keys",
            "restorecon -R /root/.ssh 2>/dev/null || :",
        ]
    )


def _word(text: str, whose: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._/:=,+-]+", text):
        raise Usage(f"{whose}: '{text}' cannot be written in a kickstart")
    return text
