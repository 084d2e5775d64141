# An OpenAPI description: whether it is sound, and whether calls and answers are as it says.
package PunchoutTest::OpenAPI;
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use PunchoutTest::OpenAPI::Grammar qw(grammar_faults section_of);
use PunchoutTest::OpenAPI::Schema qw(schema_faults);

# From the text of the description. Dies when that is no JSON.
sub new {
    my ($class, $text) = @_;
    my ($root, @faults) = read_json($text);
    die "the description is unreadable: @faults\n" if @faults;
    return bless { root => $root }, $class;
}

# ---- the file -------------------------------------------------------------------------------------------------------

# What a $ref stands for, else the thing itself; undef: there is no such thing.
sub resolve {
    my ($self, $thing) = @_;
    for (1 .. 20) {                     # more in a row are a circle
        return $thing unless ref $thing eq 'HASH' && exists $thing->{'$ref'};
        my ($section, $name) = $thing->{'$ref'} =~ m{^#/components/([^/]+)/([^/]+)\z} or return undef;
        $thing = ($self->{root}{components}{$section} || {})->{$name};
    }
    return undef;
}

sub operations {
    my $self = shift;
    return map { $self->{root}{paths}{$_}{post} } sort keys %{ $self->{root}{paths} };
}

sub example_faults {
    my ($self, $media, $at) = @_;
    my $examples = $media->{examples};
    return ((%$examples ? () : "$at has no example"),
            map { $self->value_faults($media->{schema}, $examples->{$_}{value}, "$at, example $_") }
                sort keys %$examples);
}

sub value_faults {
    my ($self, $schema, $value, $at) = @_;
    return schema_faults($schema, $value, $at, sub { $self->resolve($_[0]) });
}

# Each component has to be named by somebody: what nobody refers to is checked by no answer.
sub unused_faults {
    my $self = shift;
    my %used = map { $_ => 1 } JSON::PP->new->encode($self->{root}) =~ m{"\$ref":"#/components/([^"]+)"}g;
    $used{"securitySchemes/$_"} = 1 for map { map { keys %$_ } @{ $_->{security} } } $self->operations;
    my $components = $self->{root}{components};
    my @faults;
    for my $section (sort keys %$components) {
        push @faults, map { "components/$section/$_ is used nowhere" } grep { !$used{"$section/$_"} }
            sort keys %{ $components->{$section} };
    }
    return @faults;
}

sub name_faults {
    my $self = shift;
    my (%ids, @faults);
    my %tags = map { $_->{name} => 1 } @{ $self->{root}{tags} || [] };
    for my $operation ($self->operations) {
        my $id = $operation->{operationId};
        push @faults, "there are two operations $id" if $ids{$id}++;
        push @faults, map { "$id: there is no tag $_" } grep { !$tags{$_} } @{ $operation->{tags} };
        push @faults, map { "$id: there is no security scheme $_" }
            grep { !$self->{root}{components}{securitySchemes}{$_} } map { keys %$_ } @{ $operation->{security} };
        push @faults, map { "$id: $_ is no status" }
            grep { !/^[1-5][0-9][0-9]\z/ } sort keys %{ $operation->{responses} };
    }
    return @faults;
}

# What is wrong with the description itself.
sub file_faults {
    my $self = shift;
    my @faults = grammar_faults($self);
    return @faults if @faults;          # the rest needs its shape
    my $components = $self->{root}{components};
    for my $section (map { section_of($_) } qw(request response)) {
        for my $name (sort keys %{ $components->{$section} }) {
            my $content = $components->{$section}{$name}{content} || next;
            push @faults, map { $self->example_faults($content->{$_}, "components/$section/$name, $_") }
                sort keys %$content;
        }
    }
    return (@faults, $self->unused_faults, $self->name_faults);
}

# Each answer that is described, as "POST /openbuy/search 200"; "other /openbuy/search 405" for other methods, and
# "POST elsewhere 404" for other paths.
sub documented {
    my $self = shift;
    my @documented = map { "POST elsewhere $_" } sort keys %{ $self->{root}{'x-other-paths'} };
    for my $path (sort keys %{ $self->{root}{paths} }) {
        my $described = $self->{root}{paths}{$path};
        push @documented, map { "POST $path $_" } sort keys %{ $described->{post}{responses} };
        push @documented, map { "other $path $_" } sort keys %{ $described->{'x-other-methods'} };
    }
    return @documented;
}

# ---- bodies ---------------------------------------------------------------------------------------------------------

sub count_members {
    my $value = shift;
    my $count = ref $value eq 'HASH' ? keys %$value : 0;
    $count += count_members($_) for ref $value eq 'HASH' ? values %$value : ref $value eq 'ARRAY' ? @$value : ();
    return $count;
}

# (value, faults) of bytes. JSON::PP takes a member that is there twice, a reader of somebody else's may not.
sub read_json {
    my $text = shift;
    my $value = eval { JSON::PP->new->utf8->decode($text) };
    return (undef, 'the body is no JSON in UTF-8: ' . ($@ =~ s/ at \S+ line \d+\.?\n\z//r)) if $@;
    my $said = grep { defined } $text =~ /"(?:[^"\\]|\\.)*"\s*(?:(:)|)/gs;
    return ($value, $said == count_members($value) ? () : 'a member stands there twice');
}

sub read_form {
    my $text = shift;
    my (%form, @faults);
    for (split /&/, $text) {
        my ($name, $value) = map { tr/+/ /r =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger } split(/=/, $_, 2), '';
        push @faults, "$name stands there twice" if exists $form{$name};
        $form{$name} = $value;
    }
    return (\%form, @faults);
}

# content: what a request or an answer may be.
sub content_faults {
    my ($self, $content, $type, $body) = @_;
    return 'no Content-Type' unless defined $type;
    my $media = $content->{$type} or return "Content-Type $type isn't described";
    my ($value, @faults) = $type =~ /form/ ? read_form($body) : read_json($body);
    return @faults ? @faults : $self->value_faults($media->{schema}, $value, 'body');
}

# ---- calls ----------------------------------------------------------------------------------------------------------

sub header_faults {
    my ($self, $described, $headers) = @_;
    my @faults;
    for my $name (sort keys %$described) {
        my $header = $self->resolve($described->{$name});
        my @values = $headers->header($name);
        if (@values > 1) {
            push @faults, "header $name stands there twice";
        } elsif (!@values) {
            push @faults, "header $name is missing" if $header->{required};
        } else {
            my $number = ($header->{schema}{type} || '') eq 'integer' && $values[0] =~ /^[0-9]+\z/;
            push @faults, $self->value_faults($header->{schema}, $number ? 0 + $values[0] : $values[0], "header $name");
        }
    }
    return @faults;
}

# What is wrong with the call; path: below the server's URL.
sub request_faults {
    my ($self, $path, $type, $body) = @_;
    my $described = $self->{root}{paths}{$path} or return "there is no path $path";
    return $self->content_faults($self->resolve($described->{post}{requestBody})->{content}, $type, $body);
}

# What is wrong with the answer to it. headers: an HTTP::Headers; body: bytes.
sub answer_faults {
    my ($self, $method, $path, $status, $headers, $body) = @_;
    my $described = $self->{root}{paths}{$path};
    my $responses = !$described ? $self->{root}{'x-other-paths'}
        : $method eq 'POST' ? $described->{post}{responses} : $described->{'x-other-methods'};
    my $response = $self->resolve($responses->{$status}) or return "$method $path: status $status isn't described";
    return map { "$method $path $status: $_" } $self->header_faults($response->{headers} || {}, $headers),
        $self->content_faults($response->{content}, scalar $headers->header('Content-Type'), $body);
}

1;
