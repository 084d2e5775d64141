# What a purchase order may say after the first one: changes, cancellations, repetitions; and what buyers say about documents.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use Time::HiRes qw(sleep);

my $serial = 0;
sub order_id { return "CO-$$-" . ++$serial }

# A request for approval in a session of its own: browser, id, lines.
sub requested {
    my ($buyer, %form) = @_;
    my $ua = open_session(buyer => $buyer);
    my $lines = lines_from(request_approval($ua, account => "acct-$buyer-" . ++$serial, %form));
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    return ($ua, $request, $lines);
}

# The answer to an order document: "Status text".
sub answer {
    my $r = order_reply(order_document(@_));
    my ($text) = $r->content =~ m{<Status[^>]*?(?:/>|>(.*?)</Status>)}s;
    return status_of($r) . ' ' . ($text || '');
}
sub types { return [map { $_->{body}{type} =~ /([a-z]+)$/ ? $1 : '?' } events($_[0])] }
sub quantities { return [map { $_->{quantity} } @{ (events($_[0]))[-1]{body}{data}{charges} }] }
sub state_of { my ($ua, $request) = @_; return request_state($ua, $request)->{state} }
sub becomes { my ($ua, $request, $state) = @_; wait_for(15, sub { state_of($ua, $request) eq $state }); return state_of($ua, $request) }
sub hears { my ($request, $n) = @_; wait_for(15, sub { my @e = events($request); @e >= $n ? 1 : undef }); return types($request) }
sub quiet { my $request = shift; sleep 0.5; return types($request) }
sub line_of { my ($line, %changed) = @_; return { %$line, %changed } }

# ---- a change of quantity -------------------------------------------------------------------------------------------
my ($ua, $request, $lines) = requested('acme', offer => 'off-year', quantity => 2);
my $po = order_id();
my $first = payload_id();
like answer(id => $po, payload => $first, lines => $lines), qr/^200/, 'an order is taken';
is becomes($ua, $request, 'active'), 'active', 'and the subscription is active';

my $more = [line_of($lines->[0], quantity => 5)];
my $change = payload_id();
my @change = (id => $po, type => 'update', version => 2, payload => $change, lines => $more);
like answer(@change), qr/^200/, 'an update with more is taken';
is_deeply hears($request, 2), [qw(approved changed)], 'the backend hears of the change';
is_deeply quantities($request), ['5'], 'with the new quantity';
my $told = (events($request))[-1]{body}{data};
is $told->{orders}[0]{version}, '2', 'and version';
is $told->{orders}[0]{payloadID}, $change, 'and payloadID of the update';
is scalar(@{ $told->{orders} }), 1, 'of one purchase order';
is state_of($ua, $request), 'active', 'it stays active';
is request_state($ua, $request)->{charges}[0]{quantity}, '5', 'its page shows what is ordered';
is ledger("SELECT quantity FROM charge JOIN request ON seq = charge.request WHERE id = '$request'"), '2', 'the cart is kept as it was';

like answer(@change), qr/^200/, 'the same document again is taken for what it is';
like answer(@change, payload => payload_id()), qr/^200/, 'and so is the same content in another';
like answer(@change, payload => payload_id(), lines => [line_of($lines->[0], quantity => 6)]), qr/^409 .*higher orderVersion/,
    'the same version with other content is refused';
like answer(id => $po, type => 'update', version => 1, lines => $lines), qr/^409 .*version 2 .*was taken already/, 'a lower version is refused';
like answer(id => $po, payload => $first, lines => $lines), qr/^200/, 'the first order again gets its answer of before';
is_deeply quiet($request), [qw(approved changed)], 'and nothing of all that reaches the backend';
is ledger("SELECT group_concat(version || type) FROM (SELECT version, type FROM purchase_order WHERE order_id = '$po' ORDER BY seq)"),
    '1new,2update', 'each document that was new is kept';

my @fewer = (id => $po, type => 'update', lines => [line_of($lines->[0], quantity => 1)]);
like answer(@fewer), qr/^200/, 'an update without a version, with fewer, is the next one';
is_deeply hears($request, 3), [qw(approved changed changed)], 'the backend hears of it';
is_deeply quantities($request), ['1'], 'with the new quantity';
is ledger("SELECT max(version) FROM purchase_order WHERE order_id = '$po'"), '3', 'as version 3';
like answer(@fewer), qr/^200/, 'sent again it is nothing new';
like answer(id => $po, type => 'update', version => 10, lines => $lines), qr/^200/, 'version 10 follows version 3';
is_deeply hears($request, 4), [qw(approved changed changed changed)], 'as a change';
like answer(id => $po, type => 'update', version => 11, lines => $lines), qr/^200/, 'a version that changes nothing is taken';
like answer(id => $po, type => 'update', version => 12, lines => [line_of($lines->[0], price => '1.00')]),
    qr/^409 .*UnitPrice is 1\.00 USD, the cart said 1200\.00 USD/, 'another price is refused';
is_deeply quiet($request), [qw(approved changed changed changed)], 'and neither reaches the backend';
like answer(id => order_id(), type => 'update', lines => $lines), qr/^417 .*type=&quot;new&quot;|^417 .*type="new"/, 'an update of an unknown order says what to send';

# ---- by DocumentReference, with a line more and a line less ------------------------------------------------------------
my ($ua2, $request2, $lines2) = requested('acme', offer => 'off-year');
my ($other_ua, $other, $other_lines) = requested('acme', offer => 'off-payg', budget => '9.25');
my $po2 = order_id();
my $named = payload_id();
answer(id => $po2, payload => $named, lines => $lines2);
becomes($ua2, $request2, 'active');
sub with_reference { my ($document, $payload) = @_; $document =~ s{(</OrderRequestHeader>)}{<DocumentReference payloadID="$payload"/>$1}; return $document }
is status_of(order_reply(with_reference(order_document(id => $po2, type => 'update', lines => [@$lines2, @$other_lines]), $named))), 200,
    'an update that names the order by its payloadID may add a line';
is becomes($other_ua, $other, 'active'), 'active', 'which approves the request behind it';
is_deeply hears($other, 1), ['approved'], 'the backend hears of that one';
is_deeply quiet($request2), ['approved'], 'and nothing of the one that did not change';
my $wrong = order_reply(with_reference(order_document(id => $po2, type => 'update', lines => $lines2), $first));
is status_of($wrong), 409, 'a reference to another order is refused';
like $wrong->content, qr/names order \Q$po\E/, 'by name';
like answer(id => $po2, type => 'update', lines => $other_lines), qr/^200/, 'an update that leaves out a line is taken';
is becomes($ua2, $request2, 'cancelled'), 'cancelled', 'and cancels the request behind it';
is_deeply hears($request2, 2), [qw(approved cancelled)], 'the backend hears of that';
is_deeply quantities($request2), ['0'], 'nothing is ordered of it any more';
is state_of($other_ua, $other), 'active', 'the other one stays';

# ---- delete ----------------------------------------------------------------------------------------------------------
my $deleted = payload_id();
like answer(id => $po, type => 'delete', payload => $deleted, lines => $lines), qr/^200/, 'a delete is taken';
is becomes($ua, $request, 'cancelled'), 'cancelled', 'the request is cancelled';
is_deeply hears($request, 5), [qw(approved changed changed changed cancelled)], 'the backend hears of it';
my $gone = (events($request))[-1]{body}{data};
is $gone->{orders}[0]{payloadID}, $deleted, 'with the document that cancelled it';
is $gone->{approvals}[0]{state}, 'cancelled', 'and the state of its approval';
like answer(id => $po, type => 'delete', lines => $lines), qr/^200/, 'a delete sent again is nothing new';
like answer(id => $po, type => 'update', version => 20, lines => $lines), qr/^409 .*was cancelled/, 'nothing changes a deleted order';
like answer(id => order_id(), lines => $lines), qr/^409 .*return a new cart/, 'what was cancelled is not ordered again';
like answer(id => $po, lines => $lines), qr/^409 .*return a new cart/, 'not under its old number either';
like answer(id => $po, payload => $first, lines => $lines), qr/^200/, 'a late repetition of the first document gets its answer of before';
is_deeply quiet($request), [qw(approved changed changed changed cancelled)], 'and the backend hears no more';
like answer(id => order_id(), type => 'delete', lines => $lines), qr/^417 /, 'a delete of an unknown order says so';
like answer(id => $po2, type => 'delete', buyer => 'globex', lines => $other_lines), qr/^417 /, "nobody deletes another buyer's order";

# too late: the operator's tools end a subscription, here the ledger is told
my ($late_ua, $late, $late_lines) = requested('acme', offer => 'off-year');
my $late_po = order_id();
answer(id => $late_po, lines => $late_lines);
becomes($late_ua, $late, 'active');
system('sqlite3', ledger_file(), "PRAGMA busy_timeout=10000; UPDATE request SET state = 6 WHERE id = '$late'") == 0 or die 'sqlite3';
like answer(id => $late_po, type => 'delete', lines => $late_lines), qr/^409 .*too late/, 'a delete after the end is too late';
is state_of($late_ua, $late), 'ended', 'and changes nothing';
is_deeply quiet($late), ['approved'], 'the backend hears nothing';

# ---- two approvals on two purchase orders -------------------------------------------------------------------------------
my ($both_ua, $both, $both_lines) = requested('acme', offer => 'off-both', budget => '500');
my ($po_a, $po_b) = (order_id(), order_id());
my ($payload_a, $payload_b) = (payload_id(), payload_id());
answer(id => $po_a, payload => $payload_a, lines => [$both_lines->[0]]);
answer(id => $po_b, payload => $payload_b, lines => [$both_lines->[1]]);
is becomes($both_ua, $both, 'active'), 'active', 'two approvals on two purchase orders';
my $orders = (events($both))[0]{body}{data}{orders};
is_deeply [map { $_->{id} } @$orders], [$po_a, $po_b], 'the event lists both';
is_deeply [map { $_->{payloadID} } @$orders], [$payload_a, $payload_b], 'with their payloadIDs';
is $orders->[0]{shipTo}{city}, 'Testville', 'and all that the earlier one said';
t_start_error_log_watch();
like answer(id => $po_a, type => 'delete', lines => [$both_lines->[0]]), qr/^200/, 'one of them is deleted';
my @alarm = grep { /PO0153: request \Q$both\E is held/ } t_finish_error_log_watch();
is state_of($both_ua, $both), 'held', 'the request is held: what is left was not asked for alone';
is scalar(@alarm), 1, 'and the operator alarmed';
is_deeply [map { $_->{state} } @{ request_state($both_ua, $both)->{charges} }], [qw(cancelled ordered)], 'the other approval stays';
is_deeply quiet($both), ['approved'], 'the backend hears nothing yet';
like answer(id => $po_b, type => 'delete', lines => [$both_lines->[1]]), qr/^200/, 'then the other one';
is becomes($both_ua, $both, 'cancelled'), 'cancelled', 'and the request is cancelled';
is_deeply hears($both, 2), [qw(approved cancelled)], 'which the backend hears';

my ($part_ua, $part, $part_lines) = requested('acme', offer => 'off-both', budget => '500');
my $part_po = order_id();
answer(id => $part_po, lines => [$part_lines->[0]]);
like answer(id => $part_po, type => 'delete', lines => [$part_lines->[0]]), qr/^200/, 'an order is deleted before the second approval came';
is state_of($part_ua, $part), 'cancelled', 'the request is cancelled';
like answer(id => order_id(), lines => [$part_lines->[1]]), qr/^409 .*return a new cart/, 'its other approval is not ordered any more';
is_deeply quiet($part), [], 'the backend never hears of it';

# ---- the rules of repetition ----------------------------------------------------------------------------------------------
my ($rep_ua, $rep, $rep_lines) = requested('acme', offer => 'off-year');
my ($rep2_ua, $rep2, $rep2_lines) = requested('acme', offer => 'off-year');
my ($rep_po, $rep_payload) = (order_id(), payload_id());
like answer(id => $rep_po, payload => $rep_payload, lines => [line_of($rep_lines->[0], quantity => 9)]), qr/^409 /, 'a refused order';
like answer(id => $rep_po, payload => $rep_payload, lines => $rep_lines), qr/^200/, 'is judged afresh when it comes corrected';
like answer(id => $rep_po, payload => $rep_payload, lines => $rep_lines), qr/^200/, 'the same document again is answered as before';
like answer(id => $rep_po, lines => $rep_lines), qr/^200/, 'so is the same content under another payloadID';
like answer(id => $rep_po, lines => $rep2_lines), qr/^409 .*received before with other content/, 'other content under the same order id is refused';
like answer(id => order_id(), lines => $rep_lines), qr/^409 .*already ordered by order \Q$rep_po\E/, 'a charge that is ordered is refused by name of its order';
t_start_error_log_watch();
like answer(id => order_id(), payload => $rep_payload, lines => $rep2_lines), qr/^200/, 'a payloadID with other content is a new document';
is scalar(grep { /PO0154: payloadID \Q$rep_payload\E/ } t_finish_error_log_watch()), 1, 'and logged';
is arrived($rep, 15), 1, 'the backend got one event for the first';
is arrived($rep2, 15), 1, 'and one for the second';

# ---- test mode ------------------------------------------------------------------------------------------------------------
my ($test_ua, $test, $test_lines) = requested('initech', offer => 'off-year');
my $test_po = order_id();
answer(buyer => 'initech', id => $test_po, lines => $test_lines);
like answer(buyer => 'initech', id => $test_po, type => 'update', lines => [line_of($test_lines->[0], quantity => 4)]), qr/^200/, 'a test order may change';
is state_of($test_ua, $test), 'tested', 'and stays a test';
like answer(buyer => 'initech', id => $test_po, type => 'delete', lines => $test_lines), qr/^200/, 'and be deleted';
is state_of($test_ua, $test), 'cancelled', 'which its page shows';
is scalar(events($test)), 0, 'the production backend never hears of it';
like answer(id => $rep_po, type => 'delete', test => 1, lines => $rep_lines), qr/^417 /, 'a test document does nothing to an order in production';

# ---- what the buyer says about documents --------------------------------------------------------------------------------------
sub status_update {
    my ($payload, $text, %o) = @_;
    return status_of(post_cxml(base_url() . '/punchout/order', request_document("<StatusUpdateRequest><DocumentReference payloadID=\"$payload\"/>"
        . "<Status code=\"200\" text=\"OK\">$text</Status></StatusUpdateRequest>", %o)));
}
my $cart = ledger("SELECT cart_payload FROM request WHERE id = '$rep'");
is status_update($rep_payload, 'Order seen'), 200, 'a status of an order is taken';
is status_update($cart, 'Cart in approval'), 200, 'and one of a cart';
is status_update('nothing-of-ours', 'Unknown'), 200, 'and one of something unknown';
is status_update($cart, 'Not mine', buyer => 'globex'), 200, "and another buyer's";
is_deeply [map { $_->{status} } @{ request_state($rep_ua, $rep)->{statusUpdates} }], ['200 Order seen', '200 Cart in approval'],
    'the request shows what its buyer said about its documents';
is request_state($rep_ua, $rep)->{statusUpdates}[1]{document}, $cart, 'and about which';
like $rep_ua->get(base_url() . "/punchout/requests/$rep")->content, qr/Cart in approval/, 'so does its page';
is state_of($rep_ua, $rep), 'active', 'it changes no state';
is_deeply quiet($rep), ['approved'], 'and tells the backend nothing';

Test::More::done_testing();
