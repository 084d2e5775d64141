# Coupa Open Buy: requesters find products inside their procurement system, and check one out for a purchase order.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Request ();
use JSON::PP ();
use LWP::UserAgent ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use PunchoutTest;

my $json = JSON::PP->new->utf8->canonical;
my $ua = LWP::UserAgent->new(keep_alive => 1, timeout => 30);
my %as = (acme => 'acme:acme-secret', globex => 'globex-next', initech => 'initech:initech-secret');

# ---- what the procurement system does ------------------------------------------------------------------------------------

# The answer to a call; body: a reference is sent as JSON, a text as it stands.
sub call {
    my ($action, $body, %o) = @_;
    my $r = HTTP::Request->new($o{method} || 'POST', base_url($o{vhost} || 'openbuy') . "/punchout/openbuy/$action",
        ['Content-Type' => $o{type} || 'application/json', $o{bearer} ? (Authorization => "Bearer $o{bearer}") : (), @{ $o{headers} || [] }]);
    $r->content(ref $body ? $json->encode($body) : defined $body ? $body : '');
    return $ua->request($r);
}
sub said { my $r = shift; return $json->decode($r->content) }
sub email_name { return $_[0] eq 'globex' ? 'user_email' : 'email' }
# A token for that buyer's requester.
sub token {
    my ($buyer, %o) = @_;
    my $r = call('authentication', { credentials => $as{$buyer}, ($o{vhost} ? 'email' : email_name($buyer)) => $o{email} || 'ines@buyer.example' }, %o);
    die $r->as_string unless $r->code == 200;
    return said($r)->{token};
}
sub refused_with {
    my ($r, $code, $text, $name) = @_;
    is $r->code, $code, "$name: $code" or diag $r->as_string;
    is $r->header('Content-Type'), 'application/json', "$name: in JSON";
    my $said = said($r);
    is $said->{status}, $code, "$name: which says the status" ;
    like $said->{detail}, $text, "$name: and why";
}
sub requests_of { return ledger("SELECT count(*) FROM request WHERE email = '$_[0]'") }


# ---- authentication ------------------------------------------------------------------------------------------------------

my $r = call('authentication', { credentials => 'acme:acme-secret', email => 'ines@buyer.example' });
is $r->code, 200, 'name and secret of a buyer give a token' or diag $r->as_string;
is_deeply [sort keys %{ said($r) }], ['token'], 'and nothing else';
is_deeply [map { scalar $r->header($_) } qw(Content-Type Cache-Control Set-Cookie Access-Control-Allow-Origin)], ['application/json', 'no-store', undef, undef],
    'an answer in JSON that nobody keeps, without cookies, for no foreign script';
is call("authentication/v1.0.0", { credentials => 'acme:acme-secret-next', email => 'ines@buyer.example' })->code, 200, 'the URL may end in the version, and each of two secrets counts';
is call('authentication', { credentials => 'acme:acme-secret', email => 'ines@buyer.example', locale => ['en'] })->code, 200, 'members that are not known are ignored';
is call('authentication', { credentials => 'acme:acme-secret', email => 'ines@buyer.example' }, type => 'application/vnd.coupa+json; charset=utf-8')->code, 200, 'any +json is JSON';
refused_with(call('authentication', { credentials => 'acme:acme-wrong', email => 'ines@buyer.example' }), 401, qr/check name and secret/, 'a wrong secret');
my @twice = map { call('authentication', { credentials => $_, email => 'ines@buyer.example' })->content } 'acme:wrong', 'nobody:wrong';
is $twice[0], $twice[1], 'an unknown name is answered like a wrong secret';
refused_with(call('authentication', { credentials => 'globex:globex-secret', user_email => 'ines@buyer.example' }), 401, qr/check name/, 'PunchOutOpenBuyCredentials count alone');
is call('authentication', { credentials => 'globex-client:open%buy+1', user_email => 'ines@buyer.example' })->code, 200, 'as a whole';
is call('authentication', { credentials => 'globex-next', user_email => 'ines@buyer.example' })->code, 200, 'both of a rotation';
refused_with(call('authentication', { email => 'ines@buyer.example' }), 400, qr/credentials is missing/, 'no credentials');
refused_with(call('authentication', { credentials => 'acme:acme-secret' }), 400, qr/email is missing/, 'no requester');
refused_with(call('authentication', { credentials => 'globex-next', email => 'ines@buyer.example' }), 400, qr/user_email is missing/, 'a requester under another name than the configured one');
refused_with(call('authentication', { credentials => 'acme:acme-secret', email => $_ }), 400, qr/email must be/, 'no plain address') for 'Ines <ines@buyer.example>', 'ines', 'a@b.example, c@d.example', 7, ['a@b'];

# ---- bodies and methods --------------------------------------------------------------------------------------------------

refused_with(call('authentication', '{"credentials":"acme:acme-secret"', headers => []), 400, qr/not a JSON object.* line 1/, 'half an object');
refused_with(call('authentication', '["acme:acme-secret"]'), 400, qr/must be a JSON object/, 'a list');
refused_with(call('authentication', '{"email":"a@b.example","email":"c@d.example","credentials":"acme:acme-secret"}'), 400, qr/a member twice/, 'a member twice');
refused_with(call('authentication', qq({"credentials":"acme:\xff"})), 400, qr/UTF-8/, 'bytes that are not UTF-8');
refused_with(call('authentication', { credentials => ['acme:acme-secret'], email => 'a@b.example' }), 400, qr/credentials must be a string/, 'a wrong type');
refused_with(call('authentication', { credentials => 'x' x 17000 }), 400, qr/larger than 16 KB/, 'a body above 16 KB');
refused_with(call('authentication', { credentials => 'acme:acme-secret' }, type => 'text/plain'), 400, qr/Content-Type/, 'a body that is not called JSON');
for my $action (qw(authentication search detail/v1.0.0 checkout token)) {
    $r = call($action, undef, method => 'GET');
    refused_with($r, 405, qr/POST/, "GET $action");
    is $r->header('Allow'), 'POST', 'with Allow';
}
refused_with(call($_, {}), 404, qr/authentication, search, detail/, "POST $_") for qw(orders search/v2.0.0 searches token/v1.0.0);

# ---- search --------------------------------------------------------------------------------------------------------------

my $acme = token('acme');
sub search { my ($query, %o) = @_; return call('search', { query => $query, %{ $o{more} || {} } }, bearer => $acme, %o) }
$r = search('log keeper');
is $r->code, 200, 'a search with the token in the header' or diag $r->as_string;
my $found = said($r);
is_deeply [@$found{qw(count total_count)}, scalar @{ $found->{results} }], [1, 1, 1], 'says how many there are';
is_deeply $found->{results}[0], { source_part_num => 'off-year', name => 'Log Keeper', description => 'Keeps and searches logs', price => '1200.00', currency => 'USD', uom => 'EA',
    unspsc_code => '43232701', manufacturer_name => 'Keeper Ltd', manufacturer_part_number => 'prod-ab12', lead_time => 0, minimum_order_quantity => 1,
    image_url => base_url('openbuy') . '/img/lk.svg', url => base_url('openbuy') . '/shop/products/prod-ab12' }, 'and what each hit is';
like $r->content, qr/"price":"1200\.00".*"lead_time":0,/, 'money is a string, days are a number';
is said(call('search/v1.0.0', { query => 'log keeper', token => $acme }))->{count}, 1, 'the token may be a member of the body';
is said(call('search', { query => 'log keeper', token => $acme }, bearer => $acme))->{count}, 1, 'or both, when they are the same';
refused_with(call('search', { query => 'log', token => token('acme') }, bearer => $acme), 400, qr/different tokens/, 'two tokens');
my %seen;
for my $page (1, 2, '3') {
    my $said = said(search('shelfware', more => { page_number => $page }));
    is_deeply [@$said{qw(count total_count)}], [$page < 3 ? 20 : 5, 45], "page $page";
    $seen{ $_->{manufacturer_part_number} }++ for @{ $said->{results} };
}
is_deeply [scalar keys %seen, grep { $_ > 1 } values %seen], [45], 'the pages show each product once';
for (4, 1000, '123456789012', 500) {
    my $said = said(search('shelfware', more => { page_number => $_ }));
    is_deeply [@$said{qw(count total_count)}, @{ $said->{results} }], [0, 45], "page $_ is behind the last one";
}
for ('', 'zzzzqqqq', '"*( OR', '   ') {
    $r = search($_);
    is_deeply [$r->code, @{ said($r) }{qw(count total_count)}], [200, 0, 0], "no hits for <$_> are an answer";
}
refused_with(call('search', {}, bearer => $acme), 400, qr/query is missing/, 'no query');
refused_with(search(42), 400, qr/query must be a string/, 'a query that is a number');
refused_with(search('x' x 501), 400, qr/longer than 500/, 'a long query');
is search('x' x 500)->code, 200, 'one of 500 bytes is answered';
refused_with(search('log', more => { page_number => $_ }), 400, qr/page_number must be a whole number from 1/, 'a page that is none') for 0, -1, 1.5, 'two', JSON::PP::true;
is said(search('log keeper', more => { page_number => undef }))->{count}, 1, 'null is as good as nothing';

# ---- what a buyer may see ------------------------------------------------------------------------------------------------

my $globex = token('globex');
sub names { my $said = said($_[0]); return join ' ', sort map { $_->{source_part_num} } @{ $said->{results} || $said->{items} } }
is names(search('widget')), 'off-long', 'a search finds neither the private offer of another buyer nor what is denied to this one';
is names(call('search', { q => 'widget' }, bearer => $globex)), 'off-denied off-long off-private', 'which another buyer finds';
my $unknown = call('detail', { source_part_num => 'off-nothing' }, bearer => $acme);
refused_with($unknown, 400, qr/no such item/, 'the detail of nothing');
for my $part (qw(off-private prod-private off-denied prod-denied)) {
    is call('detail', { source_part_num => $part }, bearer => $acme)->content, $unknown->content, "the detail of $part is refused in the same words";
    is call('checkout', { source_part_num => $part }, bearer => $acme)->content, $unknown->content, 'and its checkout';
    is call('detail', { source_part_num => $part }, bearer => $globex)->code, 200, 'which another buyer gets';
}

# ---- detail --------------------------------------------------------------------------------------------------------------

sub detail { return call('detail', { source_part_num => $_[0] }, bearer => $acme) }
is_deeply said(detail('off-year')), $found->{results}[0], 'the detail of an offer is what the search says of it';
is_deeply said(detail('prod-ab12')), $found->{results}[0], 'so is that of its product';
is said(detail(4712))->{source_part_num}, '4712', 'a part number may be a JSON number';
is_deeply [@{ said(detail('off-payg')) }{qw(price uom)}], ['0.0925', 'HUR'], 'of usage the first unit price is shown';
is_deeply [map { @{ said(detail($_)) }{qw(price currency)} } qw(off-free off-byol off-try)], [('0.00', 'USD') x 3], 'what costs nothing costs 0.00';
my $long = said(detail('off-long'));
is_deeply [length $long->{description}, $long->{image_url}], [255, 'https://img.example/long.svg'], 'a description is cut to what the system takes; a picture may be elsewhere';
ok !exists said(detail('off-free'))->{image_url}, 'what has no value is left out';
refused_with(call('detail', { source_part_num => $_ }, bearer => $acme), 400, qr/source_part_num/, 'a part that is none') for undef, '', [], 1.5, 'x' x 300;

# ---- names and types of a buyer ------------------------------------------------------------------------------------------

$r = call('search', { q => 'number cruncher' }, bearer => $globex);
is_deeply said($r), { count => 1, total_count => 1, items => [{ source_part_num => 4712, name => 'Number Cruncher', unit_price => 99.5, currency => 'USD', uom => 'PCE', unspsc_code => '43232701',
    manufacturer_name => 'Shelf Ltd', manufacturer_part_number => '4711', days => '0', url => base_url('openbuy') . '/shop/products/4711' }] }, 'answers have the names of PunchOutOpenBuyField';
like $r->content, qr/"source_part_num":4712,.*"unit_price":99\.50,.*"uom":"PCE".*"days":"0"/, 'and its types, with all decimals';
is said(call('detail', { source_part_num => 'off-year' }, bearer => $globex))->{source_part_num}, 'off-year', 'what is no number stays a string';
refused_with(call('search', { query => 'log' }, bearer => $globex), 400, qr/^q is missing/, 'our name in place of the configured one');

# ---- tokens that do not count --------------------------------------------------------------------------------------------

sub without_token { my ($r, $name, $challenge) = @_; refused_with($r, 401, qr/authenticate/i, $name); is $r->header('WWW-Authenticate'), $challenge || 'Bearer error="invalid_token"', 'with a challenge' }
without_token(call('search', { query => 'log' }), 'no token', 'Bearer');
without_token(call('search', { query => 'log' }, headers => [Authorization => 'Basic ' . encode_base64('acme:acme-secret', '')]), 'credentials in place of a token', 'Bearer');
for (0, 21, length($acme) / 2, length($acme) - 1) {
    (my $forged = $acme) =~ s/^(.{@{[int $_]}})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e;
    without_token(call('search', { query => 'log' }, bearer => $forged), 'a token with another character at ' . int $_);
}
without_token(call('search', { query => 'log' }, bearer => $_), 'no token of ours') for 'x', 'acme:acme-secret', substr($acme, 0, -4), 'AAAA' x 2000;
without_token(call('search', { query => 'log' }, bearer => $acme, vhost => 'shop'), "another site's token");
without_token(call('search', { query => 'log', email => 'otto@buyer.example' }, bearer => $acme), "another requester's token");
is call('search', { query => 'log', email => 'INES@buyer.example' }, bearer => $acme)->code, 200, 'the requester may be said again, in any case';
refused_with(call('authentication', { email => 'ines@buyer.example' }, bearer => $acme), 401, qr/no further one/, "a requester's token makes no other");

# ---- checkout, and the purchase order ------------------------------------------------------------------------------------

# As the buyer's system makes a line of an item.
sub line_of { my $item = shift; return { part => $item->{source_part_num}, auxiliary => $item->{supp_aux_part_num}, quantity => $item->{quantity}, price => $item->{price},
    currency => $item->{currency}, unit => $item->{uom} } }
sub order_of { my ($item, %o) = @_; return order_reply(order_document(lines => [{ %{ line_of($item) }, %o }]), vhost => $o{vhost} || 'openbuy') }

my $buyers_mail = "checkout-$$\@buyer.example";
my $token = token('acme', email => $buyers_mail);
$r = call('checkout', { source_part_num => 'off-year', quantity => 2 }, bearer => $token);
is $r->code, 200, 'a checkout is taken' or diag $r->as_string;
my $item = said($r);
like $item->{supp_aux_part_num}, qr/^req-\w{16}\.1$/, 'with the auxiliary part number of a request';
is_deeply [@$item{qw(source_part_num quantity price currency uom unspsc_code)}], ['off-year', '2', '1200.00', 'USD', 'EA', '43232701'], 'what the order has to say';
is $item->{description}, 'Log Keeper: contract, 12 months', "and the line's words";
my ($request) = $item->{supp_aux_part_num} =~ /^(.*)\.1$/;
is ledger("SELECT state, email, buyer, test, cart_payload IS NULL FROM request WHERE id = '$request'"), "1|$buyers_mail|acme|0|1", 'the request waits in the ledger for its order, without a cart';
ok wait_for(15, sub { mails($request, 'Approval requested') }), 'its requester gets a mail';
without_token(call('search', { query => 'log' }, bearer => $token), 'the token of a checkout is spent: search');
without_token(call('checkout', { source_part_num => 'off-year', quantity => 2 }, bearer => $token), 'and the same checkout');
is requests_of($buyers_mail), 1, 'which makes no second request';
my %visitor = (vhost => 'openbuy', email => $buyers_mail);
my $visit = open_session(%visitor);
my $at_requests = base_url('openbuy') . '/punchout/requests';
my $listed = sub { return join ' ', map { $_->{id} } @{ $json->decode($_[0]->get($at_requests, Accept => 'application/json')->content)->{requests} } };
is $listed->($visit), $request, 'its requester finds it when he punches out';
csrf_of($visit, vhost => 'openbuy', account => "acct-$$");
is $listed->($visit), $request, 'with an account of the marketplace, too';
like $visit->get("$at_requests/$request")->content, qr/Yes, cancel it/, 'and may cancel it';
my $colleague = open_session(vhost => 'openbuy', email => "colleague-$$\@buyer.example");
is_deeply [$listed->($colleague), $colleague->get("$at_requests/$request")->code], ['', 404], 'a colleague does not see it';
is status_of(order_of($item, price => '1100.00')), 409, 'an order with another price is refused';
is status_of(order_of($item)), 200, 'one that says what the checkout answered is taken';
is arrived($request, 15), 1, 'the backend gets one event';
my ($event) = events($request);
is_deeply [$event->{body}{type}, $event->{body}{data}{offer}, $event->{body}{data}{requester}{email}], ['marketplace.subscription.approved', 'off-year', $buyers_mail], 'which says what was bought for whom';
is wait_for(15, sub { ledger("SELECT state FROM request WHERE id = '$request'") == 5 ? 5 : 0 }), 5, 'and the subscription becomes active';

# pre-approved offers too wait for an order
my $free = said(call('checkout', { source_part_num => 'off-free', qty => '3' }, bearer => token('globex', email => "free-$$\@globex.example")));
is_deeply [@$free{qw(unit_price qty uom)}], [0, 3, 'PCE'], 'what costs nothing is checked out at 0.00';
is ledger("SELECT state, preapproved_by IS NULL FROM request WHERE email = 'free-$$\@globex.example'"), '1|1', 'and is not approved beforehand: its order follows';
my %line = (part => 'off-free', auxiliary => $free->{supp_aux_part_num}, quantity => 3, price => '0.00', currency => 'USD', unit => 'PCE');
is status_of(order_reply(order_document(buyer => 'globex', lines => [\%line]), vhost => 'openbuy')), 200, 'which is taken';
is said(call('checkout', { source_part_num => 'off-payg' }, bearer => token('acme')))->{price}, '0.0925', 'usage is checked out at its unit price';

# what can not be checked out
my $refusing = token('acme', email => "refused-$$\@buyer.example");
sub checkout { my ($body, %o) = @_; return call('checkout', $body, bearer => $refusing, %o) }
refused_with(checkout({ source_part_num => 'off-both' }), 400, qr/2 lines.*by punchout/, 'an offer of two lines');
refused_with(checkout({ source_part_num => 'off-year', quantity => $_ }), 400, qr/quantity must be/i, 'a quantity that is none') for 0, -1, 1.5, 'two', '', [1], '2000000000';
refused_with(checkout({ quantity => 1 }), 400, qr/source_part_num is missing/, 'no item');
is requests_of("refused-$$\@buyer.example"), 0, 'what is refused leaves nothing behind';
is checkout({ source_part_num => 'off-year', quantity => '2.0' })->code, 200, 'and does not spend the token; 2.0 is a whole number';
refused_with(call('checkout', { source_part_num => 'off-year' }, bearer => token('initech')), 400, qr/begin in Ariba/, 'a buyer whose requests begin in Ariba');
refused_with(call('checkout', { source_part_num => 'off-year' }, vhost => 'sandboxed', bearer => token('acme', vhost => 'sandboxed')), 400, qr/sign in/, 'a site that needs an account');

# what was checked out is edited like a cart, though none went
my $before = said(call('checkout', { source_part_num => 'off-year', quantity => 2 }, bearer => token('acme')));
my $returned = "<ItemOut quantity=\"2\"><ItemID><SupplierPartID>off-year</SupplierPartID><SupplierPartAuxiliaryID>$before->{supp_aux_part_num}</SupplierPartAuxiliaryID></ItemID>"
    . '<ItemDetail><UnitPrice><Money currency="USD">1200.00</Money></UnitPrice><Description xml:lang="en">line</Description><UnitOfMeasure>EA</UnitOfMeasure>'
    . '<Classification domain="UNSPSC">43232701</Classification></ItemDetail></ItemOut>';
my $editing = open_session(vhost => 'openbuy', operation => 'edit', more => $returned);
my ($after) = @{ lines_from(request_approval($editing, vhost => 'openbuy', offer => 'off-year', quantity => 3)) };
is $after->{quantity}, 3, 'a setup with operation edit changes what was checked out';
is status_of(order_of($before)), 409, 'which can not be ordered any more';
is status_of(order_reply(order_document(lines => [$after]), vhost => 'openbuy')), 200, 'but what replaces it';

# two at once: one wins
my $race = "race-$$\@buyer.example";
my $once = token('acme', email => $race);
my @children = map {
    my $pid = open(my $fh, '-|');
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        $ua = LWP::UserAgent->new;
        print join ',', map { call('checkout', { source_part_num => 'off-year', quantity => $_ }, bearer => $once)->code } 1 .. 5;
        close STDOUT;
        POSIX::_exit(0);
    }
    $fh;
} 1 .. 4;
my %codes;
for my $fh (@children) { $codes{$_}++ for split /,/, scalar <$fh>; close $fh }
is_deeply \%codes, { 200 => 1, 401 => 19 }, 'of many checkouts with one token exactly one is taken';
is requests_of($race), 1, 'and makes one request';

# tokens that a checkout leaves
my $kept_mail = "kept-$$\@buyer.example";
my $kept = token('acme', vhost => 'openbuyreuse', email => $kept_mail);
my @again = map { said(call('checkout', { source_part_num => 'off-both', quantity => $_ }, bearer => $kept, vhost => 'openbuyreuse')) } 1, 1, 2;
is $again[1]{supp_aux_part_num}, $again[0]{supp_aux_part_num}, 'under PunchOutOpenBuyToken reuse the same checkout again is the same request';
isnt $again[2]{supp_aux_part_num}, $again[0]{supp_aux_part_num}, 'another one is another request';
is requests_of($kept_mail), 2, 'two in all';
is_deeply [@{ $again[0] }{qw(quantity price)}], ['140000', '0.01'], 'PunchOutLines single has one line for contract and usage';
is status_of(order_of($again[0], vhost => 'openbuyreuse')), 200, 'which can be ordered';
my @reuse = (vhost => 'openbuyreuse');
my ($cancelled) = $again[2]{supp_aux_part_num} =~ /^(.*)\.1$/;
my $canceller = open_session(email => $kept_mail, @reuse);
is $canceller->post(base_url('openbuyreuse') . "/punchout/requests/$cancelled", { csrf => csrf_of($canceller, @reuse) })->code, 303, 'what is cancelled';
my $anew = said(call('checkout', { source_part_num => 'off-both', quantity => 2 }, bearer => $kept, @reuse));
isnt $anew->{supp_aux_part_num}, $again[2]{supp_aux_part_num}, 'is checked out anew';
is status_of(order_of($anew, @reuse)), 200, 'and can be ordered then';
is call('search', { query => 'log' }, bearer => $kept, vhost => 'openbuyreuse')->code, 200, 'and the token still counts';

# ---- OAuth 2.0 -----------------------------------------------------------------------------------------------------------

sub oauth {
    my ($form, %o) = @_;
    return $ua->post(base_url($o{vhost} || 'openbuy') . '/punchout/openbuy/token', $form, $o{basic} ? (Authorization => 'Basic ' . encode_base64($o{basic}, '')) : ());
}
my %grant = (grant_type => 'client_credentials');
sub oauth_error { my ($r, $code, $error, $name) = @_; is_deeply [$r->code, said($r)->{error}], [$code, $error], "$name: $code $error"; ok said($r)->{error_description}, 'with words' }
$r = oauth({ %grant }, basic => 'acme:acme-secret');
is $r->code, 200, 'a client by HTTP Basic gets a token' or diag $r->as_string;
my $access = said($r);
is_deeply [@$access{qw(token_type expires_in)}, $r->header('Cache-Control')], ['Bearer', 600, 'no-store'], 'with its type and life';
is oauth({ %grant, client_id => 'acme', client_secret => 'acme-secret' })->code, 200, 'a client by fields of the form, too';
is oauth({ %grant }, basic => 'globex-client:open%25buy%2B1')->code, 200, 'encoded, as the standard says';
is oauth({ %grant }, basic => 'globex-client:open%buy+1')->code, 200, 'or not, as many do';
is call('search', { query => 'log keeper' }, bearer => $access->{access_token})->code, 200, 'it opens the search';
refused_with(call('checkout', { source_part_num => 'off-year' }, bearer => $access->{access_token}), 400, qr/email is missing/, 'a checkout must say whose it is');
my $said_mail = "said-$$\@buyer.example";
is call('authentication', { email => $said_mail }, bearer => $access->{access_token})->code, 200, 'it stands in for credentials';
is call('checkout', { source_part_num => 'off-year', email => $said_mail }, bearer => $access->{access_token})->code, 200, 'a checkout may say the requester';
is requests_of($said_mail), 1, 'who has the request then';
without_token(call('authentication', { email => $said_mail }, bearer => $access->{access_token}), 'then the token is spent');
my $bound = said(oauth({ %grant, email => 'ines@buyer.example' }, basic => 'acme:acme-secret'))->{access_token};
without_token(call('search', { query => 'log', email => 'otto@buyer.example' }, bearer => $bound), 'a token with a requester is his alone');
is call('search', { query => 'log' }, bearer => $bound)->code, 200, 'who needn\'t be said again';
without_token(call('authentication', { email => 'otto@buyer.example' }, bearer => $bound), 'nor gives it another one a token');
oauth_error(oauth({ %grant }, basic => 'acme:wrong'), 401, 'invalid_client', 'a wrong secret');
like oauth({ %grant }, basic => 'acme:wrong')->header('WWW-Authenticate'), qr/^Basic /, 'with a challenge';
oauth_error(oauth({ %grant }), 401, 'invalid_client', 'no client');
oauth_error(oauth({ grant_type => 'password' }, basic => 'acme:acme-secret'), 400, 'unsupported_grant_type', 'another grant');
oauth_error(oauth({}, basic => 'acme:acme-secret'), 400, 'invalid_request', 'no grant');
oauth_error(oauth({ %grant, client_secret => 'acme-secret' }, basic => 'acme:acme-secret'), 400, 'invalid_request', 'a secret in two places');
oauth_error(oauth({ %grant, email => 'nobody' }, basic => 'acme:acme-secret'), 400, 'invalid_request', 'no plain address');
oauth_error(call('token', { %grant }), 400, 'invalid_request', 'JSON in place of a form');

# ---- what is not said ----------------------------------------------------------------------------------------------------

my $log = PunchoutTest::Parties::slurp(Apache::Test::vars('t_logs') . '/error_log');
is scalar(grep { index($log, $_) >= 0 } $acme, $globex, $token, 'acme-secret', 'open%buy', $access->{access_token}), 0, 'neither tokens nor secrets are in the log';
done_testing;
