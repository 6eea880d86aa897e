"""What all commands have in common, for the man page of the program: settings, tables, files, exit codes."""

from __future__ import annotations

DESCRIPTION = (
    "Installs RHEV-H, RHVH and oVirt Node through xCAT, and runs hosts, storage, networks and virtual machines of "
    "RHEV-M, RHV-M or oVirt Engine. Inside an xCAT the commands are typed as ever; without one, xcat-rhev run sends "
    "them to an xcatd."
)

#: Title -> word -> what it is.
SECTIONS: dict[str, dict[str, str]] = {
    "SITE TABLE": {
        "rhevmmaxp": "writes at once per manager, 1 to 64; 8",
        "rhevmca": "a file with the managers' CA, or system; empty: fetched once, shown with its SHA-256, and kept",
        "rhevmoldtls": "managers, by comma, that speak nothing newer than TLS 1.0",
        "rhevminsecure": "managers, by comma, whose certificate is not looked at",
        "rhevmapi": "3 or 4, to insist on one API",
        "rhevhkcmdline": "kernel arguments for all live images",
        "rhevhautoapprove": "yes, or nodes and groups whose hypervisors join their managers once they boot",
    },
    "OTHER TABLES": {
        "passwd": "key rhevm or the manager's name: its user and password; key rhevh, users admin and root: those of "
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
        "<xcatconfdir>/rhevm/MANAGER/ca.crt": "the manager's CA; remove it after the manager was installed anew",
        "<xcatconfdir>/rhevm/MANAGER/api": "which API the manager speaks; may be removed at any time",
        "<xcatconfdir>/rhevm/MANAGER/held": "which machines a command is at work on; always empty, for its locks alone",
        "<installdir>/xcatrhevh/nodes.json": "addresses and names of nodes, written by nodeset for the finish URL",
        "/etc/xcat/rhevh-web.conf": "settings of the finish URL",
        "/var/run/xcat/xcat-rhev.sock": "where xCAT's plugin finds the agent; for root alone",
    },
    "ENVIRONMENT": {
        "XCATHOST": "for run: which xcatd, as host:port",
        "XCAT_CERT_DIR": "for run: the folder with ca.pem and client-cred.pem, instead of ~/.xcat",
        "XCATROOT": "for install, uninstall and doctor: the folder of xCAT, instead of /opt/xcat",
    },
    "EXIT STATUS": {
        "0": "all is done; also after Ctrl-C and for a command that no xcatd knows, as with xCAT's own clients",
        "1": "a node failed, or the whole command",
        "2": "wrong arguments of xcat-rhev itself",
        "other": "run: the error codes of the answer joined by OR, or the system's error number if no xcatd answers; "
                 "141 if the output was closed",
    },
}
