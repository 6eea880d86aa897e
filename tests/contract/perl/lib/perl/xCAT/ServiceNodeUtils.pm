# A stand-in for xCAT::ServiceNodeUtils: noderes.servicenode as it stands, else the master.
package xCAT::ServiceNodeUtils;
use strict;
use warnings;

sub get_ServiceNode {
    my ($class, $nodes) = @_;
    my $found = xCAT::Table->new('noderes')->getNodesAttribs($nodes, ['servicenode']);
    my ($master) = xCAT::TableUtils->get_site_attribute('master');
    my %groups;
    push @{ $groups{ $found->{$_}->[0]->{servicenode} || $master } }, $_ for @$nodes;
    return \%groups;
}

1;
