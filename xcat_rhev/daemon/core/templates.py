"""Templates for `mkdef --template`: what a kind of machine needs, under xCAT's own names, and two of ours."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Usage
from ..attributes import ObjectKind
from . import object_args

_MUST, _MAY = "MANDATORY:", "OPTIONAL:"
_TEXT = """
rhevm-template:
    objtype=node
    groups=vm,all
    ip=OPTIONAL:the IP address of the machine
    mac=OPTIONAL:written by mkvm
    mgt=rhevm
    netboot=xnba
    usercomment=a virtual machine of RHEV-M, RHV-M or oVirt Engine
    vmcluster=OPTIONAL:the cluster, if it is not Default
    vmcpus=1:1
    vmmanager=MANDATORY:the host name of the manager
    vmmemory=2g
    vmnics=OPTIONAL:the networks, as NETWORK:eth0:yes
    vmstorage=OPTIONAL:the disks, as DOMAIN:SIZE:system

rhevh-template:
    objtype=node
    arch=x86_64
    bmc=OPTIONAL:the host name or the IP address of the BMC
    groups=rhevh,all
    hostcluster=OPTIONAL:the cluster, if it is not Default
    hostmanager=MANDATORY:the host name of the manager
    hosttype=rhevh
    ip=MANDATORY:the IP address of the hypervisor
    mac=MANDATORY:the MAC address of the card that it is installed over
    mgt=ipmi
    netboot=xnba
    usercomment=a hypervisor that a manager runs

x86_64-template:
    objtype=node
    arch=x86_64
    bmc=MANDATORY:the host name or the IP address of the BMC
    bmcpassword=OPTIONAL:the password of the BMC
    bmcusername=OPTIONAL:the user name of the BMC
    cons=ipmi
    getmac=ipmi
    groups=all
    ip=MANDATORY:the IP address of the node
    mac=OPTIONAL:the MAC address of the node
    mgt=ipmi
    netboot=xnba
    serialport=0
    serialspeed=115200
    usercomment=the system X node definition

ppc64le-template:
    objtype=node
    arch=ppc64le
    bmc=MANDATORY:the host name or the IP address of the BMC
    bmcpassword=OPTIONAL:the password of the BMC
    bmcusername=OPTIONAL:the user name of the BMC
    cons=ipmi
    groups=all
    ip=MANDATORY:the IP address of the node
    mac=OPTIONAL:the MAC address of the node
    mgt=ipmi
    netboot=petitboot
    nodetype=mp
    serialport=0
    serialspeed=115200
    usercomment=the template for ipmi controlled PowerLE NV node definition

x86_64kvmguest-template:
    objtype=node
    arch=x86_64
    groups=all
    ip=MANDATORY:the IP address of the guest
    mac=OPTIONAL:the MAC address of the guest
    mgt=kvm
    netboot=xnba
    serialport=0
    serialspeed=115200
    usercomment=the system X kvm node definition
    vmcpus=2
    vmhost=MANDATORY:the host name or the IP address of the KVM hypervisor
    vmmemory=4096
    vmnicnicmodel=virtio
    vmnics=MANDATORY:the cards of the hypervisor for the network of the guest
    vmstorage=dir:///var/lib/libvirt/images

ppc64lekvmguest-template:
    objtype=node
    arch=ppc64le
    groups=all
    ip=MANDATORY:the IP address of the guest
    mac=OPTIONAL:the MAC address of the guest
    mgt=kvm
    netboot=grub2
    usercomment=the power LE kvm node definition template
    vmcpus=2
    vmhost=MANDATORY:the host name or the IP address of the KVM hypervisor
    vmmemory=4096
    vmnicnicmodel=virtio
    vmnics=MANDATORY:the cards of the hypervisor for the network of the guest
    vmstorage=dir:///var/lib/libvirt/images

cec-template:
    objtype=node
    groups=cec,all
    hcp=MANDATORY:the hardware control point of the node
    hwtype=cec
    mgt=hmc
    mtm=MANDATORY:the machine type and model of the node
    nodetype=ppc
    serial=MANDATORY:the serial number of the node
    usercomment=the cec definition template

hmc-template:
    objtype=node
    groups=hmc
    hwtype=hmc
    ip=MANDATORY:the ip address of the hmc
    mgt=hmc
    nodetype=hmc
    usercomment=the template for hmc definition

switch-template:
    objtype=node
    groups=switch
    ip=OPTIONAL:the ip address of the switch
    mac=OPTIONAL:the MAC address of the switch
    mgt=switch
    nodetype=switch
    switchtype=OPTIONAL:The type of switch
    usercomment=the switch definition template
"""


def of(kind: ObjectKind) -> dict[str, dict[str, str]]:
    """The templates for a type of objects: name -> attribute -> value, or what it is and whether it must be given."""
    found = object_args.stanzas(_TEXT)
    return {name: values for name, values in sorted(found.items()) if values.pop("objtype") == kind.name}


def fill(template: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What is given, and of the template what is not.

    Raises:
        Usage: The template wants an attribute that is not given.
    """
    for attribute, text in template.items():
        if text.startswith(_MUST) and not given.get(attribute):
            raise Usage(f'The attribute "{attribute}" must be specified!', f"It is {text.removeprefix(_MUST)}")
    usual = {attribute: text for attribute, text in template.items() if not text.startswith((_MUST, _MAY))}
    return {**usual, **given}
