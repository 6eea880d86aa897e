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
our $READ_AGAIN = 5;      # seconds after which what the tables said is old; xCAT's own caches keep it as long
our $MANY_NODES = 50;     # of so many nodes, only columns that some row fills are asked for
our $GATHER_TIME = 0.1;   # seconds for which an answer may wait for others; xcatd sends once a second
our $GATHER_MOST = 250;   # answers in one
our $RELAY_LIMIT = 3600;  # seconds in which xcatd has to take the last answers; a client may read slowly

my $JSON = JSON->new->ascii;
my $CANONICAL = JSON->new->canonical;
my %kept_rows;    # table -> what was read of it last
my %relay;    # our process -> a duplicate of its socket to xcatd

# BEGIN GENERATED: from the commands' declarations; `python -m xcat_rhev.cli.shim` writes it anew.
my %HANDLED = (
    cfgve => 'rhevm',
    chhypervisor => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodetype:os=(rhev.*|rhvh.*|ovirt.*|rhel.*|centos.*|rocky.*|alma.*|ol[0-9].*|sl[0-9].*)'],
    chvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    clonevm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    copycd => 'rhevm',
    getcons => 'nodehm:mgt',
    getmacs => 'nodehm:getmac,mgt',
    getrvidparms => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    lsve => 'rhevm',
    lsvm => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
    mkinstall => ['nodetype:os=(rhevh.*)', 'nodetype:os=(ovirt.*)'],
    mkvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    rbeacon => 'nodehm:mgt',
    revacuate => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
    reventlog => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
    rhevhjoin => 'rhevm',
    rhevhupdateflag => ['nodetype:os=(rhevh.*)', 'nodetype:os=(rhvh.*)', 'nodetype:os=(ovirt.*)'],
    rhevmupdateflag => 'rhevm',
    rinv => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
    rmhypervisor => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodetype:os=(rhev.*|rhvh.*|ovirt.*|rhel.*|centos.*|rocky.*|alma.*|ol[0-9].*|sl[0-9].*)'],
    rmigrate => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    rmvm => ['nodehm:mgt', 'hypervisor:type=rhevm'],
    rpower => 'nodehm:power,mgt',
    rscan => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
    rsetboot => 'nodehm:mgt',
    rshutdown => 'nodehm:power,mgt',
    rvitals => ['hypervisor:type=(rhev.*|ovirt.*)', 'nodehm:mgt'],
);
my %BY_MANAGER = map { $_ => 1 } qw(chhypervisor chvm clonevm getcons getmacs getrvidparms lsvm mkvm revacuate reventlog rinv rmhypervisor rmigrate rmvm rpower rscan rsetboot rshutdown rvitals);
my %NAMED = map { $_ => 1 } qw(cfgve lsve);
# END GENERATED

# Under XCATBYPASS xCAT's client runs plugins itself, and takes one table for each command that a plugin lists. So for it
# a command is listed as often as it has tables.
sub handled_commands {
    return {%HANDLED} unless caller eq 'xCAT::Client';
    tie my %listed, 'xCAT_plugin::rhevm::Listed', %HANDLED;
    return \%listed;
}

# Commands for a manager run where that manager's service node is; all others on this host, with the very request:
# xcatd would clone a request that is split, and what mkinstall fills into it would be lost.
sub preprocess_request {
    my ($request, $callback) = @_;
    keep_relay($callback);
    %kept_rows = ();
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
    # The other columns are what the agent asks for next.
    my $vm = node_attrs('vm', $nodes, ['mgr', 'cluster', 'datacenter']);
    my @others = grep { !$vm->{$_}->{mgr} } @$nodes;
    my $hypervisor = @others ? node_attrs('hypervisor', \@others, ['mgr', 'type']) : {};
    my %manager = map { $_ => $vm->{$_}->{mgr} || $hypervisor->{$_}->{mgr} || '' } @$nodes;
    my $server = servers_of(values %manager);
    my %place;
    push @{ $place{ $server->{ $manager{$_} } } }, $_ for @$nodes;
    return \%place;
}

sub process_request {
    my ($request, $callback, $subrequest) = @_;
    keep_relay($callback);
    my $agent = eval { connect_agent() };
    return refuse($callback, $@) unless $agent;
    local $SIG{PIPE} = 'IGNORE';
    my $stopped = 0;
    local $SIG{TERM} = local $SIG{INT} = sub { $stopped = 1; send_line($agent, { abort => JSON::true }); };
    send_line($agent, { request => wire_request($request) });
    my $say = sub { $callback->(@_) unless $stopped; };    # nobody reads any more
    my $done = eval { serve($agent, $request, $say, $subrequest) };
    close $agent;
    %kept_rows = ();
    refuse($callback, $@ || "the agent ended in the middle of the work; see $LOG") unless $done || $stopped;
    return;
}

# Relay answers and serve questions until the agent is done; true when it was.
sub serve {
    my ($agent, $request, $callback, $subrequest) = @_;
    my %gathered = (callback => $callback, together => reads_many($request));
    my $read = '';
    while (defined(my $line = next_line($agent, \$read, \%gathered))) {
        my $item = $JSON->decode($line);
        $item = { say => { kind => 'data', node => $item->[0], text => $item->[1] } } if ref $item eq 'ARRAY';
        if ($item->{say}) { gather(\%gathered, answer_hash($item->{say})); next; }
        hand_over(\%gathered);
        return 1 if $item->{done};
        next unless $item->{call};
        my $value = eval { question($item->{do}, $item->{with}, $request, $subrequest) };
        send_line($agent, { reply => $item->{call}, $@ ? (error => one_line($@)) : (value => $value) });
    }
    hand_over(\%gathered);
    return 0;
}

# The next line of the agent; undef at its end. Before a wait, what is gathered goes out.
sub next_line {
    my ($agent, $read, $gathered) = @_;
    my ($end, $looked) = (0, 0);
    while (($end = index($$read, "\n", $looked)) < 0) {
        $looked = length $$read;
        hand_over($gathered) unless more_soon($agent, $gathered);
        my $got = sysread($agent, $$read, 1 << 16, $looked);
        return unless $got || (!defined $got && $! == POSIX::EINTR());
    }
    return substr($$read, 0, $end + 1, '');
}

# Does the agent go on before those who wait for the gathered answers would notice?
sub more_soon {
    my ($agent, $gathered) = @_;
    return 1 unless $gathered->{answer};
    my $left = $gathered->{until} - Time::HiRes::time();
    vec(my $readable = '', fileno $agent, 1) = 1;
    return $left > 0 && select($readable, undef, undef, $left) > 0;
}

# xCAT's command line clients read many nodes from one answer, and that costs xcatd and them the less; its REST service
# takes the first of them only. Of a request that another xcatd has sent, it is not known who reads the answers.
sub reads_many {
    my ($request) = @_;
    return $relay{$$} && text($request->{clienttype}) eq 'cli' && !$request->{_xcatver};
}

# Join an answer to the one that waits, when both are for the same eyes.
sub gather {
    my ($gathered, $answer) = @_;
    my $sort = $gathered->{together} ? sort_of($answer) : '';
    my ($key) = keys %$answer;
    hand_over($gathered) if ($gathered->{sort} // '') ne $sort || ($gathered->{count} // 0) >= $GATHER_MOST;
    if ($sort eq '') { $gathered->{callback}->($answer); return; }
    $gathered->{until} = Time::HiRes::time() + $GATHER_TIME unless $gathered->{answer};
    $gathered->{sort} = $sort;
    push @{ $gathered->{answer}->{$key} }, @{ $answer->{$key} };
    $gathered->{count}++;
    return;
}

# Which answers may be joined to this one: after an error, clients show all nodes of an answer as errors. '' for none.
sub sort_of {
    my ($answer) = @_;
    my ($key, @more) = keys %$answer;
    return '' if @more;
    return $key eq 'data' && !ref $answer->{data}->[0] ? 'data' : '' if $key ne 'node';
    my ($kind) = grep { $answer->{node}->[0]->{$_} } qw(error warning data);
    return "node $kind";
}

sub hand_over {
    my ($gathered) = @_;
    my $answer = delete $gathered->{answer} or return;
    delete @$gathered{qw(sort count)};
    $gathered->{callback}->($answer);
    return;
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
        read        => rows_read(list($request->{node})),
    };
}

# What has just been read of the nodes, for the agent, so that it need not ask: a table's columns, and nodes joined by
# commas with their values. Most have the same, and Perl's own writer of JSON is slow.
sub rows_read {
    my ($nodes) = @_;
    my %read;
    for my $name (grep { time <= $kept_rows{$_}->{until} } keys %kept_rows) {
        my ($rows, @columns) = ($kept_rows{$name}->{rows}, sort keys %{ $kept_rows{$name}->{columns} });
        my %alike;
        for my $node (grep { $rows->{$_} } @$nodes) {
            push @{ $alike{ join "\0", map { $_ // '' } @{ $rows->{$node} }{@columns} } }, $node;
        }
        my @lines = map { my $row = $rows->{ $_->[0] }; [join(',', @$_), map { $row->{$_} // '' } @columns] } values %alike;
        $read{$name} = { columns => \@columns, lines => \@lines };
    }
    return \%read;
}

# '' where xCAT itself asks. xcatd tells no address, only what the reverse name of an address says, undef if it says
# nothing; whoever owns an address can have it say localhost. So an asker is never known by that, only by a certificate.
sub asker {
    my ($request) = @_;
    return (grep { exists $request->{$_} } qw(_xcat_clienthost _xcat_clientfqdn)) ? 'unknown' : '';
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
        set_node_attrs => \&set_node_attrs,
        set_row        => sub { my ($table, $key, $values) = @_; open_table($table, 1)->setAttribs($key, $values); return; },
        delete_row     => sub { my ($table, $key) = @_; my $open = open_table($table); $open->delEntries($key) if $open; return; },
        site           => sub { my ($value) = xCAT::TableUtils->get_site_attribute($_[0]); return defined $value ? "$value" : ''; },
        service_nodes  => sub { return xCAT::ServiceNodeUtils->get_ServiceNode($_[0], 'xcat', 'MN') || {}; },
        run            => sub { return run_command($subrequest, @_); },
        set_bootparams => sub { return set_bootparams($request, @_); },
    );
    die "no such question: $name\n" unless $answer{$name};
    %kept_rows = () if $name =~ /^(?:set_node_attrs|set_row|delete_row|run)$/;
    return $answer{$name}->(@$with);
}

sub open_table {
    my ($name, $create) = @_;
    my $table = xCAT::Table->new($name, -create => $create ? 1 : 0);
    die "table $name cannot be opened\n" if $create && !$table;
    return $table;
}

# Every node has a row in nodelist, so those that get the same there are written by one statement, as xCAT itself writes
# their status; node by node it takes 10 ms each. Nodes that get groups are new, and such a statement makes no rows.
sub set_node_attrs {
    my ($name, $values) = @_;
    my $table = open_table($name, 1);
    my $new = grep { exists $_->{groups} } values %$values;
    if ($name ne 'nodelist' || $new || keys %$values < 2 || !$table->can('setAttribsWhere')) {
        $table->setNodesAttribs($values);
        return;
    }
    my %alike;
    push @{ $alike{ $CANONICAL->encode($values->{$_}) } }, $_ for keys %$values;
    for my $nodes (values %alike) {
        my $names = join ',', map { (my $quoted = $_) =~ s/'/''/g; "'$quoted'" } @$nodes;
        $table->setAttribsWhere("node in ($names)", $values->{ $nodes->[0] });
    }
    return;
}

# Only columns that this xCAT has; a site may have added some that others lack.
sub known_columns {
    my ($table, $columns) = @_;
    my %known = map { $_ => 1 } @{ $xCAT::Schema::tabspec{$table}->{cols} || [] };
    return [grep { $known{$_} } @$columns];
}

# What was read a moment ago is not asked for again: on the way to their manager all nodes are looked up here, by the
# agent, and by the command.
sub node_attrs {
    my ($name, $nodes, $columns) = @_;
    my $known = known_columns($name, $columns);
    my $kept = kept_rows($name, $nodes, $known) || ($kept_rows{$name} = {
        rows => read_rows($name, $nodes, $known), columns => { map { $_ => 1 } @$known }, until => time + $READ_AGAIN,
    })->{rows};
    my %rows;
    for my $node (grep { $kept->{$_} } @$nodes) {
        my $row = $kept->{$node};
        $rows{$node} = { map { $_ => $row->{$_} } grep { defined $row->{$_} } @$known };
    }
    return \%rows;
}

sub kept_rows {
    my ($name, $nodes, $columns) = @_;
    my $kept = $kept_rows{$name} or return;
    return if time > $kept->{until} || grep { !$kept->{columns}->{$_} } @$columns;
    return if grep { !$kept->{rows}->{$_} } @$nodes;
    return $kept->{rows};
}

sub read_rows {
    my ($name, $nodes, $columns) = @_;
    my $table = open_table($name) or return {};
    my @filled = @$nodes < $MANY_NODES ? @$columns : filled_columns($table, @$columns);
    my $found = @filled ? $table->getNodesAttribs($nodes, \@filled) || {} : {};
    my %rows;
    for my $node (@$nodes) {
        my $row = $found->{$node}->[0] || {};
        $rows{$node} = { map { $_ => "$row->{$_}" } grep { defined $row->{$_} } @$columns };
    }
    return \%rows;
}

# The columns that some row fills. For a column that a node's own row leaves empty, xCAT looks at all of the node's
# groups; of a thousand nodes that takes three times as long as one read of the table.
sub filled_columns {
    my ($table, @columns) = @_;
    my %filled = map { %$_ } grep { ref } $table->getAllAttribs(@columns);
    return grep { exists $filled{$_} } @columns;
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

sub send_line { my ($agent, $item) = @_; print {$agent} $JSON->encode($item) . "\n"; return; }

sub one_line { my ($text) = @_; $text =~ s/\s+/ /g; $text =~ s/^ | $//g; return $text; }

sub refuse {
    my ($callback, $reason) = @_;
    $callback->({ error => ['rhevm: ' . one_line($reason)], errorcode => [1] });
    return;
}

# xcatd's relay reads more than it relays at once, and drops the rest when it hears that this process has ended. When it
# comes to the end of what is to be read, it relays all and closes the socket. So this process ends its side of the
# socket first, and itself only when xcatd has closed the other.
END { leave_relay(); }

# Keep the socket of xcatd's callback beyond the moment when xcatd closes its handle. A process that answers xcatd by
# way of another (XCATBYPASS, a plugin that called us) has none.
sub keep_relay {
    my ($callback) = @_;
    return if $relay{$$};
       # in a fork: the parent's
    my $handle = eval { relay_of($callback) } or return;
    open my $copy, '>&', $handle or return;
    %relay = ($$ => $copy);
    return;
}

# The socket that a callback closes over and that our parent has made. There may be others that the parent has made: its
# own ends of the sockets to other plugins.
sub relay_of {
    my ($callback) = @_;
    require B;
    my ($names, $pad) = B::svref_2object($callback)->PADLIST->ARRAY;
    for my $slot (grep { $_->can('object_2svref') } $pad->ARRAY) {
        my $variable = $slot->object_2svref;
        next unless ref $variable eq 'REF' && ref $$variable eq 'GLOB';
        return $$variable if maker_of($$variable) == getppid();
    }
    return;
}

# The process that made a pair of unix sockets; 0 where the system does not tell.
sub maker_of {
    my ($handle) = @_;
    my $told = eval { getsockopt($handle, Socket::SOL_SOCKET(), Socket::SO_PEERCRED()) };
    return defined $told ? unpack('i', $told) : 0;
}

# POSIX::read, because sysread refuses xcatd's handles, which have an encoding.
sub leave_relay {
    my $socket = delete $relay{$$} or return;
    local ($?, $!, $@);
    my $number = fileno $socket;
    my $end = time + $RELAY_LIMIT;
    shutdown($socket, 1) or return;
    while (time < $end && !parent_stopped()) {
        vec(my $readable = '', $number, 1) = 1;
        next if select($readable, undef, undef, 1) < 1;
        last if (POSIX::read($number, my $words, 4096) || 0) < 1;    # words: xcatd's "dfin", of no use now
    }
    return;
}

# xcatd stops a process by an alarm, in which it waits for the end of its children and reads nothing more.
sub parent_stopped {
    open my $status, '<', '/proc/' . getppid() . '/status' or return 0;
    my ($blocked) = map { /^SigBlk:\s*\w*?(\w{1,8})$/ } <$status>;
    return defined $blocked && hex($blocked) >> (POSIX::SIGALRM() - 1) & 1;
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

# A hash that has a key several times; each time it is fetched, it has the next value.
package xCAT_plugin::rhevm::Listed;

sub TIEHASH {
    my ($class, %lists) = @_;
    my %left = map { $_ => ref $lists{$_} ? [@{ $lists{$_} }] : [$lists{$_}] } keys %lists;
    return bless { left => \%left, keys => [map { my $key = $_; map { $key } @{ $left{$key} } } sort keys %left] }, $class;
}

sub FIRSTKEY { my ($self) = @_; $self->{next} = 0; return $self->NEXTKEY; }

sub NEXTKEY { my ($self) = @_; return $self->{keys}->[$self->{next}++]; }

sub EXISTS { my ($self, $key) = @_; return exists $self->{left}->{$key}; }

sub FETCH {
    my ($self, $key) = @_;
    my $left = $self->{left}->{$key} or return;
    push @$left, shift @$left;
    return $left->[-1];
}

1;
