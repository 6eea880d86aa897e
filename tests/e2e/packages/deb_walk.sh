# The life of the .deb on a machine without xCAT, and then with it: bash deb_walk.sh OLD NEW XCAT, three folders with packages.
set -eux
old=$1 new=$2 xcat=$3
export DEBIAN_FRONTEND=noninteractive
plugin=/opt/xcat/lib/perl/xCAT_plugin/rhevm.pm
tables=/var/lib/xcat-rhev/etc/xcat/nodelist.sqlite
ours() { grep -q 'xCAT plugin of xcat-rhev' "$plugin"; }
get() { apt-get -q -y --no-install-recommends install "$@"; }
stage() { set +x; echo "== $SECONDS s: $*"; set -x; }

grep -q localhost /etc/hosts 2>/dev/null || echo 127.0.0.1 localhost >> /etc/hosts
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
compgen -G '/var/lib/apt/lists/*_Packages' || apt-get -q update
stage "the last version, without xCAT"
get "$old"/*.deb
stage "the embedded xcatd and the simulator"
xcat-rhev sim --background --port 0 --hosts 2 --vms 3 --password secret > /root/sim.log
xcat-rhev xcatd --home /var/lib/xcat-rhev --port 0 > /root/xcatd.log &
set +x
until grep -q { /root/xcatd.log; do kill -0 %1; sleep 0.2; done
set -x
port() { sed -n 's/.*"port": \([0-9]*\).*/\1/p' "/root/$1.log"; }
export XCAT_CERT_DIR=/var/lib/xcat-rhev/root/.xcat XCATHOST=localhost:$(port xcatd)
xcat-rhev run chtab key=rhevm,username=admin passwd.password=secret
xcat-rhev run nodeadd vm1-vm3 groups=vm nodehm.mgt=rhevm "vm.mgr=localhost:$(port sim)"
[ "$(xcat-rhev run rpower vm1-vm3 stat | grep -c ': off')" = 3 ]
xcat-rhev run rpower vm1 on
kill %1
wait || true
stage "xCAT comes, and the trigger puts our plugin into it"
dpkg -i "$xcat"/xcat-server_2.16_all.deb
ours
stage "this version"
cp "$tables" /root/before
get "$new"/*.deb
ours
cmp "$tables" /root/before
dpkg -s xcat-rhev | grep -x "Version: $(xcat-rhev version | cut -d' ' -f2)"
stage "xCAT's upgrade brings its own plugin, and the trigger puts ours back"
dpkg -i "$xcat"/xcat-server_2.17_all.deb
ours
xcat-rhev doctor || true
stage "out again"
apt-get -q -y remove xcat-rhev
grep -qx 'package xCAT_plugin::rhevm; # 2.17' "$plugin"
[ -e "$tables" ]
stage purge
dpkg --purge xcat-rhev xcat-rhev-xcatd xcat-rhev-sim
for left in /usr/share/xcat-rhev /usr/bin/xcat-rhev /var/lib/xcat-rhev /usr/lib/systemd/system/xcat-rhev-xcatd.service; do
    [ ! -e "$left" ]
done
grep -qx 'package xCAT_plugin::rhevm; # 2.17' "$plugin"
stage done
