# Holds a JSON value against a schema of an OpenAPI description, as far as docs/openbuy.json uses schemas; a keyword
# that is missing here is a fault of the file (PunchoutTest::OpenAPI::Grammar), so that none goes unchecked.
package PunchoutTest::OpenAPI::Schema;
use strict;
use warnings FATAL => 'all';
use B ();
use Exporter 'import';

our @EXPORT_OK = qw(kind_of schema_faults);

# JSON's own name for what a value is; 2.0 is a number, but no integer.
sub kind_of {
    my $value = shift;
    return 'null' unless defined $value;
    return { HASH => 'object', ARRAY => 'array' }->{ ref $value } || 'boolean' if ref $value;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & B::SVf_POK ? 'string' : $flags & B::SVf_IOK ? 'integer' : 'number';
}

sub same { my ($x, $y) = @_; return kind_of($x) eq kind_of($y) && "$x" eq "$y" }

sub string_faults {
    my ($schema, $text, $at) = @_;
    my @faults;
    push @faults, "$at is shorter than $schema->{minLength}" if length $text < ($schema->{minLength} || 0);
    push @faults, "$at is longer than $schema->{maxLength}"
        if defined $schema->{maxLength} && length $text > $schema->{maxLength};
    if (defined $schema->{pattern}) {
        (my $pattern = $schema->{pattern}) =~ s/\$\z/\\z/;      # in ECMA 262 no line's end may follow
        push @faults, "$at doesn't match $schema->{pattern}" unless $text =~ /$pattern/;
    }
    return @faults;
}

sub number_faults {
    my ($schema, $number, $at) = @_;
    my @faults;
    push @faults, "$at is less than $schema->{minimum}" if defined $schema->{minimum} && $number < $schema->{minimum};
    push @faults, "$at is more than $schema->{maximum}" if defined $schema->{maximum} && $number > $schema->{maximum};
    return @faults;
}

sub array_faults {
    my ($schema, $list, $at, $resolve) = @_;
    my @faults;
    push @faults, "$at has more than $schema->{maxItems} items"
        if defined $schema->{maxItems} && @$list > $schema->{maxItems};
    return @faults unless $schema->{items};
    return (@faults, map { schema_faults($schema->{items}, $list->[$_], "$at\[$_]", $resolve) } 0 .. $#$list);
}

sub object_faults {
    my ($schema, $object, $at, $resolve) = @_;
    my $known = $schema->{properties} || {};
    my @faults = map { "$at.$_ is missing" } grep { !exists $object->{$_} } @{ $schema->{required} || [] };
    for my $name (sort keys %$object) {
        if ($known->{$name}) {
            push @faults, schema_faults($known->{$name}, $object->{$name}, "$at.$name", $resolve);
        } elsif (exists $schema->{additionalProperties} && !$schema->{additionalProperties}) {
            push @faults, "$at.$name isn't described";
        }
    }
    return @faults;
}

my %faults_of = (string => \&string_faults, integer => \&number_faults,
                 array => \&array_faults, object => \&object_faults);

# What is wrong with value, each with where; at: what to call the value itself. resolve gives what a $ref stands for.
sub schema_faults {
    my ($schema, $value, $at, $resolve) = @_;
    $schema = $resolve->($schema);
    my $kind = kind_of($value);
    my $type = $schema->{type};
    return "$at is of type $kind instead of $type" if $type && $type ne $kind;
    my @faults = map { schema_faults($_, $value, $at, $resolve) } @{ $schema->{allOf} || [] };
    push @faults, "$at is none of the values that it may have"
        if $schema->{enum} && !grep { same($_, $value) } @{ $schema->{enum} };
    if ($schema->{oneOf}) {
        my $fit = grep { !schema_faults($_, $value, $at, $resolve) } @{ $schema->{oneOf} };
        push @faults, "$at fits $fit of the schemas of which it has to fit one" if $fit != 1;
    }
    push @faults, $faults_of{$kind}->($schema, $value, $at, $resolve) if $faults_of{$kind};
    return @faults;
}

1;
