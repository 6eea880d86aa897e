# Completion for bash; generated from the commands' declarations.
_xcat_rhev() {
    local words=''
    case $COMP_CWORD in
    1) words='demo run xcatd sim agent install uninstall doctor --help --version' ;;
    2) [ "${COMP_WORDS[1]}" = run ] && words='rpower' ;;
    *)  case ${COMP_WORDS[2]} in
        rpower) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _xcat_rhev xcat-rhev
