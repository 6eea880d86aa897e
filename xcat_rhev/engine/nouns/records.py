"""Tags, events, jobs, statistics, and what an action answers."""

from __future__ import annotations

from datetime import datetime, timezone

from ..documents.fields import flag, parts, ref, secret, text, whole, words
from ..documents.noun import Noun
from ..documents.record import Record
from .environment import StorageDomain


class Tag(Noun, tag="tag", path="tags", top=True):
    """A tag; trees of them hang below the root tag."""

    parent = ref("parent/tag", "parent")


class Event(Noun, tag="event", path="events", searchable=True, top=True, named=False):
    """An entry of the engine's log, newest first.

    Attributes:
        severity: normal, warning, error, alert.
        time: xs:dateTime.
        correlation: The Correlation-Id of the request behind it; since 3.1.
        origin: Who wrote it: oVirt, or whom an event of somebody else names; since 3.2.
        custom_id: A number that is its origin's alone.
    """

    code = whole("code")
    severity = text("severity")
    time = text("time")
    correlation = text("correlation_id")
    vm = ref("vm")
    storage_domain = ref("storage_domain")
    host = ref("host")
    template = ref("template")
    cluster = ref("cluster")
    data_center = ref("data_center")
    origin = text("origin", since=(3, 2))
    custom_id = whole("custom_id", since=(3, 2))

    @property
    def moment(self) -> datetime | None:
        """Its time; None if what the engine wrote is not a time."""
        try:
            # Python before 3.11 reads neither a Z nor a single digit of seconds' fractions.
            moment = datetime.fromisoformat((self.time or "").replace("Z", "+00:00"))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class EngineJob(Noun, tag="job", path="jobs", top=True, named=False):
    """A piece of the engine's work; since 3.3. `status` is started, finished, failed, aborted, unknown."""

    status = text("status/state", "status")
    start_time = text("start_time")


class Statistic(Noun, tag="statistic", path="statistics"):
    """A measured value, as `memory.installed`.

    Attributes:
        datum: The value as it was written.
        unit: bytes, percent, none ... (upper case in v3).
    """

    data = words("values/value*/datum")
    kind = text("type", "kind")
    unit = text("unit")

    @property
    def value(self) -> float | None:
        """The value as a number."""
        return float(self.data[0]) if self.data else None


class IscsiTarget(Record):
    """A target that a discovery found."""

    address = text("address")
    port = whole("port")
    target = text("target")


class SystemOption(Noun, tag="system_option", path="options", top=True, named=False):
    """A setting of the engine, since 4.2; one is asked for by its name."""

    value = text("values/system_option_value/value")


class Ticket(Record):
    """A console's password, as it is asked for.

    Attributes:
        value: Absent: the engine makes one up.
        expiry: Seconds.
    """

    value = secret("value")
    expiry = whole("expiry")


class Iscsi(Record):
    """Where an iSCSI discovery or login goes."""

    port = whole("port")
    target = text("target")
    username = text("username")
    password = secret("password")
    address = text("address")


class Answer(Record):
    """What an action says: status first, then what it was asked for.

    Attributes:
        status: complete, pending, in_progress, failed. `complete` means accepted, not that the state is reached.
        reason, detail: The fault inside, if any.
        ticket, ticket_expiry: A console's password, and its life in seconds.
        proxy_ticket: What the engine's websocket proxy wants to see; signed by the engine.
        power: on, off: what a fence agent says.
        targets: What an iSCSI discovery found.
        storage_domains: What a search for block domains found.
        job: Where the engine's work can be looked at.
    """

    status = text("status/state", "status")
    reason = text("fault/reason")
    detail = text("fault/detail")
    ticket = secret("ticket/value")
    ticket_expiry = whole("ticket/expiry")
    proxy_ticket = secret("proxy_ticket/value")
    power = text("power_management/status/state", "power_management/status")
    target_names = words("iscsi_target*", "iscsi_targets/iscsi_target*")
    discovered = parts(IscsiTarget, None, "discovered_targets/iscsi_details*")
    storage_domains = parts(StorageDomain, "storage_domains/storage_domain*")
    job = ref("job")
    attached = flag("is_attached")

    @property
    def targets(self) -> tuple[IscsiTarget, ...]:
        """What an iSCSI discovery found; before 4.4 engines give names alone."""
        return self.discovered or tuple(IscsiTarget(target=name) for name in self.target_names)
