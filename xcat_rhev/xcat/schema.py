"""Tables and their columns, as xCAT 2.16 to 2.18 has them, as far as the flow of a hypervisor needs them.

`hypervisor.user` and `hypervisor.password` are ours: the login that RHEV-H gets. A Perl xCAT has them where a site
added them.
"""

from __future__ import annotations

from typing import NamedTuple

from .commandnames import nearest


class Table(NamedTuple):
    """One table.

    Attributes:
        name: Its name, which is also the SQLite file's.
        columns: In xCAT's order, which tabdump keeps; `comments` and `disable` are the last two.
        keys: The columns of the primary key.
    """

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def node_keyed(self) -> bool:
        """Whether rows belong to nodes or groups, so that groups inherit and regular expressions are expanded."""
        return self.keys == ("node",)

    @property
    def header(self) -> str:
        """The first line of `tabdump`."""
        return "#" + ",".join(self.columns)

    def type_of(self, column: str) -> str:
        """The SQL type: `TEXT`, `VARCHAR(128)` for keys, `SERIAL` for a key that counts by itself.

        Args:
            column: One of `columns`.
        """
        return _ODD_TYPES.get((self.name, column)) or ("VARCHAR(128)" if column in self.keys else "TEXT")


_ODD_TYPES = {
    ("auditlog", "recid"): "SERIAL",
    ("eventlog", "recid"): "SERIAL",
    ("osimage", "osupdatename"): "VARCHAR(1024)",
}
#: Tables whose key counts by itself.
NUMBERED = frozenset(name for (name, _), kind in _ODD_TYPES.items() if kind == "SERIAL")

#: One table a line, keys marked by a star; indented lines go on.
_COLUMNS = """
auditlog: *recid audittime userid clientname clienttype command noderange args status
bootparams: *node kernel initrd kcmdline addkcmdline dhcpstatements adddhcpstatements
boottarget: *bprofile kernel initrd kcmdline
chain: *node currstate currchain chain ondiscover
eventlog: *recid eventtime eventtype monitor monnode node application component id severity message rawdata
hosts: *node ip hostnames otherinterfaces
hypervisor: *node type mgr interface netmap defaultnet cluster datacenter preferdirect user password
ipmi: *node bmc bmcport taggedvlan bmcid username password
iscsi: *node server target lun iname file userid passwd kernel kcmdline initrd
kept: *tablename *number line
linuximage: *imagename template boottarget addkcmdline pkglist pkgdir otherpkglist otherpkgdir exlist postinstall
    rootimgdir kerneldir nodebootif otherifce netdrivers kernelver krpmver permission dump crashkernelsize
    partitionfile driverupdatesrc
mac: *node interface mac
networks: netname *net *mask mgtifname gateway dhcpserver tftpserver nameservers ntpservers logservers dynamicrange
    staticrange staticrangeincrement nodehostname ddnsdomain vlanid domain mtu
nics: *node nicips nichostnamesuffixes nichostnameprefixes nictypes niccustomscripts nicnetworks nicaliases
    nicextraparams nicdevices nicsadapter
nodegroup: *groupname grouptype members membergroups wherevals
nodehm: *node power mgt cons termserver termport conserver serialport serialspeed serialflow getmac cmdmapping
    consoleondemand consoleenabled
nodelist: *node groups status statustime appstatus appstatustime primarysn hidden updatestatus updatestatustime
    zonename
noderes: *node servicenode netboot tftpserver tftpdir nfsserver monserver nfsdir installnic primarynic discoverynics
    cmdinterface xcatmaster current_osimage next_osimage nimserver routenames nameservers proxydhcp syslog
nodetype: *node os arch profile provmethod supportedarchs nodetype
notification: *filename tables tableops
osdistro: *osdistroname basename majorversion minorversion arch type dirpaths
osimage: *imagename groups profile imagetype description provmethod rootfstype nfsrootopts osdistroname osupdatename
    cfmdir osname osvers osarch synclists postscripts postbootscripts serverrole isdeletable kitcomponents
    environvar
passwd: *key *username password cryptmethod authdomain
policy: *priority name host commands noderange parameters time rule
postscripts: *node postscripts postbootscripts
ppc: *node hcp id pprofile parent nodetype supernode sfp
prescripts: *node begin end
servicenode: *node nameserver dhcpserver tftpserver nfsserver conserver monserver ldapserver ntpserver ftpserver
    nimserver ipforward dhcpinterfaces proxydhcp
site: *key value
switches: *switch snmpversion username password privacy auth linkports sshusername sshpassword protocol switchtype
token: *tokenid username expire created access
virtsd: *node sdtype stype location host cluster datacenter
vm: *node mgr host migrationdest storage storagemodel storagecache storageformat cfgstore memory cpus nics nicmodel
    bootorder clockoffset virtflags master vncport textconsole powerstate beacon datacenter cluster guestostype
    othersettings physlots vidmodel vidproto vidpassword
vpd: *node serial mtm side asset uuid
"""


def _read(text: str) -> dict[str, Table]:
    tables = {}
    for line in text.strip().replace("\n    ", " ").splitlines():
        name, _, columns = line.partition(": ")
        names = columns.split()
        keys = tuple(column[1:] for column in names if column.startswith("*"))
        tables[name] = Table(name, (*(column.lstrip("*") for column in names), "comments", "disable"), keys)
    return tables


#: Every table by its name.
TABLES = _read(_COLUMNS)
#: Ours: where the embedded xcatd keeps what it was given of tables that are not among these.
KEPT = "kept"
#: Table -> columns that no other xCAT has unless a site added them.
OURS = {"hypervisor": ("user", "password")}
#: The names that people see.
SHOWN = tuple(sorted(TABLES.keys() - {KEPT}))


def no_column(label: str) -> str:
    """What to say of a word that is no table.column, with the one that was meant."""
    table, _, column = label.partition(".")
    near, known = nearest(table, TABLES), TABLES.get(table)
    if known:
        near = nearest(column, known.columns)
        near = near and f"{table}.{near}"
    return f"{label} not a valid table.column description" + (f". Did you mean {near}?" if near else "")
