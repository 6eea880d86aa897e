# Stands behind the stand-ins of xCAT's modules: asks a Python Host over a socket, one line of JSON each way.
package xCAT::Backend;
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON ();
use Socket ();

my $socket;

sub ask {
    my ($name, @with) = @_;
    $socket ||= IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $ENV{STUB_BACKEND}) or die "no backend: $!";
    $socket->autoflush(1);
    print {$socket} JSON->new->ascii->encode([$name, @with]), "\n";
    my $answer = JSON->new->decode(scalar <$socket>);
    die "$answer->{error}\n" if defined $answer->{error};
    return $answer->{value};
}

1;
