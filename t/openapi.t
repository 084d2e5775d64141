# docs/openbuy.json: that it is sound, that what holds answers against it sees a fault, and that Open Buy answers so.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Headers ();
use JSON::PP ();
use PunchoutTest::Httpd;
use PunchoutTest::OpenAPI;
use Test::More;

my $top = -e "$FindBin::Bin/../docs" ? "$FindBin::Bin/.." : $ENV{PUNCHOUT_SRCDIR} || '.';
my $text = slurp("$top/docs/openbuy.json");
my $api = PunchoutTest::OpenAPI->new($text);
my $schemas = $api->{root}{components}{schemas};
sub words { return join ' ', sort @_ }
sub json { return JSON::PP->new->utf8->canonical->encode($_[0]) }

# ---- the file -------------------------------------------------------------------------------------------------------

is join("\n", $api->file_faults), '', 'no keyword is unknown, each $ref leads somewhere, each example is valid';
for my $path (grep { m{/v1\.0\.0\z} } sort keys %{ $api->{root}{paths} }) {
    my @posts = map { { %{ $api->{root}{paths}{$_}{post} || {} } } } $path, $path =~ s{/v1\.0\.0\z}{}r;
    delete @$_{qw(operationId summary description)} for @posts;
    is_deeply $posts[1], $posts[0], "$path is answered the same way without its version";
}
sub is_call { return $_[0] =~ /(?<!Bad)Request\z/ }
my %members = map { $_ => [keys %{ $schemas->{$_}{properties} || {} }] } keys %$schemas;
is words(grep { is_call($_) && !$schemas->{$_}{additionalProperties} } keys %$schemas), '',
    'calls may have members of their own';
is words(grep { !is_call($_) && $schemas->{$_}{additionalProperties} } keys %$schemas), '',
    'answers have none but what stands there';

my ($names) = slurp("$top/src/market/openbuy.c") =~ /\bpo_openbuy_names\[\] = \{(.*?)NULL/s
    or die 'no names in src/market/openbuy.c';
my %ours = map { $_ => 1 } map { @{ $members{$_} } } grep { !/Token|Error/ } keys %members;
is words(grep { !/^(?:credentials|token)\z/ } keys %ours), words($names =~ /"(\w+)"/g),
    'the members are those whose names PunchOutOpenBuyField may change, and credentials and token';

sub certain {
    my @certain;
    for my $schema (keys %members) {
        my %described = map { $_ => $api->resolve($schemas->{$schema}{properties}{$_}) } @{ $members{$schema} };
        push @certain, map { "$schema.$_" } grep { $described{$_}{'x-certain'} } keys %described;
    }
    return words(@certain);
}
is certain(), words(qw(AuthenticationRequest.credentials AuthenticationRequest.email AuthenticationAnswer.token
    SearchRequest.query SearchRequest.page_number SearchAnswer.count SearchAnswer.total_count SearchAnswer.results
    Item.source_part_num CheckoutAnswer.source_part_num)), 'certain is what Coupa has published, and no more';

# each change of the file with what has to be said of it
sub changed {
    my ($whole, $from, $to) = @_;
    $whole =~ s/\Q$from\E/$to/ or die "no $from";
    return $whole;
}
for (
    ['an unknown keyword', '"minLength": 1', '"minimumLength": 1', qr/minimumLength is unknown here/],
    ['a keyword of another type', '"minLength": 1', '"minimum": 1', qr/minimum needs the type integer/],
    ['a $ref to nothing', '#/components/schemas/Item"', '#/components/schemas/Article"', qr/there is no .*Article/],
    ['a $ref to another kind of thing', 'components/schemas/Item"', 'components/headers/Allow"', qr/has to begin with/],
    ['an example with another type', '"page_number": 1}', '"page_number": 1.5}', qr/page\.page_number fits 0 of/],
    ['an example with a member too many', '"count": 0,', '"count": 0, "more": 1,', qr/\.more isn't described/],
    ['an object that is left open', '"additionalProperties": false,', '', qr/has to say additionalProperties/],
    ['a member that is neither certain nor not', '"x-certain": true,' . "\n            \"description\": \"Words",
     '"description": "Words', qr/query has no x-certain/],
    ['two operations of one name', '"searchUnversioned"', '"search"', qr/two operations search/],
    ['a component that nobody names', '"schemas": {', '"schemas": {"Idle": {"type": "string"},', qr/Idle is used now/],
    ['a pattern that is none', '"^[A-Z]{3}$"', '"^[A-Z{3}$"', qr/no regular expression/],
    ['a required member that is nowhere', '"required": ["query"]', '"required": ["words"]', qr/words is required and/],
) {
    my ($what, $from, $to, $said) = @$_;
    my $file = PunchoutTest::OpenAPI->new(changed($text, $from, $to));
    like join("\n", $file->file_faults), $said, "seen in a file: $what";
}

# ---- answers that are not as described ------------------------------------------------------------------------------

sub example {
    my ($response, $name) = @_;
    return $api->{root}{components}{responses}{$response}{content}{'application/json'}{examples}{$name}{value};
}
my %headers = (Content_Type => 'application/json', Cache_Control => 'no-store');
sub faults {
    my ($status, $body, %more) = @_;
    my %all = (%headers, %{ $more{headers} || {} });
    my $headers = HTTP::Headers->new(map { $_ => $all{$_} } grep { defined $all{$_} } keys %all);
    my @call = ($more{method} || 'POST', $more{path} || '/openbuy/search');
    return join "\n", $api->answer_faults(@call, $status, $headers, $body);
}
my $found = json(example('Search', 'one'));
my $refused = json(example('BadRequest', 'missing'));
my $unknown = json(example('Unauthorized', 'token'));
my $many = json(example('TooManyRequests', 'rate'));

is faults(200, $found), '', 'an answer like the example passes';
is faults(401, $unknown, headers => { WWW_Authenticate => 'Bearer realm="x", error="invalid_token"' }), '',
    'and so does a refusal';
is faults(429, $many, headers => { Retry_After => '20' }), '', 'a number in a header is read as one';

# a piece of it, what stands there instead, and what has to be said
for (
    ['a member missing', '"total_count":1', '"name":"x"', qr/body\.total_count is missing/],
    ['a member of an item missing', '"currency":"USD",', '', qr/body\.results\[0\]\.currency is missing/],
    ['a string for a number', '"count":1', '"count":"1"', qr/body\.count is of type string instead of integer/],
    ['a number for a string', '"1200.00"', '1200.00', qr/price is of type number instead of string/],
    ['a fraction for a whole number', '"lead_time":0', '"lead_time":0.0', qr/lead_time is of type number/],
    ['null', '"Log Keeper"', 'null', qr/name is of type null/],
    ['true', '"Log Keeper"', 'true', qr/name is of type boolean/],
    ['an object for a list', '"results":[', '"results":{},"x":[', qr/results is of type object/],
    ['an extra member', '"total_count"', '"more":1,"total_count"', qr/body\.more isn't described/],
    ['an extra member of an item', '"price"', '"cost":"1","price"', qr/results\[0\]\.cost isn't described/],
    ['a member that is there twice', '"total_count"', '"count":1,"total_count"', qr/twice/],
    ['a text against its pattern', '1200.00', '1,200.00', qr/price doesn't match/],
    ["a line's end behind what fits", '"USD"', '"USD\n"', qr/currency doesn't match/],
    ['an empty text', '"EA"', '""', qr/uom is shorter than 1/],
    ['a text that is too long', 'Log Keeper', 'x' x 256, qr/name is longer than 255/],
    ['a number that is too small', 'order_quantity":1', 'order_quantity":0', qr/minimum_order_quantity is less than 1/],
    ['a number that is too big', '"count":1', '"count":21', qr/body\.count is more than 20/],
    ['bytes that are no UTF-8', 'Log Keeper', "Log K\xe4per", qr/no JSON in UTF-8/],
    ['half an answer', '"total_count":1}', '"total_count":1', qr/no JSON/],
    ['a list', $found, "[$found]", qr/body is of type array/],
) {
    my ($what, $from, $to, $said) = @$_;
    like faults(200, changed($found, $from, $to)), $said, "seen: $what";
}
my $one = example('Search', 'one');
my $long = json({ %$one, results => [($one->{results}[0]) x 21] });
like faults(200, $long), qr/body\.results has more than 20 items/, 'seen: too many items';
like faults(400, $unknown), qr/body\.status is none of the values/, "seen: a body's status that is not the answer's";
like faults(200, $refused), qr/body\.count is missing/, 'seen: an error with status 200';
like faults(403, $refused), qr/status 403 isn't described/, 'seen: another status';
like faults(200, $found, headers => { Content_Type => 'text/html' }), qr{text/html isn't}, 'seen: another content type';
like faults(200, $found, headers => { Content_Type => undef }), qr/no Content-Type/, 'seen: none';
like faults(200, $found, headers => { Cache_Control => undef }), qr/Cache-Control is missing/, 'seen: a header missing';
like faults(200, $found, headers => { Cache_Control => 'private' }), qr/Cache-Control is none/, 'seen: another header';
like faults(200, $found, headers => { Cache_Control => ['no-store', 'no-store'] }), qr/twice/, 'seen: a header twice';
like faults(429, $many, headers => { Retry_After => 'soon' }), qr/Retry-After is of type/, 'seen: a word for seconds';
like faults(429, $many, headers => { Retry_After => '0' }), qr/Retry-After is less than 1/, 'seen: no seconds';
like faults(200, $found, method => 'GET'), qr/GET .* 200 isn't described/, 'seen: an answer to another method';
like faults(200, $found, path => '/openbuy/find'), qr/find: status 200 isn't/, 'seen: an answer of another path';

sub call {
    my ($path, $body, $type) = @_;
    return join "\n", $api->request_faults("/openbuy/$path", $type || 'application/json', $body);
}
is call(search => '{"query":"x","page_number":"02","new":{"to":"us"}}'), '', 'a call may have a member of its own';
like call(search => '{"page_number":1}'), qr/body\.query is missing/, 'seen: a call without what it needs';
like call(search => '{"query":"x","page_number":0}'), qr/page_number fits 0 of/, 'seen: a call for page 0';
like call(detail => '{"source_part_num":true}'), qr/source_part_num fits 0 of/, 'seen: a part of another type';
like call(authentication => '{"email":"a@b@c"}'), qr/email doesn't match/, 'seen: a call for no mail address';
like call(search => 'query=x', 'text/plain'), qr/isn't described/, 'seen: a call that is no JSON';
my $form = 'application/x-www-form-urlencoded';
is call(token => 'grant_type=client_credentials&client_id=a%20b&email=i%40buyer.example', $form), '', 'a form is read';
like call(token => 'grant_type=password', $form), qr/grant_type is none/, 'seen: another grant';
like call(token => 'grant_type=client_credentials&email=a&email=b', $form), qr/email .*twice/, 'seen: a field twice';

done_testing;
