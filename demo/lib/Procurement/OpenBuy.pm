# Procurement::OpenBuy - a client of Open Buy, by which Coupa's requesters search a supplier's catalog without leaving
# Coupa: authenticate, search, detail and checkout, JSON over HTTP. Every method gives (what it found, undef) or
# (undef, why not). What Coupa has not published is as configurable here as it must be in a server: names of members,
# paths, where the token goes.
package Procurement::OpenBuy;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use HTTP::Date qw(str2time);
use HTTP::Request::Common qw(POST);
use JSON::PP ();
use LWP::UserAgent;
use Math::BigFloat;
use Scalar::Util qw(blessed);

my $SECONDS = 10;       # somebody looks at an empty page meanwhile
my @ITEM = qw(
    source_part_num supp_aux_part_num name description price currency uom unspsc_code quantity manufacturer_name
    manufacturer_part_number lead_time minimum_order_quantity image_url contract savings_pct
);
# Numbers keep their digits: a price is no float.
my $JSON = JSON::PP->new->utf8->canonical->allow_bignum;

# base: URL above the actions (.../openbuy); credentials: what the supplier gave us, with oauth in the form ID:SECRET;
# email: the requester, for whom every token is. These may be left out:
#   fields     {our name => the supplier's}, as in {price => 'unit_cost'}, where they differ
#   version    what stands behind the action in the path, 'v1.0.0'; '' for the editions without
#   token_in   'header' (Authorization: Bearer) or 'body' (a member "token")
#   oauth      true: client credentials (RFC 6749, 4.4) at base/token instead of the action `authentication`
#   user_agent what we call ourselves
sub new ($class, %arg) {
    my $http = LWP::UserAgent->new(agent => $arg{user_agent} // 'Demo Procurement 1.0', timeout => $SECONDS);
    return bless { version => 'v1.0.0', token_in => 'header', fields => {}, %arg, http => $http }, $class;
}

# ---- the four actions ------------------------------------------------------------------------------------------------

# Gives the token, which is kept for the calls that follow. These call it by themselves when they need one.
sub authenticate ($self) {
    my $member  = $self->{oauth} ? 'access_token' : $self->name('token');
    my $request = $self->{oauth} ? $self->client_credentials
        : $self->json_request('authentication', %$self{qw(credentials email)});
    my ($answer, $why) = understood($self->{http}->request($request));
    return undef, $why if !$answer;
    my $token = text($answer->{$member}) // '';
    return undef, "The supplier's answer has no usable $member." if $token !~ /\A[\x21-\x7e]+\z/;
    $self->{token} = $token;
    return $token, undef;
}

# Pages count from 1, their size is the supplier's choice. Gives {count, total_count, results => [item ...]}; an item
# has the names of @ITEM, as far as the supplier says something, and texts as values.
sub search ($self, $query, $page = 1) {
    my ($answer, $why) = $self->call('search', query => "$query", page_number => 0 + $page);
    return undef, $why if !$answer;
    my $results = $answer->{ $self->name('results') };
    return undef, "The supplier's answer has no list of results." if ref $results ne 'ARRAY';
    my @items = map { ref eq 'HASH' ? $self->item($_) : () } @$results;
    my ($count, $total) = map { text($answer->{ $self->name($_) }) } qw(count total_count);
    return { count => $count // @items, total_count => $total // $count // @items, results => \@items }, undef;
}

# One item for close review.
sub detail ($self, $part) {
    my ($items, $why) = $self->items('detail', source_part_num => "$part");
    return $items && $items->[0], $why;
}

# The items to put on a purchase order, [item ...]: one, unless the supplier sells this in several lines. From now on
# their prices hold, and their auxiliary ids name the purchase.
sub checkout ($self, $part, $quantity) {
    return $self->items('checkout', source_part_num => "$part", quantity => Math::BigFloat->new($quantity));
}

# ---- messages --------------------------------------------------------------------------------------------------------

# What a member is called by this supplier.
sub name ($self, $ours) { return $self->{fields}{$ours} // $ours }

sub json_request ($self, $action, %member) {
    my $url = join '/', $self->{base}, $action, length $self->{version} ? $self->{version} : ();
    return POST($url, 'Content-Type' => 'application/json', Accept => 'application/json',
        Content => $JSON->encode({ map { $self->name($_) => $member{$_} } keys %member }));
}

sub client_credentials ($self) {
    my $request = POST("$self->{base}/token", [grant_type => 'client_credentials'], Accept => 'application/json');
    $request->authorization_basic(split /:/, $self->{credentials}, 2);
    return $request;
}

# Gives the decoded answer. A token may have ended since its last use: then once more with a new one.
sub call ($self, $action, %member) {
    my ($response, $why) = $self->ask($action, %member);
    if ($response && $response->code == 401) {
        delete $self->{token};
        ($response, $why) = $self->ask($action, %member);
    }
    return $response ? understood($response) : (undef, $why);
}

sub ask ($self, $action, %member) {
    if (!defined $self->{token}) {
        my ($token, $why) = $self->authenticate;
        return undef, $why if !defined $token;
    }
    # a token of client credentials is the buyer's as a whole
    $member{email} = $self->{email} if $self->{oauth};
    $member{token} = $self->{token} if $self->{token_in} eq 'body';
    my $request = $self->json_request($action, %member);
    $request->header(Authorization => "Bearer $self->{token}") if $self->{token_in} ne 'body';
    return $self->{http}->request($request), undef;
}

# Gives the members of an answer that went well.
sub understood ($response) {
    my $answer = eval { $JSON->decode($response->decoded_content(charset => 'none') // '') };
    undef $answer if ref $answer ne 'HASH';
    return undef, refusal($response, $answer) if !$response->is_success;
    return $answer, $answer ? undef : "The supplier's answer is no JSON object.";
}

# The supplier's words, as far as there are any.
sub refusal ($response, $answer) {
    return 'The supplier does not answer: ' . $response->message
        if ($response->header('Client-Warning') // '') eq 'Internal response';
    my $words = text($answer && $answer->{detail}) // '';
    $words = $response->status_line if !length $words;
    my $wait = $response->code == 429 ? seconds($response->header('Retry-After')) : undef;
    return defined $wait ? "$words (Try again in $wait " . ($wait == 1 ? 'second' : 'seconds') . '.)' : $words;
}

# Retry-After has seconds or a date.
sub seconds ($value) {
    return $value if !defined $value || $value =~ /\A[0-9]+\z/;
    my $time = str2time($value) // return undef;
    return $time > time ? $time - time : 0;
}

# ---- items -----------------------------------------------------------------------------------------------------------

# Whether an answer is the item or has it in its results is not published: both will do.
sub items ($self, $action, %member) {
    my ($answer, $why) = $self->call($action, %member);
    return undef, $why if !$answer;
    my $results = $answer->{ $self->name('results') };
    my @items = map { ref eq 'HASH' ? $self->item($_) : () } ref $results eq 'ARRAY' ? @$results : $answer;
    return undef, "The supplier's answer has no item." if !grep { defined $_->{source_part_num} } @items;
    return \@items, undef;
}

sub item ($self, $theirs) {
    my %item = map { $_ => text($theirs->{ $self->name($_) }) } @ITEM;
    delete @item{ grep { !defined $item{$_} } keys %item };
    return \%item;
}

# Prices and part numbers come as strings or as numbers; undef for anything else.
sub text ($value) {
    return undef if !defined $value;
    return $value->bstr if blessed $value && $value->can('bstr');
    return ref $value ? undef : "$value";
}

1;
