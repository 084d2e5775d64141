# The operator's word by punchoutctl: what is held is released or refused, requests are cancelled, the outbox is mended.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use LWP::UserAgent ();
use PunchoutTest;
use Time::HiRes qw(sleep);

my $tool = "$FindBin::Bin/../punchoutctl";
-x $tool or plan skip_all => 'there is no punchoutctl: make it';
my @shop = (vhost => 'operator');
my $site = base_url('operator');
my $serial = 0;
sub order_id { return "OP-$$-" . ++$serial }

# (exit status, what it said) of the tool on the running server's ledger
sub ctl {
    my @words = map { s/'/'\\''/gr } @_, '--ledger', ledger_file(), '--site', $site;
    my $said = join ' ', map { "'$_'" } @words;
    my $text = `'$tool' $said 2>&1`;
    return ($? >> 8, $text);
}
sub says { my ($exit, $like, $name, @words) = @_; my ($got, $text) = ctl(@words); is $got, $exit, $name or diag $text; like $text, $like, "$name: and says so"; return $text }
sub requested {
    my %form = @_;
    my $ua = open_session(@shop);
    my $lines = lines_from(request_approval($ua, offer => 'off-year', account => 'acct-op-' . ++$serial, %form, @shop));
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    return ($ua, $request, $lines);
}
sub order { my $r = order_reply(order_document(@_), @shop); my ($text) = $r->content =~ m{<Status[^>]*?(?:/>|>(.*?)</Status>)}s; return status_of($r) . ' ' . ($text || '') }
sub state_of { my ($ua, $request) = @_; return request_state($ua, $request, @shop) }
sub becomes { my ($ua, $request, $state) = @_; wait_for(10, sub { state_of($ua, $request)->{state} eq $state }); is state_of($ua, $request)->{state}, $state, "the request becomes $state" }
sub types { return join ' ', map { $_->{body}{type} =~ /([a-z]+)$/ ? $1 : '?' } events($_[0]) }
sub hears { my ($request, $types) = @_; wait_for(10, sub { types($request) eq $types }); is types($request), $types, "the backend hears: $types" }
sub event_keys { my $request = shift; return split /\n/, ledger("SELECT key FROM outbox WHERE request = '$request' AND class = 0 ORDER BY seq") }
sub outbox_state { my $key = shift; return ledger("SELECT state FROM outbox WHERE key = '$key'") }
sub gets_state { my ($key, $state) = @_; return wait_for(10, sub { outbox_state($key) eq $state ? 1 : undef }) }
sub mailed { my ($request, $subject) = @_; my ($mail) = wait_for(10, sub { mails($request, $subject) }); return $mail }

# A held order of another quantity than its cart's: ($browser, $request, $order id, $lines).
sub held {
    my ($ua, $request, $lines) = requested();
    my $po = order_id();
    like order(id => $po, lines => [{ %{ $lines->[0] }, quantity => 3 }]), qr/^200 line 1: quantity is 3, the cart said 1/,
        'the Status of a held order names the line and both values';
    return ($ua, $request, $po, $lines);
}

# ---- held, then released --------------------------------------------------------------------------------------------
my ($ua, $request, $po) = held();
my $mail = mailed($request, 'Held');
like $mail, qr/line 1: quantity is 3, the cart said 1/, 'and so does its mail';
says(0, qr/^\Q$po\E .*yes/m, 'it is listed', qw(orders list --held));
says(0, qr/^requests +request \Q$request\E, state held/m, 'it is shown with its request', qw(orders show), $po);
says(0, qr/\Q$request\E is released/, 'it is released', qw(orders release), $po, '--buyer', 'acme');
becomes($ua, $request, 'active');
hears($request, 'approved');
my ($told) = events($request);
is $told->{body}{data}{orders}[0]{id}, $po, 'with its purchase order';
is $told->{body}{data}{charges}[0]{quantity}, '1', 'in the quantity of the cart, as PunchOutOrderMismatch accept would have it';
says(1, qr/Nothing of order \Q$po\E is held/, 'a second release has nothing to do', qw(orders release), $po);
hears($request, 'approved');
unlike +(ctl(qw(orders list --held)))[1], qr/\Q$po\E/, 'it is not listed any more';
says(0, qr/^decisions .*what release, id \Q$po\E, by \S+\@\S+, at .*is released/m, 'who decided stays on record', qw(requests show), $request);
my $shown = JSON::PP::decode_json((ctl(qw(orders show), $po, '--json'))[1]);
is_deeply [map { $_->{carriedOut} ? 1 : 0 } @{ $shown->{decisions} }], [1, 0], 'also for machines, with the one that was refused';

# ---- an update that is held, and what it leaves out --------------------------------------------------------------------
like order(id => $po, type => 'update', lines => [{ part => 'off-none', quantity => 1, price => '1.00', currency => 'USD', unit => 'EA' }]),
    qr/^200/, 'an update that names nothing of ours is held';
becomes($ua, $request, 'held');
is scalar(() = wait_for(10, sub { my @m = mails($request, 'Held'); @m == 2 ? @m : () })), 2, 'the second hold has a mail of its own';
says(0, qr/leaves nothing of it/, 'it is released', qw(orders release), $po);
becomes($ua, $request, 'cancelled');
hears($request, 'approved cancelled');

# ---- an update that leaves out two requests, decided one by one ------------------------------------------------------------
my @both = map { [requested()] } 1, 2;
$po = order_id();
order(id => $po, lines => [map { $_->[2][0] } @both]);
becomes(@$_[0, 1], 'active') for @both;
order(id => $po, type => 'update', lines => [{ part => 'off-none', quantity => 1, price => '1.00', currency => 'USD', unit => 'EA' }]);
becomes(@$_[0, 1], 'held') for @both;
for (@both) {
    says(0, qr/leaves nothing of it/, 'each is released by its own number', qw(orders release), $_->[1]);
    becomes(@$_[0, 1], 'cancelled');
}

# ---- held, then refused ------------------------------------------------------------------------------------------------
($ua, $request, $po) = held();
says(2, qr/--reason is no UTF-8/, 'a reason that is no text is refused', qw(orders refuse), $po, '--reason', "gek\xfcndigt");
says(0, qr/has failed/, 'an order is refused', qw(orders refuse), $po, '--reason', 'Not at this price');
becomes($ua, $request, 'failed');
is state_of($ua, $request)->{reason}, 'Not at this price', 'with the reason';
is state_of($ua, $request)->{charges}[0]{state}, 'cancelled', 'and nothing of it ordered';
like mailed($request, 'Could not be set up'), qr/Not at this price/, 'the mail says why';
is types($request), '', 'the backend hears nothing of what it never knew';
says(1, qr/is failed, not held|Nothing of order/, 'it can not be released then', qw(orders release), $po);
says(1, qr/is failed, not held/, 'nor by the number of its request', qw(orders release), $request);

# ---- a request is cancelled -----------------------------------------------------------------------------------------------
my $lines;
($ua, $request, $lines) = requested();
is +(split ' ', order(id => order_id(), lines => $lines))[0], 200, 'an order is taken';
becomes($ua, $request, 'active');
says(0, qr/is cancelled; the backend is told/, 'a request is cancelled', qw(requests cancel), $request, '--reason', 'Asked for by phone');
becomes($ua, $request, 'cancelled');
hears($request, 'approved cancelled');
like mailed($request, 'Cancelled'), qr/Asked for by phone/, 'with a mail';
says(0, qr/cancelled already/, 'to cancel it again changes nothing', qw(requests cancel), $request);
hears($request, 'approved cancelled');

# ---- parked, and tried again ------------------------------------------------------------------------------------------------
backend_answers(401, '{"detail":"token expired"}');
($ua, $request, $lines) = requested();
$po = order_id();
order(id => $po, lines => $lines);
my ($key) = event_keys($request);
ok gets_state($key, 2), 'an event is parked';
like order(id => $po, type => 'update', lines => [{ %{ $lines->[0] }, quantity => 2 }]), qr/^200/, 'its order is changed';
says(0, qr/^\Q$key\E .*parked.*token expired/m, 'it is listed with what the backend said', qw(outbox list --parked));
is types($request), 'approved', 'what is behind it waits';
backend_answers();
says(0, qr/goes out again/, 'it is tried again', qw(outbox retry), $key);
hears($request, 'approved approved changed');
becomes($ua, $request, 'active');
like mailed($request, 'Changed'), qr/2 x 1200\.00 USD/, 'the mail after a change says what is ordered now';
says(1, qr/delivered; there is nothing/, 'what is delivered is not sent again', qw(outbox retry), $key);

# ---- a parked order's event is dropped: .changed and .cancelled behind it ----------------------------------------------------
backend_answers(401, '{}');
my @dropped = map { [requested()] } 1 .. 2;
my @po = map { my $id = order_id(); order(id => $id, lines => $_->[2]); $id } @dropped;
my @key = map { (event_keys($_->[1]))[0] } @dropped;
ok gets_state($_, 2), 'an event is parked' for @key;
order(id => $po[0], type => 'update', lines => [{ %{ $dropped[0][2][0] }, quantity => 2 }]);
order(id => $po[1], type => 'delete', lines => $dropped[1][2]);
says(0, qr/is held: release it/, 'the first event is dropped before a .changed', qw(outbox drop), $key[0]);
says(0, qr/backend knows of nothing/, 'the first event is dropped before a .cancelled', qw(outbox drop), $key[1]);
backend_answers();
is join('', map { outbox_state($_) } map { event_keys($_->[1]) } @dropped), '3333', 'what was behind them is dropped, too';
becomes(@{ $dropped[0] }[0, 1], 'held');
becomes(@{ $dropped[1] }[0, 1], 'cancelled');
says(1, qr/release the request|release it instead/, 'the old event can not be sent any more', qw(outbox retry), $key[0]);
says(0, qr/is released/, 'the held one is released', qw(orders release), $dropped[0][1]);
becomes(@{ $dropped[0] }[0, 1], 'active');
is types($dropped[0][1]), 'approved approved', 'and the backend gets one new event of type approved';
is((events($dropped[0][1]))[-1]{body}{data}{charges}[0]{quantity}, '2', 'that says what is ordered now');
is types($dropped[1][1]), 'approved', 'of the cancelled one it hears nothing more';

# ---- a dropped and a refused cancellation --------------------------------------------------------------------------------
backend_answers(422, '{"detail":"It is in use"}');
order(id => $po[0], type => 'delete', lines => $dropped[0][2]);
ok wait_for(10, sub { state_of(@{ $dropped[0] }[0, 1])->{reason} =~ /refused the cancellation: It is in use/ }), 'a refused cancellation is told on the page';
is state_of(@{ $dropped[0] }[0, 1])->{state}, 'cancelled', 'of a request that stays cancelled';
ok wait_for(10, sub { grep { /It is in use/ } mails($dropped[0][1], 'Cancelled') }), 'and by mail';
my ($refused) = (event_keys($dropped[0][1]))[-1];
backend_answers();
says(0, qr/goes out again/, 'it can be tried again once the backend takes it', qw(outbox retry), $refused);
ok gets_state($refused, 1), 'and is delivered';
ok wait_for(10, sub { (state_of(@{ $dropped[0] }[0, 1])->{reason} || '') !~ /refused/ }), 'then the page does not say any more that it was refused';

# ---- answers that come late -------------------------------------------------------------------------------------------------
backend_answers(202, '{}');
($ua, $request, $lines) = requested();
$po = order_id();
order(id => $po, lines => $lines);
becomes($ua, $request, 'delivering');
backend_answers(422, '{"detail":"One is enough"}');
order(id => $po, type => 'update', lines => [{ %{ $lines->[0] }, quantity => 2 }]);
ok wait_for(10, sub { (state_of($ua, $request)->{reason} || '') =~ /One is enough/ }), 'a change is refused while the backend still works';
is state_of($ua, $request)->{state}, 'delivering', 'which leaves the request as it was';
backend_answers();
order(id => $po, type => 'delete', lines => $lines);
hears($request, 'approved changed cancelled');
my ($first) = events($request);
my $late = LWP::UserAgent->new->post($first->{body}{data}{callback}{url}, Authorization => "Bearer $first->{body}{data}{callback}{token}",
    'Content-Type' => 'application/json', Content => '{"status":"active"}');
is $late->code, 200, 'a late answer about a request that was cancelled is taken';
is JSON::PP::decode_json($late->content)->{state}, 'cancelled', 'and told how the request stands';

# ---- two tools and buyers at once ---------------------------------------------------------------------------------------------
my @held = map { [held()] } 1 .. 4;
my @pid;
for my $which (0, 1) {
    push @pid, fork();
    next if $pid[-1];
    my @exit = map { (ctl(qw(orders release), $held[$_][2]))[0] } $which ? (3, 2, 1, 0) : (0, 1, 2, 3);
    require POSIX;
    POSIX::_exit(grep({ $_ == 0 } @exit) == grep({ $_ != 1 } @exit) ? 0 : 1);
}
my @status = map { my (undef, undef, $l) = requested(); (split ' ', order(id => order_id(), lines => $l))[0] } 1 .. 6;
waitpid($_, 0) && is($?, 0, 'a tool gets an answer to each of its decisions') for @pid;
is_deeply \@status, [(200) x 6], 'no buyer notices that the tools write';
for (@held) {
    becomes(@$_[0, 1], 'active');
    is types($_->[1]), 'approved', 'what both release goes out once';
}
is ledger('SELECT count(*) FROM decision WHERE done = 0'), '0', 'every decision was carried out';

says(1, qr/There is no|there is no order/, 'an unknown order is told', qw(orders release NONE-1));
says(1, qr/there is no key/, 'an unknown key is told', qw(outbox drop evt-none));

Test::More::done_testing();
