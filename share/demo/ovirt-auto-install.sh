#!/bin/sh
# Installs, tells the management node, reboots: the end of an automated installation.
export PATH=/bin
ip link set lo up
ip link set "$bootif" up
case $ip in
    dhcp|"") udhcpc -q -n -t 10 -i "$bootif" -s /bin/udhcpc.script ;;
    *)
        address=${ip%%:*}
        mask=$(echo "$ip" | cut -d: -f4)
        via=$(echo "$ip" | cut -d: -f3)
        ifconfig "$bootif" "$address" netmask "${mask:-$netmask}"
        [ -n "${via:-$gateway}" ] && route add default gw "${via:-$gateway}" ;;
esac
[ -n "$hostname" ] && hostname "$hostname"

for file in isolinux/vmlinuz0 isolinux/initrd0.img isolinux/version LiveOS/squashfs.img; do
    if [ ! -f "/live/$file" ]; then
        echo "LIVE-ERROR $file is not on the medium"
        poweroff -f
    fi
done
dd if=/boot.mbr of="$disk" bs=512 count=1 2>/dev/null
sync
echo "LIVE-INSTALLED $disk"

url=
for word in $(cat /proc/cmdline); do
    case $word in local_boot_trigger=*) url=${word#local_boot_trigger=} ;; esac
done
if [ -n "$url" ]; then
    name=$(hostname)
    case $url in *@HOSTNAME@*) url="${url%%@HOSTNAME@*}$name${url#*@HOSTNAME@}" ;; esac
    wget -q "$url" -O /tmp/answer
    echo "LIVE-TRIGGER $? $url"
fi
sleep 1
reboot -f
