# xCAT::Table over xCAT::Backend: the calls and shapes of the real one, the semantics of the Host behind it.
package xCAT::Table;
use strict;
use warnings;
use xCAT::Backend;

%xCAT::Schema::tabspec = map { my ($name, $columns) = @$_; $name => { cols => $columns } } @{ xCAT::Backend::ask('schema') };

sub new {
    my ($class, $name, %options) = @_;
    return unless $xCAT::Schema::tabspec{$name};
    return bless { name => $name }, $class;
}

sub getNodesAttribs {
    my ($self, $nodes, $columns) = @_;
    my $rows = xCAT::Backend::ask('node_attrs', $self->{name}, $nodes, $columns);
    return { map { $_ => [$rows->{$_}] } keys %$rows };
}

sub getAllAttribs {
    my ($self, @columns) = @_;
    my @rows = map { my $row = $_; +{ map { $_ => $row->{$_} } grep { ($row->{$_} // '') ne '' } @columns } } @{ $self->getAllEntries() };
    return grep { %$_ } @rows;
}

sub getAllEntries { my ($self) = @_; return xCAT::Backend::ask('rows', $self->{name}); }

sub setNodesAttribs { my ($self, $values) = @_; return xCAT::Backend::ask('set_node_attrs', $self->{name}, $values); }

sub setAttribsWhere {
    my ($self, $where, $values) = @_;
    my ($names) = $where =~ /^node in \('(.*)'\)$/ or die "not understood: $where\n";
    my %there = map { $_->{node} => 1 } @{ $self->getAllEntries() };    # it changes rows and makes none
    my %changed = map { $_ => $values } grep { $there{$_} } split /','/, $names;
    return xCAT::Backend::ask('set_node_attrs', $self->{name}, \%changed);
}

sub setAttribs { my ($self, $key, $values) = @_; return xCAT::Backend::ask('set_row', $self->{name}, $key, $values); }

sub delEntries { my ($self, $key) = @_; return xCAT::Backend::ask('delete_row', $self->{name}, $key); }

1;
