# The whole flow over HTTP: setup, start, shop, request for approval, cart, purchase order, backend, mail.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Response;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use PunchoutTest;
use XML::LibXML;


sub shop_page { my ($ua, $vhost, $query) = @_; return decode_json($ua->get(base_url($vhost) . "/shop/page$query")->content) }

# ---- setup and start ------------------------------------------------------------------------------------------------
my $cookie = 'c&amp;k <x:i xmlns:x="urn:y" a="1&lt;2">ie</x:i> &#228;';
my $setup = post_cxml(base_url() . '/punchout/setup', setup_document(cookie => $cookie));
is $setup->code, 200, 'setup answers HTTP 200';
is status_of($setup), 200, 'and Status 200';
like $setup->header('Content-Type'), qr{^text/xml; ?charset=utf-8}i, 'as cXML';
my $start = start_page_of($setup);
like $start, qr{^\Q@{[base_url()]}\E/punchout/start/[\w-]{24}$}, 'StartPage lies below PunchOutPublicURL';

my $ua = browser();
is $ua->head($start)->code, 200, 'a HEAD spends nothing';
my $began = $ua->get($start);
is $began->code, 303, 'the start page sends the browser on';
is $began->header('Location'), base_url() . '/shop/', 'to the shop, without the token';
like $began->header('Set-Cookie'), qr/^punchout=[\w-]{24}; Path=\/; HttpOnly; SameSite=Lax$/, 'with a cookie';
is $began->header('Referrer-Policy'), 'no-referrer', 'and leaks no Referer';
my $again = browser()->get($start);
is $again->code, 403, 'a used start link opens nothing';
like $again->content, qr/Go back to your procurement system/, 'and says what to do';

my %lands = ('prod-ab12' => '/shop/products/prod-ab12', 'off-free' => '/shop/products/prod-free', 'nothing-of-ours' => '/shop/');
for my $item (sort keys %lands) {
    my $chosen = post_cxml(base_url() . '/punchout/setup', setup_document(more => "<SelectedItem><ItemID><SupplierPartID>$item</SupplierPartID></ItemID></SelectedItem>"));
    is browser()->get(start_page_of($chosen))->header('Location'), base_url() . $lands{$item}, "who selected $item lands on $lands{$item}";
}

# ---- what the marketplace sees ----------------------------------------------------------------------------------------
my $page = shop_page($ua, 'shop', '?account=acct-42');
is $page->{'PunchOut-Buyer'}, 'acme', 'PunchOut-Buyer';
is $page->{'PunchOut-Organization'}, 'acme', 'PunchOut-Organization';
is $page->{'PunchOut-User'}, 'ines', 'PunchOut-User';
is $page->{'PunchOut-Email'}, 'ines@buyer.example', 'PunchOut-Email';
is $page->{'PunchOut-Operation'}, 'create', 'PunchOut-Operation';
is $page->{'PunchOut-Mode'}, 'production', 'PunchOut-Mode';
like $page->{'PunchOut-Session'}, qr/^[\w-]{24}$/, 'PunchOut-Session';
ok $page->{'PunchOut-CSRF'}, 'PunchOut-CSRF';
is $page->{'PunchOut-PreApproved'}, undef, 'nothing is pre-approved for this buyer';
is $page->{Cookie}, undef, 'the session cookie stays with httpd';
my $named = $ua->get(base_url() . '/shop/page?account=acct-42');
is $named->header('PunchOut-Account'), undef, 'the account header stays with httpd';
like $named->header('Cache-Control'), qr/private/, 'a session page is private';

# ---- request for approval: a contract, cart as a document in the form ------------------------------------------------------
my $csrf = $page->{'PunchOut-CSRF'};
my %form = (offer => 'off-year', quantity => 2, terms => 3, csrf => $csrf, price => '0.01', unitPrice => '0.01');
my $back = $ua->post(base_url() . '/punchout/request', \%form);
is $back->code, 200, 'the request is taken';
my ($document, $field, $action) = cart_of($back);
is $field, 'cxml-urlencoded', 'coupa gets the document itself';
is $action, 'https://buyer.example/return?id=7&x=%3C', 'posted to BrowserFormPost exactly';
unlike $document, qr/[^\x00-\x7f]/, 'in ASCII';
like $document, qr/<BuyerCookie>\Qc&amp;k <x:i xmlns:x="urn:y" a="1&lt;2">ie<\/x:i> &#228;\E<\/BuyerCookie>/, 'BuyerCookie comes back with its markup';
unlike $document, qr/SharedSecret/, 'without a secret';
my $lines = cart_lines($document);
is scalar(@$lines), 1, 'one line';
is_deeply [@{ $lines->[0] }{qw(quantity price currency unit unspsc part)}], [qw(2 1200.00 USD EA 43232701 off-year)],
    'at the price of the catalog, whatever the browser says';
like $lines->[0]{auxiliary}, qr/^req-\w{16}\.1$/, 'that names the request';
my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
is((cart_of($ua->post(base_url() . '/punchout/request', \%form)))[0], $document, 'a double submit returns the same document');
is $ua->post(base_url() . '/punchout/request', { %form, quantity => 3 })->code, 409, 'one punchout returns one cart';
is request_state($ua, $request)->{state}, 'requested', 'state requested';

# ---- the order, ten times, half of them at once ---------------------------------------------------------------------------
my $order_payload = payload_id();
my $order = order_document(id => "PO-17-$$", payload => $order_payload, lines => $lines);
my @answers = map { my $r = order_reply($order); $r->code . '/' . status_of($r) } 1 .. 5;
my %children;                           # that answered those sent at the same moment
for my $round (1 .. 10) {
    t_start_error_log_watch();
    my ($host, $port) = base_url() =~ m{^http://(.*):(\d+)$};
    my $message = "POST /punchout/order HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " . length($order) . "\r\n\r\n$order";
    my @connections = map { IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die "connect: $!" } 1 .. 6;
    print $_ substr($message, 0, 300) for @connections;     # each keeps a worker, so that more than one child has to work
    sleep 2;
    print $_ substr($message, 300) for @connections;
    for (@connections) {
        my $r = HTTP::Response->parse(do { local $/; <$_> });
        push @answers, $r->code . '/' . status_of($r);
    }
    $children{$_} = 1 for map { /\[pid (\d+).*PO0150: order PO-17-$$ / ? $1 : () } t_finish_error_log_watch();
    last if keys %children > 1;
}
cmp_ok scalar(@answers), '>=', 10, 'the order is sent ten times';
is_deeply [grep { $_ ne '200/200' } @answers], [], 'and answered 200 each time';
cmp_ok scalar(keys %children), '>', 1, 'by more than one child';
my @events = wait_for(10, sub { events($request) });
is scalar(@events), 1, 'the backend received one event';
my $data = $events[0]{body}{data};
like $events[0]{key}, qr/^evt-\w{16}$/, 'with an Idempotency-Key';
is $events[0]{key}, $events[0]{body}{id}, 'that is the event id';
is $events[0]{type}, 'application/cloudevents+json', 'as CloudEvents JSON';
is $events[0]{body}{type}, 'marketplace.subscription.approved', 'of the agreed type';
is $events[0]{body}{source}, base_url() . '/punchout/acme', 'and source';
is_deeply [@$data{qw(request mode buyer organization product offer seller pricing term subscription)}],
    [$request, qw(production acme acme prod-ab12 off-year), 'Keeper Ltd', 'contract', 'P12M', undef], 'with the request';
is_deeply $data->{requester}, { email => 'ines@buyer.example', name => 'Ines Okafor' }, 'the requester';
is_deeply $data->{account}, { id => 'acct-42', email => 'acct-42@market.example' }, 'the account';
is_deeply $data->{charges}, [{ line => 1, kind => 'contract', dimension => undef, quantity => '2', unitPrice => '1200.00',
    currency => 'USD', unit => 'EA', order => "PO-17-$$", orderLine => 1 }], 'the charges, money as text';
is_deeply $data->{approvals}, [{ kind => 'contract', state => 'ordered' }], 'the approval';
is $data->{terms}{version}, '3', 'the terms accepted';
is scalar(@{ $data->{orders} }), 1, 'one order';
is $data->{orders}[0]{payloadID}, $order_payload, 'with its payloadID';
is $data->{callback}{url}, base_url() . "/punchout/fulfilled/$events[0]{key}", 'and where a late answer goes';

my $state = wait_for(10, sub { my $s = request_state($ua, $request); $s->{state} eq 'active' ? $s : undef });
is $state->{state}, 'active', 'state active';
is $state->{subscription}, 'sub-' . substr($events[0]{key}, 4), "with the backend's subscription";
is ledger("SELECT count(*) FROM purchase_order WHERE order_id='PO-17-$$'"), 1, 'one order in the ledger';
my @mails = wait_for(10, sub { mails($request, 'Approved') });
is scalar(@mails), 1, 'one mail arrived';
is scalar(mails($request, 'Approval requested')), 1, 'after one that said what waits for approval';
like $mails[0], qr/^To:.*acct-42\@market\.example/m, 'to the account';
like $mails[0], qr/ines\@buyer\.example/, 'and the requester';
like $mails[0], qr/^Subject: Approved and ready to use/m, 'approved and ready to use';
like $mails[0], qr{https://market\.example/getting-started/sub-}, "with the backend's URL";
like $ua->get(base_url() . "/punchout/requests/$request")->content, qr{href="https://market\.example/getting-started/sub-}, 'as has the page';
is browser()->get(base_url() . "/punchout/requests/$request")->code, 403, "which a stranger can't open";
my ($link) = $mails[0] =~ m{^Details:\s+(http\S+)}m;
is browser()->get($link)->code, 200, 'but whoever has the link of the mail can';
my $colleague = open_session(user => 'otto', email => 'otto@buyer.example')->get($link);
is $colleague->code, 200, "also in another one's session";
unlike $colleague->content, qr/<form/, 'which has no say in it';
(my $forged = $link) =~ s/sign=(.)/"sign=" . ($1 eq "-" ? "_" : "-")/e;
is browser()->get($forged)->code, 403, 'a forged one opens nothing';
(my $longer = $link) =~ s/until=(\d+)/'until=' . ($1 + 1)/e;
is browser()->get($longer)->code, 403, 'nor one that was made to live longer';
(my $elsewhere = $link) =~ s/$request/$request . '0'/e;
is browser()->get($elsewhere)->code, 403, 'nor is it good for another request';

# ---- the same order with other content, and a changed cart --------------------------------------------------------------------
is status_of(order_reply(order_document(id => "PO-17-$$", lines => [{ %{ $lines->[0] }, quantity => 3 }]))), 409,
    'the same order id with other content is a conflict';
my $second = order_reply(order_document(id => "PO-18-$$", lines => $lines));
is status_of($second), 409, 'a charge is ordered once';
like $second->content, qr/PO-17-$$/, 'and the answer names the order that has it';

# ---- Base64, UTF-8, test mode of a document; contract with usage ------------------------------------------------------------------
my $g = open_session(buyer => 'globex', email => 'jo@globex.example');
is shop_page($g, 'shop', '')->{'PunchOut-PreApproved'}, 'free', 'the marketplace sees what is pre-approved';
my $both = request_approval($g, offer => 'off-both', budget => '500', account => 'acct-g');
my ($cart, $cart_field) = cart_of($both);
is $cart_field, 'cxml-base64', 'generic gets Base64';
ok eval { XML::LibXML->new(load_ext_dtd => 0)->parse_string($cart) }, 'that decodes to XML';
my $both_lines = cart_lines($cart);
is_deeply [map { "@$_{qw(quantity price currency unit unspsc)}" } @$both_lines], ['1 900.00 USD EA 43232701', '2000 0.25 USD E34 43232701'],
    'two approvals in one cart, UNSPSC 43232701 on each line';
like $cart, qr{<Total>\s*<Money currency="USD">1400\.00<}, 'summed exactly';
my ($both_request) = $both_lines->[0]{auxiliary} =~ /^(.*)\.1$/;
is status_of(order_reply(order_document(buyer => 'globex', lines => [$both_lines->[0]]))), 200, 'the first approval is ordered';
is request_state($g, $both_request)->{state}, 'partly approved', 'partly approved';
is scalar(events($both_request)), 0, 'the backend waits for both';
is status_of(order_reply(order_document(buyer => 'globex', lines => [$both_lines->[1]]))), 200, 'the second comes on another order';
is arrived($both_request, 10), 1, 'then the backend gets one event';

# ---- a free offer: $0.00 order without pre-approval, none with it -------------------------------------------------------------------
my $f = open_session(buyer => 'acme');
my $free_lines = lines_from(request_approval($f, offer => 'off-free', account => 'acct-f'));
is_deeply [@{ $free_lines->[0] }{qw(quantity price currency unspsc)}], [qw(1 0.00 USD 43232701)], 'a $0.00 line';
my ($free_request) = $free_lines->[0]{auxiliary} =~ /^(.*)\.1$/;
is scalar(events($free_request)), 0, 'nothing happens before the order';
is status_of(order_reply(order_document(lines => $free_lines))), 200, 'the $0.00 order is taken';
is arrived($free_request, 10), 1, 'and fulfilled';
ok wait_for(10, sub { mails($free_request, 'Approved') }), 'and mailed';

my $pre = open_session(buyer => 'globex', email => 'kim@globex.example');
my $approved = request_approval($pre, offer => 'off-free', account => 'acct-k');
is $approved->code, 303, 'a pre-approved request makes no cart';
my ($pre_request) = $approved->header('Location') =~ m{/punchout/requests/(req-\w+)$};
my ($pre_event) = wait_for(10, sub { events($pre_request) });
is_deeply $pre_event->{body}{data}{orders}, [], 'its event has no order';
is wait_for(10, sub { my $s = request_state($pre, $pre_request); $s->{state} eq 'active' ? $s->{state} : undef }), 'active', 'it is active';
is ledger("SELECT preapproved_by FROM request WHERE id='$pre_request'"), 'PunchOutPreApprove free', 'the ledger says by which switch';
ok wait_for(10, sub { mails($pre_request, 'Approved') }), 'and mailed';
like $pre->get(base_url() . "/punchout/requests/$pre_request")->content, qr/Return to your procurement system/, 'the page leads back';
my $cancelled = $pre->post(base_url() . '/punchout/cancel', { csrf => csrf_of($pre) });
like((cart_of($cancelled))[0], qr/<Status code="204"/, 'without a cart: Status 204');
unlike((cart_of($cancelled))[0], qr/<ItemIn/, 'and no line');
is $pre->get(base_url() . '/punchout/requests')->code, 403, 'and the session has ended';

# ---- usage with a budget, several sessions of one browser -----------------------------------------------------------------------------
my $u = open_session(buyer => 'acme');
my ($usage_cart) = cart_of(request_approval($u, offer => 'off-payg', budget => '500', account => 'acct-u'));
my $usage_lines = cart_lines($usage_cart);
is_deeply [@{ $usage_lines->[0] }{qw(quantity price unit)}], [qw(5406 0.0925 HUR)], 'a budget is divided up to whole units';
like $usage_cart, qr{<Total>\s*<Money currency="USD">500\.055<}, 'the sum is exact and not rounded';
my $old_csrf = csrf_of($u);
my $newer = post_cxml(base_url() . '/punchout/setup', setup_document());
$u->get(start_page_of($newer));
my $stale = $u->post(base_url() . '/punchout/request', { offer => 'off-year', csrf => $old_csrf });
is $stale->code, 403, 'the newest session wins in a browser';
like $stale->content, qr/newest tab/, 'and the older tab is told so';

# ---- test mode ---------------------------------------------------------------------------------------------------------------------------
my $t = open_session(buyer => 'initech');
is shop_page($t, 'shop', '')->{'PunchOut-Mode'}, 'test', 'a buyer is in test mode until told otherwise';
my $test_cart = request_approval($t, offer => 'off-year', account => 'acct-t');
like((cart_of($test_cart))[0], qr/<Message deploymentMode="test"/, 'its cart says so');
my $test_lines = lines_from($test_cart);
my ($test_request) = $test_lines->[0]{auxiliary} =~ /^(.*)\.1$/;
is status_of(order_reply(order_document(buyer => 'initech', lines => $test_lines))), 200, 'a test order is taken';
is request_state($t, $test_request)->{state}, 'tested', 'and ends as tested';
like $t->get(base_url() . "/punchout/requests/$test_request")->content, qr/TEST/, 'as its page says loudly';
is scalar(events($test_request)), 0, 'the production backend never hears of it';

# ---- what else a procurement system asks -----------------------------------------------------------------------------------------------
my $profile = post_cxml(base_url() . '/punchout/setup', request_document('<ProfileRequest/>'));
is status_of($profile), 200, 'a ProfileRequest is answered';
is_deeply { $profile->content =~ m{<Transaction requestName="(\w+)"><URL>([^<]+)</URL>}g },
    { PunchOutSetupRequest => base_url() . '/punchout/setup', OrderRequest => base_url() . '/punchout/order',
      ProfileRequest => base_url() . '/punchout/setup', StatusUpdateRequest => base_url() . '/punchout/order' }, 'with what is taken, and where';
is status_of(post_cxml(base_url() . '/punchout/order', request_document('<StatusUpdateRequest><DocumentReference payloadID="doc-1"/>'
    . '<Status code="200" text="OK">Forwarded</Status></StatusUpdateRequest>'))), 200, 'a StatusUpdateRequest is taken';
is ledger("SELECT count(*) FROM document WHERE kind='StatusUpdateRequest' AND refers_to='doc-1'"), 1, 'and kept';
my $other = post_cxml(base_url() . '/punchout/setup', request_document('<GetPendingRequest><MessageType>x</MessageType></GetPendingRequest>'));
is status_of($other), 450, 'another request is not supported';
like $other->content, qr/GetPendingRequest/, 'as the answer says by name';

# ---- and everything that went out is valid -----------------------------------------------------------------------------------------------
SKIP: {
    Test::More::skip('no DTDs here: set PUNCHOUT_SHARED to the folder that holds dtd/', 9) unless defined invalid($profile->content);
    my %sent = ('setup response' => $setup->content, 'profile response' => $profile->content, 'refusal' => $second->content, 'unsupported' => $other->content,
        'cart with two approvals' => $cart, 'usage cart' => $usage_cart, 'test cart' => (cart_of($test_cart))[0], 'cancelled' => (cart_of($cancelled))[0],
        'order response' => order_reply($order)->content);
    is invalid($sent{$_}), '', "valid by its DTD: $_" for sort keys %sent;
}

Test::More::done_testing();
