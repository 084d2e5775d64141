# What must never happen, with and without `ProxyPass /punchout !`.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use PunchoutTest;
use Time::HiRes qw(time);


# A request written by hand, since clients correct spellings; the body of the answer.
sub raw {
    my ($vhost, $request) = @_;
    my ($host, $port) = base_url($vhost) =~ m{^http://(.*):(\d+)$};
    my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 10) or die "connect: $!";
    $request =~ s/\r?\n/\r\n/g;
    print $s $request;
    local $/;
    my $answer = <$s>;
    return defined $answer ? $answer : '';
}
sub json_of { my ($json) = $_[0] =~ /\r\n\r\n.*?(\{.*\})/s; return $json ? decode_json($json) : { answer => $_[0] } }

sub punchout_names { my $h = shift; return join ',', sort grep { /^punchout[-_.]/i } keys %$h }

sub answers {
    my ($vhost, $what, $document, $http, $status, %o) = @_;
    my $r = post_cxml(base_url($vhost) . '/punchout/' . ($o{door} || 'setup'), $document);
    is $r->code, $http, "$vhost: $what: HTTP $http";
    is status_of($r), $status, "$vhost: $what: Status $status";
    return $r;
}

for my $vhost (qw(shop bare)) {
    # ---- forged headers ---------------------------------------------------------------------------------------------
    my $forged = join '', map { "$_: forged\n" } qw(PunchOut-User punchout-user PUNCHOUT_BUYER PunchOut.Mode Punchout_Pre.Approved
        pUNCHOUT-csrf PunchOut-Session PunchOut-Account PunchOut-Anything);
    my $page = json_of(raw($vhost, "GET /shop/x HTTP/1.1\nHost: x\nConnection: close\n$forged\n"));
    is punchout_names($page), '', "$vhost: no spelling of a forged header reaches the marketplace";
    ok exists $page->{'-target'}, "$vhost: though the request does";
    $page = json_of(raw($vhost, "GET /shop/x HTTP/1.1\nHost: x\nConnection: close\n" . join('', map { "PunchOut-X$_: forged\n" } 1 .. 60) . "\n"));
    is punchout_names($page), '', "$vhost: nor do sixty of them";

    my $ua = open_session(vhost => $vhost);
    my ($cookie) = $ua->cookie_jar->as_string =~ /punchout=([\w-]{24})/;
    $page = json_of(raw($vhost, "GET /shop/x HTTP/1.1\nHost: x\nCookie: a=1; punchout=$cookie; b=2\n"
        . "Connection: PunchOut-Mode, PunchOut_User, close\nPunchOut-Mode: test\n\n"));
    is $page->{'PunchOut-Mode'}, 'production', "$vhost: a Connection header takes none of ours away";
    is $page->{'PunchOut-User'}, 'ines', "$vhost: in no spelling";
    is $page->{Cookie}, 'a=1; b=2', "$vhost: other cookies stay";
    $page = json_of(raw($vhost, "POST /shop/x HTTP/1.1\nHost: x\nCookie: punchout=$cookie\nConnection: close\nTransfer-Encoding: chunked\n\n"
        . "3\nabc\n0\nPunchOut-User: forged\nPunchOut_Email: forged\n\n"));
    is $page->{'PunchOut-User'}, 'ines', "$vhost: a trailer replaces nothing";
    is $page->{'PunchOut-Email'}, 'ines@buyer.example', "$vhost: under no name";
    is $page->{'-body'}, 'abc', "$vhost: and the body arrives";

    # ---- the start token ----------------------------------------------------------------------------------------------
    my $start = start_page_of(post_cxml(base_url($vhost) . '/punchout/setup', setup_document()));
    pipe(my $read, my $write) or die;
    for (1 .. 8) {
        next if fork;
        my $r = browser()->get($start);
        syswrite($write, $r->code . "\n");
        require POSIX; POSIX::_exit(0);
    }
    close $write;
    my @codes = sort map { chomp; $_ } <$read>;
    1 while wait() > 0;
    is_deeply \@codes, [303, (403) x 7], "$vhost: of eight that use a start token at once one wins";
    is browser()->get(base_url($vhost) . '/punchout/start/' . 'A' x 24)->code, 403, "$vhost: an invented token opens nothing";

    # ---- where a cart may go ---------------------------------------------------------------------------------------------
    for my $url ('http://buyer.example/', 'https://evil.example/', 'https://buyer.example.evil.example/', 'javascript:alert(1)',
        'https://u@buyer.example/', 'https://buyer.example/#x', '//buyer.example/') {
        answers($vhost, "BrowserFormPost $url", setup_document(return => $url), 200, 403);
    }

    # ---- who, and what ------------------------------------------------------------------------------------------------------
    t_start_error_log_watch();
    answers($vhost, 'a wrong secret', setup_document(secret => 'guess-99'), 200, 401);
    answers($vhost, 'an empty secret', setup_document(secret => ''), 200, 401);
    answers($vhost, 'no secret', setup_document(secret => undef), 200, 401);
    answers($vhost, 'the word none', setup_document(secret => 'none'), 200, 401);
    answers($vhost, 'an unknown buyer', setup_document(from => ['DUNS', 'nobody-7'], secret => 'guess-99'), 200, 401);
    answers($vhost, "another buyer's Sender", setup_document(sender => ['NetworkID', 'AN01000000099'], secret => 'globex-secret'), 200, 401);
    answers($vhost, 'another To', setup_document(to => 'market-2'), 200, 401);
    answers($vhost, 'the second slot of a rotation', setup_document(secret => 'acme-secret-next'), 200, 200);
    my $log = join '', t_finish_error_log_watch();
    like $log, qr/PO0104:.*DUNS buyer-1/, "$vhost: the log says which identity it was";
    like $log, qr/PO0104:.*DUNS nobody-7/, "$vhost: also of an unknown one";
    unlike $log, qr/guess-99|acme-secret|globex-secret/, "$vhost: and never the secret";

    answers($vhost, 'garbage', 'this is no XML', 200, 406);
    answers($vhost, 'an empty body', '', 200, 406);
    answers($vhost, 'half a document', substr(setup_document(), 0, 700), 200, 406);
    answers($vhost, 'a document with an entity', do { my $d = setup_document(); $d =~ s/<!DOCTYPE[^>]*>/<!DOCTYPE cXML [<!ENTITY x "y">]>/; $d }, 200, 406);
    answers($vhost, 'operation edit without a cart', setup_document(operation => 'edit'), 200, 412);
    answers($vhost, 'operation source', setup_document(operation => 'source'), 200, 450);
    answers($vhost, 'a setup at the order URL', setup_document(), 200, 200, door => 'order');
    answers($vhost, 'an order of nobody\'s request', order_document(lines => [{ part => 'off-year', quantity => 1, price => '1.00', currency => 'USD', unit => 'EA',
        auxiliary => 'req-0000000000000000.1' }]), 200, 409, door => 'order');
    answers($vhost, 'an order with an exponent as price', order_document(total => 1, lines => [{ part => 'off-year', quantity => 1, price => '1e9', currency => 'USD', unit => 'EA' }]), 200, 400, door => 'order');

    my $big = setup_document(more => '<Extrinsic name="x">' . ('y' x 5_000_000) . '</Extrinsic>');
    answers($vhost, 'a body over the limit', $big, 200, 400);
    my $answer = raw($vhost, "POST /punchout/setup HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n" . sprintf("%x\n%s\n", 4_300_000, 'z' x 4_300_000));
    like $answer, qr/<Status code="400"/, "$vhost: also in chunks";

    for my $method (qw(GET HEAD PUT DELETE)) {
        my $r = browser()->request(HTTP::Request->new($method, base_url($vhost) . '/punchout/setup'));
        is $r->code, 405, "$vhost: $method at a cXML door: HTTP 405";
        is $r->header('Allow'), 'POST', "$vhost: $method: Allow";
        is status_of($r), 400, "$vhost: $method: Status 400" unless $method eq 'HEAD';
    }

    # ---- forms --------------------------------------------------------------------------------------------------------------
    is $ua->post(base_url($vhost) . '/punchout/request', { offer => 'off-year' })->code, 403, "$vhost: a form without csrf is refused";
    is $ua->post(base_url($vhost) . '/punchout/cancel', { csrf => 'x' })->code, 403, "$vhost: so is one with a wrong csrf";
    is browser()->post(base_url($vhost) . '/punchout/request', { offer => 'off-year' })->code, 403, "$vhost: and one without a session";
    my $csrf = csrf_of($ua, vhost => $vhost);
    for my $quantity (qw(0 -1 1.5 1e9 0x10 NaN), '1,000', '9' x 30) {
        is $ua->post(base_url($vhost) . '/punchout/request', { offer => 'off-year', quantity => $quantity, csrf => $csrf })->code, 400,
            "$vhost: quantity $quantity is refused";
    }
    is $ua->post(base_url($vhost) . '/punchout/request', { offer => 'off-none', csrf => $csrf })->code, 404, "$vhost: an unknown offer is refused";

    # ---- the page that takes a cart back ---------------------------------------------------------------------------------------
    my $r = $ua->post(base_url($vhost) . '/punchout/request', { offer => 'off-free', csrf => $csrf });
    is $r->header('Cache-Control'), 'no-store', "$vhost: the cart's page is not stored";
    like $r->header('Content-Security-Policy'), qr{form-action https://buyer\.example}, "$vhost: posts to the buyer's hosts only";
    like $r->header('Content-Security-Policy'), qr{frame-ancestors https://buyer\.example}, "$vhost: and is framed by them only";
    like $r->header('Content-Security-Policy'), qr{script-src 'nonce-[\w-]{24}'}, "$vhost: with a nonce for its script";
    my ($request) = (cart_of($r))[0] =~ /(req-\w{16})\.1/;
    my $other = open_session(vhost => $vhost, buyer => 'globex', email => 'other@globex.example');
    is $other->get(base_url($vhost) . "/punchout/requests/$request")->code, 404, "$vhost: another buyer can't see a request";
    my $foreign = order_document(buyer => 'globex', lines => lines_from($r));
    is status_of(order_reply($foreign, vhost => $vhost)), 409, "$vhost: nor order it";
    my $own = order_reply(order_document(lines => lines_from($r)), vhost => $vhost);
    is $own->code . '/' . status_of($own), '200/200', "$vhost: though its own buyer can, by the same lines";

    # ---- Require -----------------------------------------------------------------------------------------------------------------
    next if $vhost eq 'bare';
    is browser()->get(base_url($vhost) . '/shop/members')->code, 403, 'Require punchout-session keeps strangers out';
    is $ua->get(base_url($vhost) . '/shop/members')->code, 200, 'and lets a session in';
    is $ua->get(base_url($vhost) . '/shop/acme')->code, 200, 'Require punchout-buyer lets that buyer in';
    is $other->get(base_url($vhost) . '/shop/acme')->code, 403, 'and no other';
    is $other->get(base_url($vhost) . '/shop/corp')->code, 200, 'Require punchout-organization';
    is $ua->get(base_url($vhost) . '/shop/corp')->code, 403, 'keeps others out';
    is $ua->get(base_url('bare') . '/shop/x')->code, 200, 'a cookie of one site';
    is json_of("\r\n\r\n" . $ua->get(base_url('bare') . '/shop/x')->content)->{'PunchOut-Buyer'}, undef, 'is no session of another';
}

# ---- a ledger that can't be written ---------------------------------------------------------------------------------------------------
{
    my %lines = map { $_ => lines_from(request_approval(open_session(buyer => $_), offer => 'off-year', account => 'acct-s')) } qw(acme initech);
    my %order = map { $_ => order_document(buyer => $_, lines => $lines{$_}) } keys %lines;
    open(my $stranger, '|-', 'sqlite3', '-cmd', '.output /dev/null', ledger_file()) or die "sqlite3: $!";
    $stranger->autoflush(1);
    print $stranger "BEGIN IMMEDIATE;\n";
    sleep 1;
    my $r = order_reply($order{acme});
    is $r->code, 503, 'a ledger that is locked: HTTP 503, so that the order comes again';
    is status_of($r), 560, 'Status 560';
    ok $r->header('Retry-After'), 'and when to try again';
    $r = order_reply($order{initech});
    is $r->code . '/' . status_of($r), '200/560', 'a network that reads cXML alone gets HTTP 200 with Status 560';
    is status_of(post_cxml(base_url() . '/punchout/setup', setup_document())), 200, 'punchouts go on meanwhile';
    print $stranger "ROLLBACK;\n";
    close $stranger;
    is status_of(order_reply($order{$_})), 200, "once it is free the same order of $_ is taken" for sort keys %order;
}

Test::More::done_testing();
