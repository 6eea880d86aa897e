# Brings the network of a made-up Anaconda up as its kernel line says, in the way of dracut.cmdline(7): bond, VLAN, address.
# A card that BOOTIF names comes up by itself beside them, unless rd.bootif=0 stands there.

# bond=NAME:CARDS:OPTIONS
make_bond() {
    rest=${1#*:} name=${1%%:*}
    cards=${rest%%:*} options=${rest#*:}
    [ -e "/sys/class/net/$name" ] || echo "+$name" > /sys/class/net/bonding_masters
    ip link set "$name" down
    for option in $(echo "$options" | tr ',' ' '); do
        echo "${option#*=}" > "/sys/class/net/$name/bonding/${option%%=*}" || stop "no bond with $option"
    done
    for card in $(echo "$cards" | tr ',' ' '); do
        ip link set "$card" down
        echo "+$card" > "/sys/class/net/$name/bonding/slaves" || stop "$card is no card for $name"
    done
    ip link set "$name" up
    echo "NG-BOND $name $(cat "/sys/class/net/$name/bonding/mode") $(cat "/sys/class/net/$name/bonding/slaves")"
}

# vlan=NAME:CARD
make_vlan() {
    name=${1%%:*} card=${1#*:}
    ip link set "$card" up
    ip link add link "$card" name "$name" type vlan id "${name##*.}" || stop "no VLAN $name"
    echo "NG-VLAN $name on $card"
}

# ip=dhcp, ip=CARD:dhcp or ip=ADDRESS::GATEWAY:MASK:HOST:CARD:none
take_address() {
    case $1 in
        dhcp) device=$2 method=dhcp ;;
        *:dhcp) device=${1%:dhcp} method=dhcp ;;
        *:none)
            address=${1%%:*} gateway=$(echo "$1" | cut -d: -f3) mask=$(echo "$1" | cut -d: -f4)
            device=$(echo "$1" | cut -d: -f6) method=static
            [ -n "$device" ] || device=$2 ;;
        *) stop "ip=$1 is none of dracut's forms" ;;
    esac
    [ -n "$device" ] || stop "no card is named"
    ip link set "$device" up
    if [ "$method" = dhcp ]; then
        udhcpc -q -n -t 20 -i "$device" -s /bin/udhcpc.script || stop "no address on $device"
    else
        ifconfig "$device" "$address" netmask "$mask" up
        [ -z "$gateway" ] || route add default gw "$gateway"
    fi
    echo "NG-ADDRESS $device $method $(ip -4 -o addr show dev "$device" | sed 's/.* inet \([^ ]*\).*/\1/')"
}

bring_up() {
    bond= vlan= ip= bootif= use_bootif=1
    for word in $(cat /proc/cmdline); do
        case $word in
            bond=*) bond=${word#*=} ;;
            vlan=*) vlan=${word#*=} ;;
            ip=*) ip=${word#*=} ;;
            BOOTIF=*) bootif=${word#*=} ;;
            rd.bootif=0) use_bootif= ;;
            nameserver=*) echo "nameserver ${word#*=}" >> /etc/resolv.conf ;;
        esac
    done
    started=
    if [ -n "$bootif" ] && [ -n "$use_bootif" ]; then
        mac=$(echo "${bootif#??-}" | tr '-' ':')
        for path in /sys/class/net/*; do grep -qi "$mac" "$path/address" && started=${path##*/}; done
        [ -n "$started" ] || stop "no card has the MAC of BOOTIF=$bootif"
    fi
    [ -z "$bond" ] || make_bond "$bond"
    [ -z "$vlan" ] || make_vlan "$vlan"
    take_address "$ip" "$started"
    if [ -n "$started" ] && [ "$started" != "$device" ]; then
        echo "NG-STRAY $started comes up beside $device"
    fi
}
