# Completion for bash; generated from the commands' declarations. A link to xcat-rhev completes as its name does after
# `xcat-rhev run`. The first word of a command is completed from the names of nodes.
_xcat_rhev() {
    local words='' command=${COMP_WORDS[0]##*/} first=1
    if [ "$command" = xcat-rhev ]; then
        command='' first=3
        case $COMP_CWORD in
        1) words='connect demo run xcatd netservices sim web events agent engine site install uninstall doctor --help --version' ;;
        2) [ "${COMP_WORDS[1]}" = run ] && words='cfgve chdef chhypervisor chkosimage chtab chvm clonevm copycds getmacs gettab lsdef lsve lsvm lsxcatd makedhcp makedns makehosts makeknownhosts makenetworks mkdef mkvm nodeadd nodech nodegrpch nodels nodepurge noderm nodeset nodestat rbeacon rescanplugins revacuate reventlog rhevhjoin rinstall rinv rmdef rmhypervisor rmigrate rmimage rmvm rpower rscan rsetboot rshutdown rvitals tabch tabdump tabgrep tabprune tabrestore updatenodestat' ;;
        *) [ "${COMP_WORDS[1]}" = run ] && command=${COMP_WORDS[2]} ;;
        esac
    fi
    case $command in
    cfgve) words='-t --type -m --manager -o --objects -c --create -u --update -g --activate -s --deactivate -a --attach -b --detach -r --remove -x --export --move --sparsify --reduce --upload --download -i --import -f --force -d --datacenter -l --cluster -k --storage -p --cpu -n --vlan --compat --set --description --mtu --nonvm --required --destroy --from --diff --from-domain --to-domain -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    chhypervisor) words='-a --approve -n --networks -p --power -e --activate -d --deactivate --reinstall --upgrade --renew --reboot --rolling --stop-pinned --image -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    chvm) words='-a --add -d --detach --attach -p --purge --resize --mem --memory --cpus --cpu --cpupin --membind --devpassthru --devdetach --optical --cdrom --dvd --eject --snapshot --keep --backup --full --restore --at --export --revert --rmsnapshot -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    clonevm) words='-t --template -b --base -d --detached -f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    copycd) words='-f -m -n --name --osver -a --arch -p --path -i --inspection -o --noosimage -s --specific -w --nonoverwrite -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    getcons) words='text -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    getmacs) words='-d -i -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    getrvidparms) words='--vv --browser -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    lsve) words='-t --type -m --manager -o --objects --json --export --unused --metrics --events --graph -h --help -v --version -V --verbose --dry-run --nowait --timeout' ;;
    lsvm) words='-s --short -a --all --snapshots --json -h --help -v --version -V --verbose --dry-run --nowait --timeout' ;;
    mkinstall) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    mkvm) words='-s --size --mem --memory --cpus --cpu -m --master --import -f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rbeacon) words='on off blink stat -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    revacuate) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    reventlog) words='--since --problems -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rhevhjoin) words='--watch -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rhevhupdateflag) words='--status -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rhevmupdateflag) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rinv) words='all model serial cpu mem disk nic host guest cert numa devices memory disks nics uuid numa,devices devices,numa -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rmhypervisor) words='-f --force -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rmigrate) words='-s --storage -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rmvm) words='-f --force -p --purge -r --retain -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rpower) words='on off softoff reset boot cycle suspend resume stat state status -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rscan) words='-u -n -w -x -z -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rsetboot) words='-p --persistent -u -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rshutdown) words='-h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    rvitals) words='all state cpu mem cert memory power -h --help -v --version -V --verbose --dry-run --nowait --timeout --json' ;;
    esac
    case " cfgve copycds gettab lsve lsxcatd makenetworks nodeadd nodegrpch rescanplugins rmimage tabch tabdump tabprune " in
    *" $command "*) ;;
    *)  [ "$COMP_CWORD" = "$first" ] && words="$(xcat-rhev run nodels 2>/dev/null) $words" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _xcat_rhev xcat-rhev cfgve chdef chhypervisor chkosimage chtab chvm clonevm copycds getmacs gettab lsdef lsve lsvm lsxcatd makedhcp makedns makehosts makeknownhosts makenetworks mkdef mkvm nodeadd nodech nodegrpch nodels nodepurge noderm nodeset nodestat rbeacon rescanplugins revacuate reventlog rhevhjoin rinstall rinv rmdef rmhypervisor rmigrate rmimage rmvm rpower rscan rsetboot rshutdown rvitals tabch tabdump tabgrep tabprune tabrestore updatenodestat
