# Requests that begin in the marketplace: drafts of an account, which a later punchout of that account returns; buyers whose
# requests begin in their procurement system; pages to sign on at.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use HTTP::Request ();
use JSON::PP qw(decode_json encode_json);
use lib "$FindBin::Bin/lib";
use POSIX ();
use PunchoutTest;
use PunchoutTest::Httpd ();
use URI::Escape qw(uri_escape);

my @at = (vhost => 'drafts');
my $root = base_url('drafts');
my $door = "$root/punchout";
my $serial = 0;
sub account { return "draft-$$-" . ++$serial }
sub order_id { return "DR-$$-" . ++$serial }
sub seen { my ($ua, $path) = @_; return decode_json($ua->get("$root/shop/" . ($path // ''))->content) }
sub cookies { return grep { /^punchout=/ } $_[0]->header('Set-Cookie') }

# A browser that is signed in to the marketplace, with no punchout behind it.
sub signed_in {
    my ($account, $buyer) = @_;
    my $ua = browser();
    my $r = $ua->get("$root/shop/?account=$account&buyer=$buyer");
    return wantarray ? ($ua, $r) : $ua;
}
# One that came from the procurement system, with an account if one is named.
sub punched_out {
    my ($buyer, $account, %o) = @_;
    my $ua = open_session(buyer => $buyer, @at, %o);
    return ($ua, csrf_of($ua, @at, account => $account)) if $account;
    return ($ua, csrf_of($ua, @at));
}
sub asks { my ($ua, %form) = @_; return $ua->post("$door/request", { csrf => csrf_of($ua, @at), %form }) }
sub drafts_of { my $account = shift; return split /\s+/, ledger("SELECT id FROM request WHERE account = '$account' AND state = 0 ORDER BY seq") }
sub returns { my ($ua, $csrf, $id) = @_; return $ua->post("$door/request", { csrf => $csrf, draft => $id }) }
sub page { my ($ua, $path) = @_; return $ua->get("$door/$path", Accept => 'text/html')->content }
sub state { my ($ua, $id) = @_; return request_state($ua, $id, @at)->{state} }
# An account with one draft.
sub drafted {
    my ($buyer, %form) = @_;
    my $account = account();
    my $ua = signed_in($account, $buyer);
    asks($ua, offer => 'off-year', terms => 3, %form);
    my ($id, @more) = drafts_of($account);
    die "not one draft of $account at $buyer" if !$id || @more;
    return ($account, $id, $ua);
}
sub answer {
    my $r = order_reply(order_document(@_), @at);
    my ($text) = $r->content =~ m{<Status[^>]*?(?:/>|>(.*?)</Status>)}s;
    return status_of($r) . ' ' . ($text || '');
}
my %line = (part => 'off-year', quantity => 1, price => '1200.00', currency => 'USD', unit => 'EA');

# ---- a session that begins in the marketplace -------------------------------------------------------------------------------
my $account = account();
my ($ua, $first) = signed_in($account, 'acme');
is scalar(cookies($first)), 1, 'a response that names account and connection begins a session';
unlike $first->as_string, qr/PunchOut-Account/i, 'and keeps the name to itself';
like $first->header('Cache-Control'), qr/private/, 'it is for this browser alone';
my $says = seen($ua);
is_deeply [map { $says->{"PunchOut-$_"} } qw(Buyer Organization Operation Mode User Email Drafts)],
    ['acme', 'acme', 'draft', 'production', undef, undef, undef], 'from then on the marketplace sees it, with nobody as its user';
like $says->{'PunchOut-CSRF'}, qr/^[\w-]{24}$/, 'and what its forms need';
my $again = $ua->get("$root/shop/?account=$account&buyer=acme");
is scalar(cookies($again)), 0, 'the same account again changes nothing';
is seen($ua)->{'PunchOut-Session'}, $says->{'PunchOut-Session'}, 'the session stays';
for my $path (qw(members/ acme/ corp/)) {
    is $ua->get("$root/shop/$path")->code, 403, "Require punchout-... at $path means a procurement system";
    is((punched_out('acme'))[0]->get("$root/shop/$path")->code, 200, "which a punchout has: $path");
}
for my $buyer (qw(acme globex)) {
    my $other = account();
    my ($cookie) = $ua->cookie_jar->as_string =~ /(punchout=[\w-]+)/;
    $ua->get("$root/shop/?account=$other&buyer=$buyer");
    my $now = seen($ua);
    isnt $now->{'PunchOut-Session'}, $says->{'PunchOut-Session'}, "another account or buyer: a new session ($buyer)";
    is $now->{'PunchOut-Buyer'}, $buyer, "of what was named last ($buyer)";
    my $old = browser(cookie_jar => undef)->get("$root/shop/", Cookie => $cookie);
    is decode_json($old->content)->{'PunchOut-Session'}, undef, "and the old one is gone ($buyer)";
    $says = $now;
}
my $out = $ua->get("$root/shop/?account=none");
like +(cookies($out))[0], qr/^punchout=;.*Max-Age=0/, 'none: signed out';
is seen($ua)->{'PunchOut-Session'}, undef, 'the session has ended';
my ($leaver) = signed_in(account(), 'acme');
$leaver->get("$root/shop/?account=" . account());
is seen($leaver)->{'PunchOut-Session'}, undef, 'an account without a connection ends it as well';
for my $buyer ('nobody', 'ACME') {
    t_start_error_log_watch();
    my ($ua, $r) = signed_in(account(), $buyer);
    my @log = grep { /PO0230: .*names buyer \Q$buyer\E/ } t_finish_error_log_watch();
    is $r->code, 200, "an unknown connection ($buyer) doesn't harm the page";
    is scalar(cookies($r)), 0, 'but begins nothing';
    is scalar(@log), 1, 'and the log says so';
}
is scalar(cookies(browser()->get("$root/shop/?account=" . account()))), 0, 'an account alone begins nothing';
for my $part (qw(image style script font)) {
    is scalar(cookies(browser()->get("$root/shop/?account=" . account() . '&buyer=acme', 'Sec-Fetch-Dest' => $part))), 0, "nor does a page's $part";
}
for my $whole (qw(document iframe empty)) {
    is scalar(cookies(browser()->get("$root/shop/?account=" . account() . '&buyer=acme', 'Sec-Fetch-Dest' => $whole))), 1, "$whole: does";
}
# who is named next never goes on as the one before
sub named { my ($ua, $header) = @_; return $ua->get("$root/shop/echo?type=text/plain&account=" . uri_escape($header)) }
for (['without a mail address that can be used', "next-$$; email=m\xfcller\@market.example; buyer=acme", 'PO0245', 1],
     ['by an id that is no UTF-8', "m\xfcller; buyer=acme", 'PO0201', 0], ['by an id that is too long', 'x' x 256 . '; buyer=acme', 'PO0201', 0]) {
    my ($how, $header, $logged, $stays) = @$_;
    my $ua = signed_in(account(), 'acme');
    my $before = seen($ua)->{'PunchOut-Session'};
    t_start_error_log_watch();
    named($ua, $header);
    my @log = grep { /$logged: / } t_finish_error_log_watch();
    my $now = seen($ua)->{'PunchOut-Session'};
    isnt $now, $before, "another account $how ends the session of the first";
    is defined $now ? 1 : 0, $stays, $stays ? 'and begins its own' : 'and begins none';
    is scalar(@log), 1, 'the log says what is wrong';
}
my $longest = named(browser(), 'x' x 255 . '; buyer=acme');
is scalar(cookies($longest)), 1, 'an id may have 255 bytes';
is scalar(cookies(browser()->put("$root/shop/?account=" . account() . '&buyer=acme', Content => ''))), 0, 'nor does a PUT';
is scalar(cookies(browser()->head("$root/shop/?account=" . account() . '&buyer=acme'))), 1, 'HEAD is like GET';

# what browsers say is not what the marketplace says
my $forger = browser();
my $forged = $forger->get("$root/shop/", 'PunchOut-Account' => "$account; buyer=acme", 'PunchOut-Drafts' => 7, 'PunchOut_Drafts' => 7);
is scalar(cookies($forged)), 0, 'a forged PunchOut-Account begins nothing';
is_deeply [grep { /drafts|account/i } keys %{ decode_json($forged->content) }], [], 'and neither it nor PunchOut-Drafts reaches the shop';

# ---- made there, returned from a punchout ---------------------------------------------------------------------------------------
$ua = signed_in($account, 'acme');
my $made = asks($ua, offer => 'off-year', quantity => 2, terms => 3);
is $made->code, 303, 'a request that begins in the marketplace';
is $made->header('Location'), 'https://buyer.example/approvals?from=market', 'leads to PunchOutRequestRedirect';
my ($id) = drafts_of($account);
like $id, qr/^req-/, 'and is kept as a draft';
is ledger("SELECT ifnull(user, '-'), ifnull(email, '-'), ifnull(cart_payload, '-'), account_email FROM request WHERE id = '$id'"),
    "-|-|-|$account\@market.example", 'of the account, without a requester or a cart';
is asks($ua, offer => 'off-year', quantity => 2, terms => 3)->code, 303, 'the same form again';
is_deeply [drafts_of($account)], [$id], 'is the same draft';
is asks($ua, offer => 'off-payg', budget => 50, terms => 3)->code, 303, 'another one in the same session';
is scalar(drafts_of($account)), 2, 'is another draft';
my (undef, $second) = drafts_of($account);
like page($ua, 'requests'), qr{\Q$id\E.*draft}s, 'the page lists them';
unlike page($ua, "requests/$id"), qr/Return it to your|action="[^"]*cancel"/, 'without buttons that need a procurement system';
like page($ua, "requests/$id"), qr/has not gone to your procurement system yet/, 'and says what comes next';
is returns($ua, csrf_of($ua, @at), $id)->code, 409, 'from there it can not go back';
is $ua->post("$door/cancel", { csrf => csrf_of($ua, @at) })->code, 409, 'for there is nowhere to go back to';
is scalar(mails($id)), 0, 'nobody got a mail about it';

like answer(buyer => 'acme', id => order_id(), lines => [{ %line, quantity => 2, auxiliary => "$id.1" }]),
    qr/^409 .*has not gone back yet; return it from a punchout/, 'an order that names a draft is refused';
is state($ua, $id), 'draft', 'and changes nothing';
for my $operation (qw(edit inspect)) {
    my $setup = post_cxml("$door/setup", setup_document(operation => $operation, more => '<ItemOut quantity="1"><ItemID><SupplierPartID>off-year'
        . "</SupplierPartID><SupplierPartAuxiliaryID>$id.1</SupplierPartAuxiliaryID></ItemID></ItemOut>"));
    is status_of($setup), 412, "its number opens no $operation";
}

# everybody else sees and claims nothing
my ($neighbour, $neighbour_csrf) = punched_out('acme', account());
my ($nobody, $nobody_csrf) = punched_out('acme');
my ($foreigner, $foreigner_csrf) = punched_out('globex', $account);
my $next_desk = signed_in(account(), 'acme');
for (['another account of the same buyer', $neighbour, $neighbour_csrf], ['a session without an account', $nobody, $nobody_csrf],
     ['that account at another buyer', $foreigner, $foreigner_csrf], ['another account in the marketplace', $next_desk, csrf_of($next_desk, @at)]) {
    my ($who, $ua, $csrf) = @$_;
    unlike page($ua, 'requests'), qr/\Q$id\E/, "$who: does not see it listed";
    is seen($ua)->{'PunchOut-Drafts'}, undef, "$who: is not told of it";
    is $ua->get("$door/requests/$id")->code, 404, "$who: can not open it";
    is $ua->post("$door/requests/$id", { csrf => $csrf })->code, 404, "$who: can not cancel it";
    my $refused = returns($ua, $csrf, $id);
    is $refused->code, $ua == $next_desk ? 409 : 404, "$who: can not return it";
    unlike $refused->content, qr/Log Keeper|cxml-/i, "$who: and learns nothing of it";
}
is state($ua, $id), 'draft', 'it is as it was';
is $ua->post("$door/requests/$id", { csrf => 'wrong' })->code, 403, 'a form of another session cancels nothing';

# the account comes with a punchout
my $buyer_side = open_session(@at);
is seen($buyer_side)->{'PunchOut-Drafts'}, undef, 'before the account is known nothing is said of drafts';
my $bound = $buyer_side->get("$root/shop/?account=$account");
is $bound->code, 200, 'what is no page is answered as ever';
$says = seen($buyer_side);
is $says->{'PunchOut-Drafts'}, 2, 'then the marketplace knows how many there are';
my $csrf = $says->{'PunchOut-CSRF'};
my $listed = page($buyer_side, 'requests');
like $listed, qr{not yet in your procurement system.*\Q$id\E.*?name="draft" value="\Q$id\E"><button>Return it to your procurement system}s, 'its page offers them';
like $listed, qr{<a href="/shop/">Go on to the shop}, 'and the way on';
like $listed, qr{cancel"><input[^>]*><button class="quiet">Return without a cart</button>}, 'a way back without them says so';
like page($buyer_side, "requests/$id"), qr{<button class="quiet">Return without a cart</button>}, 'on its own page, too';
like page($buyer_side, "requests/$id"), qr{name="draft" value="\Q$id\E"><button>Return it}, 'and so does its own page';
is returns($buyer_side, 'wrong', $id)->code, 403, 'not by a form of another session';
my $sent = returns($buyer_side, $csrf, $id);
is $sent->code, 200, 'it goes back';
my ($cart, undef, $action) = cart_of($sent);
is $action, 'https://buyer.example/return?id=7&x=%3C', 'to where this session came from';
my $lines = cart_lines($cart);
is_deeply [map { [@{$_}{qw(auxiliary quantity price)}] } @$lines], [["$id.1", 2, '1200.00']], 'in a cart like any other';
SKIP: {
    my $invalid = invalid($cart, 'draft');
    skip 'PUNCHOUT_SHARED names no DTDs', 1 unless defined $invalid;
    is $invalid, '', 'valid by its DTD';
}
is ledger("SELECT state, user, email, user_name, account FROM request WHERE id = '$id'"), "1|ines|ines\@buyer.example|Ines Okafor|$account",
    'it is requested, by who came';
is ledger("SELECT expires = updated + 30 * 86400000000 FROM request WHERE id = '$id'"), 1, 'and its time begins anew';
is wait_for(15, sub { scalar mails($id) }), 1, 'now there is a mail';
is((cart_of(returns($buyer_side, $csrf, $id)))[0], $cart, 'sent twice it is the same cart');
is seen($buyer_side)->{'PunchOut-Drafts'}, 1, 'the marketplace knows of one less';
is returns($buyer_side, $csrf, $second)->code, 409, 'one punchout returns one cart';
is $buyer_side->post("$door/request", { csrf => $csrf, offer => 'off-both', terms => 3 })->code, 409, 'whatever it is';
is $buyer_side->post("$door/request", { csrf => $csrf, offer => 'off-year', quantity => 2, terms => 3 })->code, 200, 'but the same request is answered as before';
my ($later, $later_csrf) = punched_out('acme', $account);
my $late = returns($later, $later_csrf, $id);
is $late->code, 409, 'a later punchout can not return it again';
like $late->content, qr/has gone back already/, 'and is told so';
my $po = order_id();
like answer(buyer => 'acme', id => $po, lines => $lines), qr/^200/, 'it is ordered';
is wait_for(15, sub { state($later, $id) eq 'active' }) && state($later, $id), 'active', 'and fulfilled';
my ($event) = events($id);
is_deeply [$event->{body}{data}{requester}{email}, $event->{body}{data}{account}{id}], ['ines@buyer.example', $account], 'for requester and account';
is returns($later, $later_csrf, $second)->code, 200, 'the other draft goes back with the later punchout';
is seen($later)->{'PunchOut-Drafts'}, undef, 'and none is left';

# ---- led to them once ---------------------------------------------------------------------------------------------------------------
sub html { my ($account) = @_; return "$root/shop/echo?type=text/html&account=$account" }
my %opened = (Accept => 'text/html,*/*');
($account, $id) = drafted('acme');
for (['a document', { 'Sec-Fetch-Dest' => 'document' }], ['a frame', { 'Sec-Fetch-Dest' => 'iframe' }], ['an older browser', { %opened }]) {
    my ($what, $headers) = @$_;
    my $ua = open_session(@at);
    my $wanted = html($account);
    my $led = $ua->get($wanted, %$headers);
    is $led->code, 303, "$what: the response that binds leads to the drafts";
    is $led->content, '', "$what: without the page";
    like $led->header('Cache-Control'), qr/no-store/, "$what: and is not kept";
    is scalar(grep { /^basket=/ } $led->header('Set-Cookie')), 1, "$what: the shop's cookies stay";
    my ($to) = $led->header('Location') =~ /^\Q$door\E(.*)$/;
    like page($ua, substr $to, 1), qr{<a href="/shop/echo\?type=text/html&amp;account=\Q$account\E">Go on to the shop}, "$what: where the way on is";
    is $ua->get($wanted, %$headers)->code, 200, "$what: once";
}
my $large = browser(cookie_jar => open_session(@at)->cookie_jar);
my $kept_url = html($account) =~ s{/shop/}{/shop/kept/}r . '&chunked=1';
my $get = sub { $large->request(HTTP::Request->new(GET => $kept_url, [%opened, 'Accept-Encoding' => 'gzip'], '<p>' x 100_000)) };
my $led = $get->();
is_deeply [$led->code, $led->content, $led->header('Content-Length')], [303, '', 0], 'a large page in chunks gives way whole';
unlike $led->header('Connection') // '', qr/close/, 'on a connection that stays';
is length($get->()->content), 300_000, 'and the connection is usable afterwards';
SKIP: {
    skip 'mod_deflate is not loaded', 2 unless have_module('deflate');
    (my $url = html($account)) =~ s{/shop/}{/shop/deflated/};
    my $ua = open_session(@at);
    my $led = $ua->get($url, %opened, 'Accept-Encoding' => 'gzip');
    is_deeply [$led->code, scalar $led->header('Content-Encoding'), $led->content], [303, undef, ''], 'so does a compressed one';
    is $ua->get($url, %opened, 'Accept-Encoding' => 'gzip')->code, 200, 'once';
}
my $long = open_session(@at)->get(html($account) . '&q=' . '/' x 3000, %opened);
is_deeply [$long->code, $long->header('Location')], [303, "$door/requests"], 'an address too long to be carried along is left out';
for (['a picture', { 'Sec-Fetch-Dest' => 'image', %opened }], ['a script', { 'Sec-Fetch-Dest' => 'empty' }], ['a program', {}]) {
    my ($what, $headers) = @$_;
    is open_session(@at)->get(html($account), %$headers)->code, 200, "$what is not led anywhere";
}
is open_session(@at)->post(html($account), %opened, Content => 'x')->code, 200, 'nor is a form';
is open_session(@at)->get(html($account) . '&status=404', %opened)->code, 404, 'nor an error';
is open_session(@at)->get(html(account()), %opened)->code, 200, 'nor an account without drafts';
my $whole = open_session(@at);
my $head = $whole->head(html($account), %opened);
is $head->code, 200, 'nor HEAD';
is length($whole->post("$root/shop/echo?type=text/html", Content => 'x' x 300_000)->content), 300_000, 'pages pass whole';
($later) = punched_out('acme', $account);
for my $to ('//evil.example/', '/\\evil.example/', 'https://evil.example/', 'javascript:alert(1)', "/a\nb", '"><script>') {
    like page($later, 'requests?to=' . uri_escape($to)), qr{<a href="/shop/">Go on}, "the way on leads nowhere else: $to" =~ s/\n/ /r;
}

# ---- exactly once ---------------------------------------------------------------------------------------------------------------------
sub race {
    my ($id, @sessions) = @_;
    my @pids = map {
        my ($ua, $csrf) = @$_;
        my $pid = fork // die "fork: $!";
        if (!$pid) { my $code = returns($ua, $csrf, $id)->code; POSIX::_exit($code == 200 ? 0 : $code == 409 ? 9 : 1) }
        $pid;
    } @sessions;
    return [sort map { waitpid $_, 0; $? >> 8 } @pids];
}
is_deeply race($id, map { [punched_out('acme', $account)] } 1 .. 3), [0, 9, 9], 'of three punchouts at once one takes it back';
is ledger("SELECT count(*) FROM document WHERE refers_to = '$id' AND kind = 'PunchOutOrderMessage'"), 1, 'in one cart';
($account, $id) = drafted('acme');
my @one = punched_out('acme', $account);
is_deeply race($id, \@one, \@one), [0, 0], 'two tabs of one punchout both show it';
is ledger("SELECT count(*) FROM document WHERE refers_to = '$id' AND kind = 'PunchOutOrderMessage'"), 1, 'the same one';

# ---- other accounts and other visits ------------------------------------------------------------------------------------------------
($account, $id) = drafted('acme');
($later, $later_csrf) = punched_out('acme', $account);
is seen($later)->{'PunchOut-Drafts'}, 1, 'a punchout of the account';
$later->get("$root/shop/?account=" . account());
is seen($later)->{'PunchOut-Drafts'}, undef, 'knows of no drafts when another account signs in';
is returns($later, $later_csrf, $id)->code, 404, 'and returns none of the first';
my ($maker, $maker_csrf) = punched_out('acme', $account);
my ($old) = lines_from($maker->post("$door/request", { csrf => $maker_csrf, offer => 'off-year', terms => 3 }))->[0]{auxiliary};
my $editor = browser();
$editor->get(start_page_of(post_cxml("$door/setup", setup_document(operation => 'edit', more => '<ItemOut quantity="1"><ItemID><SupplierPartID>off-year'
    . "</SupplierPartID><SupplierPartAuxiliaryID>$old</SupplierPartAuxiliaryID></ItemID></ItemOut>"))));
$editor->get("$root/shop/?account=$account");
is_deeply [@{ seen($editor) }{qw(PunchOut-Operation PunchOut-Drafts)}], ['edit', undef], 'who came to edit is told of no drafts';
my $not_now = returns($editor, seen($editor)->{'PunchOut-CSRF'}, $id);
is $not_now->code, 409, 'and returns none';
like $not_now->content, qr/Return unchanged first/, 'for his cart replaces the one that he edits';

# ---- cancelled, expired ---------------------------------------------------------------------------------------------------------------
($account, $id, $ua) = drafted('acme');
like page($ua, "requests/$id"), qr{Cancel this request.*It has not gone to your procurement system}s, 'who made it can cancel it';
is $ua->post("$door/requests/$id", { csrf => csrf_of($ua, @at) })->code, 303, 'in the marketplace';
is_deeply [@{ request_state($ua, $id, @at) }{qw(state reason)}], ['cancelled', "Cancelled by $account\@market.example"], 'then it is cancelled, by the account';
($later, $later_csrf) = punched_out('acme', $account);
like returns($later, $later_csrf, $id)->content, qr/was cancelled\. Request approval again/, 'and does not go back';
asks($ua, offer => 'off-year', terms => 3);
isnt +(drafts_of($account))[0], undef, 'the same form afterwards makes a new one';
($account, $id) = drafted('acme');
($later, $later_csrf) = punched_out('acme', $account);
is seen($later)->{'PunchOut-Drafts'}, 1, 'a punchout knows of one';
is $later->post("$door/requests/$id", { csrf => $later_csrf })->code, 303, 'and may cancel it';
is state($later, $id), 'cancelled', 'it is cancelled';
is seen($later)->{'PunchOut-Drafts'}, undef, 'and not told of any more';

($account, $id) = drafted('acme');
($later, $later_csrf) = punched_out('acme', $account);
is change("UPDATE request SET expires = 1 WHERE id = '$id'"), 1, 'a draft whose time is over';
my $over = returns($later, $later_csrf, $id);
is $over->code, 409, 'does not go back';
like $over->content, qr/has expired\. Request approval again/, 'and the page says what to do';
is seen((punched_out('acme', $account))[0])->{'PunchOut-Drafts'}, undef, 'nobody is told of it';
sub change {
    my ($sql) = @_;
    open(my $fh, '-|', 'sqlite3', '-cmd', '.timeout 5000', ledger_file(), "$sql; SELECT changes()") or die "sqlite3: $!";
    my ($n) = grep { /^\d+$/ } map { chomp; $_ } <$fh>;
    return $n;
}

# ---- what needs no order, and one approval after the other -------------------------------------------------------------------------------
($account, my $both, $ua) = drafted('globex', offer => 'off-both', budget => 500);
my $kept = asks($ua, offer => 'off-both', budget => 500, terms => 3);
is $kept->code, 200, 'without PunchOutRequestRedirect a page says what comes next';
like $kept->content, qr/Open the marketplace from there\s+and sign in with the same account/, 'in words';
like $kept->header('Content-Security-Policy'), qr/frame-ancestors 'none'/, 'which nobody frames';
my $free = asks($ua, offer => 'off-free');
is $free->code, 303, 'what is approved beforehand';
my ($free_id) = $free->header('Location') =~ m{/requests/(req-\w+)$};
is wait_for(15, sub { state($ua, $free_id) eq 'active' }) && state($ua, $free_id), 'active', 'is fulfilled without an order';
is_deeply [map { $_->{body}{data}{account}{id}, $_->{body}{data}{requester}{email} } events($free_id)], [$account, undef], 'for the account, with nobody as requester';
is wait_for(15, sub { scalar mails($free_id) }), 1, 'whose mail tells that it is ready';
($later, $later_csrf) = punched_out('globex', $account);
$lines = lines_from(returns($later, $later_csrf, $both));
is_deeply [map { [@{$_}{qw(auxiliary price)}] } @$lines], [["$both.1", '900.00']], 'separate: the first approval goes back';
is_deeply [map { "$_->{kind} $_->{state}" } @{ request_state($later, $both, @at)->{open} }], ['contract requested', 'usage waiting'], 'and the second waits';
my ($third, $third_csrf) = punched_out('globex', $account);
is $third->post("$door/request", { csrf => $third_csrf, continue => $both })->code, 200, 'for a later punchout';
is returns($third, $third_csrf, $both)->code, 409, 'which has not returned the draft';

# ---- several in one cart -------------------------------------------------------------------------------------------------------------
$account = account();
$ua = signed_in($account, 'acme');
asks($ua, offer => 'off-year', quantity => $_, terms => 3) for 1 .. 3;
my @three = drafts_of($account);
is scalar(@three), 3, 'three drafts';
($later, $later_csrf) = punched_out('acme', $account);
my $all = page($later, 'requests');
like $all, qr{name="draft" value="(?:req-\w+ ){3}"><button>Return all of them in one cart}, 'can go back in one cart';
like $all, qr{<td>$_ &#215; [^<]*contract, 12 months<form}, "the draft of $_ is told from the others" for 1 .. 3;
is returns($later, $later_csrf, "@three req-gone")->code, 404, 'all or none: with one that nobody knows';
is returns($later, $later_csrf, "@three $second")->code, 404, 'with one of another account';
asks($ua, offer => 'off-year', quantity => 4, terms => 3);
my $fourth = (drafts_of($account))[3];
$ua->post("$door/requests/$fourth", { csrf => csrf_of($ua, @at) });
my $not_all = returns($later, $later_csrf, "@three $fourth");
is $not_all->code, 409, 'with one that was cancelled';
like $not_all->content, qr/Request \Q$fourth\E was cancelled/, 'which the page names';
is returns($later, $later_csrf, ' ')->code, 404, 'and nothing is nothing';
is scalar(drafts_of($account)), 3, 'then none goes back';
my $together = returns($later, $later_csrf, "@three[2, 0, 1] $three[0]");
is_deeply [sort map { $_->{auxiliary} } @{ lines_from($together) }], [sort map { "$_.1" } @three], 'all go back, each once';
is((cart_of(returns($later, $later_csrf, "@three")))[0], (cart_of($together))[0], 'again the same cart');
is((cart_of(returns($later, $later_csrf, $three[1])))[0], (cart_of($together))[0], 'which is that of each of them');
like answer(buyer => 'acme', id => order_id(), lines => lines_from($together)), qr/^200/, 'one order takes them all';
is wait_for(15, sub { 3 == grep { state($later, $_) eq 'active' } @three }), 1, 'and all are fulfilled';

# the shop's own cart
my $cart_type = uri_escape('application/vnd.punchout.cart+json');
sub checkout { my ($ua, @lines) = @_; return $ua->post("$root/shop/echo?type=$cart_type", Content => encode_json({ lines => \@lines })) }
$account = account();
$ua = signed_in($account, 'globex');
is checkout($ua, { offer => 'off-free' }, { offer => 'off-payg', budget => '50' })->code, 200, "the shop's own cart in such a session";
my ($mixed) = drafts_of($account);
is ledger("SELECT count(*) FROM request WHERE account = '$account' AND state <> 0"), 1, 'what needs no order goes its way';
is checkout($ua, { offer => 'off-free' }, { offer => 'off-payg', budget => '50' })->code, 200, 'the same cart again';
is ledger("SELECT count(*) FROM request WHERE account = '$account'"), 2, 'makes nothing new';
($later, $later_csrf) = punched_out('globex', $account);
is returns($later, $later_csrf, $mixed)->code, 200, 'and the rest goes back as a draft does';

# ---- tests, and orders that are held ------------------------------------------------------------------------------------------------------
($account, $id, $ua) = drafted('hooli');
is seen($ua)->{'PunchOut-Mode'}, 'test', 'a buyer in test mode';
like page($ua, "requests/$id"), qr/TEST/, 'makes drafts in test mode';
like answer(buyer => 'hooli', id => order_id(), lines => [{ %line, auxiliary => "$id.1" }]), qr/^200 .*has not gone back yet.*held/, 'hold: an order that names one is held';
($later, $later_csrf) = punched_out('hooli', $account);
like returns($later, $later_csrf, $id)->content, qr/has gone back already and is held/, 'and the draft is taken';
($account, $id) = drafted('acme');
($later, $later_csrf) = punched_out('acme', $account, test => 1);
like((cart_of(returns($later, $later_csrf, $id)))[0], qr/deploymentMode="test"/, 'a punchout in test mode returns a test');
is ledger("SELECT test FROM request WHERE id = '$id'"), 1, 'which it is from then on';

# ---- buyers whose requests begin in their procurement system --------------------------------------------------------------------------------
for (['initech', 'SAP Ariba', qr/Catalog tab/], ['wonka', 'your procurement system', qr/Open the marketplace from\s+there/]) {
    my ($buyer, $where, $how) = @$_;
    my $account = account();
    my $ua = signed_in($account, $buyer);
    for my $offer (qw(off-year off-free)) {
        my $r = asks($ua, offer => $offer);
        is $r->code, 403, "$buyer: nothing begins here ($offer)";
        like $r->content, qr{<h1>Begin in \Q$where\E</h1>}, "$buyer: the page says where ($offer)";
        like $r->content, $how, "$buyer: and how ($offer)";
    }
    is checkout($ua, { offer => 'off-year' })->code, 403, "$buyer: not by a cart either";
    is ledger("SELECT count(*) FROM request WHERE account = '$account'"), 0, "$buyer: nothing is kept";
    my ($punched, $csrf) = punched_out($buyer, $account);
    is $punched->post("$door/request", { csrf => $csrf, offer => 'off-year', terms => 3 })->code, 200, "$buyer: a punchout is no matter";
}

# ---- a punchout is a punchout ------------------------------------------------------------------------------------------------------------------
($ua) = punched_out('acme', $account);
my $same = seen($ua)->{'PunchOut-Session'};
$ua->get("$root/shop/?account=none");
is seen($ua)->{'PunchOut-Session'}, $same, 'the marketplace can not end it';
my $other = account();
$ua->get("$root/shop/?account=$other&buyer=globex");
is_deeply [@{ seen($ua) }{qw(PunchOut-Session PunchOut-Buyer PunchOut-Operation)}], [$same, 'acme', 'create'], 'nor lead it to another connection';
$ua = signed_in($account, 'acme');
$ua->get(start_page_of(post_cxml("$door/setup", setup_document())));
is seen($ua)->{'PunchOut-Operation'}, 'create', 'a start link replaces what began in the marketplace';
for my $path ('', '?buyer=acme', "requests?account=$account") {
    unlike browser()->get("$door/$path")->content, qr/globex|initech|hooli|wonka/, "no page lists who is connected: /punchout/$path";
}

# ---- sign on first ---------------------------------------------------------------------------------------------------------------------------------
my $sso = 'https://login.example/saml?to=market&x=1';
sub setup_at { my ($path, $url, %o) = @_; return post_cxml("$door/$path?idc_url=" . uri_escape($url), setup_document(%o)) }
for my $path (qw(setup order)) {
    my $ua = browser();
    my $started = $ua->get(start_page_of(setup_at($path, $sso)));
    is $started->code, 303, "a setup at $path that names a page to sign on at";
    is $started->header('Location'), $sso, "leads there first ($path)";
    is seen($ua)->{'PunchOut-Operation'}, 'create', "with its session ($path)";
}
is status_of(setup_at('setup', 'https://acme.sso.example/')), 200, 'a host below a listed one';
for my $url ('https://evil.example/', 'http://login.example/', 'https://login.example.evil.example/', 'https://u@login.example/', '//login.example/',
             'https://login.example/#x', 'javascript:alert(1)', 'https://login.example\\@evil.example/', "https://login.example/\x{1}") {
    my $r = setup_at('setup', $url);
    is status_of($r), 403, "$url is refused" =~ s/\x{1}/ /r;
    like $r->content, qr/idc_url\) is not allowed: /, 'and the answer says what';
}
is status_of(post_cxml("$door/setup?idc_url=&other=1", setup_document())), 200, 'an empty one and other parameters are ignored';
is status_of(post_cxml(base_url() . '/punchout/setup?idc_url=' . uri_escape($sso), setup_document())), 403, 'without PunchOutSignOnHosts there is none';

# ---- no room for another session ---------------------------------------------------------------------------------------------------------------------
{
    my $server = PunchoutTest::Httpd->new('small');
    PunchoutTest::Httpd::spew($server->root . '/htdocs/page.html', 'the page');
    my ($rc, $said) = $server->run($server->configuration($server->site('small', '<PunchOutBuyer acme>', 'PunchOutCredential DUNS buyer-1',
        'PunchOutSharedSecret acme-secret', 'PunchOutReturnHosts buyer.example', '</PunchOutBuyer>', '<Location /page.html>',
        'Header set PunchOut-Account "acct-1; email=acct-1@market.example; buyer=acme"', '</Location>')), '-k', 'start');
    is $rc, 0, 'a server with a small session store' or diag $said;
    my $from = $server->log_size;
    # long ones first, so that it is full soon
    for my $bytes (15000, 5000, 1000) {
        for (1 .. 2000) {
            last unless start_page_of(post_cxml($server->url('small', 'punchout/setup'), setup_document(cookie => 'x' x $bytes)));
        }
    }
    my ($page, $n) = (undef, 0);
    do { $page = browser(cookie_jar => undef)->get($server->url('small', 'page.html')) } while cookies($page) && ++$n < 20_000;
    is scalar(cookies($page)), 0, 'once it is full no session begins in the marketplace';
    is_deeply [$page->code, $page->content], [200, 'the page'], 'but the page itself is served';
    unlike $page->as_string, qr/PunchOut-Account/i, 'without the name of the account';
    like $server->log_since($from), qr/PO0231: no session for account acct-1 of buyer acme/, 'and the log says so';
    $server->stop;
}

Test::More::done_testing();
