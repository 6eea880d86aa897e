# xCAT::TableUtils over xCAT::Backend.
package xCAT::TableUtils;
use strict;
use warnings;
use xCAT::Backend;

sub get_site_attribute { my ($class, $key) = @_; my $value = xCAT::Backend::ask('site', $key); return $value eq '' ? () : ($value); }

1;
