# punchoutctl explain says beforehand what the server answers, by the configuration that the same server dumps.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use LWP::UserAgent ();
use PunchoutTest::Httpd;
use Test::More;

my $build = "$FindBin::Bin/..";
my ($tool, $make_ledger) = map { -x "$build/$_" ? "$build/$_" : plan skip_all => "there is no $_: make it" } qw(punchoutctl t/unit/make_ledger);
my $server = PunchoutTest::Httpd->new('market');
my $root = $server->root;
my $site = $server->url('market');

spew("$root/$_->[0]", "$_->[1]\n") for ['secret', 'explain-secret'], ['network-secret', 'other-secret'];
chmod 0600, "$root/secret", "$root/network-secret";
sub buyer {
    my ($name, $identity, @lines) = @_;
    return ("<PunchOutBuyer $name>", "PunchOutCredential DUNS $identity", 'PunchOutReturnHosts buyer.example', 'PunchOutDeployment production',
        @lines, '</PunchOutBuyer>');
}
my $conf = $server->configuration($server->site('market', '<PunchOutHub network>', 'PunchOutSender DUNS network',
    'PunchOutSharedSecret file:network-secret', '</PunchOutHub>', buyer('direct', 'explain-1', 'PunchOutSharedSecret file:secret'),
    buyer('through', 'explain-2', 'PunchOutVia network'), buyer('unread', 'explain-3', 'PunchOutSharedSecret explain-secret')));
system($make_ledger, "$root/state/ledger.db", $site, 'direct') == 0 or BAIL_OUT('no ledger');
my ($rc, $out) = $server->run($conf, '-k', 'start');
is $rc, 0, 'httpd starts' or diag $out, slurp("$root/logs/error_log");
$ENV{PUNCHOUT_HTTPD_COMMAND} = $server->command;

# (exit status, Status, HTTP status, everything) of the tool
sub said {
    my $file = shift;
    my $text = `'$tool' explain '$file' 2>&1`;
    my $exit = $? >> 8;
    my ($status, $http) = $text =~ /^answer\s+Status (\d+).*HTTP (\d+)$/m;
    return ($exit, $status, $http, $text);
}

# (Status, HTTP status) of the server
sub answered {
    my $document = shift;
    my $r = LWP::UserAgent->new(timeout => 60)->post("$site/punchout/setup", 'Content-Type' => 'text/xml', Content => $document);
    my ($status) = $r->content =~ /<Status code="(\d+)"/;
    return ($status, $r->code);
}

my @files = sort glob "$FindBin::Bin/explain/*.xml";
cmp_ok scalar @files, '>=', 14, 'there are documents';
my %seen;
for my $file (@files) {
    my ($name) = $file =~ m{([^/]+)\.xml$};
    my ($exit, $status, $http, $text) = said($file);
    my ($real, $real_http) = answered(slurp($file));
    is $status, $real, "$name: the tool says the server's Status" or diag $text;
    is $http, $real_http, "$name: and its HTTP status";
    is $exit, $real =~ /^2/ ? 0 : 1, "$name: and ends with what a script may ask for";
    unlike $text, qr/explain-secret|guess-99/, "$name: and shows no secret";
    $seen{$real}++;
}
is_deeply [sort keys %seen], [200, 400, 401, 403, 406, 409, 412, 450], 'the documents show every kind of answer';

# ---- what changes with the ledger ------------------------------------------------------------------------------------

my (undef, $status, undef, $text) = said("$FindBin::Bin/explain/order.xml");
is $status, 200, 'an order that came before is answered again';
like $text, qr/^seen before\s+yes, .*order\@buyer\.example: the same order/m, 'and the tool says so';
(my $again = slurp("$FindBin::Bin/explain/order.xml")) =~ s/PO-1/PO-9/;
spew("$root/again.xml", $again);
(my $exit, $status, undef, $text) = said("$root/again.xml");
is "$exit $status", '1 409', 'a new order for the same charge would be refused';
like $text, qr/differs\s+.*already ordered by order PO-1/, 'because another one has it';
is +(answered($again))[0], 409, 'and is';
is +(stat "$root/state/$_")[4], (stat "$root/state/ledger.db")[4], "$_ belongs to the server's user still"
    for grep { -e "$root/state/$_" } qw(ledger.db-wal ledger.db-shm);

$server->stop;
done_testing();
