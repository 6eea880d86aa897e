"""What vm.othersettings may hold, for people: each name with its meaning and an example."""

from __future__ import annotations

#: Name -> (what it means, an example).
OTHERSETTINGS: dict[str, tuple[str, str]] = {
    "ha": ("start it again elsewhere when its hypervisor fails", "ha:yes"),
    "ha_priority": ("which ones first, 1 to 100", "ha_priority:50"),
    "lease": ("the storage domain for its lease, or none; needs ha:yes, since 4.1", "lease:data1"),
    "tags": ("tags it should have; -NAME removes one", "tags:web,-old"),
    "affinity_groups": ("groups of its cluster it should be in; -NAME removes it", "affinity_groups:apart"),
    "delete_protected": ("the manager refuses to remove it", "delete_protected:yes"),
    "stateless": ("what it writes is gone when it stops", "stateless:yes"),
    "console": ("a serial console, for rcons; since 3.4", "console:yes"),
    "description": ("text for people", "description:the first web server"),
    "type": ("server, desktop or high_performance", "type:high_performance"),
    "vcpupin": ("the CPUs of its hypervisor that its own run on; needs vm.cpus", "vcpupin:0-15,^8"),
    "cpumode": ("host-passthrough, host-model or custom", "cpumode:host-model"),
    "machine": ("the machine type that is emulated, since 4.0", "machine:q35"),
    "bios": (
        "chipset and firmware: i440fx_sea_bios, q35_sea_bios, q35_ovmf (UEFI), q35_secure_boot; since 4.3",
        "bios:q35_ovmf",
    ),
    "tpm": ("a TPM; needs UEFI, since 4.5", "tpm:yes"),
    "iothreads": ("threads for its disks, since 3.6", "iothreads:2"),
    "vgpu": ("the types of its virtual GPUs, all of them, or none; since 4.2", "vgpu:nvidia-474"),
    "membind": ("the NUMA nodes of its hypervisor that its memory is on, or none; since 3.5", "membind:0"),
    "devpassthrough": (
        "devices of its hypervisor that it has for itself; -NAME takes one off, since 3.6",
        "devpassthrough:pci_0000_3b_00_0,0000:3b:00.1",
    ),
    "hugepage": ("the huge pages of its memory: their size, their number, or none", "hugepage:1g"),
    "fit": ("place its CPUs and memory on as few NUMA nodes as hold them", "fit:numa"),
    "custom": ("a custom property; may be there several times, -NAME removes one", "custom:sap_agent=true"),
    "bootonce": ("the order of the next start only; rsetboot writes it", "bootonce:network"),
    "init": ("who sets the guest up at its first start: cloud-init or sysprep", "init:cloud-init"),
    "hostname": ("the guest's name; the node's where this is not said", "hostname:web1"),
    "domain": ("the guest's domain", "domain:example.com"),
    "timezone": ("the guest's time zone", "timezone:Europe/Berlin"),
    "user": ("the user that is set up", "user:admin"),
    "password": ("that user's password: a key of the passwd table", "password:web-root"),
    "sshkey": ("a public key, or a file with some", "sshkey:/root/web.pub"),
    "dns": ("name servers", "dns:10.0.0.1,10.0.0.2"),
    "search": ("domains to look names up in", "search:example.com"),
    "nic": ("a card of the guest: its name, then dhcp, or static with address, netmask, gateway", "nic:eth0,dhcp"),
    "script": ("a file with more for cloud-init or sysprep", "script:/root/web.yaml"),
}
