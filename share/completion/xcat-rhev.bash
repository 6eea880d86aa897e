# Completion for bash; generated from the commands' declarations.
_xcat_rhev() {
    local words=''
    case $COMP_CWORD in
    1) words='demo run xcatd sim agent install uninstall doctor --help --version' ;;
    2) [ "${COMP_WORDS[1]}" = run ] && words='cfgve chhypervisor lsve rhevhupdateflag rmhypervisor rpower' ;;
    *)  case ${COMP_WORDS[2]} in
        cfgve) words='-t --type -m --manager -o --objects -c --create -u --update -g --activate -s --deactivate -a --attach -b --detach -r --remove -x --export -i --import -f --force -d --datacenter -l --cluster -k --storage -p --cpu -n --vlan --compat --description --mtu --nonvm --required --destroy --from-domain -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        chhypervisor) words='-a --approve -n --networks -p --power -e --activate -d --deactivate --reinstall --upgrade -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        lsve) words='-t --type -m --manager -o --objects --json -h --help -v --version -V --verbose --dry-run --nowait --timeout' ;;
        rhevhupdateflag) words='--status -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rmhypervisor) words='-f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rpower) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _xcat_rhev xcat-rhev
