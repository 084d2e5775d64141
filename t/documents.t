# Documents to the buyer: what becomes of an order, sent until the buyer has it, and what his answer means. Needs no server of
# Apache::Test: it starts an httpd of its own, with short pauses.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(encode_json);
use PunchoutTest;
use PunchoutTest::Httpd ();
use PunchoutTest::Parties;
use Test::More;
use Time::HiRes qw(sleep time);

my $server = PunchoutTest::Httpd->new('shop');
my $root = $server->root;
my $parties = "$root/parties";
mkdir $parties;
mkdir "$parties/receiver";
my $backend = PunchoutTest::Parties::start_backend($parties, 'backend', PunchoutTest::Parties::free_port());
my $port = PunchoutTest::Parties::free_port();
sub start_receiver { PunchoutTest::Parties::start($parties, 'receiver', $port, $^X, "$FindBin::Bin/lib/PunchoutTest/receiver.pl", $port, "$parties/receiver") }
start_receiver();
END { if (defined $parties) { local $?; PunchoutTest::Parties::stop($parties, $_) for qw(backend receiver) } }
{
    no warnings 'redefine';
    *PunchoutTest::base_url = *main::base_url = sub { return $server->url('shop') };
    *PunchoutTest::parties_dir = *main::parties_dir = sub { return $parties };
    *PunchoutTest::ledger_file = *main::ledger_file = sub { return "$root/state/ledger.db" };
}

# ---- buyers ----------------------------------------------------------------------------------------------------------------

my $nobody = PunchoutTest::Parties::free_port();
sub block {
    my ($name, @lines) = @_;
    return ("<PunchOutBuyer $name>", "PunchOutCredential DUNS $name", 'PunchOutReturnHosts buyer.example', @lines, '</PunchOutBuyer>');
}
sub post_to { return "PunchOutPost http://127.0.0.1:$port/$_[0] confirmation" }
my @production = ('PunchOutSharedSecret in-secret', 'PunchOutDeployment production');
my $dtds = ($ENV{PUNCHOUT_SHARED} || '') . '/dtd';
my @validate;
if (-f "$dtds/Fulfill.dtd") {
    mkdir "$root/$_" for qw(dtd dtd/1.2.014 dtd/1.2.063 dtd/1.2.071);
    symlink("$dtds/legacy/1.2.014-cXML.dtd", "$root/dtd/1.2.014/cXML.dtd");
    symlink("$dtds/legacy/1.2.063-Fulfill.dtd", "$root/dtd/1.2.063/Fulfill.dtd");
    symlink("$dtds/Fulfill.dtd", "$root/dtd/1.2.071/Fulfill.dtd");
    @validate = 'PunchOutValidate dtd refuse';
}
my @confirmations = ('PunchOutDocuments confirmation', 'PunchOutPostDTD 1.2.063');
my ($rc, $out) = $server->run($server->configuration(
    'PunchOutDelivery first=20ms longest=60ms for=7d concurrency=2', 'PunchOutStartPage /shop/',
    "PunchOutFulfillment http://127.0.0.1:$backend/subscriptions",
    '<PunchOutHub network>', 'PunchOutSender NetworkID AN01000000200', 'PunchOutSharedSecret hub-secret', post_to('network'), '</PunchOutHub>',
    block('acme', @production, @confirmations, post_to('acme'), 'PunchOutPostSecret out-se<ret'),
    block('lenient', @production, 'PunchOutDocuments confirmation', 'PunchOutPostDTD 1.2.071', post_to('lenient'), 'PunchOutOrderMismatch accept'),
    block('tester', 'PunchOutSharedSecret in-secret', @confirmations, post_to('tester')),
    block('down', @production, @confirmations, "PunchOutPost http://127.0.0.1:$nobody/down confirmation"),
    block('member', @production[1 .. 1], @confirmations, 'PunchOutVia network'),
    block('silent', @production, 'PunchOutProfile coupa', post_to('silent')),
    $server->site('shop', 'ProxyPass /punchout !', "ProxyPass / http://127.0.0.1:$backend/", @validate)), '-k', 'start');
is $rc, 0, 'httpd starts' or diag $out;

# ---- what a buyer does -------------------------------------------------------------------------------------------------------

sub who { my ($name, %o) = @_; return (from => ['DUNS', $name], secret => 'in-secret', return => 'https://buyer.example/cart', %o) }
sub requested {
    my ($name, %o) = @_;
    my $lines = lines_from(request_approval(open_session(who($name, %o)), offer => 'off-year'));
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    return ($lines->[0], $request);
}
my $orders = 0;
sub order { my ($name, $lines, %o) = @_; my $id = "DOC-" . ++$orders; is status_of(order_reply(order_document(who($name), id => $id, lines => $lines, %o))), 200, "order of $name is taken"; return $o{id} || $id }
sub ordered { my ($name, %o) = @_; my ($line, $request) = requested($name, %o); my $id = order($name, [$line], %o); return ($request, $id, $line) }
sub says { my ($name, $http, $body, @headers) = @_; PunchoutTest::Parties::spew("$parties/receiver/$name.answer", join("\n", $http, @headers, '', $body)) }
sub cxml { my ($code, $text) = @_; return "<cXML><Response><Status code=\"$code\" text=\"no\">$text</Status></Response></cXML>" }
sub takes { unlink "$parties/receiver/$_[0].answer" }
# Everything that was posted to that address, oldest first: the whole requests.
sub received { my @files = sort { ($a =~ /-(\d+)\./)[0] <=> ($b =~ /-(\d+)\./)[0] } glob "$parties/receiver/$_[0]-*.http"; return map { PunchoutTest::Parties::slurp($_) } @files }
# What came about one order; waits until there are that many.
sub about { my ($name, $order, $many) = @_; wait_for(10, sub { my @r = grep { /orderID="\Q$order\E"/ } received($name); @r >= $many ? @r : undef }); return grep { /orderID="\Q$order\E"/ } received($name) }
sub payload_of { return $_[0] =~ /payloadID="([^"]+)"/ ? $1 : '' }
sub outbox { my ($request, $what) = @_; return ledger("SELECT $what FROM outbox WHERE class = 2 AND request = '$request' ORDER BY seq") }
sub ends { my ($request, $state, $name) = @_; wait_for(10, sub { outbox($request, 'state') eq $state }); is outbox($request, 'state'), $state, $name }
sub state_of { return ledger("SELECT state FROM request WHERE id='$_[0]'") }
sub ctl { my @words = (@_, '--ledger', "$root/state/ledger.db", '--site', ledger('SELECT site FROM request LIMIT 1')); my $text = qx{'$FindBin::Bin/../punchoutctl' @{[ join ' ', map { "'$_'" } @words ]} 2>&1}; return ($? >> 8, $text) }
sub log_text { return PunchoutTest::Parties::slurp("$root/logs/error_log") }

# ---- accept --------------------------------------------------------------------------------------------------------------------
my ($request, $order, $line) = ordered('acme');
my ($sent) = about('acme', $order, 1);
like $sent, qr{<ConfirmationHeader type="accept" confirmID="cnf-\w+" noticeDate="[^"]+">}, 'an order that is ready is accepted';
like $sent, qr{<OrderReference orderID="$order" orderDate="2026-11-23T10:00:00\+00:00"><DocumentReference payloadID="[^"]+\@buyer.example"/>}, 'by its number, date and payloadID';
unlike $sent, qr/ConfirmationItem/, 'as a whole';
like $sent, qr{^content-type: text/xml; charset=UTF-8\r$}im, 'as cXML over HTTP';
like $sent, qr{<From><Credential domain="DUNS"><Identity>market-1<.*<To><Credential domain="DUNS"><Identity>acme<}, 'from us to the buyer';
like $sent, qr{<Sender>.*<SharedSecret>out-se&lt;ret</SharedSecret>}, 'with PunchOutPostSecret';
like $sent, qr{schemas/cXML/1\.2\.063/Fulfill\.dtd}, 'by the DTD of PunchOutPostDTD';
ends($request, 1, 'and is delivered');
is ledger("SELECT kind || outgoing FROM document WHERE payload_id = '" . payload_of($sent) . "'"), 'ConfirmationRequest1', 'the ledger keeps the document';
SKIP: {
    skip 'PUNCHOUT_SHARED does not name a folder that holds dtd/', 1 unless @validate;
    PunchoutTest::Parties::spew("$root/sent.xml", (split /\r\n\r\n/, $sent, 2)[1] =~ s/<!DOCTYPE[^>]*>//r);
    is `xmllint --nonet --noout --dtdvalid '$dtds/legacy/1.2.063-Fulfill.dtd' '$root/sent.xml' 2>&1`, '', 'it is valid by its DTD';
}

# ---- the buyer says something about it ---------------------------------------------------------------------------------------------
my $update = request_document('<StatusUpdateRequest><DocumentReference payloadID="' . payload_of($sent) . '"/><Status code="200" text="OK">posted</Status></StatusUpdateRequest>', who('acme'));
is status_of(order_reply($update)), 200, 'a StatusUpdateRequest about our document is taken';
is ledger("SELECT count(*) FROM request_document WHERE request = '$request'"), 1, 'and kept with the request that it was about';

# ---- another quantity: an update -------------------------------------------------------------------------------------------------------
order('acme', [{ %$line, quantity => 2 }], id => $order, type => 'update', version => 2);
my ($first, $second) = about('acme', $order, 2);
like $second, qr{<ConfirmationHeader type="accept" confirmID="(cnf-\w+)" operation="update".*<DocumentReference payloadID="\Q@{[ payload_of($first) ]}\E"/>}, 'a changed order that is ready is confirmed again, in place of the first';
my ($confirm_id) = $first =~ /confirmID="([^"]+)"/;
like $second, qr/confirmID="$confirm_id"/, 'under the same confirmID';
order('acme', [{ %$line, quantity => 2 }], id => $order, type => 'delete', version => 3);
wait_for(10, sub { ledger("SELECT count(*) FROM outbox WHERE class = 0 AND state = 1 AND request = '$request'") == 3 });
is ledger("SELECT count(*) FROM document WHERE kind = 'ConfirmationRequest' AND outgoing"), 2, 'an order that its buyer takes back is not confirmed';

# ---- the operator takes back what is ordered ----------------------------------------------------------------------------------------
($request, $order) = ordered('acme');
about('acme', $order, 1);
is +(ctl(qw(requests cancel), $request, '--reason', 'Asked for by phone'))[0], 0, 'the operator cancels a request that is ordered';
like +(about('acme', $order, 2))[-1], qr{type="reject" confirmID="[^"]+" operation="update".*Asked for by phone}, 'and its purchase order is rejected, in place of what was said before';

# ---- reject ---------------------------------------------------------------------------------------------------------------------------------
backend_answers(422, '{"detail":"The account is closed"}');
($request, $order) = ordered('acme');
($sent) = about('acme', $order, 1);
like $sent, qr{type="reject".*<Comments xml:lang="en">The account is closed</Comments>}, "an order that the backend refuses is rejected with the backend's reason";
unlike $sent, qr/ConfirmationItem/, 'as a whole';

# ---- except: two requests, one fails -----------------------------------------------------------------------------------------------------------
backend_answers(202, '{}');
my @both = map { [requested('acme')] } 1, 2;
$order = order('acme', [map { $_->[0] } @both]);
my @events = map { my $id = $_->[1]; wait_for(10, sub { events($id) }) } @both;
wait_for(10, sub { !grep { state_of($_->[1]) ne '4' } @both });
backend_answers();
sub late { my ($event, $answer) = @_; my $c = $event->{body}{data}{callback}; return browser()->post($c->{url}, Authorization => "Bearer $c->{token}", Content => encode_json($answer))->code }
is late($events[0], { status => 'active' }), 200, 'the first of two requests is ready';
is scalar(grep { /orderID="$order"/ } received('acme')), 0, 'nothing is said while the other is open';
is ledger("SELECT count(*) FROM confirmation WHERE order_id = '$order'"), 0, 'nor queued';
is late($events[1], { status => 'failed', reason => 'No licences <left>' }), 200, 'the second fails';
($sent) = about('acme', $order, 1);
like $sent, qr{type="except".*lineNumber="1"><UnitOfMeasure>EA</UnitOfMeasure><ConfirmationStatus quantity="1" type="accept"><UnitOfMeasure>EA</UnitOfMeasure></ConfirmationStatus>}, 'then the first line is accepted';
like $sent, qr{lineNumber="2">.*type="reject"><UnitOfMeasure>EA</UnitOfMeasure><Comments xml:lang="en">No licences &lt;left&gt;</Comments>}, 'and the second rejected, with the reason';

# ---- taken in spite of a difference ----------------------------------------------------------------------------------------------------------------
($line, $request) = requested('lenient');
$order = order('lenient', [{ %$line, price => '1000.00' }]);
($sent) = about('lenient', $order, 1);
like $sent, qr{type="except".*<Comments xml:lang="en">line 1: UnitPrice is 1000\.00 USD, the cart said 1200\.00 USD</Comments>}, 'an order that was accepted in spite of a difference names line and both values';
like $sent, qr{<ConfirmationStatus quantity="1" type="accept">}, 'and accepts the line';
like $sent, qr{<SharedSecret>in-secret</SharedSecret>}, 'without PunchOutPostSecret the buyer\'s shared secret proves who we are';

# ---- test mode, hub, a buyer that takes none -----------------------------------------------------------------------------------------------------------
($request, $order) = ordered('tester');
($sent) = about('tester', $order, 1);
like $sent, qr{<Request deploymentMode="test"><ConfirmationRequest><ConfirmationHeader type="accept"}, 'a test is confirmed as a test';
my %hub = (sender => ['NetworkID', 'AN01000000200'], secret => 'hub-secret');
($request, $order) = ordered('member', %hub);
($sent) = about('network', $order, 1);
like $sent, qr{<To>.*<Identity>member<.*<SharedSecret>hub-secret<}, "a member's documents go to its hub's address with the hub's secret";
($request, $order) = ordered('silent');
wait_for(10, sub { state_of($request) eq '5' });
is state_of($request), 5, 'an order of a system that takes no confirmations is ready';
is outbox($request, 'count(*)'), 0, 'and none is queued';

# ---- one buyer is down ---------------------------------------------------------------------------------------------------------------------------------------
my ($waiting) = ordered('down');
wait_for(10, sub { log_text() =~ /PO0341: document \S+ could not be sent to buyer down/ });
($request, $order) = ordered('acme');
is scalar(about('acme', $order, 1)), 1, 'a buyer that is down holds up no other';
is outbox($waiting, 'state'), 0, 'what is for him waits';
like outbox($waiting, 'answer'), qr/buyer down could not be reached/, 'and says why';

# ---- what answers mean ------------------------------------------------------------------------------------------------------------------------------------------
says('acme', 503, 'busy');
($request, $order) = ordered('acme');
about('acme', $order, 2);
takes('acme');
ends($request, 1, '503 is tried again until it is taken');
my %ids = map { payload_of($_) => 1 } about('acme', $order, 3);
is scalar(keys %ids), 1, 'under the same payloadID';

PunchoutTest::Parties::stop($parties, 'receiver');
($request, $order) = ordered('acme');
wait_for(10, sub { outbox($request, 'answer') =~ /could not be reached/ });
is outbox($request, 'state'), 0, 'a document waits for a buyer that is away';
$_ eq "$parties/receiver" or unlink for glob "$parties/receiver/*.http";     # the receiver counts from 1 again
start_receiver();
ends($request, 1, 'and arrives when he is back');

my @final = (
    [417, cxml(417, 'unknown PO'), '3', qr/Status 417 \(no: unknown PO\)/, 'a document that the buyer will never take is refused for good'],
    [401, cxml(401, 'bad secret'), '2', qr/Status 401 \(no: bad secret\).*PunchOutPostSecret/, 'a wrong secret parks it'],
    [401, cxml(401, 'out-se&lt;ret is unknown'), '2', qr/Status 401 \(his words repeat the secret/, 'an answer that repeats the secret is not kept'],
    [200, '<html>welcome</html>', '2', qr/without a cXML Response; perhaps it was taken/, 'an answer that is no cXML parks it'],
    [302, '', '2', qr/HTTP 302/, 'a redirect parks it', "Location: http://127.0.0.1:$port/elsewhere"],
    [200, cxml(406, 'not valid'), '3', qr/HTTP 200, Status 406/, 'the cXML Status counts more than HTTP'],
    [200, 'x' x 70000, '2', qr/perhaps it was taken/, 'an endless answer parks it'],
);
for (@final) {
    my ($http, $body, $state, $words, $name, @headers) = @$_;
    says('acme', $http, $body, @headers);
    ($request, $order) = ordered('acme');
    ends($request, $state, $name);
    like outbox($request, 'answer'), $words, "with the buyer's words";
    is scalar(about('acme', $order, 1)), 1, 'and is not tried again';
}
is scalar(received('elsewhere')), 0, 'a redirect is not followed';

# ---- an answer is lost: 417 may mean "I have it" ---------------------------------------------------------------------------------
says('acme', '000', '');
($request, $order) = ordered('acme');
about('acme', $order, 1);
wait_for(10, sub { outbox($request, 'doubt') eq '1' });
says('acme', 417, cxml(417, 'number already used'));
ends($request, 2, 'what is refused after an answer that was lost is parked, for the buyer may have it');
like outbox($request, 'answer'), qr/Status 417 .*a try that may have arrived.*outbox delivered/, 'and says so';
takes('acme');
my ($exit, $text) = ctl(qw(outbox delivered), outbox($request, 'key'));
is "$exit $text", '0 ' . outbox($request, 'key') . " counts as delivered; what is behind it goes out\n", 'the operator says that the buyer has it';
is outbox($request, 'state'), 1, 'and it is delivered';
($exit, $text) = ctl(qw(outbox delivered), outbox($request, 'key'));
like "$exit $text", qr/^1 .*no document to a buyer that is parked/, 'once';
like log_text(), qr/:error\].*PO0342: .*417/, 'the operator is told';

says('acme', 500, cxml(500, 'Unexpected server error'));
($request, $order) = ordered('acme');
ends($request, 2, 'what is answered 500 each time is parked in the end');
is scalar(about('acme', $order, 10)), 10, 'after ten tries';
like outbox($request, 'answer'), qr/Unexpected server error/, "with the buyer's words";
takes('acme');

# ---- one buyer hangs ------------------------------------------------------------------------------------------------------------------
my $before = () = received('lenient');
says('lenient', '001', '');
ordered('lenient') for 1, 2;
wait_for(10, sub { (() = received('lenient')) > $before });
($request, $order) = ordered('acme');
ends($request, 1, 'a buyer that takes a document and says nothing holds up no other');
is((() = received('lenient')) - $before, 1, 'and has one document at a time');

# ---- the secret -----------------------------------------------------------------------------------------------------------------------------------------------
my $bytes = join '', map { PunchoutTest::Parties::slurp($_) } glob "$root/state/ledger.db*";
like $bytes, qr/ConfirmationRequest/, 'the ledger holds documents';
unlike $bytes, qr/out-se|hub-secret|in-secret/, 'and no secret';
unlike log_text(), qr/out-se|hub-secret|in-secret/, 'nor does the log';

$server->stop;
done_testing();
