# The marketplace's own cart: a response of application/vnd.punchout.cart+json to a POST becomes requests and one cart.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP ();
use PunchoutTest;

my $type = 'application/vnd.punchout.cart+json';

# The shop answers the shopper's POST with this text.
sub echo {
    my ($ua, $text, %o) = @_;
    my $url = base_url(delete $o{vhost}) . '/shop/' . (delete $o{path} // 'echo');
    my $query = join '&', map { my $v = $o{$_}; $v =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ge; "$_=$v" } sort keys %o;
    return $ua->post("$url?$query", 'Content-Type' => 'text/plain', Content => $text);
}
sub checkout { my ($ua, $lines, %o) = @_; return echo($ua, ref $lines ? JSON::PP::encode_json({ lines => $lines }) : $lines, type => $type, %o) }
sub request_ids { my %seen; return grep { !$seen{$_}++ } map { $_->{auxiliary} =~ /^(req-\w+)\.\d+$/ } @{ $_[0] } }
sub prices { return [map { "$_->{part} $_->{quantity} $_->{price} $_->{currency} $_->{unit} $_->{unspsc}" } @{ $_[0] }] }
sub kept { return ledger('SELECT count(*) FROM request') }
my %own = (part => 'KP-SEAT', description => 'Keeper Plus, seats', pricing => 'contract', term => 'P12M', product => 'keeper-plus',
    seller => 'Keeper Ltd', unitPrice => '12.50', currency => 'USD', quantity => '3');
my %used = (part => 'KP-GB', description => 'GB ingested', pricing => 'contract', kind => 'usage', dimension => 'gb',
    product => 'keeper-plus', seller => 'Keeper Ltd', unitPrice => '0.0925', currency => 'USD', quantity => '5406', unit => 'E34');

# ---- two offers of the catalog: one cart, one order, two events ---------------------------------------------------------------
my $ua = open_session();
my $answer = checkout($ua, [{ offer => 'off-year', quantity => '2', terms => '3' }, { offer => 'off-both', budget => '500.00' }],
    account => 'acct-c; email=c@market.example');
is $answer->code, 200, 'a cart of the shop is taken';
is $answer->header('Content-Type'), 'text/html; charset=UTF-8', 'the shopper gets a page';
like $answer->header('Set-Cookie') // '', qr/basket=empty/, 'with the cookies of the shop';
is $answer->header('ETag'), undef, 'without what told of its response';
is $answer->header('X-Frame-Options'), undef, 'that the procurement system may frame';
is $answer->header('Cache-Control'), 'no-store', 'and nobody keeps';
my ($document, $field, $action) = cart_of($answer);
is $action, 'https://buyer.example/return?id=7&x=%3C', 'which takes the cart back';
my $lines = cart_lines($document);
is_deeply prices($lines), ['off-year 2 1200.00 USD EA 43232701', 'off-both 1 900.00 USD EA 43232701', 'off-both 2000 0.25 USD E34 43232701'],
    'one cart holds the lines of both, at the prices of the catalog';
is_deeply [$document =~ /lineNumber="(\d+)"/g], [1, 2, 3], 'lineNumber is the position in the cart';
like $document, qr{<Total>\s*<Money currency="USD">3800\.00<}, 'the sum is that of all lines';
like $document, qr/operationAllowed="create"/, 'several subscriptions are ordered or made anew, not edited';
my @requests = request_ids($lines);
is scalar(@requests), 2, 'each offer is a request of its own';
is ledger("SELECT count(DISTINCT cart_payload) FROM request WHERE id IN ('" . join("','", @requests) . "')"), 1, 'with one cart';
is ledger("SELECT account FROM request WHERE id='$requests[1]'"), 'acct-c', 'and the account that the same response named';
is invalid($document) // '', '', 'the cart is valid by its DTD';
is((cart_of(checkout($ua, '{ "lines": [{"terms":"3","quantity":"2","offer":"off-year"}, {"budget":"500.00","offer":"off-both"}] }')))[0], $document,
    'the same cart again returns the same document, however it is written');
is ledger("SELECT count(*) FROM request WHERE session=(SELECT session FROM request WHERE id='$requests[0]')"), 2, 'and makes nothing new';
my $late = checkout($ua, [{ offer => 'off-year', quantity => '3' }]);
is $late->code, 409, 'another cart in the same session is refused';
like $late->content, qr/One punchout returns one cart/, 'with a page that says why';
is status_of(order_reply(order_document(id => "PO-CART-$$", lines => $lines))), 200, 'one purchase order takes both';
is arrived($_, 10), 1, 'and each is fulfilled once' for @requests;
is_deeply [map { $_->{body}{data}{orders}[0]{id} } map { events($_) } @requests], ["PO-CART-$$", "PO-CART-$$"], 'by events that name the order';
ok wait_for(10, sub { mails($requests[$_], 'Approval requested') }), 'mail says what waits for approval' for 0, 1;
my $edit = post_cxml(base_url() . '/punchout/setup', setup_document(operation => 'edit', more => join '', map {
    "<ItemOut quantity=\"1\"><ItemID><SupplierPartID>x</SupplierPartID><SupplierPartAuxiliaryID>$_.1</SupplierPartAuxiliaryID></ItemID></ItemOut>" } @requests));
is status_of($edit), 412, 'a cart of several subscriptions can not be edited';
like $edit->content, qr/one cart at a time/, 'as the answer says';

# ---- lines that the shop prices itself --------------------------------------------------------------------------------------------
my $own = checkout(open_session(), [\%own, \%used, { %own, part => 'OTHER', product => 'other', unitPrice => '1', unspsc => '81112200' }],
    account => 'acct-o');
my $own_lines = lines_from($own);
is_deeply prices($own_lines), ['KP-SEAT 3 12.50 USD EA 43232701', 'KP-GB 5406 0.0925 USD E34 43232701', 'OTHER 3 1.00 USD EA 81112200'],
    'lines of the shop cost what it says';
like +(cart_of($own))[0], qr{<Money currency="USD">540\.555<}, 'summed exactly';
my ($both, $other) = request_ids($own_lines);
is ledger("SELECT group_concat(kind || ' ' || part) FROM (SELECT kind, part FROM charge c JOIN request r ON r.seq=c.request WHERE r.id='$both' ORDER BY line)"),
    'contract KP-SEAT,usage KP-GB', 'contract and usage of one product are one request with two approvals';
is status_of(order_reply(order_document(lines => [$own_lines->[0], $own_lines->[2]]))), 200, 'two of three lines are ordered';
is arrived($other, 10), 1, 'what is whole is fulfilled';
is scalar(events($both)), 0, 'what waits for its second approval is not';
is status_of(order_reply(order_document(lines => [$own_lines->[1]]))), 200, 'it comes on another order';
is arrived($both, 10), 1, 'then there is one event';
is_deeply [map { "$_->{kind} $_->{quantity} $_->{unitPrice}" } @{ (events($both))[0]{body}{data}{charges} }], ['contract 3 12.50', 'usage 5406 0.0925'],
    'with both charges';

# ---- mixed with what is approved beforehand --------------------------------------------------------------------------------------
my %globex = (buyer => 'globex', email => 'cart@globex.example');
my $mixed_ua = open_session(%globex);
my $mixed = checkout($mixed_ua, [{ offer => 'off-free' }, { offer => 'off-year' }], account => 'acct-m');
my $mixed_lines = lines_from($mixed);
is_deeply prices($mixed_lines), ['off-year 1 1200.00 USD EA 43232701'], 'what is approved beforehand stays out of the cart';
like $mixed->content, qr/approved beforehand/, 'as the page says';
my $free = ledger("SELECT id FROM request WHERE session=(SELECT session FROM request WHERE id='" . (request_ids($mixed_lines))[0] . "') AND offer='off-free'");
is arrived($free, 10), 1, 'and is fulfilled at once';
is ledger("SELECT preapproved_by || '|' || ifnull(cart_payload, 'no cart') FROM request WHERE id='$free'"), 'PunchOutPreApprove free|no cart', 'by which switch is kept';
is_deeply prices(lines_from(checkout($mixed_ua, [{ offer => 'off-free' }, { offer => 'off-year' }]))), prices($mixed_lines), 'a second click gets the same cart';
is scalar(events($free)), 1, 'and no second event';
my $free_ua = open_session(%globex);
my $all_free = checkout($free_ua, [{ offer => 'off-free' }, { %own, part => 'KP-FREE', pricing => 'free', unitPrice => '0.00', quantity => '1' }]);
is $all_free->code, 303, 'when all is approved beforehand there is no cart';
is $all_free->header('Location'), base_url() . '/punchout/requests', 'but the list of requests';
is $all_free->content, '', 'and nothing of the JSON';
my $list = $free_ua->get($all_free->header('Location'));
like $list->content, qr/Keeper Plus, seats/, 'which shows them';
like $list->content, qr/<button>Return to your procurement system</, 'and leads back';
my $one_free = checkout(open_session(%globex), [{ offer => 'off-free' }]);
like $one_free->header('Location'), qr{/punchout/requests/req-\w+$}, 'a single one leads to its page';

# ---- an edited cart is replaced by several ------------------------------------------------------------------------------------
my $first = lines_from(checkout(open_session(), [{ offer => 'off-year', quantity => '4' }]));
my ($old) = request_ids($first);
my $change = post_cxml(base_url() . '/punchout/setup', setup_document(operation => 'edit', more => '<ItemOut quantity="4"><ItemID>'
    . "<SupplierPartID>off-year</SupplierPartID><SupplierPartAuxiliaryID>$old.1</SupplierPartAuxiliaryID></ItemID></ItemOut>"));
is status_of($change), 200, 'a cart of one subscription can be edited';
my $editor = browser();
$editor->get(start_page_of($change));
my $new = lines_from(checkout($editor, [{ offer => 'off-year', quantity => '5' }, \%own]));
is scalar(request_ids($new)), 2, 'it can be replaced by two';
is ledger("SELECT state || '|' || reason FROM request WHERE id='$old'"), '10|replaced by ' . (request_ids($new))[0] . ' and 1 more', 'in one step';

# ---- refused: a page for the shopper, the reason for the shop's developer -----------------------------------------------------
my $shopper = open_session();
my $before = kept();
sub refused {
    my ($code, $log, $name, @how) = @_;
    t_start_error_log_watch();
    my $r = checkout($shopper, @how);
    my @log = t_finish_error_log_watch();
    is $r->code, $code, "$name: HTTP $code";
    like $r->content, qr/<h1>/, "$name: a page";
    unlike $r->content, qr/"lines"|cxml-/i, "$name: neither JSON nor a cart";
    ok scalar(grep { /$log/ } @log), "$name: the log says why" or diag(@log);
}
refused(502, qr/PO0142.*lines\[1\]\.unitPrice is the number 12\.5/, 'a price as a number', '{"lines":[{"offer":"off-year"},{"part":"P","description":"d","pricing":"contract","product":"p","seller":"s","unitPrice":12.5}]}');
refused(502, qr/PO0142.*lines\[0\].*"qty" is not known/, 'an unknown member', [{ offer => 'off-year', qty => '1' }]);
refused(502, qr/PO0142.*line 1/, 'what is no JSON', 'lines');
refused(502, qr/PO0142/, 'an empty cart', '');
refused(502, qr/PO0144.*larger than 256 KB/, 'a large cart', ' ' x 262145);
refused(502, qr/PO0144.*larger than 256 KB/, 'a large one without a length', ' ' x 300000, chunked => 1);
refused(502, qr/PO0144.*Content-Encoding/, 'an encoded cart', [{ offer => 'off-year' }], encoding => 'gzip');
refused(502, qr/PO0144.*status is 201/, 'another status', [{ offer => 'off-year' }], status => 201);
refused(502, qr/PO0144.*broke off/, 'half a cart', [{ offer => 'off-year' }], cut => 1);
refused(404, qr/PO0109.*off-gone/, 'an offer that is gone', [{ offer => 'off-year' }, { offer => 'off-gone' }]);
refused(400, qr/PO0114.*USD and in EUR/, 'two currencies', [{ offer => 'off-year' }, { %own, currency => 'EUR' }]);
refused(400, qr/PO0162.*lines\[1\].*version 3 is current/, 'terms of before', [{ offer => 'off-both' }, { offer => 'off-year', terms => '2' }]);
is kept(), $before, 'nothing of all that is kept';
is $shopper->post(base_url() . '/punchout/request', { offer => 'off-year', csrf => csrf_of($shopper) })->code, 200, 'and the session can go on';

my $nobody = checkout(browser(), [{ offer => 'off-year' }]);
is $nobody->code, 403, 'without a session there is no cart';
like $nobody->content, qr/Open the marketplace from your procurement system/, 'but a page that says what to do';
unlike $nobody->content, qr/off-year/, 'and not the JSON';
my $look = post_cxml(base_url() . '/punchout/setup', setup_document(operation => 'inspect', more => '<ItemOut quantity="4"><ItemID>'
    . "<SupplierPartID>off-year</SupplierPartID><SupplierPartAuxiliaryID>$old.1</SupplierPartAuxiliaryID></ItemID></ItemOut>"));
my $looks = browser();
$looks->get(start_page_of($look));
my $looked = checkout($looks, [{ offer => 'off-year' }]);
is $looked->code, 403, 'who inspects can not request';
like $looked->content, qr/read-only/, 'as the page says';
my $stranger = open_session(vhost => 'sandboxed');
is checkout($stranger, [{ offer => 'off-year' }], vhost => 'sandboxed')->code, 403, 'PunchOutAccount required: nothing without an account';
is checkout($stranger, [{ offer => 'off-year' }], vhost => 'sandboxed', account => 'acct-s')->code, 200, 'unless the same response names it';

# ---- forms of transport -----------------------------------------------------------------------------------------------------------
is scalar(@{ lines_from(checkout(open_session(), [map { +{ %own, product => "p-$_", part => "P-$_" } } 1 .. 200], chunked => 1)) }), 200, 'a chunked cart of 200 lines is taken';
my $typed = echo(open_session(), '{"lines":[{"offer":"off-year"}]}', type => "$type; charset=utf-8");
is scalar(@{ lines_from($typed) }), 1, 'the type may have parameters';
SKIP: {
    skip 'mod_deflate is not loaded', 2 unless have_module('deflate');
    my $deflating = open_session();
    $deflating->default_header('Accept-Encoding' => 'gzip');
    my $r = checkout($deflating, [{ offer => 'off-year' }], path => 'deflated/echo');
    is $r->header('Content-Encoding'), 'gzip', 'the page is compressed where the shop\'s pages are';
    like $r->decoded_content, qr/name="cxml-urlencoded"/, 'and whole';
}

# raw connections: one POST and what follows on the same one
my $keep = open_session();
my ($cookie) = $keep->cookie_jar->as_string =~ /(punchout=[\w-]+)/;
my ($host, $port) = base_url() =~ m{^http://(.*):(\d+)$};
sub talk {
    my ($s, $method, $target, $body) = @_;
    print $s "$method $target HTTP/1.1\r\nHost: $host:$port\r\nCookie: $cookie\r\n"
        . (defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '') . "\r\n" . ($body // '');
    my $head = '';
    while (<$s>) { last if /^\r\n$/; $head .= $_ }
    my ($length, $text) = ($head =~ /^Content-Length: (\d+)/mi, '');
    read $s, $text, $length if $length && $method ne 'HEAD';
    return ($head, $text);
}
my $connection = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 20) or die "connect: $!";
my $cart = '{"lines":[{"offer":"off-year"}]}';
(my $escaped = $type) =~ s/\+/%2B/;
for my $way ('', '&encoding=gzip', '&chunked=1') {
    my ($head, $text) = talk($connection, 'POST', "/shop/echo?type=$escaped$way", $cart);
    like $head, $way eq '&encoding=gzip' ? qr/^HTTP\/1\.1 502/ : qr/^HTTP\/1\.1 200/, "a connection that stays: POST $way";
    like $text, qr{</html>\n\z}, "and its page ends where its Content-Length says: $way";
}
my ($after) = talk($connection, 'GET', '/shop/');
like $after, qr/^HTTP\/1\.1 200/, 'the connection is usable afterwards';
my ($headers) = talk($connection, 'HEAD', "/shop/echo?type=$escaped");
like $headers, qr/^Content-Type: \Q$type\E/mi, 'HEAD is none of our business';

# ---- everything else passes byte for byte -----------------------------------------------------------------------------------------
my $bytes = join '', map { chr } 0 .. 255;
my $passes = open_session();
$passes->parse_head(0);
for my $plain ('application/json', 'text/html', 'application/vnd.punchout.cart+jsonx', 'application/vnd.punchout.cart') {
    my $r = echo($passes, $bytes x 300, type => $plain);
    ok $r->content eq $bytes x 300, "$plain passes unchanged";
    is $r->header('ETag'), '"e1"', "$plain: with its headers";
}
my $got = $passes->get(base_url() . "/shop/echo?type=$escaped");
is $got->header('Content-Type'), $type, 'the answer to a GET is no cart: reading must not request anything';

Test::More::done_testing();
