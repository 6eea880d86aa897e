#!/bin/sh
# What udhcpc calls with a lease; name and name servers stay those of the namespace.
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
