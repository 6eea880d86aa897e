# A stand-in for xCAT's tables: a JSON file {table: {"key": column, "rows": [{column: value}]}}, written back at each change.
package xCAT::Table;
use strict;
use warnings;
use JSON ();

sub file { return $ENV{STUB_TABLES} }

sub load { open my $in, '<', file() or die; local $/; return JSON->new->decode(<$in>); }

sub save { my ($all) = @_; open my $out, '>', file() or die; print {$out} JSON->new->canonical->ascii->encode($all); close $out; return; }

{ my $all = load(); $xCAT::Schema::tabspec{$_} = { cols => $all->{$_}->{cols} } for keys %$all; }

sub new {
    my ($class, $name, %options) = @_;
    my $all = load();
    return unless $all->{$name};
    return bless { name => $name }, $class;
}

sub mine { my ($self, $all) = @_; return $all->{ $self->{name} }; }

sub fits { my ($row, $key) = @_; for (keys %$key) { return 0 if ($row->{$_} // '') ne $key->{$_}; } return 1; }

sub getNodesAttribs {
    my ($self, $nodes, $columns) = @_;
    my $rows = $self->mine(load())->{rows};
    my @slow = grep { my $column = $_; !grep { ($_->{$column} // '') ne '' } @$rows } @$columns;
    die "a column that no row fills was asked for of many nodes: @slow\n" if @slow && @$nodes >= 50;
    my %found;
    for my $node (@$nodes) {
        my ($row) = grep { $_->{node} eq $node } @$rows;
        $found{$node} = [{ map { $_ => $row->{$_} } @$columns }];
    }
    return \%found;
}

# Rows that have none of the columns are left out; nothing at all where there are none.
sub getAllAttribs {
    my ($self, @columns) = @_;
    my @rows = map { my $row = $_; +{ map { $_ => $row->{$_} } grep { ($row->{$_} // '') ne '' } @columns } } @{ $self->getAllEntries() };
    return grep { %$_ } @rows;
}

sub getAllEntries { my ($self) = @_; return $self->mine(load())->{rows}; }

sub setAttribs {
    my ($self, $key, $values) = @_;
    my $all = load();
    my $rows = $self->mine($all)->{rows};
    my ($row) = grep { fits($_, $key) } @$rows;
    push @$rows, $row = {%$key} unless $row;
    @$row{ keys %$values } = values %$values;
    save($all);
    return;
}

sub setNodesAttribs { my ($self, $values) = @_; $self->setAttribs({ node => $_ }, $values->{$_}) for sort keys %$values; return; }

sub delEntries {
    my ($self, $key) = @_;
    my $all = load();
    my $mine = $self->mine($all);
    $mine->{rows} = [grep { !fits($_, $key) } @{ $mine->{rows} }];
    save($all);
    return;
}

1;
