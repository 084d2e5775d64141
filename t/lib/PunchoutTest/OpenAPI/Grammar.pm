# What an OpenAPI 3.0.3 description may say here: the parts of that specification that docs/openbuy.json uses, no more.
package PunchoutTest::OpenAPI::Grammar;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PunchoutTest::OpenAPI::Schema qw(kind_of);

our @EXPORT_OK = qw(grammar_faults section_of);

# The members of each kind of object. "[x": a list of x, "{x": an object whose members are x, "x!": it has to be there.
my %members = (
    root => { openapi => 'text!', info => 'info!', servers => '[server!', tags => '[tag', paths => '{path!',
              'x-other-paths' => '{response!', components => 'components!' },
    info => { title => 'text!', version => 'text!', description => 'text' },
    server => { url => 'text!', description => 'text', variables => '{variable' },
    variable => { default => 'text!', description => 'text' },
    tag => { name => 'text!', description => 'text!' },
    path => { 'x-certain' => 'flag!', 'x-other-methods' => '{response!', post => 'operation!' },
    operation => { operationId => 'text!', tags => '[text!', summary => 'text!', description => 'text',
                   security => '[{[text!', requestBody => 'request!', responses => '{response!' },
    request => { required => 'flag!', description => 'text!', content => '{media!' },
    response => { description => 'text!', headers => '{header!', content => '{media!' },
    header => { required => 'flag!', description => 'text!', schema => 'schema!' },
    media => { schema => 'schema!', examples => '{example!' },
    example => { summary => 'text!', value => 'any!' },
    scheme => { type => 'text!', scheme => 'text', 'x-certain' => 'flag!', description => 'text!', flows => '{flow' },
    flow => { tokenUrl => 'text!', scopes => '{text!' },
    components => { securitySchemes => '{scheme', requestBodies => '{request', headers => '{header',
                    responses => '{response', schemas => '{schema' },
    schema => { type => 'text', description => 'text', 'x-certain' => 'flag', allOf => '[schema', oneOf => '[schema',
                enum => '[any', properties => '{schema', required => '[text', additionalProperties => 'flag',
                items => 'schema', maxItems => 'count', pattern => 'text', minLength => 'count', maxLength => 'count',
                minimum => 'count', maximum => 'count' },
);
my %section = (request => 'requestBodies', header => 'headers', response => 'responses', schema => 'schemas');
my %keywords = (object => [qw(required additionalProperties)], array => [qw(items maxItems)],
                string => [qw(pattern minLength maxLength)], integer => [qw(minimum maximum)]);
my %simple = (text => sub { kind_of($_[0]) eq 'string' && length $_[0] }, any => sub { 1 },
              flag => sub { kind_of($_[0]) eq 'boolean' }, count => sub { kind_of($_[0]) eq 'integer' });

# Where things of that kind stand that a $ref may name.
sub section_of { return $section{ $_[0] } }

# A schema's keywords have to fit together: one of another type would check nothing.
sub schema_rules {
    my ($schema, $at) = @_;
    my $type = $schema->{type};
    my @faults = $type && !$keywords{$type} ? ("$at: there is no type $type here") : ();
    for my $of (sort keys %keywords) {
        next if ($type || '') eq $of;
        push @faults, map { "$at: $_ needs the type $of" } grep { exists $schema->{$_} } @{ $keywords{$of} };
    }
    push @faults, "$at: an object has to say additionalProperties"
        if ($type || '') eq 'object' && !exists $schema->{additionalProperties};
    push @faults, map { "$at: $_ is required and isn't described" }
        grep { !$schema->{properties}{$_} } @{ $schema->{required} || [] };
    push @faults, "$at: the pattern is no regular expression"
        if defined $schema->{pattern} && !eval { qr/$schema->{pattern}/ };
    push @faults, "$at: a schema has to check something"
        unless grep { exists $schema->{$_} } qw(type allOf oneOf enum properties);
    return @faults;
}

# Every member of an object tells what it is and whether it is certain; what only narrows another schema has no type.
sub member_rules {
    my ($file, $schema, $at) = @_;
    return unless ($schema->{type} || '') eq 'object';
    my @faults;
    for my $name (sort keys %{ $schema->{properties} || {} }) {
        my $member = $file->resolve($schema->{properties}{$name}) or next;
        push @faults, map { "$at.properties.$name has no $_" } grep { !exists $member->{$_} } qw(description x-certain);
    }
    return @faults;
}

sub object_faults {
    my ($file, $kind, $object, $at) = @_;
    my $known = $members{$kind};
    my @faults = map { "$at.$_ is unknown here" } grep { !$known->{$_} } sort keys %$object;
    push @faults, map { "$at.$_ is missing" }
        grep { $known->{$_} =~ /!\z/ && !exists $object->{$_} } sort keys %$known;
    push @faults, map { part_faults($file, $known->{$_} =~ s/!\z//r, $object->{$_}, "$at.$_") }
        grep { $known->{$_} } sort keys %$object;
    push @faults, schema_rules($object, $at), member_rules($file, $object, $at) if $kind eq 'schema' && !@faults;
    return @faults;
}

sub reference_faults {
    my ($file, $kind, $object, $at) = @_;
    return "$at: beside \$ref nothing counts" if keys %$object > 1;
    return "$at: no \$ref may stand here" unless $section{$kind};
    return "$at: \$ref has to begin with #/components/$section{$kind}/"
        if $object->{'$ref'} !~ m{^#/components/$section{$kind}/[^/]+\z};
    return $file->resolve($object) ? () : "$at: there is no $object->{'$ref'}";
}

sub part_faults {
    my ($file, $kind, $value, $at) = @_;
    if ($kind =~ s/^\[//) {
        return "$at is no list" unless ref $value eq 'ARRAY';
        return map { part_faults($file, $kind, $value->[$_], "$at\[$_]") } 0 .. $#$value;
    }
    if ($kind =~ s/^\{//) {
        return "$at is no object" unless ref $value eq 'HASH';
        return map { part_faults($file, $kind, $value->{$_}, "$at.$_") } sort keys %$value;
    }
    return $simple{$kind}->($value) ? () : "$at is no $kind" if $simple{$kind};
    return "$at is no object" unless ref $value eq 'HASH';
    return reference_faults($file, $kind, $value, $at) if exists $value->{'$ref'};
    return object_faults($file, $kind, $value, $at);
}

# file: a PunchoutTest::OpenAPI.
sub grammar_faults { my $file = shift; return part_faults($file, 'root', $file->{root}, 'root') }

1;
