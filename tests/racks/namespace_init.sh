#!/bin/sh
# A made-up machine in a network namespace and a mount namespace of its own: an address by DHCP, then, as its firmware
# would, what stands for it in the management node's boot file; from the network again after the install.
#
#   namespace_init.sh PARTS ROOT SCRATCH MASTER NODE
here=$(dirname "$0")
PARTS=$1 ROOT=$2 SCRATCH=$3 MASTER=$4 NODE=$5
export PARTS ROOT SCRATCH
. "$here/rack.sh"
ip link set lo up
ip link set eth0 up
until "$PARTS/tree/bin/busybox" udhcpc -q -n -f -t 20 -i eth0 -s "$here/namespace_lease.sh"; do sleep 1; done
while :; do
    until wget -q "http://$MASTER/tftpboot/xcat/xnba/nodes/$NODE" -O "$SCRATCH/boot"; do sleep 1; done
    ks=$(tr ' ' '\n' < "$SCRATCH/boot" | sed -n 's/^inst.ks=//p' | head -n 1)
    [ -n "$ks" ] || break
    install_system "$ks"
done
mark "LOCAL DISK"
start_system
