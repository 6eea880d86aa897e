# Completion for bash; generated from the commands' declarations.
_xcat_rhev() {
    local words=''
    case $COMP_CWORD in
    1) words='demo run xcatd sim web agent install uninstall doctor --help --version' ;;
    2) [ "${COMP_WORDS[1]}" = run ] && words='cfgve chdef chhypervisor chtab chvm clonevm copycds gettab lsdef lsve lsvm lsxcatd makehosts mkdef mkvm nodeadd nodech nodels noderm nodeset nodestat rescanplugins revacuate rhevhjoin rinstall rinv rmdef rmhypervisor rmigrate rmvm rpower rscan rsetboot rvitals tabch tabdump tabgrep tabrestore updatenodestat' ;;
    *)  case ${COMP_WORDS[2]} in
        cfgve) words='-t --type -m --manager -o --objects -c --create -u --update -g --activate -s --deactivate -a --attach -b --detach -r --remove -x --export -i --import -f --force -d --datacenter -l --cluster -k --storage -p --cpu -n --vlan --compat --description --mtu --nonvm --required --destroy --from --from-domain --to-domain -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        chhypervisor) words='-a --approve -n --networks -p --power -e --activate -d --deactivate --reinstall --upgrade --image -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        chvm) words='-a --add -d --detach -p --purge --resize --mem --memory --cpus --cpu --optical --cdrom --dvd --eject --snapshot --revert --rmsnapshot -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        clonevm) words='-t --template -b --base -d --detached -f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        copycd) words='-f -m -n --name --osver -a --arch -p --path -i --inspection -o --noosimage -s --specific -w --nonoverwrite -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        getcons) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        getrvidparms) words='--vv -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        lsve) words='-t --type -m --manager -o --objects --json --export --graph -h --help -v --version -V --verbose --dry-run --nowait --timeout' ;;
        lsvm) words='-s --short -a --all --snapshots --json -h --help -v --version -V --verbose --dry-run --nowait --timeout' ;;
        mkinstall) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        mkvm) words='-s --size --mem --cpus -m --master -f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        revacuate) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rhevhjoin) words='--watch -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rhevhupdateflag) words='--status -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rinv) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rmhypervisor) words='-f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rmigrate) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rmvm) words='-f --force -p --purge -r --retain -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rpower) words='on off softoff reset boot cycle suspend resume stat state status -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rscan) words='-u -n -w -x -z -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rsetboot) words='-p --persistent -u -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        rvitals) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _xcat_rhev xcat-rhev
