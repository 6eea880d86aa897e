#!/bin/sh
# /init of the made-up live image: what dracut does for a root=live:/NAME.iso, with busybox.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/mod/$module"; done < /mod/order

stop() {
    echo "LIVE-ERROR $*"
    sleep 1
    poweroff -f
}

root=
for word in $(cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; esac
done
case $root in
    live:/*.iso) iso=${root#live:} ;;
    *) stop "root=$root is no live image" ;;
esac
[ -f "$iso" ] || stop "$iso is missing"
echo "LIVE-ISO $iso $(wc -c < "$iso") $(sha256sum "$iso" | cut -d' ' -f1)"
mount -t iso9660 -o ro,loop "$iso" /live || stop "$iso cannot be mounted"
mkdir -p /lower /upper
mount -t squashfs -o ro,loop /live/LiveOS/squashfs.img /lower || stop "LiveOS cannot be mounted"
mount -t tmpfs tmpfs /upper
mkdir -p /upper/data /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /sysroot || stop "no overlay"
for folder in proc sys dev live; do mount -o bind "/$folder" "/sysroot/$folder"; done
exec chroot /sysroot /bin/sh /bin/ovirt-early
