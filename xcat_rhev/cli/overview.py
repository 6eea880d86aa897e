"""What all commands have in common, for the man page of the program: settings, tables, files, exit codes."""

from __future__ import annotations

from ..jsonlines import SCHEMA

TYPES = {str: "text", bool: "true or false", int: "number", float: "number", list: "list", dict: "object"}

DESCRIPTION = (
    "Installs RHEV-H, RHVH and oVirt Node through xCAT, and runs hosts, storage, networks and virtual machines of "
    "RHEV-M, RHV-M or oVirt Engine. Inside an xCAT the commands are typed as ever; without one, xcat-rhev run sends "
    "them to an xcatd."
)

#: Title -> word -> what it is.
SECTIONS: dict[str, dict[str, str]] = {
    "SITE TABLE": {
        "rhevmmaxp": "how many changes are sent to a manager at the same time, 1 to 64; 8",
        "rhevmca": "a file with the managers' CA or a chain, or system; empty: fetched once, shown with its SHA-256, "
        "and kept",
        "rhevmoldtls": "managers that speak nothing newer than TLS 1.0, separated by commas",
        "rhevminsecure": "managers whose certificate is not checked, separated by commas",
        "rhevmapi": "3 or 4, to use only that API",
        "rhevmnovnc": "where noVNC is, for getrvidparms --browser; https://MASTER/novnc",
        "rhevhkcmdline": "kernel arguments for all live images",
        "rhevhautoapprove": "yes, or nodes and groups whose hypervisors join their managers once they boot",
    },
    "OTHER TABLES": {
        "passwd": "key rhevm or the manager's name: its user (admin is admin@internal, or admin@ovirt@internalsso "
        "behind Keycloak; others as user@profile) and password; key rhevh, users admin and root: those of "
        "hypervisors; the keys that vm.othersettings and virtsd.location name",
        "hypervisor": "type (rhevh), mgr (the manager), cluster, user, password, interface (see "
        "xcat-rhev-chhypervisor)",
        "vm": "mgr (the manager), host, cluster, master, memory, cpus, storage, storagemodel, nics, nicmodel, "
        "bootorder, virtflags, vidproto, vidmodel, vidpassword, guestostype, othersettings (see xcat-rhev-mkvm)",
        "virtsd": "node (the domain's name), sdtype, stype, location, host, cluster, datacenter (see xcat-rhev-cfgve)",
        "nodehm": "mgt=rhevm makes a node a machine of the manager that vm.mgr names",
        "ipmi, mpa, mp": "the power management of a hypervisor, for chhypervisor -p",
        "hosts, nics, mac, networks": "addresses of hypervisors, for kernel arguments and for the finish URL",
        "osimage, linuximage, osdistro": "written by copycds",
    },
    "FILES": {
        "<xcatconfdir>/rhevm/MANAGER/ca.crt": "the manager's CA; remove it after the manager was installed again",
        "<xcatconfdir>/rhevm/MANAGER/api": "which API the manager speaks and how we log in; may be removed at any time",
        "<xcatconfdir>/rhevm/MANAGER/held": "locks of the machines that a command works on; always empty",
        "<installdir>/xcatrhevh/nodes.json": "addresses and names of nodes, written by nodeset for the finish URL",
        "<xcatconfdir>/rhevm/answers/NODE": "answers for a manager's setup; removed when the node has them",
        "<installdir>/custom/rhevm/IMAGE": "the kit that engine kit or engine hostkit wrote for xCAT",
        "/etc/xcat/rhevh-web.conf": "settings of the finish URL",
        "/var/run/xcat/xcat-rhev.sock": "where xCAT's plugin finds the agent; for root only",
    },
    "ENVIRONMENT": {
        "XCATHOST": "for run: which xcatd, as host:port",
        "NO_COLOR": "no colours on a terminal",
        "XCAT_CERT_DIR": "for run: the folder with ca.pem and client-cred.pem, instead of ~/.xcat",
        "XCATROOT": "for install, uninstall and doctor: the folder of xCAT, instead of /opt/xcat",
    },
    "JSON": {
        "-": "With --json every command answers with one object a line on standard output, failures too; progress, "
        "and what -V shows, is for people and goes to standard error. An object has the fields below that have a "
        "value; lsvm and lsve have fields of their own, which their man pages list.",
        **{name: f"({TYPES[kind]}) {text}" for name, (kind, text) in SCHEMA.items()},
    },
    "EXIT STATUS": {
        "0": "all is done",
        "1": "a node failed, or the whole command",
        "2": "wrong arguments of xcat-rhev itself",
        "127": "run: xcatd does not know the command",
        "130": "run: Ctrl-C",
        "other": "run: the error codes of the answer joined by OR, or the system's error number if no xcatd answers; "
        "141 if the output was closed",
    },
}
