"""cfgve: makes, changes and removes the elements of a virtual environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..declare.command import Command, Option, Place
from ..errors import Usage
from ..messages import Error
from ..plan.context import Context, Plan
from ..rows import description
from ..rows.description import Center, DescribedThing
from ..rows.storage import CENTER_STORAGE
from .environment import cl, converge, dc, descriptionfile, disk, drift, nw, plaindescription, sd, tpl
from .environment.kind import Kind
from .environment.plainkinds import PLAIN

KINDS: dict[str, Kind] = {
    "dc": dc.KIND,
    "cl": cl.KIND,
    "sd": sd.KIND,
    "nw": nw.KIND,
    "tpl": tpl.KIND,
    "disk": disk.KIND,
    **{word: each.kind for word, each in PLAIN.items()},
}

#: What can be set of the kinds that are made of settings alone.
_SETTINGS = "; ".join(f"{word}: {', '.join((*each.required_words, *each.optional))}" for word, each in PLAIN.items())

_VERBS = (
    Option(("-c", "--create"), "create", "make it, or complete it where it is half made"),
    Option(("-u", "--update"), "update", "change an object that is there to what the other options say"),
    Option(("-g", "--activate"), "activate", "activate a storage domain"),
    Option(("-s", "--deactivate"), "deactivate", "take a storage domain to maintenance"),
    Option(("-a", "--attach"), "attach", "attach a storage domain to its data center, a network to a cluster"),
    Option(("-b", "--detach"), "detach", "the reverse"),
    Option(("-r", "--remove"), "remove", "remove it"),
    Option(("-x", "--export"), "export", "copy a template to an export domain", value="DOMAIN"),
    Option(("--move",), "move", "move a disk to another storage domain", value="DOMAIN"),
    Option(("--sparsify",), "sparsify", "give back the space that a thin disk does not use any more"),
    Option(("--reduce",), "reduce", "make the volume of a thin disk on block storage as small as what is in it"),
    Option(("--upload",), "upload", "make a disk or a template of an image, qcow2 or raw", value="FILE"),
    Option(("--download",), "download", "write what is on a disk into a file, as raw", value="FILE"),
    Option(("-i", "--import"), "import", "take over a storage domain that is there, or a template on one"),
)

SPEC = Command(
    name="cfgve",
    summary="configure the elements of a virtual environment",
    usage=(
        "-t TYPE -m manager -o object[,object...] [-c|-u|-g|-s|-a|-b|-r|-x|-i|...] [options], "
        "or -m manager --from|--diff FILE.yaml"
    ),
    place=Place.NAMED,
    routes=("rhevm",),
    options=(
        Option(("-t", "--type"), "type", "what kind of object", value="TYPE", choices=tuple(KINDS)),
        Option(("-m", "--manager"), "manager", "the manager's full name; several joined by commas", value="MANAGER"),
        Option(("-o", "--objects"), "objects", "the objects, joined by commas", value="NAMES"),
        *_VERBS,
        Option(("-f", "--force"), "force", "with -r: all steps that removal needs; a storage domain is formatted"),
        Option(("-d", "--datacenter"), "data_center", "the data center", value="NAME"),
        Option(("-l", "--cluster"), "cluster", "the cluster", value="NAME"),
        Option(
            ("-k", "--storage"), "storage", "the storage type of a data center", value="TYPE", choices=CENTER_STORAGE
        ),
        Option(("-p", "--cpu"), "cpu", "the CPU type of a cluster", value="TYPE"),
        Option(("-n", "--vlan"), "vlan", "the VLAN of a network, 1 to 4094", value="ID"),
        Option(("--compat",), "compat", "the compatibility version of a data center or cluster", value="X.Y"),
        Option(
            ("--set",), "set", "a setting of the newer kinds; may be given several times", value="NAME=VALUE", many=True
        ),
        Option(("--description",), "description", "a description", value="TEXT"),
        Option(("--mtu",), "mtu", "the MTU of a network", value="BYTES"),
        Option(("--nonvm",), "nonvm", "a network for hosts only, without virtual machines"),
        Option(("--required",), "required", "hosts of the cluster without the network become non-operational"),
        Option(("--destroy",), "destroy", "with -r: forget a storage domain whose storage is lost"),
        Option(("--from",), "from", "make everything that the file describes; - is standard input", value="FILE.yaml"),
        Option(("--diff",), "diff", "only show what differs from the file; exit code 2 then", value="FILE.yaml"),
        Option(("--from-domain",), "source", "with -i: the export or data domain with the template", value="DOMAIN"),
        Option(("--to-domain",), "target", "with -i and --upload: the data domain for the disks", value="DOMAIN"),
    ),
    description=(
        "A storage domain is made from its row in the virtsd table: created, attached to its data center and "
        "activated; one that was left half made is completed. Nothing is formatted without -f, and nothing is removed "
        "while running virtual machines or the last active storage domain of a data center need it. A data center with "
        "local storage is removed together with it: name both in -o, and give -f, because it is formatted.\n\n"
        "virtsd.sdtype is data, iso or export; virtsd.host the hypervisor that makes the domain; virtsd.datacenter "
        "defaults to Default. virtsd.location depends on virtsd.stype: nfs server:/path[|version=v4][|options=...]; "
        "localfs /path (default /data/images/rhev); iscsi address[:port][|target=iqn...][|lun=ID,ID][|user=NAME], "
        "where a target and a LUN need not be given if there is only one free, and the password is that of the passwd "
        "row with key=DOMAIN or key=iscsi; fcp lun,lun; posixfs path|vfs=TYPE[|options=...]; glusterfs "
        "server:/volume[|options=...].\n\n"
        "-i instead of -c takes over a domain that is on the storage already and that no manager has, with all that is "
        "on it; from RHEV 3.5 on also on iscsi and fcp, where it is the domain on the LUNs of virtsd.location, or else "
        "the one of that name, or the only one. A template is taken with -i from an export domain, which copies it, or "
        "from a data domain that was taken over, which registers it where it lies.\n\n"
        "--upload makes a disk of a file on the machine that runs the command: a qcow2 image, with the size in its "
        "head, or a raw one. The disk is on the domain of --to-domain, or on the only one. An interrupted upload goes "
        "on when the same command is typed again; until then the disk's description begins with unfinished. "
        "--download writes what a guest sees of a disk into a new file, as raw; the disk belongs to no machine, or to "
        "one that is off. With -t tpl a template is made of the image in the cluster of -l; its machine and disk go "
        "when it is there.\n\n"
        "--from reads a description: data_centers, below it their names, and below each storage, compat, "
        "description, clusters, networks, hosts, storage_domains and vms, again by name. Clusters have cpu, "
        "compat, description, management (a network of another name than the manager's own); networks vlan, mtu, "
        "stp, hosts_only, clusters (a list), required (true, or a list of clusters), description; hosts, storage "
        "domains and vms have the columns of the tables hypervisor, virtsd and vm. A storage domain with active: "
        "false is in maintenance; one that is there needs no host and no location; an ISO domain may stand in "
        "several data centers. In addition to data_centers the file may have the words of -t that --set belongs to, "
        "each with a list of objects: name, description, cluster or data_center, and what --set says. What is "
        "described is compared with what is there, and what is not written stays as it is; a second run has nothing to "
        "do. What needs something that could not be made is not begun. "
        "lsve --export writes such a description. Read back there it has nothing to do; it says in its first "
        "lines what it leaves out.\n\n"
        "The kinds "
        f"{', '.join(PLAIN)} "
        "are made of settings: --set NAME=VALUE, as often as there are any; what is not named stays as it is, and an "
        "empty value takes a reference or a list away. Several in a list are joined by commas, and a list is then what "
        "was given. They are made with -c, changed with -u, removed with -r; one that is there already is otherwise an "
        "error of -c. Affinity groups belong to the cluster of -l, QoS and quotas to the data center of -d. A user is "
        "called name@directory; a permission has the name of its user or group, and holds for the one thing that is "
        "set, or everywhere. The password of a provider is that of the passwd row with key=provider:NAME; "
        "-u sends it anew. "
        "A limit of a quota is CLUSTER:VCPUS:GIB or DOMAIN:GIB, with * for all and nothing for no limit. "
        f"What can be set, with a star where it must be: {_SETTINGS}.\n\n"
        "--diff compares the same way and changes nothing: a line for each thing that --from would do, and one for "
        "each cluster, network, host, storage domain and machine of a described data center that the file does not "
        "name, if the file has anything of that kind. The exit code is 0 where nothing differs, 2 where something "
        "does, and has the bit 1 where something is wrong that --from could not mend either."
    ),
    examples=(
        ("cfgve -t dc -m rhevm.example.com -o dc1 -c -k nfs", "make a data center with shared storage"),
        ("cfgve -t cl -m rhevm.example.com -o cl1,cl2 -c -d dc1", "make two clusters in it"),
        ("cfgve -t sd -m rhevm.example.com -o sd1 -c", "make the storage domain that virtsd describes"),
        ("cfgve -t nw -m rhevm.example.com -o nw1 -c -d dc1 -n 100", "make a network with VLAN 100"),
        ("cfgve -t nw -m rhevm.example.com -o nw1 -a -l cl1", "attach it to a cluster"),
        ("cfgve -t sd -m rhevm.example.com -o sd1 -i", "take over the storage domain that virtsd describes"),
        ("cfgve -t tpl -m rhevm.example.com -o tpl01 -r", "remove a template"),
        ("cfgve -t disk -m rhevm.example.com -o vm1_Disk1 -r", "remove a disk that belongs to no machine"),
        ("cfgve -t disk -m rhevm.example.com -o vm1_Disk1 --move data2", "move a disk, while its machine runs or not"),
        (
            "cfgve -t disk -m rhevm.example.com -o root1 --upload Rocky-9.qcow2 --to-domain sd1",
            "make a disk of an image",
        ),
        ("cfgve -t disk -m rhevm.example.com -o root1 --download root1.raw", "and write it into a file"),
        (
            "cfgve -t tpl -m rhevm.example.com -o rocky9 --upload Rocky-9.qcow2 -l cl1",
            "make a template of a cloud image",
        ),
        ("cfgve -t tpl -m rhevm.example.com -o tpl01 -i --from-domain sd1", "register a template that came with sd1"),
        (
            "cfgve -t qos -m rhevm.example.com -o gold -c -d dc1 --set type=storage --set max_iops=500",
            "limit what the disks of a profile may do",
        ),
        (
            "cfgve -t permission -m rhevm.example.com -o joe@internal-authz -c --set role=UserRole --set vm=vm1",
            "let somebody use a machine",
        ),
        ("cfgve -m rhevm.example.com --from site.yaml --dry-run", "what a described site lacks"),
        ("cfgve -m rhevm.example.com --diff site.yaml", "what has changed, for a nightly job"),
    ),
)

_Compare = Callable[[Context, Sequence[Center], Sequence[DescribedThing]], Plan]
#: What is done with a description, by the option that names it.
_COMPARE: Mapping[str, _Compare] = {"from": converge.plan, "diff": drift.plan}
_VERB_NAMES = tuple(option.name for option in _VERBS)
_FLAGS = {option.name: option.flags[0] for option in SPEC.options}
#: In all their spellings, so that a user who typed --vlan finds it.
_SPELLINGS = {option.name: "/".join(option.flags) for option in SPEC.options}


def plan(context: Context) -> Plan:
    """Check the options, then let the kind plan its verb for all names."""
    for option, compare in _COMPARE.items():
        if option in context.options:
            yield from _plan_description(context, option, compare)
            return
    kind_name = context.options.get("type")
    if not kind_name:
        raise Usage("cfgve needs -t with the type of the object", f"Usage: cfgve {SPEC.usage}")
    kind = KINDS[kind_name]
    verb = _verb(context.options, kind)
    names = _names(context)
    _check_surplus(context.options, kind, verb)
    yield from kind.verbs[verb].plan(context, names)


def _plan_description(context: Context, option: str, compare: _Compare) -> Plan:
    """Compare what a file describes with what is there.

    Args:
        context: The command.
        option: The one that names the file.
        compare: Plans what follows from it.

    Raises:
        Usage: The file is not a description, or other options were given that would be ignored.
    """
    surplus = [_SPELLINGS[name] for name in context.options if name in _SPELLINGS and name not in (option, "manager")]
    if surplus:
        raise Usage(f"{' '.join(surplus)} cannot be used with --{option}")
    text = descriptionfile.read(context.request, context.options[option], f"--{option}")
    centers, things, faults = description.parse_all(text, plaindescription.KNOWN)
    yield from map(Error, faults)
    if not faults:
        yield from compare(context, centers, things)


def _verb(options: Any, kind: Kind) -> str:
    """The one verb that was given.

    Raises:
        Usage: None, several, or one that the kind does not have.
    """
    given = [name for name in _VERB_NAMES if name in options]
    can = " ".join(_FLAGS[name] for name in kind.verbs)
    if given == ["create", "import"]:
        given = ["import"]
    if len(given) != 1:
        raise Usage(f"cfgve needs exactly one of {can} for a {kind.title}", f"Usage: cfgve {SPEC.usage}")
    if given[0] not in kind.verbs:
        raise Usage(f"{_FLAGS[given[0]]} does not exist for a {kind.title}", f"It has {can}")
    return given[0]


def _names(context: Context) -> tuple[str, ...]:
    names = dict.fromkeys(filter(None, (name.strip() for name in context.options.get("objects", "").split(","))))
    if not names:
        raise Usage("cfgve needs -o with the name of an object", f"Usage: cfgve {SPEC.usage}")
    return tuple(names)


def _check_surplus(options: Any, kind: Kind, verb: str) -> None:
    """Refuse options that would be ignored.

    Raises:
        Usage: An option means nothing for this verb.
    """
    common = {"type", "manager", "objects", verb, "create", "verbose", "dry_run", "nowait", "timeout", "json"}
    surplus = [_SPELLINGS.get(name, name) for name in options if name not in common | kind.verbs[verb].takes]
    if surplus:
        raise Usage(f"{' '.join(surplus)} cannot be used with {_FLAGS[verb]} for a {kind.title}")
