# The xCAT plugin of xcat-rhev: hands requests to the agent and serves its questions.
# It knows xCAT's calls and the agent's socket, and nothing of RHEV.
package xCAT_plugin::rhevm;

use strict;
use warnings;

BEGIN { $::XCATROOT = $ENV{XCATROOT} || (-d '/opt/xcat' ? '/opt/xcat' : '/usr'); }
use lib "$::XCATROOT/lib/perl";

use IO::Socket::UNIX;
use JSON ();
use POSIX ();
use Socket ();
use Time::HiRes ();

use xCAT::ServiceNodeUtils;
use xCAT::Table;
use xCAT::TableUtils;

# `xcat-rhev install` writes the program's place here.
our $PROGRAM = $ENV{XCAT_RHEV_PROGRAM} || '/usr/bin/xcat-rhev';
our $SOCKET  = $ENV{XCAT_RHEV_SOCKET}  || '/var/run/xcat/xcat-rhev.sock';
our $LOG     = $ENV{XCAT_RHEV_LOG}     || '/var/log/xcat/xcat-rhev.log';
our $SERVICE_NODE = $ENV{XCAT_RHEV_SERVICE_NODE} || '/etc/xCATSN';    # there on service nodes
our $START_LIMIT = 30;    # seconds in which the agent has to answer after its start

# BEGIN GENERATED: from the commands' declarations; `python -m xcat_rhev.cli.shim` writes it anew.
my %HANDLED = (
    cfgve => 'rhevm',
    chhypervisor => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodetype:os=(rhev.*|rhvh.*|ovirt.*)'],
    chvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    clonevm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    copycd => 'rhevm',
    getcons => 'nodehm:mgt',
    getrvidparms => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    lsve => 'rhevm',
    lsvm => ['hypervisor:type=(rhev.*)', 'nodehm:mgt'],
    mkinstall => ['nodetype:os=(rhevh.*)', 'nodetype:os=(ovirt.*)'],
    mkvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    revacuate => ['hypervisor:type=(rhev.*)', 'nodehm:mgt'],
    rhevhjoin => 'rhevm',
    rhevhupdateflag => ['nodetype:os=(rhevh.*)', 'nodetype:os=(rhvh.*)', 'nodetype:os=(ovirt.*)'],
    rinv => ['hypervisor:type=(rhev.*)', 'nodehm:mgt'],
    rmhypervisor => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodetype:os=(rhev.*|rhvh.*|ovirt.*)'],
    rmigrate => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    rmvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    rpower => 'nodehm:power,mgt',
    rscan => ['hypervisor:type=(rhev.*)', 'nodehm:mgt'],
    rsetboot => 'nodehm:mgt',
    rvitals => ['hypervisor:type=(rhev.*)', 'nodehm:mgt'],
);
my %BY_MANAGER = map { $_ => 1 } qw(chhypervisor chvm clonevm getcons getrvidparms lsvm mkvm revacuate rinv rmhypervisor rmigrate rmvm rpower rscan rsetboot rvitals);
my %NAMED = map { $_ => 1 } qw(cfgve lsve);
# END GENERATED

sub handled_commands { return {%HANDLED}; }

# Commands for a manager run where that manager's service node is; all others on this host, with the very request:
# xcatd would clone a request that is split, and what mkinstall fills into it would be lost.
sub preprocess_request {
    my ($request, $callback) = @_;
    my $command = $request->{command}->[0];
    return [$request] if ($request->{_xcatpreprocessed}->[0] || 0) eq '1';
    return [with_destination($request, server_of_named($request))] if $NAMED{$command};
    return [$request] if !$BY_MANAGER{$command} || !$request->{node};
    my %place = %{ place_of_nodes($request->{node}) };
    return [$request] if keys %place < 2 && !grep { $_ ne '' } keys %place;
    my @parts;
    for my $destination (sort keys %place) {
        push @parts, with_destination({ %$request, node => $place{$destination} }, $destination);
    }
    return \@parts;
}

# A copy of a request for another host; for this one ('') it stays with us.
sub with_destination {
    my ($request, $destination) = @_;
    my %part = (%$request, _xcatpreprocessed => [1]);
    delete $part{noderange};
    $part{_xcatdest} = $destination if $destination ne '';
    return \%part;
}

# The manager that -m names, '' if none does or if it names several.
sub named_manager {
    my ($request) = @_;
    my @words = @{ list($request->{arg}) };
    for my $place (0 .. $#words) {
        my ($name) = $words[$place] =~ /^(?:-m|--manager=)(.+)/;
        $name = $words[$place + 1] if $words[$place] =~ /^(?:-m|--manager)$/;
        return $name !~ /,/ ? $name : '' if defined $name;
    }
    return '';
}

# Usage, mistakes and lists of managers stay here.
sub server_of_named {
    my ($request) = @_;
    my $manager = named_manager($request);
    return $manager eq '' ? '' : servers_of($manager)->{$manager};
}

# Manager -> the host that serves it, '' for this one. Most managers are no nodes, so the management node serves them.
sub servers_of {
    my %names = map { $_ => [node_names($_)] } @_;
    my ($master) = xCAT::TableUtils->get_site_attribute('master');
    $master = '' unless defined $master;
    my @names = keys %{ { map { $_ => 1 } map { @$_ } values %names } };
    my $groups = @names ? xCAT::ServiceNodeUtils->get_ServiceNode(\@names, 'xcat', 'MN') || {} : {};
    my %server;
    for my $name (grep { $_ ne $master } keys %$groups) {
        $server{$_} = $name for @{ $groups->{$name} };
    }
    my $rest = -e $SERVICE_NODE ? $master : '';
    my %found;
    for my $manager (keys %names) {
        my ($known) = grep { defined } map { $server{$_} } @{ $names{$manager} };
        $found{$manager} = defined $known ? $known : $rest;
    }
    return \%found;
}

# What a manager may be called as a node: as it is written, without its port, or up to the first dot.
sub node_names {
    my ($manager) = @_;
    my ($name) = split /:/, $manager;
    my ($short) = split /\./, $name // '';
    return grep { defined && $_ ne '' } $name, $short;
}

# Host for each node's manager ('' where that is this one) -> nodes.
sub place_of_nodes {
    my ($nodes) = @_;
    my ($vm, $hypervisor) = map { node_attrs($_, $nodes, ['mgr']) } qw(vm hypervisor);
    my %manager = map { $_ => $vm->{$_}->{mgr} || $hypervisor->{$_}->{mgr} || '' } @$nodes;
    my $server = servers_of(values %manager);
    my %place;
    push @{ $place{ $server->{ $manager{$_} } } }, $_ for @$nodes;
    return \%place;
}

sub process_request {
    my ($request, $callback, $subrequest) = @_;
    my $agent = eval { connect_agent() };
    return refuse($callback, $@) unless $agent;
    local $SIG{PIPE} = 'IGNORE';
    my $stopped = 0;
    local $SIG{TERM} = local $SIG{INT} = sub { $stopped = 1; send_line($agent, { abort => JSON::true }); };
    send_line($agent, { request => wire_request($request) });
    my $done = eval { serve($agent, $request, $callback, $subrequest) };
    close $agent;
    refuse($callback, $@ || "the agent ended in the middle of the work; see $LOG") unless $done || $stopped;
    return;
}

# Relay answers and serve questions until the agent is done; true when it was.
sub serve {
    my ($agent, $request, $callback, $subrequest) = @_;
    while (defined(my $line = <$agent>)) {
        my $item = JSON->new->decode($line);
        return 1 if $item->{done};
        $callback->(answer_hash($item->{say})) if $item->{say};
        next unless $item->{call};
        my $value = eval { question($item->{do}, $item->{with}, $request, $subrequest) };
        send_line($agent, { reply => $item->{call}, $@ ? (error => one_line($@)) : (value => $value) });
    }
    return 0;
}

sub wire_request {
    my ($request) = @_;
    my %first = map { $_ => text($request->{$_}) } qw(command cwd stdin _xcat_authname);
    my %environment = %{ ref($request->{environment}) eq 'ARRAY' ? $request->{environment}->[0] || {} : {} };
    return {
        command     => $first{command},
        cwd         => $first{cwd} || '/',
        stdin       => $first{stdin},
        user        => $first{_xcat_authname},
        asker       => asker($request),
        nodes       => list($request->{node}),
        args        => list($request->{arg}),
        environment => { map { $_ => text($environment{$_}) } keys %environment },
    };
}

# xcatd tells the asker's name only; the agent wants its address where there is one.
sub asker {
    my ($request) = @_;
    my $name = text($request->{_xcat_clientfqdn}) || text($request->{_xcat_clienthost});
    my $address = $name ne '' ? Socket::inet_aton($name) : undef;
    return $address ? Socket::inet_ntoa($address) : $name;
}

sub text { my ($value) = @_; $value = $value->[0] if ref($value) eq 'ARRAY'; return defined $value && !ref $value ? "$value" : ''; }

sub list { my ($value) = @_; return [map { "$_" } grep { defined } ref($value) eq 'ARRAY' ? @$value : defined $value ? ($value) : ()]; }

# A message of the agent as the hash that xCAT's callback takes.
sub answer_hash {
    my ($say) = @_;
    my ($kind, $node, $line) = ($say->{kind}, $say->{node} // '', $say->{text} // '');
    return { sinfo => [$line] } if $kind eq 'progress';
    return { warning => [$line], NoWarnPrefix => [1] } if $kind eq 'note';
    if ($kind eq 'error' || $kind eq 'warning') {
        my %answer = ($kind => [$line]);
        $answer{errorcode} = [$say->{code} || 1] if $kind eq 'error';
        return $node eq '' ? \%answer : { node => [{ name => [$node], %answer }] };
    }
    my $desc = $say->{desc} // '';
    my $data = $desc eq '' ? $line : { desc => [$desc], contents => [$line] };
    my @code = $say->{code} ? (errorcode => [$say->{code}]) : ();
    return { node => [{ name => [$node], data => [$data], @code }] } if $node ne '';
    return { ($kind eq 'info' ? 'info' : 'data') => [$data], @code };
}

# The questions that a command may ask of the xCAT around it.
sub question {
    my ($name, $with, $request, $subrequest) = @_;
    my %answer = (
        node_attrs     => \&node_attrs,
        rows           => \&rows,
        set_node_attrs => sub { my ($table, $values) = @_; open_table($table, 1)->setNodesAttribs($values); return; },
        set_row        => sub { my ($table, $key, $values) = @_; open_table($table, 1)->setAttribs($key, $values); return; },
        delete_row     => sub { my ($table, $key) = @_; my $open = open_table($table); $open->delEntries($key) if $open; return; },
        site           => sub { my ($value) = xCAT::TableUtils->get_site_attribute($_[0]); return defined $value ? "$value" : ''; },
        service_nodes  => sub { return xCAT::ServiceNodeUtils->get_ServiceNode($_[0], 'xcat', 'MN') || {}; },
        run            => sub { return run_command($subrequest, @_); },
        set_bootparams => sub { return set_bootparams($request, @_); },
    );
    die "no such question: $name\n" unless $answer{$name};
    return $answer{$name}->(@$with);
}

sub open_table {
    my ($name, $create) = @_;
    my $table = xCAT::Table->new($name, -create => $create ? 1 : 0);
    die "table $name cannot be opened\n" if $create && !$table;
    return $table;
}

# Only columns that this xCAT has; a site may have added some that others lack.
sub known_columns {
    my ($table, $columns) = @_;
    my %known = map { $_ => 1 } @{ $xCAT::Schema::tabspec{$table}->{cols} || [] };
    return [grep { $known{$_} } @$columns];
}

sub node_attrs {
    my ($name, $nodes, $columns) = @_;
    my $table = open_table($name) or return {};
    my $known = known_columns($name, $columns);
    return {} unless @$known;
    my $found = $table->getNodesAttribs($nodes, $known) || {};
    my %rows;
    for my $node (@$nodes) {
        my $row = $found->{$node}->[0] || {};
        $rows{$node} = { map { $_ => "$row->{$_}" } grep { defined $row->{$_} } @$known };
    }
    return \%rows;
}

sub rows {
    my ($name, $where) = @_;
    my $table = open_table($name) or return [];
    my @rows;
    ROW: for my $row (@{ $table->getAllEntries() || [] }) {
        for my $column (keys %$where) {
            next ROW unless ($row->{$column} // '') eq $where->{$column};
        }
        push @rows, { map { $_ => "$row->{$_}" } grep { defined $row->{$_} && !ref $row->{$_} } keys %$row };
    }
    return \@rows;
}

sub set_bootparams {
    my ($request, $node, $kernel, $initrd, $kcmdline) = @_;
    die "there is no nodeset to answer\n" unless ref $request->{bootparams};
    my $hash = ${ $request->{bootparams} };
    $hash->{$node}->[0]->{kernel}   = $kernel;
    $hash->{$node}->[0]->{initrd}   = $initrd;
    $hash->{$node}->[0]->{kcmdline} = $kcmdline;
    return;
}

# Run another xCAT command in this process; its answers as the agent's messages.
sub run_command {
    my ($subrequest, $command, $nodes, $args) = @_;
    my @messages;
    my %request = (command => [$command], arg => $args);
    $request{node} = $nodes if @$nodes;
    $subrequest->(\%request, sub { push @messages, messages_of($_[0]); });
    return \@messages;
}

sub messages_of {
    my ($answer) = @_;
    my @messages = map { plain_messages($answer, $_, '') } qw(error warning info data);
    for my $node (grep { ref } @{ list_of($answer->{node}) }) {
        my $name = text($node->{name});
        push @messages, map { plain_messages($node, $_, $name) } qw(error warning data);
    }
    return @messages;
}

sub plain_messages {
    my ($answer, $kind, $node) = @_;
    my @messages;
    for my $item (@{ list_of($answer->{$kind}) }) {
        my %message = (kind => $kind, node => $node, text => ref $item ? text($item->{contents}) : "$item");
        $message{desc} = text($item->{desc}) if ref $item && $kind eq 'data';
        $message{code} = int(text($answer->{errorcode}) || 1) if $kind eq 'error';
        push @messages, \%message;
    }
    return @messages;
}

sub list_of { my ($value) = @_; return [grep { defined } ref($value) eq 'ARRAY' ? @$value : ($value)]; }

sub send_line { my ($agent, $item) = @_; print {$agent} JSON->new->ascii->encode($item) . "\n"; return; }

sub one_line { my ($text) = @_; $text =~ s/\s+/ /g; $text =~ s/^ | $//g; return $text; }

sub refuse {
    my ($callback, $reason) = @_;
    $callback->({ error => ['rhevm: ' . one_line($reason)], errorcode => [1] });
    return;
}

# Connect to the agent, and start it when nobody answers.
sub connect_agent {
    my $agent = open_socket();
    return $agent if $agent;
    start_agent();
    my $end = Time::HiRes::time() + $START_LIMIT;
    while (Time::HiRes::time() < $end) {
        Time::HiRes::sleep(0.05);
        $agent = open_socket() and return $agent;
    }
    die "the agent does not answer on $SOCKET. Look into $LOG, or try: $PROGRAM agent\n";
}

sub open_socket {
    my $agent = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $SOCKET) or return;
    $agent->autoflush(1);
    return $agent;
}

# Twice forked and in a session of its own, so that it outlives this request and no signal of it reaches the agent.
sub start_agent {
    -x $PROGRAM or die "$PROGRAM is not there. Install the Python package xcat-rhev, then run: xcat-rhev install\n";
    local $SIG{CHLD} = 'DEFAULT';
    my $child = fork;
    die "cannot fork: $!\n" unless defined $child;
    if ($child) { waitpid($child, 0); return; }
    POSIX::setsid();
    my $agent = fork;
    POSIX::_exit(defined $agent ? 0 : 1) if $agent || !defined $agent;
    POSIX::close($_) for 0 .. 1023;    # xcatd's sockets and tables among them
    POSIX::open('/dev/null', POSIX::O_RDONLY());
    my $log = POSIX::open($LOG, POSIX::O_WRONLY() | POSIX::O_CREAT() | POSIX::O_APPEND(), 0600);
    $log = POSIX::open('/dev/null', POSIX::O_WRONLY()) unless defined $log;
    POSIX::dup2($log, 2);
    exec { $PROGRAM } $PROGRAM, 'agent', '--socket', $SOCKET or POSIX::_exit(127);
}

1;
