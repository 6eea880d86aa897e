#!/bin/sh
# /init of a made-up machine in QEMU: from the network it is an installer, with rack=disk the system on its second disk.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin ROOT=/sysroot PARTS=/parts SCRATCH=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/mod/$module"; done < /mod/order
mount -t ext4 /dev/vdb /sysroot || { echo "RACK-ERROR no disk"; poweroff -f; }
. /rack.sh
ip link set lo up
ip link set eth0 up
until udhcpc -q -n -t 20 -i eth0 -s /bin/udhcpc.script; do echo "RACK-WAITS for an address"; done
ks= disk=
for word in $(cat /proc/cmdline); do
    case $word in
        inst.ks=*) ks=${word#*=} ;;
        rack=disk) disk=1 ;;
    esac
done
if [ -n "$disk" ]; then
    start_system
    while :; do sleep 60; done
fi
dd if=/boot.mbr of=/dev/vda bs=512 count=1 2>/dev/null
sync
install_system "$ks"
umount /sysroot/dev /sysroot/sys /sysroot/proc
sync
reboot -f
