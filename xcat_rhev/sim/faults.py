"""How an engine says no: its own words, its two shapes of a fault, and the status code by version."""

from __future__ import annotations

from .dialect import SimDialect

#: What the engine calls a refused command and an incomplete body.
FAILED = "Operation Failed"
INCOMPLETE = "Incomplete parameters"

CONFLICT, BAD, MISSING, TAKEN, DENIED, BROKEN = "conflict", "bad", "missing", "taken", "denied", "broken"

#: Kind of refusal -> status: before 3.3 (every refused command is 400), 3.3 - 3.6, v4.
CODES = {
    CONFLICT: (400, 409, 409),
    BAD: (400, 400, 400),
    MISSING: (400, 404, 404),
    TAKEN: (400, 400, 409),
    DENIED: (400, 403, 403),
    BROKEN: (500, 500, 500),
}


class Refused(Exception):
    """The engine says no.

    Args:
        detail: The engine's words; a refused command's are put in square brackets, as a Java list prints.
        kind: A key of `CODES`.
        reason: `Operation Failed`, `Incomplete parameters`, `Invalid value` ...
        listed: The detail is a list of messages.
    """

    def __init__(self, detail: str, kind: str = CONFLICT, reason: str = FAILED, *, listed: bool = True) -> None:
        super().__init__(detail)
        self.detail = f"[{detail}]" if listed and reason == FAILED else detail
        self.kind = kind
        self.reason = reason

    def status(self, dialect: SimDialect) -> int:
        """Give the HTTP status that an engine of this version answers with."""
        before, three, four = CODES[self.kind]
        if dialect.modern:
            return four
        return three if dialect.knows((3, 3)) else before


class Unreadable(Refused):
    """A body that is missing, or has what is no number: v3 of 4.x answers as to XML that cannot be read."""


class Gone(Exception):
    """Nothing is at this address: 404 with an empty body."""


class Crashed(Exception):
    """The engine fails inside: 500 with the web server's page."""


class NotHere(Exception):
    """The address exists, the method does not: 405 with the container's page."""


def incomplete(what: str, missing: list[str], method: str = "add") -> Refused:
    """Refuse a body that lacks something, e.g. `VM [name, cluster.id|name] required for add`.

    Args:
        what: The type as the dialect writes it.
        missing: What is not there, in the checker's words.
        method: What the body was for.
    """
    return Refused(f"{what} [{', '.join(missing)}] required for {method}", BAD, INCOMPLETE)


def not_found(kind: str, said: str) -> Refused:
    """Refuse a reference inside a body which leads nowhere."""
    return Refused(f"Entity not found: {kind}: {said}", MISSING, listed=False)


def bad_value(value: str, what: str) -> Refused:
    """Refuse a word that is not a member of an enum, or a text that should be a number."""
    return Refused(f"{value} is not a member of {what}", BAD, "Invalid value")


#: Situation -> the engine's words; `{name}` slots are filled in. Where they changed: (before 3.1, up to 3.6, later).
TEXTS: dict[str, str | tuple[str, ...]] = {
    "vm running": ("Cannot run VM. VM is running.",) * 2 + ("Cannot run VM because the VM is in {state} status.",),
    "vm not running": "Cannot {action} VM. VM is not running.",
    "vm not up": "Cannot {action} VM. VM is not up.",
    "vm remove running": "Cannot remove VM. VM is running.",
    "vm remove not down": (
        *("Cannot remove VM that its state is not down.",) * 2,
        "Cannot remove VM that its state is not down.\n-Please stop the VM first.",
    ),
    "vm nowhere": "Cannot {action} VM. VM is not found.",
    "vm locked": (
        "Cannot {action} VM: VM's image is locked. Please try again in a few minutes.",
        "Cannot {action} VM: VM is locked. Please try again in a few minutes.",
    ),
    "disks locked": (
        "Cannot {action} VM: VM's image is locked. Please try again in a few minutes.",
        "Cannot {action} VM: The following disks are locked: {names}. Please try again in a few minutes.",
    ),
    "vm status": ("The VM status is illegal.", "Cannot {action} VM because the VM is in {state} status."),
    "vm not migrating": (
        "The VM status is illegal.",
        "Cannot cancel migration of VM because the VM is in {state} status.",
        "Cannot cancel migration for non migrating VM.",
    ),
    "cluster overcommit": "KSM or ballooning must be enabled to allow memory optimization.",
    "template not on domain": "Cannot add VM. The selected Storage Domain does not contain the VM Template.",
    "vm cluster center": "VM can be moved only to a Cluster in the same Data Center.",
    "vm disks of template": "Cannot remove VM with detaching disks, VM is based from template.",
    "vm protected": "Cannot remove VM. Delete protection is enabled. In order to delete, disable Delete protection "
    "first.",
    "lease without ha": "Cannot {action} VM. A VM lease was defined but high availability option is set to false.",
    "lease swap": "Cannot edit VM. Hot swapping of VM leases is not supported, please remove the current lease and "
    "then set a new one.",
    "vm edit running": "There was an attempt to change VM values while the VM is not down. Please shut down the VM in "
    "order to modify these properties.",
    "vm cluster running": "Cannot update a VM in this status. Try stopping the VM first.",
    "memory waits": "Cannot hot change memory because memory next run configuration already exists.",
    "memory step": "Cannot edit VM. Amount of added memory ({more}MiB) is not dividable by {step}MiB.",
    "no host": "Cannot {action} VM. There are no available running Hosts in the Host Cluster.",
    "no memory": "Cannot {action} VM. There are no available running Hosts with sufficient memory in VM's Cluster.",
    "no boot nic": (
        "VM is configured to be 'Network bootable', but no Network Interface is configured.",
        "VM is configured to be 'Network bootable', but no Network Interface is configured.\nAlternatives:\n-Select a "
        "different boot device (using the 'Run Once' command or 'Edit VM' command on Boot Option Sub-Tab).\n-Configure "
        "Network Interface and rerun the VM.",
        "VM is configured to be 'Network bootable', but no Network Interface is configured.\nAlternatives:\n- Select a "
        "different boot device (using the 'Run Once' command or 'Edit VM' command on Boot Option Sub-Tab).\n"
        "- Configure Network Interface and rerun the VM.",
    ),
    "no boot disk": (
        "Cannot run VM without at least one bootable disk.",
        "Cannot run VM without at least one bootable disk.\nAlternatives:\n-Create a disk for this VM, and rerun the "
        "VM.\n-Change the boot sequence using the Edit VM command (Boot Option Sub-Tab).\n-Use the Run-Once command to "
        "select a different boot option and rerun the VM.",
        "Cannot run VM without at least one bootable disk.\nAlternatives:\n- Create a disk for this VM, and rerun the "
        "VM.\n- Change the boot sequence using the Edit VM command (Boot Option Sub-Tab).\n- Use the 'Run Once' "
        "command to select a different boot option and rerun the VM.",
    ),
    "vm monitors": "Cannot {action} VM. Illegal number of monitors is provided, max allowed number of monitors is 1 "
    "for VNC and the max number in the ValidNumOfMonitors configuration variable for SPICE.",
    "vm cpus": "Cannot {action} VM. Maximum number of CPUs exceeded.",
    "vm zone": "Cannot {action} VM. Invalid time zone for given OS type., Attribute: vmStatic",
    "vm property": "Cannot {action} VM if some of the specified custom properties are not configured by the system. "
    "The keys are: {names}",
    "vm property value": "Cannot {action} VM if some of the specified custom properties have illegal values. The keys "
    "are: {names}",
    "vm pinned nowhere": "Cannot {action} VM. VM is pinned to a specific host. The required host doesn't exist.",
    "vm pinned elsewhere": "Cannot {action} VM. VM is pinned to a specific host. The host's cluster must be the same "
    "as the selected VM cluster.",
    "vm tpm": "Cannot {action} VM. TPM device is not supported on 'x86_64' architecture, or for the guest OS, or UEFI "
    "firmware is not enabled, or insufficient compatibility level (4.6 required by default).",
    "vm io threads": "Cannot {action} VM. Num of IO Threads is not in supported limit.",
    "vm cpu pins host": (
        *("Cannot set host CPU pinning when host is not selected",) * 2,
        "Cannot set host CPU pinning when a host is not selected",
    ),
    "vm cpu pins migratable": "Migratable VM's cannot be pinned to CPU.",
    "vm cpu pins vcpu": "CPU pinning validation failed - virtual CPU does not exist in vm.",
    "vm cpu pins twice": "Cannot configure CPU pinning twice to the same vCPU.",
    "vm sockets": "Minimum number of sockets cannot be less then 1",
    "vm migrating": "Cannot {action} VM. VM {name} is being migrated.",
    "vm nobody": "There are no hosts to use. Check that the cluster contains at least one host in Up state.",
    "vm cluster maintenance": "Cannot {action} VM. There is no host that satisfies current scheduling constraints. See "
    "below for details:, The host {host} did not satisfy internal filter ClusterInMaintenance because the cluster is "
    "in maintenance and only highly available VMs are allowed to start.",
    "vm ticket": "Cannot set Virtual Machine Ticket because the VM is in {state} status.",
    "same host": "Cannot migrate VM. source and destination is the same.",
    "pinned": "Cannot migrate VM. VM is pinned to Host.",
    "host operational": "Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.",
    "host runs vms": "Cannot remove Host. One or more VMs are still running on this Host.",
    "host in maintenance": "Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.",
    "host maintenance status": "Cannot switch Host to Maintenance mode, Host is not operational.",
    "host rooted": "Cannot switch the following Hosts to Maintenance mode: {host}.\nOne or more running VMs are "
    "indicated as non-migratable. The non-migratable VMs are: {names}.",
    "host up": "Cannot activate Host. Host in Up status.",
    "host activate status": "Cannot activate Host. Host is not in Maintenance mode.",
    "host approve status": (
        "Cannot approve RHEV Hypervisor Host. Host is not in Pending Approval status.",
        'Cannot approve RHVH Host. -Host must be in "Pending Approval" or "Install Failed" status in order to be '
        "approved.",
        'Cannot approve RHVH Host.\n-Host must be in "Pending Approval" or "Install Failed" status in order to be '
        "approved.",
    ),
    "host edit": (
        *(
            "Cannot edit Host. Host parameters cannot be modified while Host is operational. Please switch Host to "
            "Maintenance mode first.",
        )
        * 2,
        "Cannot edit Host. Host parameters cannot be modified while Host is operational.\nPlease switch Host to "
        "Maintenance mode first.",
    ),
    "host install": "Cannot install Host. Please move Host to Maintenance mode first.",
    "host enroll": "Cannot enroll certificate Host. Please switch Host to Maintenance mode first.",
    "host password": "Cannot install Host with empty password.",
    "host image": "Cannot upgrade Host. Image file is missing.",
    "host no updates": "Cannot upgrade Host. There are no available updates for the host.",
    "host upgrade status": (
        *("Cannot upgrade Host. Valid Host statuses for upgrade are Up, Maintenance or Non-Operational.",) * 2,
        "Cannot upgrade Host. Valid Host statuses for upgrade are Up, Maintenance, and Non-Operational.",
    ),
    "host upgrade check": "Cannot check for upgrade Host. Valid Host statuses for upgrade check are Up or "
    "Non-Operational.",
    "host name": "Cannot add Host. The Host name is already in use, please choose a unique name and try again.",
    "host address": "Cannot add Host. Host with the same address already exists.",
    "host no fencing": "Cannot {action} Host. Power Management is not enabled on Host.",
    "host fencing disabled": "Cannot fence Host, Host fence is disabled., Cannot {action} Host. "
    "Fence operation failed.",
    "host no proxy": "Cannot {action} Host. There is no other host in the data center that can be used to test the "
    "power management settings.",
    "template used by disks": "Cannot delete Template. Template is being used by the following VMs: {names}.",
    "template disks locked": "Cannot add Template: The following disks are locked: {names}. Please try again in a few "
    "minutes.",
    "template used": (
        *("Cannot delete Template. Template is being used by the following VMs: {names}.",) * 2,
        "Cannot remove Template. This template is currently in use to create VM {names}.",
    ),
    "template disks": "Cannot remove Template. The following Disk(s) are based on it: {names}.",
    "template blank": (
        *("Cannot remove Template. Removing Blank Template is not allowed.",) * 2,
        "Cannot remove Template. The relevant Cluster doesn't exist.",
    ),
    "template from running": "Cannot create Template. VM still running, stop the VM and try again.",
    "template name": (
        *("Cannot add Template. Template name already exists.",) * 2,
        "Cannot add Template. The Template name is already in use, please choose a unique name and try again.",
    ),
    "template there": (
        *(
            "Import Template failed - Template Id already exist in the system. Please remove the Template ({name}) "
            "from the system first",
        )
        * 2,
        "Cannot import Template. Template or VM with the same ID already exists in the system. Please remove the "
        "Template or VM ({name}) from the system first",
    ),
    "template locked": "Cannot {action} Template. Template's image is locked. Please try again in a few minutes.",
    "mac used": ("Mac Address is already in use.", "MAC Address {mac} is already in use by VM or snapshot: {name}."),
    "mac pool": "Not enough MAC addresses left in MAC Address Pool.",
    "nic running": "Cannot change Network Interface properties when the VM is not Down.",
    "nic name": (
        *("Cannot add Interface. The Network Interface name already exists on this VM.",) * 2,
        "Network interface name is already in use",
    ),
    "nic network": "Cannot add Interface. The network '{name}' does not exist in the Cluster of the VM.",
    "nic pass-through": "Cannot {action} Interface. The network interface type doesn't match the profile. Virtual "
    "machine interface of type 'PCI Passthrough' should have 'Passthrough' profile and vice versa.",
    "no profile": "Cannot {action} Interface. The specified VM network interface profile doesn't exist.",
    "profile in use": "Cannot remove VM network interface profile. This VM network interface profile is used by "
    "virtual machine:  \t{name}.\n - Please remove it from this virtual machine and try again.",
    "disk bootable": "Cannot add Virtual Disk. Disk {name} in VM {vm} is already marked as boot.",
    "disk interface": "Cannot {action} Virtual Disk: The disk interface is not supported by the VM OS: Other OS.",
    "disk attached": "Cannot attach Virtual Disk. The disk is already attached to VM.",
    "disk not shareable": "Cannot attach Virtual Disk. The disk is not shareable and is already attached to a VM.",
    "disk not attached": "Cannot detach Virtual Disk. The disk is already detached from VM.",
    "disk in use": "Cannot {action} Virtual Disk. At least one of the VMs is not down.",
    "disk locked": "Cannot {action} Virtual Disk: The following disks are locked: {name}. Please try again in a few "
    "minutes.",
    "disk no image": "Cannot {action} Virtual Disk. The specified disk does not exist.",
    "disk same domain": "Cannot move Virtual Disk. The source and target storage domains are the same.",
    "disk moving": "Cannot move Virtual Disk. Disk {name} is being moved or copied.",
    "disk sparsify preallocated": "Cannot sparsify Virtual Disk. Sparsifying is not supported for preallocated disk "
    "{name}.",
    "disk sparsify cow": "Cannot sparsify Virtual Disk. Sparsifying is not supported for QCOW2 disk {name}.",
    # The engine itself leaves its word for the action unfilled (4.5.8).
    "disk reduce file": "Cannot ${{action}} Storage. Reduce image isn't required for file based domains.",
    "disk reduce active": "Cannot ${{action}} Storage. Reduce image is not supported for active image.",
    "disk busy": "Cannot remove Virtual Disk. Related operation is currently in progress. Please try again later.",
    "disk in snapshot": "Cannot detach Virtual Disk. The disk is already configured in a snapshot. In order to detach "
    "it, remove the disk's snapshots.",
    "disk kind": "Cannot add Virtual Disk. Disk configuration ({how}) is incompatible with the storage domain type.",
    "disk no domain": "Cannot add Virtual Disk. Storage Domain doesn't exist.",
    "disk space": "Cannot add Virtual Disk. Low disk space on Storage Domain {name}.",
    "sd inaccessible": (
        "Cannot {action} Storage. The relevant Storage Domain is inaccessible.",
        "Cannot {action} Storage. The relevant Storage Domain's status is {state}.",
    ),
    "sd busy": "Cannot {action} Storage. Related operation is currently in progress. Please try again later.",
    "sd unknown": "Cannot {action} Storage. Storage Domain doesn't exist.",
    "sd attached": "Cannot {action} Storage. The Storage Domain is already attached to a Data Center.",
    "sd master": "Cannot {action} the master Storage Domain from the Data Center without another active Storage Domain "
    "to take its place. -Either activate another Storage Domain in the Data Center, or remove the Data Center.",
    "sd no host": "There is no available operational Host (in UP state) in the relevant Data Center.",
    "sd host": "Cannot add Storage. Cannot find any available running Hosts to use as a VDS.",
    "sd type": "Cannot attach Storage. Storage type in Data Center is different than Storage type of the Domain.",
    "sd format": "Cannot remove Storage Domain. Data storage must be formated after remove.",
    "sd name": (
        *("Cannot add Storage. The Storage Domain name is already in use, please choose a unique name and try again.",)
        * 2,
        "Cannot add Storage. The Storage Domain name is already in use.",
    ),
    "sd connection": (
        *("Cannot add Storage Connection. Storage connection already exists.",) * 2,
        "Cannot add Storage Connection. Storage connection {id} already exists for {name}.",
    ),
    "sd attached anywhere": "Cannot {action} Storage. The relevant Storage Domain is inaccessible.\n-Please handle "
    "Storage Domain issues and retry the operation.",
    "sd path": "Mount path is illegal, please use [IP:/path or FQDN:/path] convention.",
    "lun used": "Cannot add Storage. The following LUNs are already part of existing storage domains: {luns}.",
    "sd in use": "Cannot {action} Storage. Storage Domain has disks of running VMs: {names}.",
    "dc active": (
        "Cannot remove Data Center with active Storage Domains.",
        "Cannot remove Data Center which contains active/locked Storage Domains.",
        "Cannot remove an active Data Center.",
    ),
    "dc lower": "Cannot decrease data center compatibility version.",
    "dc above": "Cannot update Data Center compatibility version to a value that is greater than its cluster's "
    "version. The following clusters should be upgraded: {names}.",
    "cluster below": "Cannot add Cluster with Compatibility Version that is lower than the Data Center Compatibility "
    "Version.\n-Please upgrade your Cluster to a later Compatibility version first.",
    "cluster local": 'Cannot add more than one Cluster to a Data Center with "Local Storage".',
    "cluster cpu running": "Cannot change Cluster CPU type unless all Hosts attached to this Cluster are in "
    "Maintenance.",
    "host no password": "Cannot install Host with empty password.",
    "host manual": "Cannot confirm 'Host has been rebooted' Host. Valid Host statuses are \"Non operational\", "
    '"Maintenance" or "Connecting".',
    "agent type": "Cannot add Fence Agent. Selected Power Management Agent is not supported.",
    "snapshot regular": "Cannot remove Snapshot. The operation is only allowed for regular snapshots.",
    "snapshot under way": "Cannot create Snapshot. Snapshot is currently being created for VM {name}.",
    "snapshot busy": "Cannot {action} Snapshot. Related operation is currently in progress. Please try again later.",
    "group name": "Cannot add Affinity Group. Affinity Group name already exists.",
    "group twice": "Cannot edit Affinity Group. Duplicate VM.",
    "group nobody": "The selected VM does not exist.",
    "group not in": "Cannot edit Affinity Group. Provided VM is invalid (does not exist).",
    "eject": "Cannot Eject CD VM because the VM is in {state} status.",
    "profile name": "Cannot add VM network interface profile. The VM network interface profile's name is already "
    "used by an existing profile for the same network.\n-Please choose a different name.",
    "dc type": (
        "Cannot change Data Center type when Storage Domains are still attached to it.",
        "Cannot change Data Center type when Storage Domains are still attached to it.\n-Please detach all attached "
        "Storage Domains and retry.",
        "Cannot change Data Center type to shared while local Storage Domains are still attached to it.\n-Please "
        "detach all local Storage Domains and retry.",
    ),
    "dc clusters": "Cannot remove Data Center. There are hosts in its clusters that are up.",
    "cluster hosts": (
        *("Cannot remove Cluster. Host Cluster contains one or more Hosts.",) * 2,
        "Cannot remove Cluster. Cluster contains one or more Hosts",
    ),
    "cluster vms": "Cannot remove Cluster. One or more VMs are still assigned to the Cluster",
    "cluster center": "Cannot change Data Center association when editing a Cluster.",
    "cluster templates": (
        *("Cannot remove Cluster. One or more Templates are still associated with this Cluster.",) * 2,
        "Cannot remove Cluster. One or more Template(s) are still associated with the Cluster",
    ),
    "cluster cpu": "Cannot {action} Cluster. The chosen CPU is not supported.",
    "cluster version": "Cannot {action} {type}. Selected Compatibility Version is not supported.",
    "network management": (
        *("The management Network ({name}) is mandatory and cannot be removed.",) * 2,
        "The Management Network ('{name}') is mandatory and cannot be removed.",
    ),
    "network used": "Cannot remove Network. Network is being used by at least one Cluster.",
    "network attached": (
        *("Cannot attach Network to Cluster. Network is already attached to this Cluster.",) * 2,
        "Logical Network is already attached to Cluster.",
    ),
    "network vlan": "The specified VLAN ID ({vlan}) is already in use.",
    "network name": (
        "Cannot {action} Network. Network name already exists.",
        "Cannot {action} Network. The logical network's name is already used by an existing logical network in the "
        "same data-center.\n-Please choose a different name.",
        "Cannot {action} Network. The name of the logical network '{name}' is already used by an existing logical "
        "network in the same data-center.\n-Please choose a different name.",
    ),
    "network in use by vm": "Cannot {action} Network. The following VMs are using this network: {names}.",
    "nic has network": "Logical Network is already attached to a Network Interface.",
    "nic without network": "Network Interface is not attached to Logical Network.",
    "snapshot active": "Cannot remove Snapshot. Removing the VM active Snapshot is not allowed.",
    "vm down only": "Cannot {action} VM. VM is not down.",
    "tag used": "Cannot attach Tag. The tag is already attached.",
    "tag invalid": (
        *("Invalid tag name. Only letters, numbers, '-', and '_' are allowed.",) * 2,
        "Invalid tag name. Only letters, numbers, '-', and '_' are valid characters., Attribute: _tag.name",
    ),
    "tag root": (
        *("Cannot remove Tag. The root tag cannot be removed.",) * 2,
        "Cannot remove tag. Tag does not exist.",
    ),
    "agent": "Cannot edit Host. Power Management is enabled for Host but no Agent type selected.",
}

#: What is said of a name that is in use.
NAME_TAKEN = "Cannot {action} {type}. The {type} name is already in use, please choose a unique name and try again."


def refuse(situation: str, dialect: SimDialect, kind: str = CONFLICT, **words: str) -> Refused:
    """Make the refusal for a situation in the words of this engine version.

    Args:
        situation: A key of `TEXTS`.
        dialect: Decides between the old and the later words.
        kind: A key of `CODES`.
        **words: What fills the slots of the text.
    """
    return Refused(words_of(situation, dialect).format(**words), kind)


def words_of(situation: str, dialect: SimDialect) -> str:
    """Give the engine's words for a situation, with their slots."""
    text = TEXTS[situation]
    if isinstance(text, str):
        return text
    return text[-1] if dialect.modern else text[dialect.knows((3, 1))]


#: ... and since 4.0 of some types in words of their own.
_TAKEN_SINCE_4 = {
    "Cluster": "Cannot {action} Cluster. Cluster name is already in use.",
    "Data Center": "Cannot {action} Data Center. The Data Center name is already in use.",
    "Tag": "The specified Tag name already exists.",
}


def name_taken(what: str, dialect: SimDialect, action: str = "add") -> Refused:
    """Refuse a name that another thing of the same type has."""
    text = _TAKEN_SINCE_4.get(what, NAME_TAKEN) if dialect.modern else NAME_TAKEN
    return Refused(text.format(action=action_name(action, what, dialect), type=what), TAKEN)


def action_name(action: str, what: str, dialect: SimDialect) -> str:
    """Name what was tried: clusters and data centers are created since 4.0, the rest is added."""
    return "create" if dialect.modern and action == "add" and what in {"Cluster", "Data Center"} else action
