# shellcheck shell=bash
# Sourced by share/demo/run and tests/run: the virtual environment and the system packages of this checkout.
# Expects $top, the checkout's folder.

# Images of containers set it. Each of the many programs that are started would then compile all that it imports again.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }

# Find a Python that can run the product.
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.10 python3.9; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# Install missing system packages. Arguments: pairs program=package or /path/with/glob=package; where Debian and EL name
# the package differently: program=deb:rpm.
system_packages() {
    local pair program package missing=()
    for pair in "$@"; do
        program=${pair%%=*} package=${pair#*=}
        there "$program" || missing+=("$(for_this_system "$package")")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        say "Not root, so going on without these packages: ${missing[*]}"
    elif command -v apt-get >/dev/null; then
        say "Installing with apt-get: ${missing[*]}"
        wait_for_apt
        keep_services_down
        { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"; } >&2 ||
            say "apt-get failed; going on without."
        let_services_start
    elif command -v dnf >/dev/null; then
        say "Installing with dnf: ${missing[*]}"
        dnf -q install -y --setopt=strict=0 "${missing[@]}" >&2 || say "dnf failed; going on without."
    else
        say "Neither apt-get nor dnf here, so going on without: ${missing[*]}"
    fi
}

# A program in the path or among the system's, or a file.
there() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null || [ -e "/usr/sbin/$1" ] ;;
    esac
}

for_this_system() {
    if command -v dnf >/dev/null && ! command -v apt-get >/dev/null; then echo "${1#*:}"; else echo "${1%%:*}"; fi
}

# Debian starts what it installs; a web server or a database that nobody asked for would take ports and memory.
keep_services_down() {
    [ -e /usr/sbin/policy-rc.d ] && return
    printf '#!/bin/sh\n# made by xcat-rhev/share/setup.sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

let_services_start() {
    if grep -qs 'made by xcat-rhev' /usr/sbin/policy-rc.d; then rm -f /usr/sbin/policy-rc.d; fi
}

# A service of the system may hold apt's lock for a moment after boot.
wait_for_apt() {
    local i
    for i in $(seq 60); do
        flock -n /var/lib/dpkg/lock-frontend true 2>/dev/null && return
        sleep 1
    done
    say "apt-get is in use by another program for a minute already; trying all the same ($i)."
}

# Make the virtual environment, or renew it when setup.cfg changed. Argument: the extras to install.
virtual_environment() {
    local python stamp want
    stamp=$top/.venv/installed-$1
    want=$(cksum < "$top/setup.cfg")
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
    if ! python=$(find_python); then
        system_packages no-such-program=python3-venv:python3
        python=$(find_python) || { say "No Python 3.9 or later with venv. Install python3 and python3-venv."; exit 1; }
    fi
    say "Setting up a virtual environment in $top/.venv with $python"
    [ -x "$top/.venv/bin/pip" ] || "$python" -m venv "$top/.venv" >&2
    "$top/.venv/bin/pip" --quiet --disable-pip-version-check install -e "$top[$1]" >&2
    printf '%s' "$want" > "$stamp"
}
