#!/bin/sh
# /init of a made-up Anaconda: reads its kernel line as dracut and Anaconda do, fetches second stage, kickstart and file
# system image, runs the %post sections inside the image's root, and leaves a disk that starts.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/mod/$module"; done < /mod/order

stop() {
    echo "NG-ERROR $*"
    sleep 1
    poweroff -f
}

stage2= ks=
for word in $(cat /proc/cmdline); do
    case $word in
        inst.stage2=*) stage2=${word#*=} ;;
        inst.ks=*) ks=${word#*=} ;;
    esac
done
echo "NG-SAW stage2=$stage2 ks=$ks"
. /network.sh
bring_up

# As Anaconda of RHEL 8 to 10 does: what .treeinfo names, else images/install.img, and then LiveOS/squashfs.img.
tries=0 # a bond takes its time
until wget -q "$ks" -O /ks.cfg; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || stop "no kickstart at $ks"
    sleep 1
done
main=$(wget -q "$stage2/.treeinfo" -O - | sed -n 's/^mainimage *= *//p')
wget -q "$stage2/${main:-images/install.img}" -O /install.img || wget -q "$stage2/LiveOS/squashfs.img" -O /install.img ||
    stop "no second stage"
echo "NG-STAGE2 $(sha256sum < /install.img | cut -d' ' -f1)"
part= number=0
while read -r line; do
    case $line in
        %post*) number=$((number + 1)); part=/post.$number; : > "$part"; echo "NG-SECTION $number $line" ;;
        %end) part= ;;
        *)
            if [ -n "$part" ]; then echo "$line" >> "$part"
            else case $line in ""|\#*) ;; *) echo "NG-KS $line" ;; esac
            fi ;;
    esac
done < /ks.cfg

image=$(sed -n 's/^liveimg --url=//p' /ks.cfg)
wget -q "$image" -O /image || stop "no file system image at $image"
echo "NG-IMAGE $(sha256sum < /image | cut -d' ' -f1)"
mkdir -p /lower /upper
mount -t squashfs -o ro,loop /image /lower || stop "the image cannot be mounted"
mount -t tmpfs tmpfs /upper
mkdir -p /upper/data /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /sysroot
for folder in proc sys dev; do mount -o bind "/$folder" "/sysroot/$folder"; done
at=0
while [ "$at" -lt "$number" ]; do
    at=$((at + 1))
    cp "/post.$at" "/sysroot/post"
    chroot /sysroot /bin/sh -e /post
    echo "NG-POST $at $?"
done
echo "NG-KEY $(cat /sysroot/root/.ssh/authorized_keys)"
dd if=/sysroot/boot.mbr of=/dev/vda bs=512 count=1 2>/dev/null
sync
echo "NG-INSTALLED"
sleep 1
reboot -f
