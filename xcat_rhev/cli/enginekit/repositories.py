"""The repositories of managers and hosts, under the vendors' own names, so that they can be mirrored.

oVirt's are those that its release packages enable: `ovirt-release` 4.2 to 4.4, and for 4.5 `centos-release-ovirt45`,
whose repositories upstream checks for closure every week under these names (`repoclosure-45.yml` in ovirt-release).
"""

from __future__ import annotations

from typing import NamedTuple


class Repository(NamedTuple):
    """A repository that a release needs beside the system's own.

    Attributes:
        name: Its name at the vendor, and that of its folder on the management node.
        url: Where it can be read without a subscription; empty where a subscription names it.
        only: The packages that are taken from it, where the rest would replace what others bring.
        without: Packages that are left out.
        hotfixes: Whether its packages count although a module of the system has such names (`module_hotfixes`).
    """

    name: str
    url: str = ""
    only: str = ""
    without: str = ""
    hotfixes: bool = False


def repositories_of(*names: str) -> tuple[Repository, ...]:
    """Repositories that a subscription has under these names."""
    return tuple(map(Repository, names))


#: What oVirt takes of EPEL and others, as its release packages say: all of it would replace packages of the SIGs.
_EPEL7 = (
    "ansible ansible-doc epel-release facter hiera libtomcrypt libtommath nbdkit nbdkit-devel nbdkit-plugin-python2 "
    "nbdkit-plugin-python-common nbdkit-plugin-vddk ovirt-guest-agent* puppet python2-crypto python2-ecdsa "
    "python-ordereddict ruby-augeas rubygem-rgen ruby-shadow"
)
_EPEL8 = (
    "ansible-doc epel-release facter hiera libsodium libtomcrypt libtommath nbdkit nbdkit-devel nbdkit-plugin-python2 "
    "nbdkit-plugin-python-common nbdkit-plugin-vddk puppet python2-crypto python2-ecdsa python-ordereddict ruby-augeas "
    "rubygem-rgen ruby-shadow sshpass qpid-proton-c python3-bcrypt python3-qpid-proton python3-lockfile "
    "python3-paramiko python3-pynacl"
)
_CEPH = (
    "ceph-common gperftools-libs leveldb libcephfs2 liboath libradosstriper1 librgw2 librbd1 librados2 fmt "
    "libunwind python3-ceph-common python3-ceph-argparse python3-cephfs python3-rados python3-rbd python3-rgw"
)
_CINDERLIB = (
    "python3-os-brick python3-cinderlib openstack-cinder python3-importlib-metadata python3-oslo-* python-oslo-* "
    "python3-iso8601 python3-os-win python3-paste python3-paste-deploy python3-pyparsing python3-retrying "
    "python3-tempita python3-yappi python3-eventlet python3-fasteners python3-oslo-privsep python3-msgpack "
    "python3-webob python3-routes python3-rfc3986 python3-repoze-lru python3-osprofiler python3-cinderclient "
    "python3-cinder python3-tooz python3-taskflow python3-swiftclient python3-simplejson python3-oauth2client "
    "python3-novaclient python3-migrate python3-keystonemiddleware python3-keystoneclient python3-keystoneauth1 "
    "python3-google-api-client python3-glanceclient python3-etcd3gw python3-defusedxml python3-cursive "
    "python3-castellan python3-barbicanclient python3-zake python3-warlock python3-uritemplate python3-tenacity "
    "python3-statsd python3-sqlparse python3-redis python3-pyngus python3-pycadf python3-os-service-types "
    "python3-kombu python3-keyring python3-futurist python3-automaton python3-amqp python3-alembic python3-rsa "
    "python3-cachetools python3-vine python3-secretstorage python3-memcached python3-kazoo python3-editor "
    "python3-dogpile-cache python-pycadf-common python3-jeepney python3-cinder-common python3-zstd "
    "python3-tabulate python3-networkx libzstd python3-pydot python3-pygraphviz python3-pandas python3-tables "
    "python3dist python3-matplotlib python3-matplotlib-tk python3-matplotlib-data python3-numexpr "
    "python3-kiwisolver python3-cycler python3-Bottleneck python3-matplotlib-data-fonts hdf5 blosc libhdf "
    "libblosc python3-oslo-utils python3-packaging python3-stevedore python3-six python3-requests python3-psutil"
)
_YOGA_NOT = (
    "openstack-ansible-core python3-rdo-openvswitch rdo-network-scripts-openvswitch rdo-openvswitch rdo-ovn "
    "rdo-ovn-central rdo-ovn-host"
)
_VIRTIO = Repository("virtio-win-latest", "https://fedorapeople.org/groups/virt/virtio-win/repo/latest/")
_COPR = "https://copr-be.cloud.fedoraproject.org/results"


def ovirt7(version: str, gluster: str) -> tuple[Repository, ...]:
    """Of oVirt 4.2 and 4.3, on Enterprise Linux 7."""
    mirror, slot = "http://mirror.centos.org/centos/7", version.replace(".", "")
    more = (
        ()
        if version == "4.2"
        else (
            Repository("centos-ovirt-common", f"{mirror}/virt/x86_64/ovirt-common/"),
            Repository("sac-gluster-ansible", f"{_COPR}/sac/gluster-ansible/epel-7-x86_64/"),
        )
    )
    return (
        Repository(f"ovirt-{version}", f"https://resources.ovirt.org/pub/ovirt-{version}/rpm/el7/"),
        Repository(f"centos-ovirt{slot}", f"{mirror}/virt/x86_64/ovirt-{version}/"),
        Repository("centos-qemu-ev", f"{mirror}/virt/x86_64/kvm-common/"),
        Repository(f"centos-{gluster}", f"{mirror}/storage/x86_64/{gluster}/"),
        Repository("centos-opstools", f"{mirror}/opstools/x86_64/"),
        Repository("centos-sclo-rh", f"{mirror}/sclo/x86_64/rh/"),
        Repository("epel-7", "https://dl.fedoraproject.org/pub/epel/7/x86_64/", only=_EPEL7),
        _VIRTIO,
        *more,
    )


_STREAM8 = "http://mirror.centos.org/centos/8-stream"
#: Its engine needs python3-cinderlib, which is OpenStack's.
OVIRT44 = (
    Repository("ovirt-4.4", "https://resources.ovirt.org/pub/ovirt-4.4/rpm/el8/"),
    Repository("centos-ovirt44", f"{_STREAM8}/virt/x86_64/ovirt-44/"),
    Repository("centos-advanced-virtualization", f"{_STREAM8}/virt/x86_64/advancedvirt-common/", hotfixes=True),
    Repository("centos-gluster8", f"{_STREAM8}/storage/x86_64/gluster-8/"),
    Repository("centos-opstools", f"{_STREAM8}/opstools/x86_64/collectd-5/"),
    Repository("centos-nfv-openvswitch", f"{_STREAM8}/nfv/x86_64/openvswitch-2/", hotfixes=True),
    Repository("centos-ceph-pacific", f"{_STREAM8}/storage/x86_64/ceph-pacific/", only=_CEPH),
    Repository("centos-openstack-victoria", f"{_STREAM8}/cloud/x86_64/openstack-victoria/", _CINDERLIB, hotfixes=True),
    Repository("epel-8", "https://dl.fedoraproject.org/pub/epel/8/Everything/x86_64/", only=_EPEL8),
    Repository("EL8_collection", f"{_COPR}/sbonazzo/EL8_collection/epel-8-x86_64/"),
    Repository("gluster-ansible", f"{_COPR}/sac/gluster-ansible/epel-8-x86_64/"),
    _VIRTIO,
)


def _ovirt45(major: int, sigs: str) -> tuple[Repository, ...]:
    """What all systems have of 4.5; the engine needs java-client-kubevirt, which is upstream's alone."""
    return (
        Repository("centos-ovirt45", f"{sigs}/virt/x86_64/ovirt-45/", hotfixes=major == 8),
        Repository("ovirt-45-upstream", f"https://resources.ovirt.org/pub/ovirt-4.5/rpm/el{major}/"),
        Repository("centos-nfv-openvswitch", f"{sigs}/nfv/x86_64/openvswitch-2/", hotfixes=True),
    )


def _older45(sigs: str, without: str = _YOGA_NOT) -> tuple[Repository, ...]:
    """What Enterprise Linux 10 has no more."""
    return (
        Repository("centos-gluster10", f"{sigs}/storage/x86_64/gluster-10/"),
        Repository("centos-opstools", f"{sigs}/opstools/x86_64/collectd-5/"),
        Repository("centos-ceph-pacific", f"{sigs}/storage/x86_64/ceph-pacific/"),
        Repository("centos-openstack-yoga", f"{sigs}/cloud/x86_64/openstack-yoga/", without=without),
    )


_SIGS = "https://mirror.stream.centos.org/SIGs"
_STREAM = "https://mirror.stream.centos.org"
#: From 9 on packages are needed that no medium has: CodeReady Builder's.
OVIRT45: dict[int, tuple[Repository, ...]] = {
    8: (
        *_ovirt45(8, _STREAM8),
        *_older45(_STREAM8, f"ansible ansible-test {_YOGA_NOT}"),
        Repository("powertools", f"{_STREAM8}/PowerTools/x86_64/os/"),
        Repository("gluster-ansible", f"{_COPR}/sac/gluster-ansible/epel-8-x86_64/"),
        _VIRTIO,
    ),
    9: (
        *_ovirt45(9, f"{_SIGS}/9-stream"),
        *_older45(f"{_SIGS}/9-stream"),
        Repository("crb", f"{_STREAM}/9-stream/CRB/x86_64/os/"),
        Repository("resilientstorage", f"{_STREAM}/9-stream/ResilientStorage/x86_64/os/"),
    ),
    10: (
        *_ovirt45(10, f"{_SIGS}/10-stream"),
        Repository("centos-ceph-squid", f"{_SIGS}/10-stream/storage/x86_64/ceph-squid/"),
        Repository("crb", f"{_STREAM}/10-stream/CRB/x86_64/os/"),
        Repository("epel-10", "https://dl.fedoraproject.org/pub/epel/10/Everything/x86_64/"),
    ),
}

_ORACLE9 = "https://yum.oracle.com/repo/OracleLinux/OL9/ovirt45"
#: Oracle's. Nothing that is public names the addresses of those for Oracle Linux 8.
OLVM: dict[str, tuple[Repository, ...]] = {
    "4.4": repositories_of("ovirt-4.4", "ovirt-4.4-extra", "ol8_kvm_appstream", "ol8_gluster_appstream"),
    "4.5": repositories_of(
        "ovirt-4.5", "ovirt-4.5-extra", "ol8_kvm_appstream", "ol8_gluster_appstream", "ol8_addons", "ol8_UEKR7"
    ),
}
OLVM45_9 = (
    Repository("ovirt-4.5", f"{_ORACLE9}/x86_64/"),
    Repository("ovirt-4.5-extra", f"{_ORACLE9}/extras/x86_64/"),
    *repositories_of("ol9_kvm_appstream", "ol9_kvm_utils", "ol9_addons", "ol9_UEKR8"),
)
