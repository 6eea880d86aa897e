"""The boot loaders themselves: where distributions have them; those that are missing are put where machines look."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ...files import write_whole

_SYSLINUX = ("/usr/lib/PXELINUX", "/usr/lib/syslinux/modules/bios", "/usr/share/syslinux", "/usr/lib/syslinux")
_IPXE = ("/usr/lib/ipxe", "/usr/share/ipxe", "/usr/lib/ipxe/qemu")
#: File below tftpdir -> its folders and names in Debian and EL, the best first; and the packages of both.
_FILES = {
    "pxelinux.0": (_SYSLINUX, ("pxelinux.0",), "pxelinux, or syslinux-nonlinux"),
    "ldlinux.c32": (_SYSLINUX, ("ldlinux.c32",), "syslinux-common, or syslinux-nonlinux"),
    "xcat/xnba.kpxe": (_IPXE, ("undionly.kpxe",), "ipxe, or ipxe-bootimgs-x86"),
    "xcat/xnba.efi": (_IPXE, ("snponly.efi", "ipxe-snponly-x86_64.efi", "ipxe.efi"), "ipxe, or ipxe-bootimgs-x86"),
}
#: GRUB's image below tftpdir -> its platform; the modules that nodeset's files need are in it, if they are installed.
_GRUB = {"boot/grub2/grub2.x86_64": "x86_64-efi", "boot/grub2/grub2.aarch64": "arm64-efi"}
_MODULES = ("normal", "configfile", "linux", "tftp", "http", "echo", "sleep", "test", "minicmd", "efinet")
_GRUB_FOLDER = Path("/usr/lib/grub")
_GRUB_PACKAGES = "grub-efi-amd64-bin, or grub2-efi-x64-modules"
_OPTIONAL = "boot/grub2/grub2.aarch64"


def provide(tftp: Path) -> Iterator[str]:
    """Copy or make what is missing; what is there stays.

    Args:
        tftp: The folder for TFTP.

    Returns:
        What could not be had, with the packages that have it.

    Raises:
        OSError: No right, or no space.
    """
    for name, (folders, names, packages) in _FILES.items():
        file = tftp / name
        if not file.exists():
            found = next(
                (path for each in names for path in (Path(folder, each) for folder in folders) if path.is_file()), None
            )
            if found is None:
                yield _lacks(file, packages)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                write_whole(file, found.read_bytes())
    for name, platform in _GRUB.items():
        if not (tftp / name).exists() and not _grub(tftp / name, platform) and name != _OPTIONAL:
            yield _lacks(tftp / name, _GRUB_PACKAGES)


def missing_loaders(tftp: Path) -> list[Path]:
    """The loaders that are not there."""
    return [tftp / name for name in (*_FILES, *_GRUB) if name != _OPTIONAL and not (tftp / name).exists()]


def _lacks(file: Path, packages: str) -> str:
    return f"{file} is missing, and no package that is installed has it. Install {packages}, or put it there"


def _grub(file: Path, platform: str) -> bool:
    """Make an image of GRUB that looks for its files where nodeset writes them; whether it could be made."""
    modules, maker = _GRUB_FOLDER / platform, shutil.which("grub-mkimage") or shutil.which("grub2-mkimage")
    if not maker or not modules.is_dir():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    wanted = [name for name in (*_MODULES, "linuxefi") if (modules / f"{name}.mod").exists()]
    done = subprocess.run(  # noqa: S603 - our words
        [maker, "-O", platform, "-p", "(tftp)/boot/grub2", "-o", str(fresh), *wanted],
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 0:
        write_whole(file, fresh.read_bytes())
    fresh.unlink(missing_ok=True)
    return done.returncode == 0
