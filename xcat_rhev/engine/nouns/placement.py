"""Where on a host a machine is: NUMA nodes of both, and devices of the host that the machine has for itself."""

from __future__ import annotations

from typing import Any

from ..documents.fields import flag, label, parts, ref, text, whole, words
from ..documents.noun import Noun
from ..documents.record import Record


class HostNumaNode(Noun, tag="host_numa_node", path="numanodes", named=False):
    """A NUMA node of a host; since 3.5.

    Attributes:
        index: As its kernel counts.
        memory: MiB.
        cores: The numbers of its CPUs.
        node_distance: To each node of the host in order, as `10 21`.
    """

    index = whole("index")
    memory = whole("memory")
    cores = words("cpu/cores/core*@index", "cpu/cores/core*/index")
    node_distance = text("node_distance")

    @property
    def cpus(self) -> tuple[int, ...]:
        """The numbers of its CPUs."""
        return tuple(sorted(int(core) for core in self.cores))


def _same_pins(current: Any, wanted: Any) -> bool:
    here, there = ({pin.index for pin in pins or ()} for pins in (current, wanted))
    return here == there


def _same_cores(current: Any, wanted: Any) -> bool:
    return sorted(current or ()) == sorted(wanted or ())


class NumaPin(Record):
    """A NUMA node of the host on which a machine's node is.

    Attributes:
        pinned: v3 wants it said.
    """

    pinned = flag("@pinned", None, quiet=True)
    index = whole("@index", "index")


class VmNumaNode(Noun, tag="vm_numa_node", path="numanodes", named=False):
    """A NUMA node that a machine's guest sees; since 3.5.

    Attributes:
        index: From 0 without a gap.
        memory: MiB.
        cores: The numbers of the machine's CPUs on it.
        pins: The host's nodes on which it is.
        tune_mode: strict, interleave, preferred; before 4.4 the machine has one for all.
    """

    index = whole("index")
    memory = whole("memory")
    cores = words("cpu/cores/core*@index", "cpu/cores/core*/index", same=_same_cores)
    pins = parts(NumaPin, "numa_node_pins/numa_node_pin*", same=_same_pins)
    tune_mode = text(None, "numa_tune_mode", since=(4, 4), quiet=True)

    @property
    def cpus(self) -> tuple[int, ...]:
        """The numbers of the machine's CPUs on it."""
        return tuple(sorted(int(core) for core in self.cores))

    @property
    def pinned_to(self) -> tuple[int, ...]:
        """The host's nodes on which it is."""
        return tuple(sorted(pin.index or 0 for pin in self.pins))


class MdevType(Record):
    """A kind of virtual GPU that a device can be cut into; since 4.4."""

    name = label("name")
    available_instances = whole("available_instances")


class DeviceParameter(Record):
    """A value of a mediated device."""

    name = label("name")
    value = text("value")


class MediatedDevice(Noun, tag="vm_mediated_device", path="mediateddevices", named=False):
    """A virtual GPU of a machine; since 4.5. Before that a custom property says it."""

    params = parts(DeviceParameter, None, "spec_params/property*")

    @property
    def kind(self) -> str:
        """Its type, as nvidia-471."""
        return next((param.value or "" for param in self.params if param.name == "mdevType"), "")


class HostDevice(Noun, tag="host_device", path="devices"):
    """A device of a host, by the name that its libvirt has for it: `pci_0000_3b_00_0`; since 3.6.

    Attributes:
        capability: pci, usb_device, scsi, net, nvdimm, system ...
        iommu_group: PCI devices of one group go to a machine together.
        physical_function: Of an SR-IOV virtual function.
        virtual_functions: How many a physical function can have.
        placeholder: A machine has it for its group's sake alone.
        vm: The machine that has it now.
    """

    capability = text("capability")
    product_id = text("product@id")
    product = text("product/name")
    vendor_id = text("vendor@id")
    vendor = text("vendor/name")
    iommu_group = whole("iommu_group")
    physical_function = ref("physical_function")
    virtual_functions = whole("virtual_functions")
    placeholder = flag("placeholder")
    vm = ref("vm")
    driver = text(None, "driver", since=(4, 1))
    mdev_types = parts(MdevType, None, "m_dev_types/m_dev_type*", since=(4, 4))


class VmHostDevice(HostDevice, tag="host_device", path="hostdevices"):
    """A device of its host that a machine has for itself; since 3.6."""
