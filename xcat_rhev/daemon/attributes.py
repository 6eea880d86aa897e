"""The attributes that lsdef and mkdef show of an object, and the table columns behind them: xCAT's own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ObjectKind(NamedTuple):
    """A type of objects.

    Attributes:
        name: As `-t` takes it.
        table: The table whose rows are the objects.
        key: The column that holds an object's name.
        columns: Attribute -> table and column; those of other tables have the name in their first key column.
    """

    name: str
    table: str
    key: str
    columns: Mapping[str, tuple[str, str]]


#: Table -> attributes; `attribute=column` where the names differ.
_NODE = """
nodelist: groups status statustime appstatus appstatustime primarysn hidden updatestatus updatestatustime zonename
    usercomment=comments
""" + (
    _NODE_TABLES := """
nodetype: nodetype arch supportedarchs os profile provmethod
postscripts: postscripts postbootscripts
prescripts: prescripts-begin=begin prescripts-end=end
noderes: xcatmaster servicenode tftpserver tftpdir nfsserver nimserver nfsdir monserver supportproxydhcp=proxydhcp
    syslog primarynic installnic netboot nameservers routenames
bootparams: kernel initrd kcmdline addkcmdline
servicenode: setupnameserver=nameserver setupdhcp=dhcpserver setuptftp=tftpserver setupnfs=nfsserver
    setupconserver=conserver setupipforward=ipforward setupproxydhcp=proxydhcp setupldap=ldapserver
    setupntp=ntpserver setupftp=ftpserver setupnim=nimserver dhcpinterfaces
iscsi: iscsiserver=server iscsitarget=target iscsiuserid=userid iscsipassword=passwd
nodehm: mgt power cons termserver termport conserver getmac cmdmapping serialport serialspeed serialflow
    consoleondemand consoleenabled
mac: interface mac
chain: chain ondiscover currstate currchain
ipmi: bmc bmcport bmcusername=username bmcpassword=password bmcvlantag=taggedvlan
nics: nicips nichostnamesuffixes nichostnameprefixes nictypes niccustomscripts nicnetworks nicaliases nicextraparams
    nicdevices nicsadapter
vm: vmmanager=mgr vmhost=host migrationdest vmstorage=storage vmphyslots=physlots vmothersetting=othersettings
    vmstoragemodel=storagemodel vmstoragecache=storagecache vmstorageformat=storageformat vmcfgstore=cfgstore
    vmmemory=memory vmcpus=cpus vmnics=nics vmnicnicmodel=nicmodel vmbootorder=bootorder vmvirtflags=virtflags
    vmmaster=master vmvncport=vncport vmtextconsole=textconsole vmbeacon=beacon vmcluster=cluster
hypervisor: hosttype=type hostinterface=interface hostmanager=mgr hostcluster=cluster
hosts: ip hostnames otherinterfaces
ppc: hcp hwtype=nodetype id pprofile parent supernode sfp
switches: switchtype
vpd: serial mtm side
"""
)
_GROUP = "nodegroup: grouptype members membergroups wherevals usercomment=comments\n" + _NODE_TABLES
_OSIMAGE = """
osimage: groups imagetype description provmethod osdistroname osupdatename cfmdir rootfstype nfsrootopts profile osname
    osvers osarch synclists postscripts postbootscripts serverrole isdeletable kitcomponents environvar
linuximage: template boottarget addkcmdline pkglist pkgdir otherpkglist otherpkgdir exlist postinstall rootimgdir
    kerneldir nodebootif otherifce netdrivers kernelver krpmver permission dump crashkernelsize partitionfile
    driverupdatesrc usercomment=comments
"""
_NETWORK = """
networks: net mask mgtifname gateway dhcpserver tftpserver nameservers ntpservers logservers dynamicrange nodehostname
    ddnsdomain vlanid domain staticrange staticrangeincrement mtu usercomment=comments
"""
_POLICY = "policy: name host commands noderange parameters time rule usercomment=comments"
_OSDISTRO = "osdistro: basename majorversion minorversion arch type dirpaths"
_AUDIT = "auditlog: audittime userid clientname clienttype command noderange args status comments"
_EVENT = """
eventlog: eventtime eventtype monitor monnode node application component id severity message rawdata comments
"""
_LOGIN = "passwd: password cryptmethod authdomain usercomment=comments"


def _read(text: str) -> dict[str, tuple[str, str]]:
    columns: dict[str, tuple[str, str]] = {}
    for line in text.strip().replace("\n    ", " ").splitlines():
        table, _, words = line.partition(": ")
        for word in words.split():
            attribute, _, column = word.partition("=")
            columns[attribute] = (table, column or attribute)
    return columns


#: Every type by its name. The site is one object whose attributes are the rows; a password is named `key:username`.
KINDS = {
    kind.name: kind
    for kind in (
        ObjectKind("node", "nodelist", "node", _read(_NODE)),
        ObjectKind("group", "nodegroup", "groupname", _read(_GROUP)),
        ObjectKind("osimage", "osimage", "imagename", _read(_OSIMAGE)),
        ObjectKind("osdistro", "osdistro", "osdistroname", _read(_OSDISTRO)),
        ObjectKind("network", "networks", "netname", _read(_NETWORK)),
        ObjectKind("policy", "policy", "priority", _read(_POLICY)),
        ObjectKind("passwd", "passwd", "key", _read(_LOGIN)),
        ObjectKind("site", "site", "key", {}),
        ObjectKind("auditlog", "auditlog", "recid", _read(_AUDIT)),
        ObjectKind("eventlog", "eventlog", "recid", _read(_EVENT)),
    )
}
#: The name of the one site object.
SITE = "clustersite"
