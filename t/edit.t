# A cart that came back: changed, left as it was, looked at, and refused when it can't be changed any more.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use POSIX ();
use PunchoutTest;

# The lines of a requisition, as a setup carries them.
sub item_outs {
    return join '', map {
        "<ItemOut quantity=\"$_->{quantity}\"><ItemID><SupplierPartID>$_->{part}</SupplierPartID>"
            . (defined $_->{auxiliary} ? "<SupplierPartAuxiliaryID>$_->{auxiliary}</SupplierPartAuxiliaryID>" : '')
            . "</ItemID><ItemDetail><UnitPrice><Money currency=\"$_->{currency}\">$_->{price}</Money></UnitPrice>"
            . "<Description xml:lang=\"en\">line</Description><UnitOfMeasure>$_->{unit}</UnitOfMeasure>"
            . '<Classification domain="UNSPSC">43232701</Classification></ItemDetail></ItemOut>'
    } @_;
}
sub setup { my ($operation, $lines, %o) = @_;
    return post_cxml(base_url() . '/punchout/setup', setup_document(operation => $operation, more => item_outs(@$lines), %o)) }
# A browser that came back with these lines, and the page that it was led to.
sub come_back {
    my ($operation, $lines, %o) = @_;
    my $r = setup($operation, $lines, %o);
    my $ua = browser();
    my $went = $ua->get(start_page_of($r) || die "no StartPage: " . $r->content);
    return ($ua, $went->header('Location'));
}
sub request_of { my ($lines) = @_; return $lines->[0]{auxiliary} =~ /^(req-\w+)\.\d+$/ ? $1 : undef }
sub answer_code { my ($r) = @_; return $r->code . '/' . (status_of($r) // 'none') }
sub refused_with {
    my ($r, $text, $name) = @_;
    is answer_code($r), '200/412', "$name: Status 412";
    like $r->content, $text, "$name: and the text says why";
    unlike $r->content, qr/StartPage/, "$name: and there is no StartPage";
}
sub new_cart { my ($form, %o) = @_; return lines_from(request_approval(open_session(%o), offer => 'off-year', account => 'acct-e', %$form)) }
sub said_allowed { my ($document) = @_; return $document =~ /operationAllowed="(\w+)"/ ? $1 : undef }

# ---- a cart, changed twice and ordered -------------------------------------------------------------------------------------
my $first_page = request_approval(open_session(), offer => 'off-year', quantity => 2, account => 'acct-e');
is said_allowed((cart_of($first_page))[0]), 'edit', 'a cart may be edited';
my $lines = lines_from($first_page);
my $first = request_of($lines);

my $answered = setup('edit', $lines, cookie => 'bc-edit');
is answer_code($answered), '200/200', 'a setup with operation edit is taken';
my ($ua, $page_url) = come_back('edit', $lines, cookie => 'bc-edit');
is $page_url, base_url() . "/punchout/requests/$first", 'and leads to the cart';
my $page = $ua->get($page_url);
is $page->code, 200, 'which its requester sees';
like $page->content, qr/Log Keeper: contract.*<td class="n">2<.*1200\.00 USD/s, 'with its lines as the ledger holds them';
like $page->content, qr{<a class="button" href="/shop/products/prod-ab12">Change it</a>}, 'a link to the product';
like $page->content, qr/<button[^>]*>Return unchanged</, 'and a way back that changes nothing';
my $seen = JSON::PP::decode_json($ua->get(base_url() . '/shop/')->content);
is $seen->{'PunchOut-Operation'}, 'edit', 'the marketplace sees PunchOut-Operation edit';
is $seen->{'PunchOut-Request'}, $first, 'and which request is edited';
is JSON::PP::decode_json(open_session()->get(base_url() . '/shop/', 'PunchOut-Request' => $first)->content)->{'PunchOut-Request'}, undef,
    'which a new cart has not, whatever the browser says';

my %form = (offer => 'off-year', quantity => 3, terms => 3, csrf => $seen->{'PunchOut-CSRF'});
my $changed = $ua->post(base_url() . '/punchout/request', \%form);
my ($changed_cart) = cart_of($changed);
is $changed->code, 200, 'a changed cart is taken';
like $changed_cart, qr{<BuyerCookie>bc-edit</BuyerCookie>}, 'it goes back with the cookie of this visit';
my $second_lines = cart_lines($changed_cart);
my $second = request_of($second_lines);
isnt $second, $first, 'it is a request of its own';
is_deeply [map { "$_->{quantity} $_->{price} $_->{auxiliary}" } @$second_lines], ["3 1200.00 $second.1"], 'with the new quantity';
is ledger("SELECT state || '|' || reason FROM request WHERE id='$first'"), "10|replaced by $second", 'the old request is cancelled and says by what';
is ledger("SELECT group_concat(c.state) FROM charge c JOIN request r ON r.seq=c.request WHERE r.id='$first'"), '3', 'with its charges';
is((cart_of($ua->post(base_url() . '/punchout/request', \%form)))[0], $changed_cart, 'a double submit returns the same document');
is ledger("SELECT count(*) FROM request WHERE session=(SELECT session FROM request WHERE id='$second')"), 1, 'and makes nothing new';
is $ua->post(base_url() . '/punchout/request', { %form, quantity => 4 })->code, 409, 'one visit returns one cart';
my $stays = $ua->get($page_url);
like $stays->content, qr/replaced by \Q$second\E/, 'the page of the old request names the new one';
unlike $stays->content, qr/Change it|unchanged/, 'and offers no change of it any more';

my $late = order_reply(order_document(lines => $lines));
is answer_code($late), '200/409', 'an order for the replaced cart is refused';
like $late->content, qr/\Q$first\E was cancelled; return a new cart/, 'and the answer says what to do';
is scalar(events($first)), 0, 'the backend never hears of it';
refused_with(setup('edit', $lines), qr/replaced by \Q$second\E.*create a new cart/, 'editing the replaced cart');

my ($again, $again_url) = come_back('edit', $second_lines, cookie => 'bc-3');
is $again_url, base_url() . "/punchout/requests/$second", 'a changed cart can be edited';
my $third_lines = lines_from(request_approval($again, offer => 'off-both', budget => 500, account => 'acct-e'));
my $third = request_of($third_lines);
is_deeply [map { $_->{auxiliary} } @$third_lines], ["$third.1", "$third.2"], 'also into another offer, with other lines';
is request_state($again, $second)->{reason}, "replaced by $third", 'each cart says what came after it';
is status_of(order_reply(order_document(lines => $third_lines))), 200, 'the last one is ordered';
my ($event) = wait_for(10, sub { events($third) });
is_deeply [@{ $event->{body}{data} }{qw(request offer)}], [$third, 'off-both'], 'and the backend hears of it';
is scalar(events($third)), 1, 'once';
is scalar(events($_)), 0, 'and never of one that was replaced' for $first, $second;

# ---- left as it was -----------------------------------------------------------------------------------------------------------
my $kept = new_cart({ quantity => 5 });
my ($leaves) = come_back('edit', $kept);
my $leaving_csrf = csrf_of($leaves);
my $unchanged = $leaves->post(base_url() . '/punchout/cancel', { csrf => $leaving_csrf });
my ($unchanged_cart) = cart_of($unchanged);
like $unchanged_cart, qr/<Status code="204"/, 'returning unchanged is Status 204';
unlike $unchanged_cart, qr/<ItemIn/, 'without a line';
is said_allowed($unchanged_cart), 'edit', 'and the cart may still be edited';
is ledger("SELECT state FROM request WHERE id='" . request_of($kept) . "'"), 1, 'the request is what it was';
is $leaves->get(base_url() . '/punchout/requests/' . request_of($kept))->code, 403, 'the visit is over';
my $plain = open_session();
is said_allowed((cart_of($plain->post(base_url() . '/punchout/cancel', { csrf => csrf_of($plain) })))[0]), 'create',
    'without a cart there is nothing to edit';
is status_of(order_reply(order_document(lines => $kept))), 200, 'the unchanged cart is ordered';
is arrived(request_of($kept), 10), 1, 'and fulfilled';

# a cart whose page never arrived: "unchanged" would leave lines behind that can't be ordered
my $lost = new_cart({ quantity => 6 });
my ($loses) = come_back('edit', $lost);
my $csrf = csrf_of($loses);
my ($sent) = cart_of(request_approval($loses, offer => 'off-year', quantity => 7, csrf => $csrf));
is((cart_of($loses->post(base_url() . '/punchout/cancel', { csrf => $csrf })))[0], $sent, 'after a change the way back brings the changed cart once more');

# ---- looked at -----------------------------------------------------------------------------------------------------------------
my $shown = new_cart({ quantity => 8 });
my ($looks, $looks_url) = come_back('inspect', $shown);
is $looks_url, base_url() . '/punchout/requests/' . request_of($shown), 'an inspect leads to the cart';
my $look = $looks->get($looks_url);
like $look->content, qr/shown read-only/, 'which is shown read-only';
like $look->content, qr/<td class="n">8</, 'with its lines';
unlike $look->content, qr/Change it/, 'without a way to change it';
like $look->content, qr/<button>Return to your procurement system</, 'and with one back';
my $looking = JSON::PP::decode_json($looks->get(base_url() . '/shop/')->content);
is_deeply [@$looking{qw(PunchOut-Operation PunchOut-Request)}], ['inspect', request_of($shown)], 'the marketplace sees it';
my $tried = request_approval($looks, offer => 'off-year', quantity => 9, account => 'acct-e');
is $tried->code, 403, 'nothing can be requested then';
like $tried->content, qr/read-only.*procurement system/s, 'as a page says';
is ledger("SELECT state FROM request WHERE id='" . request_of($shown) . "'"), 1, 'and nothing has changed';
my ($looked_cart) = cart_of($looks->post(base_url() . '/punchout/cancel', { csrf => $looking->{'PunchOut-CSRF'} }));
like $looked_cart, qr/<Status code="204"/, 'the way back is Status 204';
(undef, my $done_url) = come_back('inspect', $third_lines);
is $done_url, base_url() . "/punchout/requests/$third", 'an ordered cart can be looked at';
is status_of(setup('inspect', $lines)), 200, 'as can a replaced one';

# ---- somebody else of the same buyer ---------------------------------------------------------------------------------------------
my $theirs = new_cart({ quantity => 10 });
my %approver = (user => 'otto', email => 'otto@buyer.example');
is open_session(%approver)->get(base_url() . '/punchout/requests/' . request_of($theirs))->code, 404, 'a colleague does not see a request';
my ($otto, $otto_url) = come_back('edit', $theirs, %approver);
my $otto_page = $otto->get($otto_url, 'Accept' => 'text/html');
is $otto_page->code, 200, 'unless the procurement system sends him with its lines';
my $otto_lines = lines_from(request_approval($otto, offer => 'off-year', quantity => 11, account => 'acct-otto'));
is $otto_lines->[0]{quantity}, 11, 'he can change it';
is ledger("SELECT email FROM request WHERE id='" . request_of($otto_lines) . "'"), 'otto@buyer.example', 'and is the requester then';
is $otto->get(base_url() . "/punchout/requests/$first")->code, 404, 'but sees no other one';

# ---- refused -----------------------------------------------------------------------------------------------------------------------
my %line = %{ $lines->[0] };
my $open = new_cart({ quantity => 12 });
my $globex = new_cart({ quantity => 1 }, buyer => 'globex', email => 'jo@globex.example');
refused_with(setup('edit', []), qr/ItemOut/, 'no lines');
refused_with(setup('edit', [{ %line, auxiliary => undef }]), qr/line 1.*create a new cart/, 'a line without an auxiliary id');
refused_with(setup('edit', [{ %line, auxiliary => 'ABC-77' }]), qr/ABC-77/, "a line of another supplier's shop");
refused_with(setup('edit', [{ %line, auxiliary => 'req-0000000000000000.1' }]), qr/req-0000000000000000/, 'an unknown request');
refused_with(setup('edit', [{ %line, auxiliary => request_of($open) . '.2' }]), qr/no line 2/, 'a line that the cart did not have');
refused_with(setup('edit', $globex), qr/none of this connection/, "another buyer's request");
refused_with(setup('inspect', $globex), qr/none of this connection/, "a look at another buyer's request");
refused_with(setup('edit', [@$open, @$otto_lines]), qr/one cart at a time/, 'lines of two carts');
refused_with(setup('edit', $kept), qr/was ordered by.*create a new cart/, 'an ordered request');
is status_of(order_reply(order_document(buyer => 'globex', lines => $globex))), 200, 'a cart is ordered';
refused_with(setup('edit', $open, test => 1), qr/production mode.*create a new cart/, 'a real request in a test');
is status_of(setup('edit', $open, return => 'https://evil.example/')), 403, 'a foreign return address is refused here too';
my $quote = setup('source', []);
is status_of($quote), 450, 'a request for a quote is not supported';
like $quote->content, qr/source/, 'as the text says';
is status_of(setup('delete', $open)), 450, 'nor is an operation that nobody knows';
is status_of(setup('create', [{ %line, auxiliary => 'req-0000000000000000.1' }])), 200, 'lines in a create are ignored';

# ordered while it is being edited
my ($slow, $slow_url) = come_back('edit', $open);
my $slow_csrf = csrf_of($slow, account => 'acct-e');
is status_of(order_reply(order_document(id => "PO-SLOW-$$", lines => $open))), 200, 'the cart is ordered while somebody edits it';
my $overtaken = request_approval($slow, offer => 'off-year', quantity => 13, csrf => $slow_csrf);
is $overtaken->code, 409, 'then it can\'t be changed';
like $overtaken->content, qr/Nothing was sent: request \S+ was ordered by PO-SLOW-$$ meanwhile/, 'and the page says that it was ordered';
unlike $overtaken->content, qr/cxml-/i, 'and nothing is sent';
is ledger("SELECT count(*) FROM request r JOIN charge c ON c.request=r.seq WHERE c.quantity='13'"), 0, 'nor kept';
like $slow->get($slow_url)->content, qr/can't be changed any more/, 'the cart\'s page says so as well';
is arrived(request_of($open), 10), 1, 'the order stands';

# several changes of one cart at the same moment
my $wanted = new_cart({ quantity => 20 });
my @visits = map { [come_back('edit', $wanted, cookie => "bc-r$_")] } 1 .. 5;
my @csrf = map { csrf_of($_->[0]) } @visits;
my @pids = map {
    my $n = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $r = $visits[$n][0]->post(base_url() . '/punchout/request', { offer => 'off-year', quantity => 21 + $n, csrf => $csrf[$n] });
        POSIX::_exit($r->code == 200 ? 1 : $r->code == 409 ? 2 : 3);
    }
    $pid;
} 0 .. $#visits;
my @codes = map { waitpid $_, 0; $? >> 8 } @pids;
is_deeply [sort @codes], [1, 2, 2, 2, 2], 'of several changes of one cart at once exactly one wins';
is ledger("SELECT count(*) FROM request r JOIN charge c ON c.request=r.seq WHERE c.quantity IN ('21','22','23','24','25') AND r.state=1"), 1,
    'and one request can be ordered';

# ---- something that needs no approval can't replace a cart ---------------------------------------------------------------------------
my $priced = new_cart({ quantity => 1 }, buyer => 'globex', email => 'jo@globex.example');
my ($frees) = come_back('edit', $priced, buyer => 'globex', email => 'jo@globex.example');
my $free_csrf = csrf_of($frees);
my $free = request_approval($frees, offer => 'off-free', csrf => $free_csrf);
is $free->code, 409, 'an offer that is approved beforehand does not replace a cart';
like $free->content, qr/remove them in your procurement system, and request this in a new visit/, 'as the page says, and what to do';
is ledger("SELECT state FROM request WHERE id='" . request_of($priced) . "'"), 1, 'the cart is what it was';
is ledger("SELECT count(*) FROM request WHERE preapproved_by IS NOT NULL AND session='"
    . JSON::PP::decode_json($frees->get(base_url() . '/shop/')->content)->{'PunchOut-Session'} . "'"), 0, 'and nothing was requested';
is request_approval($frees, offer => 'off-year', quantity => 2, csrf => $free_csrf)->code, 200, 'another change of it is still possible';

# ---- a renewal that is changed stays one --------------------------------------------------------------------------------------------
my $renewal = new_cart({ action => 'renew', subscription => 'sub-9', quantity => 1 });
my $longer = lines_from(request_approval((come_back('edit', $renewal))[0], offer => 'off-year', quantity => 2, account => 'acct-e'));
is ledger("SELECT action || ' ' || subscription FROM request WHERE id='" . request_of($longer) . "'"), 'renew sub-9', 'a changed renewal is one';
my $fresh = lines_from(request_approval((come_back('edit', $longer))[0], offer => 'off-year', action => 'new', account => 'acct-e'));
is ledger("SELECT action FROM request WHERE id='" . request_of($fresh) . "'"), 'new', 'unless the form says otherwise';

# ---- and everything that went out is valid --------------------------------------------------------------------------------------------
SKIP: {
    my %sent = ('answer to edit' => $answered->content, 'changed cart' => $changed_cart, 'unchanged' => $unchanged_cart, 'looked at' => $looked_cart,
        'refusal' => setup('edit', [])->content);
    Test::More::skip('no DTDs here: set PUNCHOUT_SHARED to the folder that holds dtd/', scalar keys %sent) unless defined invalid($quote->content);
    is invalid($sent{$_}), '', "valid by its DTD: $_" for sort keys %sent;
}

Test::More::done_testing();
