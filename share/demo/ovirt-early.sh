#!/bin/sh
# Reads the kernel line as the hypervisor's own start script does: words split at white space, glob patterns, the first
# that fits wins, a later word replaces an earlier one, unknown words are kept for the installed system.
export PATH=/bin
bootif= init= adminpw= rootpw= hostname= install= firstboot= ip= netmask= gateway= dns= ntp= vlan= server= others= upgrade=
for i in $(cat /proc/cmdline); do
    case $i in
        uninstall*) echo "LIVE-ERROR uninstall"; poweroff -f ;;
        BOOT_IMAGE=*|initrd=*|check|linux|liveimg|root=*|rootfstype=*|rootflags=*|ro|single) ;;
        BOOTIF=[ep]*|BOOTIF=link|BOOTIF=??-??-??-??-??-??-??) bootif=${i#BOOTIF=} ;;
        storage_init=*|ovirt_init=*) init=${i#*=} ;;
        storage_init|ovirt_init) init=first ;;
        firstboot=0|firstboot=no|reinstall=0|reinstall=no) firstboot=0 ;;
        firstboot|firstboot=1|reinstall) firstboot=1 ;;
        install*) install=1 ;;
        upgrade*|local_boot|local_boot=*) upgrade=1 ;;
        local_boot_trigger=*) others="$others $i" ;;
        ip=*) ip=${i#ip=} ;;
        netmask=*) netmask=${i#netmask=} ;;
        gateway=*) gateway=${i#gateway=} ;;
        dns=*) dns=${i#dns=} ;;
        ntp=*) ntp=${i#ntp=} ;;
        vlan=*) vlan=${i#vlan=} ;;
        hostname=*) hostname=${i#hostname=} ;;
        adminpw=*) adminpw=${i#adminpw=} ;;
        rootpw=*) rootpw=${i#rootpw=} ;;
        management_server=*) server=${i#management_server=} ;;
        *) others="$others $i" ;;
    esac
done

# A MAC is looked for among the cards; without a hit there is no automated installation.
case $bootif in
    ??-??-??-??-??-??-??)
        mac=$(echo "${bootif#??-}" | tr '-' ':')
        bootif=
        for card in /sys/class/net/[ep]*; do
            grep -qi "$mac" "$card/address" && bootif=${card##*/}
        done ;;
esac
disk=
case $init in
    "") ;;
    first) disk=$(ls -1 /dev/?da 2>/dev/null | head -n 1) ;;
    /dev/*) for path in ${init%%[,;]*}; do [ -b "$path" ] && disk=$path && break; done ;;
esac
if [ -n "$init" ] && [ -z "$disk" ]; then
    echo "LIVE-ERROR Device specified in storage_init does not exist"
    poweroff -f
fi
for name in bootif disk firstboot install upgrade ip dns ntp vlan hostname adminpw rootpw server; do
    eval "echo \"LIVE-SAW $name=\$$name\""
done
echo "LIVE-SAW others=$others"
if [ -z "$bootif" ] || [ -z "$disk" ]; then
    echo "LIVE-ERROR no automated installation: BOOTIF='$bootif' storage_init='$init'"
    poweroff -f
fi
export bootif disk ip hostname netmask gateway
exec /bin/sh /bin/ovirt-auto-install
