# What a fulfillment backend may do: be down, refuse, answer late, and still each event arrives under one key.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(encode_json);
use PunchoutTest;
use PunchoutTest::Parties;


# Approved and ordered; ($browser, $request).
sub ordered {
    my %o = (buyer => 'acme', offer => 'off-year', account => 'acct-b', @_);
    my $ua = open_session(%o);
    my $lines = lines_from(request_approval($ua, offer => $o{offer}, account => $o{account}, vhost => $o{vhost}));
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    my $r = order_reply(order_document(%o, lines => $lines), vhost => $o{vhost});
    is status_of($r), 200, 'the order is taken';
    return ($ua, $request);
}
sub becomes {
    my ($ua, $request, $state, %o) = @_;
    my $s = wait_for($o{seconds} || 10, sub { my $s = request_state($ua, $request, %o); $s->{state} eq $state ? $s : undef });
    is $s ? $s->{state} : request_state($ua, $request, %o)->{state}, $state, "the request becomes $state";
    return $s;
}
sub say_late {
    my ($event, $answer, %o) = @_;
    my $token = exists $o{token} ? $o{token} : $event->{body}{data}{callback}{token};
    return browser()->post($event->{body}{data}{callback}{url}, 'Content-Type' => 'application/json',
        ($token ? (Authorization => "Bearer $token") : ()), Content => ref $answer ? encode_json($answer) : $answer);
}

# ---- 422: final ------------------------------------------------------------------------------------------------------------
backend_answers(422, '{"title":"No","detail":"The account is closed"}');
t_start_error_log_watch();
my ($ua, $request) = ordered();
my $s = becomes($ua, $request, 'failed');
like $s->{reason}, qr/The account is closed/, "with the backend's reason";
like $ua->get(base_url() . "/punchout/requests/$request")->content, qr/The account is closed/, 'on the page';
like ledger("SELECT reason FROM request WHERE id='$request'"), qr/The account is closed/, 'in the ledger';
like join('', t_finish_error_log_watch()), qr/The account is closed/, 'and in the log';
my ($failed) = wait_for(10, sub { mails($request, 'Could not be set up') });
like $failed, qr/^Reason:\s+The account is closed/m, 'and in a mail';
backend_answers();
is scalar(events($request)), 1, 'it is not tried again';

# ---- 401: parked ------------------------------------------------------------------------------------------------------------
backend_answers(401, '{"detail":"token expired"}');
t_start_error_log_watch();
($ua, $request) = ordered();
ok wait_for(10, sub { ledger("SELECT state FROM outbox WHERE channel='event' AND request='$request'") eq '2' ? 1 : undef }), 'an answer of 401 parks the event';
is request_state($ua, $request)->{state}, 'approved', 'and refuses nothing';
like join('', t_finish_error_log_watch()), qr/:error\].*PO03\d\d:.*401/, 'the operator is told';
backend_answers();
is scalar(events($request)), 1, 'it waits for the operator';
system('sqlite3', '-cmd', '.timeout 5000', ledger_file(), "UPDATE outbox SET state=0, tries=0, due=0 WHERE state=2 AND request='$request'");
becomes($ua, $request, 'active');

# ---- 202: the backend says later ------------------------------------------------------------------------------------------------
backend_answers(202, '{}');
($ua, $request) = ordered();
becomes($ua, $request, 'delivering');
backend_answers();
my ($event) = events($request);
is say_late($event, { status => 'active' }, token => undef)->code, 401, 'a late answer without its token is refused';
is say_late($event, { status => 'active' }, token => 'x' x 40)->code, 401, 'so is one with a wrong token';
is say_late($event, { status => 'perhaps' })->code, 400, 'and one that says nothing';
is say_late($event, { status => 'active', subscription => 'sub-77', url => 'https://market.example/s/77' })->code, 200, 'a late answer is taken';
$s = becomes($ua, $request, 'active');
is $s->{subscription}, 'sub-77', 'with its subscription';
is say_late($event, { status => 'active' })->code, 200, 'and taken again';
is say_late($event, { status => 'failed' })->code, 409, 'but not turned round';
ok wait_for(10, sub { mails($request, 'Approved') }), 'the mail goes out then';

backend_answers(202, '{}');
($ua, $request) = ordered();
becomes($ua, $request, 'delivering');
backend_answers();
($event) = events($request);
is say_late($event, { status => 'failed', reason => 'No licences left' })->code, 200, 'a late failure is taken';
like becomes($ua, $request, 'failed')->{reason}, qr/No licences left/, 'with its reason';

# ---- 503 now and then: the same key until it is done -----------------------------------------------------------------------------------
backend_answers(503, 'busy');
($ua, $request) = ordered();
ok wait_for(10, sub { events($request) >= 2 }), 'an answer of 503 is tried again';
backend_answers();
becomes($ua, $request, 'active');
my %keys = map { $_->{key} => 1 } events($request);
is scalar(keys %keys), 1, 'under the same Idempotency-Key';

# ---- a sandbox for tests, an account where one is required ---------------------------------------------------------------------------------
my $nobody = open_session(vhost => 'sandboxed');
is request_approval($nobody, offer => 'off-year', vhost => 'sandboxed')->code, 403, 'PunchOutAccount required refuses a request without one';
($ua, $request) = ordered(buyer => 'initech', vhost => 'sandboxed', account => 'acct-t');
becomes($ua, $request, 'tested', vhost => 'sandboxed');
is scalar(events($request, party => 'sandbox')), 1, 'a test goes to the sandbox';
is scalar(events($request)), 0, 'and never to the production backend';
is((events($request, party => 'sandbox'))[0]{body}{data}{mode}, 'test', 'and says what it is');
my ($mail) = wait_for(10, sub { mails($request, 'Approved') });
like $mail, qr/^Subject:.*TEST/m, 'so does its mail';
($ua, $request) = ordered(test => 1, account => 'acct-t');
is request_state($ua, $request)->{state}, 'tested', 'a test document of a production buyer stays a test';

# ---- down for 30 seconds ----------------------------------------------------------------------------------------------------------------------
my $dir = parties_dir();
my $port = PunchoutTest::Parties::slurp("$dir/backend.port");
my @requests;
{
    my @open = map { open_session() } 1 .. 3;
    my @lines = map { lines_from(request_approval($_, offer => 'off-year', account => 'acct-d')) } @open;
    PunchoutTest::Parties::stop($dir, 'backend');
    for my $i (0 .. $#open) {
        is status_of(order_reply(order_document(lines => $lines[$i]))), 200, 'orders are taken while the backend is down';
        push @requests, $lines[$i][0]{auxiliary} =~ /^(.*)\.1$/;
    }
    sleep 30;
    is scalar(map { events($_) } @requests), 0, 'nothing arrives anywhere';
    PunchoutTest::Parties::start_backend($dir, 'backend', $port);
    for (@requests) {
        my $id = $_;
        is arrived($id, 15), 1, 'after 30 seconds down the event arrives';
    }
}

Test::More::done_testing();
