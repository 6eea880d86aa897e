"""cfgve -t tpl --upload: a template of a cloud image, through a temporary machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...engine.nouns import Cluster, Disk, DiskImage, ImageTransfer, Ref, StorageDomain, Template, Vm
from ...engine.states import IMAGE_BROKEN, IMAGE_OK, VM_OFF, ImageStatus, VmStatus
from ...engine.waiting import GONE, Goal
from ...messages import Error
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...units import GIB
from ..vm.transfer import Source, Upload, former, source_of
from .images import domain_for, one_name, refuse_old
from .kind import BLANK_ID, named_cluster, success

#: Seconds for copying the disk.
LIMIT = 7200.0
#: The name of the machine of which the template is made.
_HELPER = "{}-being-made"


def upload(context: Context, names: Sequence[str]) -> Plan:
    """Make a template of an image."""
    name = one_name(names, "--upload")
    refuse_old(context, "uploads of images")
    source = source_of(context.request, context.options["upload"], "--upload")
    template = context.manager.templates([name]).only(name)
    helper = context.manager.find(Vm, [_HELPER.format(name)], details=True).get(_HELPER.format(name))
    if template is not None and template.status == ImageStatus.ILLEGAL:
        yield Error(f"it is {template.status}. Run: cfgve -t tpl -m {context.manager.name} -o {name} -r", name)
    elif template is not None and helper is None:
        yield Job(name, idle="there is a template of that name: nothing to do")
    elif source.what.iso:
        yield Error(f"{source.path} is an image of a CD, of which no machine can be made. Give -t disk", name)
    else:
        making = _Making(context, name, source, named_cluster(context), template, helper)
        yield Job(name, [*making.parts()])


@dataclass
class _Making:
    """The job of one template."""

    context: Context
    name: str
    source: Source
    cluster: Cluster
    template: Template | None
    helper: Vm | None
    sending: Upload | None = None

    def parts(self) -> Iterator[Step | Wait]:
        """What is left to be done: a former run may have been interrupted anywhere."""
        if self.template is None:
            yield from self._sending_parts()
            if self.helper is None:
                yield Step(f"make the machine {_HELPER.format(self.name)} in {self.cluster.name}", self._make_helper)
                yield Wait("wait until it is there", self._helper_goal)
            if self.helper is None or not self.helper.disks:
                yield Step("attach the disk", self._attach)
                yield Wait("wait until it is settled", self._helper_goal)
            yield Step(f"make the template {self.name}", self._make)
        yield Wait("wait until its disk is copied", self._template_goal)
        yield Wait("wait until the machine is unlocked", self._helper_goal)
        yield Step("remove the machine and its disk", self._remove)
        yield Wait("wait until they are gone", self._gone_goal, lambda _: success(self.name))

    def _sending_parts(self) -> Iterator[Step | Wait]:
        disk, transfer = former(self.context, f"{self.name}_Disk1", self.source.mark)
        self.sending = self._upload(disk, transfer)
        if disk is None or disk.description != self.source.mark:
            yield from self.sending.parts()

    def _upload(self, disk: DiskImage | None, transfer: ImageTransfer | None) -> Upload:
        domain = StorageDomain()
        if disk is None:
            center = self.cluster.data_center
            here = self.context.manager.list(StorageDomain, under=center) if center else []
            domain = domain_for(self.context, here)
        return Upload(self.context, f"{self.name}_Disk1", self.source, domain, disk, transfer)

    def _make_helper(self) -> None:
        wanted = Vm(
            name=_HELPER.format(self.name),
            description=f"for the template {self.name}; it goes when that is made",
            cluster=Ref(self.cluster.id),
            template=Ref(BLANK_ID),
            type="server",
            memory=GIB,
            boot=("hd",),
        )
        self.helper = self.context.manager.create(wanted)

    @property
    def _vm(self) -> Vm:
        assert self.helper is not None
        return self.helper

    def _helper_goal(self) -> Goal:
        return Goal(self._vm, VM_OFF, frozenset({VmStatus.IMAGE_ILLEGAL}), limit=self._limit, settled=True)

    @property
    def _limit(self) -> float:
        return self.context.limit(LIMIT)

    def _attach(self) -> None:
        assert self.sending is not None
        how = Disk(id=self.sending.disk.id, bootable=True, interface="virtio", active=True)
        self.context.manager.add_disk(self._vm, how)

    def _make(self) -> None:
        wanted = Template(name=self.name, vm=Ref(self._vm.id), description=f"of {self.source.mark}")
        self.template = self.context.manager.create(wanted)

    def _template_goal(self) -> Goal:
        assert self.template is not None
        return Goal(self.template, IMAGE_OK, IMAGE_BROKEN, limit=self._limit)

    def _remove(self) -> None:
        self.context.manager.remove(self._vm)

    def _gone_goal(self) -> Goal:
        return Goal(self._vm, frozenset({GONE}), limit=self._limit)
