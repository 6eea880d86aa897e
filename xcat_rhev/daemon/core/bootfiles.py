"""The files that boot loaders fetch: what they are called and what is in them, for pxe (pxelinux), xnba and grub2."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import NotFound, Usage
from ...files import write_whole
from ..host import BootParams

#: What stands for this server's address in kernel arguments.
MYSELF = "!myipfn!"
#: noderes.netboot -> how GRUB fetches files.
_PROTOCOLS = {"grub2": "tftp", "grub2-tftp": "tftp", "grub2-http": "http"}
#: What noderes.netboot may be.
LOADERS = f"xnba, pxe, {', '.join(list(_PROTOCOLS)[:-1])} or {list(_PROTOCOLS)[-1]}"
#: The head of a kernel that firmware can start by itself.
EFI_KERNEL = bytes.fromhex("504500006486")


@dataclass(frozen=True)
class Boot:
    """What one node's boot loader should do.

    Attributes:
        node: Its name.
        state: chain.currstate, which is in the file as a comment and is what `nodeset stat` reads.
        tftpdir: The directory that the boot loader sees.
        server: The address of this host as the node sees it; replaces MYSELF.
        port: Of the web server, `:8080` or empty for 80.
        params: What to boot; None for the local disk.
        addresses: The node's IP addresses.
        mac: Its MAC address with colons, or empty.
        arch: Its architecture.
        netboot: noderes.netboot, which for grub2 also names the protocol.
        iscsi: It boots from an iSCSI disk.
        files: The address of the host from which GRUB gets kernel and initrd.
    """

    node: str
    state: str
    tftpdir: Path
    server: str
    port: str = ""
    params: BootParams | None = None
    addresses: Sequence[str] = ()
    mac: str = ""
    arch: str = ""
    netboot: str = ""
    iscsi: bool = False
    files: str = ""


def write(module: str, boot: Boot) -> None:
    """Write a node's files, or remove them when it goes offline; those for other boot loaders go in any case, lest one
    that was served before starts what was wanted then.

    Args:
        module: `pxe`, `xnba` or `grub2`.
        boot: What to write.

    Raises:
        NotFound: The boot loader itself is missing.
        OSError: A file cannot be written.
    """
    for other in _LOADERS.keys() - {module}:
        _remove_all(other, boot)
    if boot.state == "offline":
        _remove_all(module, boot)
    else:
        _LOADERS[module].write(boot)


def state(module: str, tftpdir: Path, node: str) -> str:
    """Read back what a node's file says it does: the comment in its first line (xnba: its second)."""
    number, missing = {"pxe": (0, "boot"), "xnba": (1, "offline"), "grub2": (0, "offline")}[module]
    try:
        with open(folder(module, tftpdir) / node, encoding="utf-8", errors="replace") as file:
            lines = [file.readline() for _ in range(number + 1)]
    except OSError:
        return missing
    return lines[number].strip().removeprefix("#")


def folder(module: str, tftpdir: Path) -> Path:
    """Where a boot loader looks for files of nodes."""
    return tftpdir / {"pxe": "pxelinux.cfg", "xnba": "xcat/xnba/nodes", "grub2": "boot/grub2"}[module]


def _pxe(boot: Boot) -> None:
    place = folder("pxe", boot.tftpdir)
    lines = [f"#{boot.state}", "DEFAULT xCAT", "LABEL xCAT"]
    if boot.params:
        lines += [f" KERNEL {boot.params.kernel}", f" APPEND initrd={boot.params.initrd} {_arguments(boot)}"]
        lines.append("  IPAPPEND 2")
    else:
        lines.append("LOCALBOOT 0")
    _put(place / boot.node, lines)
    for link in _pxe_links(boot):
        _symlink(place / link, boot.node)


def _pxe_links(boot: Boot) -> list[str]:
    return [_hexadecimal(address) for address in _ipv4(boot.addresses)]


def _xnba(boot: Boot) -> None:
    place = folder("xnba", boot.tftpdir)
    others = _xnba_more(boot)
    head = ["#!gpxe", f"#{boot.state}"]
    if boot.params is None:
        _put(place / boot.node, [*head, "hdboot" if boot.iscsi else "exit"])
        _put(place / others[1], [*head, "exit"])
        _remove(place, [others[0], others[2]])
        return
    _put(place / boot.node, [*head, *_gpxe(boot, boot.params, "")])
    _xnba_uefi(place, boot, boot.params)


def _xnba_more(boot: Boot) -> list[str]:
    return [f"{boot.node}.{kind}" for kind in ("pxelinux", "uefi", "elilo")]


def _xnba_uefi(place: Path, boot: Boot, params: BootParams) -> None:
    """The same for UEFI: the kernel itself if it can start there, else by elilo."""
    if _starts_in_efi(boot.tftpdir / params.kernel):
        _put(place / f"{boot.node}.uefi", ["#!gpxe", *_gpxe(boot, params, " initrd=initrd")])
        _remove(place, [f"{boot.node}.elilo"])
        return
    files = f"http://${{next-server}}{boot.port}/tftpboot"
    _put(
        place / f"{boot.node}.uefi",
        [
            "#!gpxe",
            f"chain {files}/xcat/elilo-x64.efi -C /tftpboot/xcat/xnba/nodes/{boot.node}.elilo",
        ],
    )
    _put(
        place / f"{boot.node}.elilo",
        [
            'default="xCAT"',
            "delay=0",
            "",
            f"image=/tftpboot/{params.kernel}",
            '   label="xCAT"',
            f"   initrd=/tftpboot/{params.initrd}",
            f'   append="{params.kcmdline.replace(MYSELF, "%N")} BOOTIF=%B"',
        ],
    )


def _gpxe(boot: Boot, params: BootParams, more: str) -> list[str]:
    files = f"http://${{next-server}}{boot.port}/tftpboot"
    arguments = params.kcmdline.replace(MYSELF, "${next-server}")
    return [
        f"imgfetch -n kernel {files}/{params.kernel}",
        "imgload kernel",
        f"imgargs kernel {arguments} BOOTIF=01-${{netX/mac:hexhyp}}{more}",
        f"imgfetch -n initrd {files}/{params.initrd}",
        "imgexec kernel",
    ]


def _grub2(boot: Boot) -> None:
    place = folder("grub2", boot.tftpdir)
    if boot.netboot not in _PROTOCOLS:
        problem = f"Invalid netboot method, please check noderes.netboot for {boot.node}"
        raise Usage(problem, f"Set it to {LOADERS}")
    entry = _grub2_entry(boot, boot.params) if boot.params else ["exit"]
    links = _grub2_links(boot)
    former = _former_names(place / boot.node, links)
    _put(place / boot.node, [f"#{boot.state}", "set timeout=5", *entry])
    _remove(place, former)
    for link in links:
        _hardlink(place / boot.node, place / link)
    loader = "grub2." + ("ppc" if boot.arch.startswith("ppc64") else boot.arch)
    if boot.params is None:
        _remove(place, [f"grub2-{boot.node}"])
    else:
        _symlink(place / f"grub2-{boot.node}", loader)
        if not (place / loader).exists():
            raise NotFound(f'Stop grub2 configuration for this node, "{place / loader}" does not exits.')


def _former_names(file: Path, links: Sequence[str]) -> list[str]:
    """The names that a file had before, of addresses that are not its node's any more."""
    try:
        known = file.stat()
    except OSError:
        return []
    if known.st_nlink == 1 + sum(_is_same(file.parent / link, file) for link in links):
        return []
    with os.scandir(file.parent) as others:
        its = [other.name for other in others if other.inode() == known.st_ino]
    return [name for name in its if name not in (file.name, *links)]


def _grub2_links(boot: Boot) -> list[str]:
    links = [f"grub.cfg-{_hexadecimal(address)}" for address in _ipv4(boot.addresses)]
    return [*links, f"grub.cfg-01-{boot.mac.lower().replace(':', '-')}"] if boot.mac else links


def _grub2_entry(boot: Boot, params: BootParams) -> Iterator[str]:
    protocol = _PROTOCOLS[boot.netboot]
    efi = "efi" if boot.arch.startswith("x86") else ""
    root = "/tftpboot" if protocol == "http" else ""  # as the web server offers tftpdir, for xnba too
    if efi:  # GRUB in BIOS mode, and its own releases since 2.12, know no other names than linux and initrd
        yield from (f'function {name}efi {{ {name} "$@"; }}' for name in ("linux", "initrd"))
    yield 'set default="xCAT OS Deployment"'
    yield 'menuentry "xCAT OS Deployment" {'
    yield "    insmod http"
    yield "    insmod tftp"
    yield f"    set root={protocol},{boot.files}{boot.port if protocol == 'http' else ''}"
    yield "    echo Loading Install kernel ..."
    yield f"    linux{efi} {root}/{params.kernel} {_arguments(boot)} BOOTIF=$net_default_mac"
    yield "    echo Loading initial ramdisk ..."
    yield f"    initrd{efi} {root}/{params.initrd}"
    yield "}"


def _arguments(boot: Boot) -> str:
    assert boot.params is not None
    return boot.params.kcmdline.replace(MYSELF, boot.server)


def _starts_in_efi(kernel: Path) -> bool:
    try:
        with open(kernel, "rb") as file:
            return EFI_KERNEL in file.read(512)
    except OSError:
        return False


def _ipv4(addresses: Sequence[str]) -> Iterator[ipaddress.IPv4Address]:
    for address in addresses:
        found = ipaddress.ip_address(address)
        if isinstance(found, ipaddress.IPv4Address):
            yield found


def _hexadecimal(address: ipaddress.IPv4Address) -> str:
    return f"{int(address):08X}"


def _put(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def _symlink(path: Path, target: str) -> None:
    """Make or replace a symbolic link without a moment in which there is none."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".link.") as folder:
        fresh = os.path.join(folder, "link")
        os.symlink(target, fresh)
        os.replace(fresh, path)


def _hardlink(path: Path, link: Path) -> None:
    """Make or replace a second name of a file; some firmware's TFTP does not follow symbolic links."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".link.") as folder:
        fresh = os.path.join(folder, "link")
        os.link(path, fresh)
        os.replace(fresh, link)


def _remove(place: Path, names: Sequence[str]) -> None:
    for name in names:
        (place / name).unlink(missing_ok=True)


def _remove_all(module: str, boot: Boot) -> None:
    """Remove what a boot loader finds of a node. A link by address may be another node's by now: that one stays."""
    place, loader = folder(module, boot.tftpdir), _LOADERS[module]
    own, links = place / boot.node, loader.links(boot)
    _remove(place, [name for name in links if _is_same(place / name, own)] + _former_names(own, links))
    _remove(place, [boot.node, *loader.more(boot)])


def _is_same(link: Path, file: Path) -> bool:
    try:
        return os.readlink(link) == file.name if link.is_symlink() else link.samefile(file)
    except OSError:
        return False


class _Loader(NamedTuple):
    """What there is to know of a boot loader.

    Attributes:
        write: Writes a node's files.
        links: Further names of the node's file, by its addresses.
        more: Further files of the node.
    """

    write: Callable[[Boot], None]
    links: Callable[[Boot], list[str]]
    more: Callable[[Boot], list[str]]


_LOADERS = {
    "pxe": _Loader(_pxe, _pxe_links, lambda _: []),
    "xnba": _Loader(_xnba, lambda _: [], _xnba_more),
    "grub2": _Loader(_grub2, _grub2_links, lambda boot: [f"grub2-{boot.node}"]),
}
