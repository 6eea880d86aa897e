#!/bin/sh
# What udhcpc calls with a lease: address, route, name servers and host name.
export PATH=/bin
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ifconfig "$interface" "$ip" netmask "$subnet"
for via in $router; do
    route add default gw "$via"
    break
done
for server in $dns; do echo "nameserver $server"; done > /etc/resolv.conf
[ -n "$hostname" ] && hostname "$hostname"
exit 0
