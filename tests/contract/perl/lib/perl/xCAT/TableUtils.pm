# A stand-in for xCAT::TableUtils: the site table.
package xCAT::TableUtils;
use strict;
use warnings;

sub get_site_attribute {
    my ($class, $key) = @_;
    my ($row) = grep { $_->{key} eq $key } @{ xCAT::Table->new('site')->getAllEntries() };
    return $row ? ($row->{value}) : ();
}

1;
