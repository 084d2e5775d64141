# docs/openbuy.json: that it is sound, that what holds answers against it sees a fault, and that Open Buy answers so.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Headers ();
use HTTP::Request ();
use JSON::PP ();
use LWP::UserAgent ();
use MIME::Base64 qw(encode_base64);
use PunchoutTest::Httpd;
use PunchoutTest::OpenAPI;
use Test::More;
use Time::HiRes qw(sleep);

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

# ---- the module's answers ------------------------------------------------------------------------------------------

my $server = PunchoutTest::Httpd->new(qw(market));
sub buyer {
    my ($name, @more) = @_;
    return ("<PunchOutBuyer $name>", 'PunchOutProfile coupa', "PunchOutCredential DUNS $name",
            "PunchOutSharedSecret $name-secret", 'PunchOutReturnHosts buyer.example', @more, '</PunchOutBuyer>');
}
my $configuration = $server->configuration('PunchOutProductPage /products/{product}', buyer('acme'),
    buyer('slow', 'PunchOutOpenBuyRate 1'), $server->site('market'));
my ($rc, $said) = $server->run($configuration, '-k', 'start');
is $rc, 0, 'httpd starts' or BAIL_OUT($said);
for (1 .. 100) { last if -s $server->root . '/logs/pid'; sleep 0.1 }

my $ua = LWP::UserAgent->new;
my %seen;
# One answer: what the file has against it, and against the call when that was taken. Whoever asks is no browser.
sub held {
    my ($path, $request, $answer) = @_;
    my ($method, $status) = ($request->method, $answer->code);
    my @wrong = $api->answer_faults($method, $path, $status, $answer->headers, $answer->content);
    push @wrong, grep { /^(?:Set-Cookie|Access-Control-.*)\z/i } $answer->headers->header_field_names;
    my @call = ($path, scalar $request->header('Content-Type'), $request->content);
    push @wrong, map { "call: $_" } $api->request_faults(@call) if $method eq 'POST' && $status == 200;
    my $described = $api->{root}{paths}{$path};
    $seen{ ($method eq 'POST' ? 'POST' : 'other') . ' ' . ($described ? $path : 'elsewhere') . " $status" }++;
    return join "\n", @wrong;
}

# One call; body: a hash for JSON, else what is sent. Up to $o{times} until its status is the expected one: the counters
# begin anew with each minute.
sub ask {
    my ($what, $action, $status, $body, %o) = @_;
    my $request = HTTP::Request->new($o{method} || 'POST', $server->url('market', "punchout/openbuy/$action"),
        ['Content-Type' => $o{type} || 'application/json', $o{auth} ? (Authorization => $o{auth}) : ()],
        ref $body ? json($body) : $body);
    my ($answer, $wrong);
    for (1 .. $o{times} || 1) {
        $answer = $ua->request($request);
        $wrong = held("/openbuy/$action", $request, $answer);
        last if $answer->code == $status || $wrong;
    }
    is $answer->code, $status, "$action $status: $what" or diag $answer->as_string;
    is $wrong, '', '... as the file says';
    return eval { JSON::PP->new->utf8->decode($answer->content) } || {};
}
sub token {
    my $action = shift;
    return ask('a token', $action, 200, { credentials => 'acme:acme-secret', email => 'ines@buyer.example' })->{token};
}
my %who = (credentials => 'acme:acme-secret', email => 'ines@buyer.example');
my $basic = 'Basic ' . encode_base64('acme:acme-secret', '');
my $grant = 'grant_type=client_credentials';
my $client = "$grant&client_id=acme&client_secret=acme-secret";

my $access = ask('the client in the body', 'token', 200, $client, type => $form)->{access_token};
my $named = ask('the client in the header', 'token', 200, "$grant&email=ines%40buyer.example", type => $form,
                auth => $basic)->{access_token};
ask('another grant', 'token', 400, 'grant_type=password', type => $form);
ask('no form', 'token', 400, '{}');
ask('no mail address', 'token', 400, "$client&email=ines", type => $form);
ask('a wrong secret', 'token', 401, "$grant&client_id=acme&client_secret=acme", type => $form);
ask('no client', 'token', 401, $grant, type => $form);
ask('another address', $_, 404, {}) for 'orders', 'search/v2.0.0', 'token/v1.0.0';

for my $form ('', '/v1.0.0') {
    my ($authentication, $search, $detail, $checkout) = map { "$_$form" } qw(authentication search detail checkout);
    my $token = token($authentication);
    my @bearer = (auth => "Bearer $token");

    ask('an access token for credentials', $authentication, 200, { email => 'ines@buyer.example' }, auth => "Bearer $_")
        for $access, $named;
    ask('no requester', $authentication, 400, { credentials => 'acme:acme-secret' });
    ask('no mail address', $authentication, 400, { %who, email => 'Ines <ines@buyer.example>' });
    ask('no JSON', $authentication, 400, 'credentials=acme', type => 'text/plain');
    ask('a wrong secret', $authentication, 401, { %who, credentials => 'acme:wrong' });
    ask('a forged token', $authentication, 401, { email => 'ines@buyer.example' }, auth => 'Bearer forged');

    is ask('hits', $search, 200, { query => 'keeper' }, @bearer)->{total_count}, 1, 'a hit';
    ask('letters beyond ASCII', $search, 200, { query => 'mail', token => $token, page_number => '1' });
    ask('no hits', $search, 200, { query => 'zzzzqqqq', email => 'Ines@buyer.example' }, @bearer);
    ask('behind the last page', $search, 200, { query => 'keeper', page_number => 7 }, @bearer);
    ask('no query', $search, 400, {}, @bearer);
    ask('a member twice', $search, 400, '{"query":"x","query":"y"}', @bearer);
    ask('page 0', $search, 400, { query => 'keeper', page_number => 0 }, @bearer);
    ask('two tokens', $search, 400, { query => 'keeper', token => "$token-" }, @bearer);

    ask("item $_", $detail, 200, { source_part_num => $_ }, @bearer)
        for qw(off-year off-both off-payg off-free off-byol off-try prod-ab12);
    ask('an access token', $detail, 200, { source_part_num => 'off-year' }, auth => "Bearer $access");
    ask('an unknown item', $detail, 400, { source_part_num => 4711 }, @bearer);
    ask('no item', $detail, 400, {}, @bearer);

    my %year = (source_part_num => 'off-year');
    ask('an offer of several lines', $checkout, 400, { source_part_num => 'off-both' }, @bearer);
    ask('a part of one', $checkout, 400, { %year, quantity => '0.5' }, @bearer);
    ask('nobody requests', $checkout, 400, \%year, auth => "Bearer $access");
    is ask('two', $checkout, 200, { %year, quantity => 2 }, @bearer)->{quantity}, '2', 'the line says how many';
    ask('free of charge', $checkout, 200, { source_part_num => 'off-free', token => token($authentication) });

    for ([$search, { query => 'keeper' }], [$detail, \%year], [$checkout, \%year]) {
        my ($action, $body) = @$_;
        ask('no token', $action, 401, $body);
        ask('a forged token', $action, 401, $body, auth => 'Bearer forged');
        ask('a spent token', $action, 401, $body, @bearer);
        ask("another's token", $action, 401, { %$body, email => 'bo@buyer.example' }, auth => "Bearer $named");
    }
    ask('another method', $_, 405, undef, method => 'GET') for $authentication, $search, $detail, $checkout;
}
ask('another method', 'token', 405, undef, method => 'PUT');

my %slow = (credentials => 'slow:slow-secret', email => 'ines@buyer.example');
my $slow = ask('the only call of this minute', 'authentication', 200, \%slow)->{token};
for my $form ('', '/v1.0.0') {
    my @often = (auth => "Bearer $slow", times => 5);
    ask('too many calls', "authentication$form", 429, \%slow, times => 5);
    ask('too many calls', "search$form", 429, { query => 'keeper' }, @often);
    ask('too many calls', "$_$form", 429, { source_part_num => 'off-year' }, @often) for qw(detail checkout);
    ask('too many failures', "authentication$form", 429, { %slow, credentials => 'nobody:wrong' }, times => 70);
}
ask('too many calls', 'token', 429, "$grant&client_id=slow&client_secret=slow-secret", type => $form, times => 5);
ask('too many failures', 'token', 429, "$grant&client_id=none&client_secret=wrong", type => $form, times => 70);

# A mistake of the site itself; a running server takes it, and answers so. A child of before may still answer once.
spew($server->root . '/httpd.conf', "$configuration\nPunchOutStartPage nowhere\n");
kill('USR1', slurp($server->root . '/logs/pid')) or die "no httpd: $!";
for (1 .. 100) { last if $ua->post($server->url('market', 'punchout/openbuy/search'))->code == 500; sleep 0.1 }
for my $action (map { ($_, "$_/v1.0.0") } qw(authentication search detail checkout)) {
    ask('a site with a fault', $action, 500, { %who, query => 'keeper', source_part_num => 'off-year' }, times => 20);
}
ask('a site with a fault', 'token', 500, $client, type => $form, times => 20);

is words(grep { !$seen{$_} } $api->documented), '', 'every answer that the file describes was seen';

done_testing;
