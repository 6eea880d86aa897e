# The life of the .rpm, with rpm's own database: bash rpm_walk.sh NEW XCAT, two folders with packages. What they need is
# there by another way, so rpm is not asked for it.
set -eux
new=$1 xcat=$2
plugin=/opt/xcat/lib/perl/xCAT_plugin/rhevm.pm
ours() { grep -q 'xCAT plugin of xcat-rhev' "$plugin"; }
rpms() { rpm --dbpath /var/lib/xcat-rhev-rpm --nodeps "$@"; }
stage() { set +x; echo "== $SECONDS s: $*"; set -x; }

command -v rpm && /usr/bin/python3 -c 'import lxml, requests, regex, cryptography' || {
    compgen -G '/var/lib/apt/lists/*_Packages' || apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install rpm python3-lxml python3-requests \
        python3-regex python3-cryptography
}
stage "xCAT first"
rpms -i "$xcat"/xCAT-server-2.16-1.noarch.rpm
rpms -i "$new"/xcat-rhev-[0-9]*.el9.noarch.rpm
ours
stage "xCAT's upgrade brings its own plugin, and the trigger puts ours back"
rpms -U "$xcat"/xCAT-server-2.17-1.noarch.rpm
ours
stage "the other two"
rpms -i "$new"/xcat-rhev-xcatd-*.el9.noarch.rpm "$new"/xcat-rhev-sim-*.el9.noarch.rpm
rpms -V --nomtime xcat-rhev-xcatd
xcat-rhev version
stage "out again"
rpms -e xcat-rhev-sim xcat-rhev-xcatd xcat-rhev
grep -qx 'package xCAT_plugin::rhevm; # 2.17' "$plugin"
[ ! -e /usr/bin/xcat-rhev ]
[ -z "$(find /usr/share/xcat-rhev -type f 2>/dev/null)" ]
stage "ours first, then xCAT"
rpms -e xCAT-server
rpms -i "$new"/xcat-rhev-[0-9]*.el9.noarch.rpm
rpms -i "$xcat"/xCAT-server-2.17-1.noarch.rpm
ours
stage done
