# xCAT::ServiceNodeUtils over xCAT::Backend.
package xCAT::ServiceNodeUtils;
use strict;
use warnings;
use xCAT::Backend;

sub get_ServiceNode { my ($class, $nodes) = @_; return xCAT::Backend::ask('service_nodes', $nodes); }

1;
