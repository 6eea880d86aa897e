"""The states that a manager knows: one enumeration for each kind of thing, and the groups that commands ask about.

The words are those of the API, the same in v3 and v4; each has a sentence. A manager newer than this list may answer
with another word: documents keep it as text, and it is in no group.
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """A state. It is the API's word, so it can be compared with a document's text.

    Attributes:
        means: What it means, in a sentence.
    """

    means: str

    def __new__(cls, word: str, means: str) -> State:
        """Make a member of its word and its sentence."""
        state = str.__new__(cls, word)
        state._value_ = word
        state.means = means
        return state

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, form: str) -> str:
        return str.__format__(self, form)


class VmStatus(State):
    """The states of a virtual machine."""

    DOWN = "down", "It is off."
    UP = "up", "It runs."
    POWERING_UP = "powering_up", "It starts; its guest does not answer yet."
    WAIT_FOR_LAUNCH = "wait_for_launch", "A host is about to start it."
    REBOOT_IN_PROGRESS = "reboot_in_progress", "Its guest starts again."
    POWERING_DOWN = "powering_down", "Its guest shuts down."
    PAUSED = "paused", "It is paused, with its memory kept. Often a disk is full or cannot be reached."
    MIGRATING = "migrating", "It moves to another host."
    SAVING_STATE = "saving_state", "Its memory is written to storage."
    SUSPENDED = "suspended", "It is off, and its memory is on storage."
    RESTORING_STATE = "restoring_state", "Its memory is read back from storage."
    IMAGE_LOCKED = "image_locked", "The manager works on its disks."
    IMAGE_ILLEGAL = "image_illegal", "A disk of it could not be made or read."
    NOT_RESPONDING = "not_responding", "Its process does not answer its host."
    UNKNOWN = "unknown", "Its host does not answer, so its state is not known."
    UNASSIGNED = "unassigned", "The manager has not looked at it yet."


#: It is off and can be changed at once.
VM_OFF: frozenset[str] = frozenset({VmStatus.DOWN})
#: It runs, as far as `rpower on` promises.
VM_ON: frozenset[str] = frozenset({VmStatus.UP, VmStatus.POWERING_UP})
#: It has its memory and does not run.
VM_ASLEEP: frozenset[str] = frozenset({VmStatus.SUSPENDED, VmStatus.PAUSED})
#: It passes by itself, and nothing can be done before.
VM_PASSING: frozenset[str] = frozenset(
    {VmStatus.IMAGE_LOCKED, VmStatus.POWERING_DOWN, VmStatus.SAVING_STATE, VmStatus.RESTORING_STATE}
)
#: Nobody can tell what it does, until its host answers again or has been fenced.
VM_UNCERTAIN: frozenset[str] = frozenset({VmStatus.UNKNOWN, VmStatus.NOT_RESPONDING})
#: Nobody is at work on its disks.
VM_SETTLED: frozenset[str] = frozenset(
    {
        VmStatus.DOWN,
        VmStatus.UP,
        VmStatus.POWERING_UP,
        VmStatus.PAUSED,
        VmStatus.SUSPENDED,
        VmStatus.REBOOT_IN_PROGRESS,
        VmStatus.WAIT_FOR_LAUNCH,
        VmStatus.NOT_RESPONDING,
        VmStatus.POWERING_DOWN,
        VmStatus.MIGRATING,
    }
)
#: It is on its way up.
VM_STARTING: frozenset[str] = frozenset({VmStatus.WAIT_FOR_LAUNCH, VmStatus.POWERING_UP})
#: It will be up in a moment, and some things cannot be done before.
VM_COMING: frozenset[str] = VM_STARTING | {VmStatus.REBOOT_IN_PROGRESS, VmStatus.MIGRATING}
#: It has no console.
VM_WITHOUT_CONSOLE: frozenset[str] = frozenset({VmStatus.DOWN, VmStatus.SUSPENDED, VmStatus.IMAGE_LOCKED})
#: It can move to another host.
VM_MOVABLE: frozenset[str] = frozenset(
    {VmStatus.UP, VmStatus.POWERING_UP, VmStatus.PAUSED, VmStatus.REBOOT_IN_PROGRESS}
)


class HostStatus(State):
    """The states of a hypervisor."""

    UP = "up", "It works."
    MAINTENANCE = "maintenance", "An administrator has put it into maintenance."
    PREPARING_FOR_MAINTENANCE = "preparing_for_maintenance", "Its machines migrate, then it is in maintenance."
    PENDING_APPROVAL = "pending_approval", "It has registered itself and waits to be approved."
    INSTALLING = "installing", "The manager installs its packages."
    INSTALLING_OS = "installing_os", "Its system is installed by a provider."
    INSTALL_FAILED = "install_failed", "Its installation failed."
    INITIALIZING = "initializing", "The manager sets it up."
    CONNECTING = "connecting", "The manager tries to reach it."
    UNASSIGNED = "unassigned", "The manager is about to reach it."
    REBOOT = "reboot", "It starts again."
    DOWN = "down", "It is off."
    NON_OPERATIONAL = "non_operational", "It answers, and cannot do what its cluster needs."
    NON_RESPONSIVE = "non_responsive", "It does not answer."
    KDUMPING = "kdumping", "Its kernel has crashed and writes a dump."
    ERROR = "error", "Machines could not start on it several times, so it gets none for half an hour."


#: It works.
HOST_UP: frozenset[str] = frozenset({HostStatus.UP})
#: An administrator has put it into maintenance.
HOST_RESTING: frozenset[str] = frozenset({HostStatus.MAINTENANCE})
#: It is on its way out of use.
HOST_LEAVING: frozenset[str] = frozenset({HostStatus.PREPARING_FOR_MAINTENANCE})
#: It is on its way into use.
HOST_COMING: frozenset[str] = frozenset(
    {
        HostStatus.INSTALLING,
        HostStatus.INSTALLING_OS,
        HostStatus.REBOOT,
        HostStatus.INITIALIZING,
        HostStatus.UNASSIGNED,
        HostStatus.CONNECTING,
    }
)
#: It will not come into use by itself.
HOST_FAILED: frozenset[str] = frozenset({HostStatus.INSTALL_FAILED, HostStatus.ERROR, HostStatus.NON_OPERATIONAL})
#: It is not yet part of its cluster.
HOST_OUTSIDE: frozenset[str] = frozenset(
    {HostStatus.PENDING_APPROVAL, HostStatus.INSTALLING, HostStatus.INSTALLING_OS, HostStatus.INSTALL_FAILED}
)
#: It answers the manager.
HOST_TALKING: frozenset[str] = frozenset({HostStatus.UP, HostStatus.MAINTENANCE, HostStatus.NON_OPERATIONAL})
#: It is back after its power was switched.
HOST_BACK: frozenset[str] = HOST_TALKING | {HostStatus.PENDING_APPROVAL}
#: It can be removed.
HOST_REMOVABLE: frozenset[str] = frozenset(
    {
        HostStatus.MAINTENANCE,
        HostStatus.DOWN,
        HostStatus.INSTALL_FAILED,
        HostStatus.PENDING_APPROVAL,
        HostStatus.NON_RESPONSIVE,
        HostStatus.ERROR,
    }
)
#: It can be installed again.
HOST_INSTALLABLE: frozenset[str] = frozenset({HostStatus.MAINTENANCE, HostStatus.INSTALL_FAILED})
#: It can be upgraded.
HOST_UPGRADABLE: frozenset[str] = HOST_INSTALLABLE | {HostStatus.UP, HostStatus.NON_OPERATIONAL}
#: Its packages are being changed.
HOST_BEING_INSTALLED: frozenset[str] = HOST_LEAVING | {
    HostStatus.INSTALLING,
    HostStatus.INSTALLING_OS,
    HostStatus.REBOOT,
}


class DomainStatus(State):
    """The states of a storage domain in a data center."""

    ACTIVE = "active", "It is in use."
    INACTIVE = "inactive", "It should be in use and cannot be reached."
    MAINTENANCE = "maintenance", "An administrator has put it into maintenance."
    PREPARING_FOR_MAINTENANCE = "preparing_for_maintenance", "Hosts disconnect from it, then it is in maintenance."
    UNATTACHED = "unattached", "It belongs to no data center."
    LOCKED = "locked", "The manager works on it."
    ACTIVATING = "activating", "Hosts connect to it."
    DETACHING = "detaching", "It leaves its data center."
    MIXED = "mixed", "Its state differs between data centers."
    UNKNOWN = "unknown", "No host knows."


#: It is in use.
DOMAIN_ACTIVE: frozenset[str] = frozenset({DomainStatus.ACTIVE})
#: It is not in use, on purpose or not.
DOMAIN_RESTING: frozenset[str] = frozenset({DomainStatus.MAINTENANCE, DomainStatus.INACTIVE})
#: It is on its way out of use.
DOMAIN_LEAVING: frozenset[str] = frozenset({DomainStatus.PREPARING_FOR_MAINTENANCE})
#: It is on its way into use.
DOMAIN_COMING: frozenset[str] = frozenset({DomainStatus.LOCKED, DomainStatus.ACTIVATING})
#: It is on its way somewhere.
DOMAIN_MOVING: frozenset[str] = DOMAIN_COMING | {DomainStatus.DETACHING}


class ImageStatus(State):
    """The states of a disk, a template or a snapshot."""

    OK = "ok", "It can be used."
    LOCKED = "locked", "The manager works on it."
    ILLEGAL = "illegal", "It could not be made or read."


#: It can be used.
IMAGE_OK: frozenset[str] = frozenset({ImageStatus.OK})
#: It will never be usable.
IMAGE_BROKEN: frozenset[str] = frozenset({ImageStatus.ILLEGAL})


class CenterStatus(State):
    """The states of a data center."""

    UNINITIALIZED = "uninitialized", "It has no storage yet."
    UP = "up", "It works."
    MAINTENANCE = "maintenance", "An administrator has put its storage into maintenance."
    NOT_OPERATIONAL = "not_operational", "No host can manage its storage."
    PROBLEMATIC = "problematic", "Its master storage domain cannot be reached."
    CONTEND = "contend", "A host is about to become its storage pool manager."


class JobStatus(State):
    """The states of the manager's jobs."""

    STARTED = "started", "The manager is at work on it."
    FINISHED = "finished", "It is done."
    FAILED = "failed", "It could not be done."
    ABORTED = "aborted", "It was given up."
    UNKNOWN = "unknown", "The manager does not know what became of it."


class ActionStatus(State):
    """What became of an action that was asked for."""

    PENDING = "pending", "It has not begun."
    IN_PROGRESS = "in_progress", "The manager is at work on it."
    COMPLETE = "complete", "It is done."
    FAILED = "failed", "It could not be done."


class ManagingStatus(State):
    """Whether a host manages its data center's storage."""

    NONE = "none", "It does not."
    CONTENDING = "contending", "It is about to."
    SPM = "spm", "It does."


class UnitStatus(State):
    """The states of a LUN."""

    FREE = "free", "Nothing is on it."
    USED = "used", "Something is on it."
    UNUSABLE = "unusable", "The host cannot use it."


class BrickStatus(State):
    """The states of a brick of a Gluster volume."""

    UP = "up", "It serves."
    DOWN = "down", "It does not."
    UNKNOWN = "unknown", "Its host does not answer."


#: It serves.
BRICK_UP: frozenset[str] = frozenset({BrickStatus.UP})


class CheckpointStatus(State):
    """The states of a checkpoint, from which a backup goes on."""

    CREATED = "created", "A backup can go on from it."
    INVALID = "invalid", "Its bitmap is lost."


class TransferPhase(State):
    """The phases of an image on its way in or out."""

    UNKNOWN = "unknown", "Nobody knows."
    INITIALIZING = "initializing", "A host is being prepared."
    TRANSFERRING = "transferring", "A host takes or gives it."
    RESUMING = "resuming", "It is being resumed."
    PAUSED_SYSTEM = "paused_system", "No data has come for a minute, or the host is away."
    PAUSED_USER = "paused_user", "A user has paused it."
    CANCELLED = "cancelled", "It was cancelled."
    CANCELLED_SYSTEM = "cancelled_system", "The manager has cancelled it."
    CANCELLED_USER = "cancelled_user", "A user has cancelled it."
    FINALIZING_SUCCESS = "finalizing_success", "All data was sent, and is being checked."
    FINALIZING_FAILURE = "finalizing_failure", "It failed, and what is left of it is removed."
    FINALIZING_CLEANUP = "finalizing_cleanup", "It was cancelled, and what is left of it is removed."
    FINISHED_SUCCESS = "finished_success", "It is done."
    FINISHED_FAILURE = "finished_failure", "It has failed."
    FINISHED_CLEANUP = "finished_cleanup", "It was cancelled, and nothing is left of it."


#: Bytes may come.
TRANSFER_READY: frozenset[str] = frozenset({TransferPhase.TRANSFERRING})
#: It waits for somebody to go on with it.
TRANSFER_RESTING: frozenset[str] = frozenset({TransferPhase.PAUSED_SYSTEM, TransferPhase.PAUSED_USER})
#: Nobody can go on with it.
TRANSFER_ENDED: frozenset[str] = frozenset(TransferPhase) - {
    TransferPhase.INITIALIZING,
    TransferPhase.TRANSFERRING,
    TransferPhase.RESUMING,
    *TRANSFER_RESTING,
}
