# Stands where xcatd stands: a child runs the plugin and sends each answer through a socket, and a split request runs in
# children of that child. The relay at the other end has the weak points of xcatd's: a read takes 8 KiB ahead, one answer
# is relayed per readable socket and turn, and when it hears that the child has ended, it relays once more and drops the
# rest. And it comes late: it begins when the child has said all, so what is lost is lost each time.
#
# Input: a request (JSON). `callback` => 'other': another plugin called. `end`: 'signal' (the client's Ctrl-C comes when
# the child waits), 'abort' (it comes after the first answer), 'stop' (after that this process waits for its child's end
# alone), 'gone' (this process ends without a word).
# Output: a line of JSON per answer; then one with the child, whether it stayed, its status, and whether other sockets
# of this process are as they were.
use strict;
use warnings;
use IO::Poll ();
use JSON ();
use POSIX ();
use Socket;
use Storable ();
use lib "$ENV{XCATROOT}/lib/perl";
require $ENV{SHIM};

my $RDHUP = 0x2000;
my $json = JSON->new->canonical->ascii;
$| = 1;
sub show { print $json->encode($_[0]), "\n"; return; }

my ($to_relay, $to_middle);
sub answer { Storable::store_fd($_[0], $to_relay); return; }

# Between a grandchild and its parent each answer is acknowledged.
sub answer_of_part {
    Storable::store_fd($_[0], $to_middle);
    my $acknowledged = <$to_middle>;
    return;
}

sub pair {
    socketpair(my $mine, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    for my $handle ($mine, $theirs) { select((select($handle), $| = 1)[0]); binmode $handle, ':utf8'; }
    return ($mine, $theirs);
}

# One answer of a readable socket, 0 when there was none in time, undef at the end.
sub take {
    my ($socket) = @_;
    vec(my $bits = '', fileno $socket, 1) = 1;
    return 0 if select($bits, undef, undef, 1) < 1;
    return eval { Storable::fd_retrieve($socket) };
}

# Wait until the child has nothing to say any more; true when it will not end by itself.
sub stays {
    my ($socket, $child) = @_;
    my $seen = 0;
    until ($seen & $RDHUP) {
        my @poll = (fileno $socket, $RDHUP);
        IO::Poll::_poll(60_000, @poll) > 0 or die "the plugin does not come to an end\n";
        $seen = $poll[1];
    }
    return !($seen & IO::Poll::POLLHUP());
}

# Relay while the child lives; its status.
sub relay {
    my ($socket, $child, $stays) = @_;
    my $ended = waitpid($child, $stays ? POSIX::WNOHANG() : 0);
    while (defined(my $answer = take($socket))) {
        show($answer) if $answer;
        return $? if $ended;
        $ended = waitpid($child, POSIX::WNOHANG());
    }
    close $socket;
    waitpid($child, 0) unless $ended;
    return $?;
}

# As xcatd's processes end that are stopped: in an alarm, which waits for the children and reads nothing more.
sub stop_with {
    my ($child) = @_;
    local $SIG{ALRM} = sub { waitpid($child, 0); };
    kill 'ALRM', $$;
    return;
}

# A split request: one grandchild a part, whose answers are taken to the end.
sub run_part {
    my ($part) = @_;
    (my $mine, $to_middle) = pair();
    my $child = fork // die "fork: $!";
    if (!$child) {
        close $mine;
        xCAT_plugin::rhevm::process_request($part, \&answer_of_part, \&no_requests);
        exit 0;
    }
    close $to_middle;
    local $SIG{TERM} = sub { stop_with($child); exit 0; };
    while (defined(my $answer = take($mine))) {
        next unless $answer;
        print {$mine} "dfin\n";
        answer($answer);
    }
    close $mine;
    waitpid($child, 0);
    return;
}

sub no_requests { die "no command of ours runs one of xCAT's here\n"; }

sub run_plugin {
    my ($request, $callback) = @_;
    my $parts = xCAT_plugin::rhevm::preprocess_request($request, $callback, \&no_requests);
    if (@$parts > 1) { run_part($_) for @$parts; return; }
    xCAT_plugin::rhevm::process_request($parts->[0], $callback, \&no_requests);
    return;
}

my $request = do { local $/; $json->decode(<STDIN>) };
my ($kind, $end) = map { delete $request->{$_} // '' } qw(callback end);

my ($of_another, $another) = pair();    # another plugin's, from the same parent
(my $socket, $to_relay) = pair();
my $child = fork // die "fork: $!";
if (!$child) {
    setpgrp;
    close $socket;
    run_plugin($request, $kind eq 'other' ? sub { my ($said) = @_; answer($said); } : \&answer);
    close $to_relay;
    exit 3;
}
close $to_relay;
if ($end eq 'abort' || $end eq 'stop') {
    show(take($socket));
    kill 'TERM', -$child if $end eq 'abort';
    stop_with($child);
    show({ child => $child, status => $? });
    exit 0;
}
my $stays = stays($socket, $child);
if ($end eq 'gone') { show({ child => $child }); POSIX::_exit(0); }
kill 'TERM', -$child if $end eq 'signal';
my $status = $end eq 'signal' ? waitpid($child, 0) && $? : relay($socket, $child, $stays);
my @poll = (fileno $another, $RDHUP);
show({ child => $child, stayed => $stays ? 1 : 0, status => $status, others => IO::Poll::_poll(0, @poll) ? 0 : 1 });
