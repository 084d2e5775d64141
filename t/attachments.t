# A purchase order that comes with attachments is one like any other; of the attachments nothing is kept, logged or passed on.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use PunchoutTest;
use PunchoutTest::Parties;

my $type = 'multipart/related; boundary="=_b1"; type="text/xml"; start="<order@buyer.example>"';
my $secret = "quite-secret-plan-$$";

# Parts [header lines, content] as a body.
sub body { return join('', map { "--=_b1\r\n$_->[0]\r\n\r\n$_->[1]\r\n" } @_) . "--=_b1--\r\n" }
sub send_order { my ($type, $body) = @_; return browser()->post(base_url() . '/punchout/order', 'Content-Type' => $type, Content => $body) }

my $ua = open_session();
my $lines = lines_from(request_approval($ua, offer => 'off-year'));
my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
my $order = order_document(id => "PO-mime-$$", lines => $lines);
$order =~ s{(</BillTo>)}{$1<Comments>see <Attachment><URL>cid:plan\@buyer.example</URL></Attachment></Comments>};
my @parts = (["Content-Type: text/plain; name=\"$secret.txt\"\r\nContent-ID: <plan\@buyer.example>", $secret],
    ["Content-Type: text/xml; charset=UTF-8\r\nContent-ID: <order\@buyer.example>", $order],
    ["Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <pdf\@buyer.example>", encode_base64($secret x 5000)]);

my $cut = body(@parts);
substr($cut, -20) = '';
my $r = send_order($type, $cut);
is $r->code, 200, 'a body that was cut off is answered by cXML';
is status_of($r), 400, 'with Status 400';
like $r->content, qr/closing boundary/, 'that says why';
is request_state($ua, $request)->{state}, 'requested', 'and orders nothing';

t_start_error_log_watch();
$r = send_order($type, body(@parts));
is status_of($r), 200, 'an order with two attachments is taken';
my @log = t_finish_error_log_watch();
is scalar(grep { /PO0108: OrderRequest of buyer acme has 2 attachments, which are not kept: plan\@buyer\.example pdf\@buyer\.example/ } @log), 1,
    'the log counts them and names their content ids';
is arrived($request, 10), 1, 'the backend hears of it';
is status_of(send_order($type, body(@parts))), 200, 'the same again gets the same answer';
is status_of($r = send_order($type, '')), 400, 'an empty body is refused';
like $r->content, qr/no line with the boundary/, 'for what it is';

my $kept = join '', map { PunchoutTest::Parties::slurp($_) || '' } ledger_file(), glob(ledger_file() . '-*'), glob(parties_dir() . '/*/*'),
    Apache::Test::vars('t_logs') . '/error_log';
like $kept, qr/\Q$request\E/, 'the files that could hold the attachments were read';
unlike $kept, qr/\Q$secret\E/, 'and hold none of them: neither content nor file name';

# ---- the document itself in an encoding ---------------------------------------------------------------------------------
$ua = open_session();
$lines = lines_from(request_approval($ua, offer => 'off-year'));
($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
$order = order_document(id => "PO-mime64-$$", lines => $lines);
$r = send_order('multipart/mixed; boundary="=_b1"', body(["Content-Type: application/xml\r\nContent-Transfer-Encoding: base64", encode_base64($order)]));
is status_of($r), 200, 'a document in Base64 is taken too';
is arrived($request, 10), 1, 'and fulfilled';

Test::More::done_testing();
