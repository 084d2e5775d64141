# Contract and usage as two approvals, one after the other: PunchOutApprovals separate, PunchOutActivate all and each; an approval
# that is cancelled.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use JSON::PP qw(decode_json encode_json);
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use Time::HiRes qw(sleep);

my @at = (vhost => 'approvals');
my $door = base_url('approvals') . '/punchout';
my $serial = 0;
sub order_id { return "AP-$$-" . ++$serial }
sub shopper { my ($buyer, %o) = @_; return open_session(buyer => $buyer, @at, %o) }
sub session { my ($buyer, $account, %o) = @_; my $ua = shopper($buyer, %o); return ($ua, csrf_of($ua, @at, account => $account)) }

# A request for contract and usage: browser, csrf, account, id, the lines of the first cart.
sub requested {
    my $buyer = shift;
    my $account = "approvals-$buyer-" . ++$serial;
    my ($ua, $csrf) = session($buyer, $account);
    my $lines = lines_from($ua->post("$door/request", { offer => 'off-both', budget => '500', csrf => $csrf }));
    my ($id) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    return ($ua, $csrf, $account, $id, $lines);
}
sub go_on { my ($ua, $csrf, $id) = @_; return $ua->post("$door/request", { continue => $id, csrf => $csrf }) }
sub answer {
    my $r = order_reply(order_document(@_), @at);
    my ($text) = $r->content =~ m{<Status[^>]*?(?:/>|>(.*?)</Status>)}s;
    return status_of($r) . ' ' . ($text || '');
}
sub shown { my ($ua, $id) = @_; return request_state($ua, $id, @at) }
sub becomes { my ($ua, $id, $state) = @_; wait_for(15, sub { shown($ua, $id)->{state} eq $state }); return shown($ua, $id)->{state} }
sub hears { my ($id, $n) = @_; wait_for(15, sub { my @e = events($id); @e >= $n ? 1 : undef }); return events($id) }
sub approvals { return [map { "$_->{kind} $_->{state}" } @{ $_[0]{approvals} }] }
sub open_ones { my ($ua, $id) = @_; return [map { "$_->{kind} $_->{state}" } @{ shown($ua, $id)->{open} }] }
sub page { my ($ua, $path) = @_; return $ua->get("$door/$path", Accept => 'text/html')->content }
sub cancel { my ($ua, $csrf, $id, @approval) = @_; return $ua->post("$door/requests/$id", { csrf => $csrf, @approval }) }

# ---- one after the other, fulfilled when both are in --------------------------------------------------------------------
my ($ua, $csrf, $account, $id, $first) = requested('hooli');
is scalar(@$first), 1, 'the first cart holds one line';
is_deeply [@{ $first->[0] }{qw(quantity price)}], [qw(1 900.00)], 'the contract';
is shown($ua, $id)->{state}, 'requested', 'the request is made';
is_deeply open_ones($ua, $id), ['contract requested', 'usage waiting'], 'with an approval that waits';
is go_on($ua, $csrf, $id)->code, 409, 'the session that made it has returned its cart';
like answer(buyer => 'hooli', id => order_id(), lines => [{ %{ $first->[0] }, auxiliary => "$id.2", quantity => 2000, price => '0.25', unit => 'GB' }]),
    qr/^409 .*was not requested yet/, 'an order of what waits is refused';
my ($po_1, $po_2) = (order_id(), order_id());
like answer(buyer => 'hooli', id => $po_1, lines => $first), qr/^200/, 'the contract is ordered';
is shown($ua, $id)->{state}, 'partly approved', 'and the request partly approved';

my ($later, $later_csrf) = session('hooli', $account);
like page($later, 'requests'), qr{\Q$id\E.*?usage: waiting.*?<button>Request the next approval</button>}s,
    'the list of a later punchout shows what is open and the button that goes on with it';
like page($later, "requests/$id"), qr{name="continue" value="\Q$id\E"><button>Request the next approval}, 'and so does its page';
my $listed = decode_json($later->get("$door/requests", Accept => 'application/json')->content)->{requests};
is_deeply [map { $_->{open} } grep { $_->{id} eq $id } @$listed], [[{ kind => 'usage', state => 'waiting' }]], 'JSON says the same';
my ($stranger, $stranger_csrf) = session('hooli', 'approvals-stranger', user => 'otto', email => 'otto@buyer.example');
is go_on($stranger, $stranger_csrf, $id)->code, 404, "nobody else goes on with it";
is go_on($later, 'wrong', $id)->code, 403, 'nor does a form of another session';
my $sent = go_on($later, $later_csrf, $id);
is $sent->code, 200, 'the next approval is sent';
my ($cart, undef, $action) = cart_of($sent);
is $action, 'https://hooli.example/cart', 'to where this session came from';
like $cart, qr/operationAllowed="inspect"/, 'as a cart that is not to be edited';
like $cart, qr{<Total>\s*<Money currency="USD">500.00<}, 'with a total of its own';
my $second = cart_lines($cart);
is_deeply [map { [@{$_}{qw(auxiliary quantity price unspsc)}] } @$second], [["$id.2", 2000, '0.25', '43232701']], 'and the line that waited';
SKIP: {
    my $invalid = invalid($cart, 'next');
    skip 'PUNCHOUT_SHARED names no DTDs', 1 unless defined $invalid;
    is $invalid, '', 'valid by its DTD';
}
is((cart_of(go_on($later, $later_csrf, $id)))[0], $cart, 'sent twice it is the same cart');
is $later->post("$door/request", { offer => 'off-year', terms => 3, csrf => $later_csrf })->code, 409, 'and that session returns no other';
my ($third, $third_csrf) = session('hooli', $account);
my $late = go_on($third, $third_csrf, $id);
is $late->code, 409, 'a further session finds nothing to go on with';
like $late->content, qr/asked for already/, 'and is told so';
is_deeply open_ones($ua, $id), ['usage requested'], 'the approval is requested now';
is scalar(events($id)), 0, 'the backend has heard of nothing';
like answer(buyer => 'hooli', id => $po_2, lines => $second), qr/^200/, 'the usage is ordered';
is becomes($ua, $id, 'active'), 'active', 'and the subscription active';
my @events = events($id);
is scalar(@events), 1, 'the backend heard of it once';
my $data = $events[0]{body}{data};
is_deeply $data->{approved}, [qw(contract usage)], 'that both are approved';
is_deeply [map { $_->{id} } @{ $data->{orders} }], [$po_1, $po_2], 'on two purchase orders';
is_deeply open_ones($ua, $id), [], 'nothing is open';
unlike page($later, "requests/$id"), qr/Request the next approval|Yes, cancel it/, 'and no button is left';

# ---- two sessions at once -----------------------------------------------------------------------------------------------
{
    my ($ua, $csrf, $account, $id, $first) = requested('hooli');
    my @both = map { [session('hooli', $account)] } 1 .. 2;
    my @pids = map { my ($ua, $csrf) = @$_; my $pid = fork // die "fork: $!"; $pid or exec_go($ua, $csrf, $id); $pid } @both;
    my @codes = map { waitpid $_, 0; $? >> 8 } @pids;
    is_deeply [sort @codes], [0, 9], 'of two sessions that go on at once one wins and the other gets a page';
    is ledger("SELECT count(*) FROM continuation WHERE request = '$id'"), 1, 'one cart went back';
    # what is in two requisitions is not edited; the request can still be cancelled whole
    my $edit = setup_document(buyer => 'hooli', operation => 'edit', more => "<ItemOut quantity=\"1\"><ItemID><SupplierPartID>off-both"
        . "</SupplierPartID><SupplierPartAuxiliaryID>$id.1</SupplierPartAuxiliaryID></ItemID></ItemOut>");
    my $refused = post_cxml("$door/setup", $edit);
    is status_of($refused), 412, 'a cart is not edited any more when the next approval has a cart of its own';
    like $refused->content, qr/has sent its next approval in a cart of its own/, 'and the answer says why';
}
sub exec_go { my $r = go_on(@_); require POSIX; POSIX::_exit($r->code == 200 ? 0 : $r->code == 409 ? 9 : 1) }

# ---- each by itself, in the other order -----------------------------------------------------------------------------------
($ua, $csrf, $account, $id, $first) = requested('wonka');
($later, $later_csrf) = session('wonka', $account);
$second = lines_from(go_on($later, $later_csrf, $id));
($po_1, $po_2) = (order_id(), order_id());
like answer(buyer => 'wonka', id => $po_2, lines => $second), qr/^200/, 'each: the usage is ordered first';
@events = hears($id, 1);
is_deeply $events[0]{body}{data}{approved}, ['usage'], 'and the backend hears of it alone';
is_deeply approvals($events[0]{body}{data}), ['contract requested', 'usage ordered'], 'with where both stand';
is becomes($ua, $id, 'partly approved'), 'partly approved', 'the request is partly approved';
wait_for(15, sub { ledger("SELECT count(*) FROM outbox WHERE request = '$id' AND state = 0 AND class = 0") eq '0' });
is shown($ua, $id)->{state}, 'partly approved', 'and stays so when the backend has answered';
like answer(buyer => 'wonka', id => $po_1, lines => $first), qr/^200/, 'then the contract';
is becomes($ua, $id, 'active'), 'active', 'now it is active';
@events = hears($id, 2);
is_deeply [map { $_->{body}{data}{approved} } @events], [['usage'], ['contract']], 'and each approval was told of once';
is_deeply [sort map { $_->{id} } @{ $events[1]{body}{data}{orders} }], [sort $po_1, $po_2], 'the second event names both orders';

# ---- each, answered late -----------------------------------------------------------------------------------------------------
sub says {
    my ($event, $status, @more) = @_;
    my $callback = $event->{body}{data}{callback};
    return $ua->post($callback->{url}, Authorization => "Bearer $callback->{token}", Content_Type => 'application/json',
        Content => encode_json({ status => $status, @more }));
}
sub answered { my ($id) = @_; return wait_for(15, sub { ledger("SELECT count(*) FROM outbox WHERE request = '$id' AND class = 0 AND state = 0") eq '0' }) }
($ua, $csrf, $account, $id, $first) = requested('wonka');
($later, $later_csrf) = session('wonka', $account);
$second = lines_from(go_on($later, $later_csrf, $id));
backend_answers(202, '');
answer(buyer => 'wonka', id => order_id(), lines => $first);
hears($id, 1);
answered($id);
answer(buyer => 'wonka', id => order_id(), lines => $second);
@events = hears($id, 2);
answered($id);
backend_answers();
is says($events[0], 'active', subscription => 'sub-late')->code, 200, 'the contract is active, says the backend later';
like says($events[1], 'failed', reason => 'no meter')->content, qr/"state":"held"/, 'the usage has failed: that is taken for itself';
is shown($ua, $id)->{reason}, 'no meter', 'with its reason';
is says($events[1], 'failed', reason => 'no meter')->code, 200, 'said again it is the same';
is says($events[1], 'active')->code, 409, 'but not the opposite';
is says($events[0], 'failed')->code, 409, 'neither of the contract';
is says($events[0], 'active')->code, 200, 'which stays active';

# what a change has made active can't have failed
my $lines = lines_from($ua->post("$door/request", { offer => 'off-year', terms => 3, csrf => csrf_of(($ua = shopper('wonka')), @at) }));
($id) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
$po_1 = order_id();
backend_answers(202, '');
answer(buyer => 'wonka', id => $po_1, lines => $lines);
is becomes($ua, $id, 'delivering'), 'delivering', 'the backend works on an order';
backend_answers();
answer(buyer => 'wonka', id => $po_1, type => 'update', lines => [{ %{ $lines->[0] }, quantity => 2 }]);
is becomes($ua, $id, 'active'), 'active', 'and takes a change of it';
like says((hears($id, 2))[0], 'failed', reason => 'no seats')->content, qr/"state":"held"/, 'then a failure of the first is for a person to look at';

# ---- cancelled by who asked ------------------------------------------------------------------------------------------------
($ua, $csrf, $account, $id, $first) = requested('hooli');
($later, $later_csrf) = session('hooli', $account);
like page($later, "requests/$id"), qr{<details><summary>Cancel this request</summary>.*?action="/punchout/requests/\Q$id\E".*?<button>Yes, cancel it}s,
    'the page cancels in two steps';
is cancel($stranger, $stranger_csrf, $id)->code, 404, "nobody cancels another one's request";
is cancel($later, 'wrong', $id)->code, 403, 'nor does a form of another session';
is shown($ua, $id)->{state}, 'requested', 'and nothing has happened';
is cancel($later, $later_csrf, $id, approval => 'usage')->code, 303, 'all: one of two open approvals is cancelled';
is shown($ua, $id)->{state}, 'cancelled', 'and with it the request, which was asked for as a whole';
is cancel($later, $later_csrf, $id)->code, 303, 'cancelled twice it is cancelled once';
like answer(buyer => 'hooli', id => order_id(), lines => $first), qr/^409 .*was cancelled/, 'its order is refused';
is go_on($later, $later_csrf, $id)->code, 409, 'and nothing goes on with it';

($ua, $csrf, $account, $id, $first) = requested('wonka');
is cancel($ua, $csrf, $id, approval => 'usage')->code, 303, 'each: one of two open approvals is cancelled';
is_deeply open_ones($ua, $id), ['contract requested'], 'and the other one stays';
like answer(buyer => 'wonka', id => order_id(), lines => $first), qr/^200/, 'it is ordered';
is becomes($ua, $id, 'active'), 'active', 'and fulfilled';
is_deeply approvals((hears($id, 1))[0]{body}{data}), ['contract ordered', 'usage withdrawn'], 'without the one that was withdrawn';

($ua, $csrf, $account, $id, $first) = requested('hooli');
$po_1 = order_id();
answer(buyer => 'hooli', id => $po_1, lines => $first);
my $ordered = cancel($ua, $csrf, $id, approval => 'contract');
is $ordered->code, 409, 'what is ordered is not cancelled here';
like $ordered->content, qr/ordered by purchase order \Q$po_1\E.*Cancel that order/, 'and the page says where';
is cancel($ua, $csrf, $id)->code, 409, 'nor is the request as a whole';
t_start_error_log_watch();
is cancel($ua, $csrf, $id, approval => 'usage')->code, 303, 'the approval that is open is cancelled';
my @alarm = grep { /PO0187: request \Q$id\E / } t_finish_error_log_watch();
is shown($ua, $id)->{state}, 'held', 'and holds the request';
is scalar(@alarm), 1, 'with the operator alarmed';
unlike $alarm[0], qr/\bines\b/, 'without the name of a person';
like shown($ua, $id)->{reason}, qr/^The approval of usage was cancelled by /, 'and says by whom';
is scalar(my @mails = wait_for(10, sub { mails($id, 'Held') })), 1, 'and the account gets a mail' or diag join "\n", mails($id);
is scalar(events($id)), 0, 'the backend hears nothing';

done_testing;
