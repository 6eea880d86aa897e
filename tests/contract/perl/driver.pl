# Does what xcatd does with a plugin: reads a request (JSON) from standard input, lets the shim preprocess and process it,
# and prints each answer as a line of JSON. Sub-requests are noted and answered from $ENV{STUB_ANSWERS}.
use strict;
use warnings;
use JSON ();
use lib "$ENV{XCATROOT}/lib/perl";
require $ENV{SHIM};

$| = 1;
my $json = JSON->new->canonical->ascii;
sub show { print $json->encode($_[0]), "\n"; return; }
my $request = do { local $/; $json->decode(<STDIN>) };
if ($request->{handled}) { show($request->{handled} eq 'bypass' ? xCAT::Client::listed() : xCAT_plugin::rhevm::handled_commands()); exit 0; }
my $answers = $json->decode($ENV{STUB_ANSWERS} || '{}');
my %bootparams;
my $hash = \%bootparams;
$request->{bootparams} = \$hash if delete $request->{with_bootparams};

sub subrequest {
    my ($sub, $callback) = @_;
    if ($ENV{STUB_BACKEND}) {
        my $messages = xCAT::Backend::ask('run', $sub->{command}->[0], $sub->{node} || [], $sub->{arg} || []);
        $callback->(xCAT_plugin::rhevm::answer_hash($_)) for @$messages;
        return;
    }
    show({ subrequest => $sub });
    $callback->($_) for @{ $answers->{ $sub->{command}->[0] } || [] };
    return;
}

my $parts = xCAT_plugin::rhevm::preprocess_request($request, \&show, \&subrequest);
for my $part (@$parts) {
    show({ destination => $part->{_xcatdest} || '', node => $part->{node} }) if @$parts > 1;
    xCAT_plugin::rhevm::process_request($part, \&show, \&subrequest) unless $part->{_xcatdest};
}
show({ bootparams => \%bootparams }) if %bootparams;
show({ finished => 1 });

# As xCAT's client reads a plugin's commands under XCATBYPASS: one value for each key that is listed.
package xCAT::Client;
sub listed {
    my $handled = xCAT_plugin::rhevm::handled_commands();
    my %found;
    push @{ $found{$_} }, $handled->{$_} for keys %$handled;
    return \%found;
}
