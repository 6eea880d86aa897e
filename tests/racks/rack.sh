# What a made-up machine does once its network is up, in QEMU as well as in a namespace: it installs a full Linux as its
# kickstart says, or starts the system that was installed. ROOT is its disk, PARTS has a busybox and stand-ins,
# SCRATCH is for what is forgotten.

shows=
mark() { echo "RACK-$*"; }

binds() {
    for folder in proc sys dev; do
        mkdir -p "$ROOT/$folder"
        grep -q " $ROOT/$folder " /proc/mounts || mount -o bind "/$folder" "$ROOT/$folder"
    done
}

# Programs of a system, and stand-ins for what is not here; each may be called as the real one.
lay_out() {
    rm -rf "${ROOT:?}/bin" "$ROOT/etc" "$ROOT/opt" "$ROOT/root" "$ROOT/var" "$ROOT"/post.*
    for folder in bin usr/sbin tmp root opt var/log etc/yum.repos.d etc/systemd/system etc/rc.d etc/enabled; do
        mkdir -p "$ROOT/$folder"
    done
    cp -a "$PARTS/tree/." "$ROOT"
    chroot "$ROOT" /bin/busybox --install -s /bin
    rm -f "$ROOT/bin/sh" # busybox' own prefers its applets to programs of the same name
    cp "$ROOT/bin/dash" "$ROOT/bin/sh"
    for path in "$PARTS"/standins/*; do
        cp "$path" "$ROOT/usr/sbin/${path##*/}"
        chmod 755 "$ROOT/usr/sbin/${path##*/}"
    done
    cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
    : > "$ROOT/marks"
}

# Show what stand-ins note, whoever has their output.
follow() {
    touch "$ROOT/marks"
    [ -z "$shows" ] || kill "$shows"
    tail -n 0 -f "$ROOT/marks" &
    shows=$!
}

install_system() { # KICKSTART
    until wget -q "$1" -O "$SCRATCH/ks.cfg"; do sleep 1; done
    lay_out
    binds
    follow
    part= number=0
    while read -r line; do
        case $line in
            %post*) number=$((number + 1)); part=$ROOT/post.$number; : > "$part" ;;
            %end) part= ;;
            *) [ -z "$part" ] || printf '%s\n' "$line" >> "$part" ;;
        esac
    done < "$SCRATCH/ks.cfg"
    mark "FOUND $(grep -c '^url --url=' "$SCRATCH/ks.cfg") $number"
    at=0
    while [ "$at" -lt "$number" ]; do
        at=$((at + 1))
        chroot "$ROOT" /bin/sh "/post.$at"
        mark "POST $at $?"
    done
    sync
    mark INSTALLED
}

start_system() {
    binds
    follow
    cat "$ROOT"/etc/cron.d/* 2>/dev/null | sed -n 's/^@reboot root //p' > "$SCRATCH/reboot"
    if [ -e "$ROOT/etc/enabled/xcat-rhev-first.service" ] && [ -e "$ROOT/opt/xcat-rhev/first" ]; then
        mark FIRST
        chroot "$ROOT" /bin/sh -c "$(sed -n 's/^ExecStart=//p' "$ROOT/etc/systemd/system/xcat-rhev-first.service")"
    fi
    while read -r line; do
        mark "CRON $line"
        chroot "$ROOT" /bin/sh -c "$line"
    done < "$SCRATCH/reboot"
    sync
    mark IDLE
}
