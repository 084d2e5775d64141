# Coupa Open Buy's limits: calls of a buyer, wrong credentials, the life of a token; and what is answered while something
# can't be read. Starts an httpd of its own whose children serve one connection each, so that a test can tell them apart.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use LWP::UserAgent ();
use MIME::Base64 qw(encode_base64);
use PunchoutTest::Httpd;
use Test::More;
use Time::HiRes qw(sleep time);

my $server = PunchoutTest::Httpd->new(qw(market brief));
my @buyers = map { my ($name, @lines) = @$_;
    ("<PunchOutBuyer $name>", "PunchOutCredential NetworkID AN-$name", "PunchOutSharedSecret $name-secret", 'PunchOutReturnHosts buyer.example', @lines, '</PunchOutBuyer>') }
    ['acme', 'PunchOutOpenBuyRate 3'], ['globex', 'PunchOutOpenBuyRate none'], ['hooli', 'PunchOutOpenBuyRate 4'], ['initech'], ['umbrella'];
my ($rc, $said) = $server->run($server->configuration('StartServers 5', 'ServerLimit 8', 'MaxRequestWorkers 8',
    '<IfModule !prefork.c>', 'MinSpareThreads 4', 'MaxSpareThreads 8', 'ThreadsPerChild 1', 'ThreadLimit 1', '</IfModule>', 'LogLevel punchout:debug', @buyers,
    $server->site('market'), $server->site('brief', 'PunchOutOpenBuyToken 1s')), '-k', 'start');
is $rc, 0, 'httpd starts' or BAIL_OUT($said);
for (1 .. 100) { last if -s $server->root . '/logs/pid'; sleep 0.1 }

my $ua = LWP::UserAgent->new(timeout => 30);
sub call {
    my ($action, $body, %o) = @_;
    return $ua->post($server->url($o{site} || 'market', "punchout/openbuy/$action"), 'Content-Type' => 'application/json', Content => encode_json($body));
}
sub credentials { return { credentials => "$_[0]:$_[0]-secret", email => 'ines@buyer.example' } }
# What follows happens within one minute of the server's.
sub minute_with { my $left = 60 - time % 60; sleep $left + 0.1 if $left < $_[0] }

# ---- calls of a buyer ----------------------------------------------------------------------------------------------------

# A call of which one child has the first half, and so takes no other.
sub half_a_call {
    my $body = encode_json(credentials('acme'));
    my ($port) = $server->url('market') =~ /:(\d+)$/;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 30) or die "socket: $!";
    print $socket "POST /punchout/openbuy/authentication HTTP/1.1\r\nHost: 127.0.0.1:$port\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n" . substr($body, 0, 5);
    $socket->flush;
    return sub { print $socket substr($body, 5); local $/; my $answer = <$socket>; return $answer };
}
minute_with(20);
my $from = $server->log_size;
my @halves = map { my $half = half_a_call(); sleep 0.2; $half } 1 .. 4;
my @answers = map { $_->() } @halves;
is_deeply [map { m{^HTTP/1.1 (\d+)} } @answers], [200, 200, 200, 429], 'of four calls in a minute three are answered, whichever children take them';
my %pid = map { $_ => 1 } $server->log_since($from) =~ /\[pid (\d+)(?::tid \d+)?\][^\n]* PO02(?:14|21):/g;
cmp_ok scalar keys %pid, '>=', 3, 'and several did';
my ($wait) = $answers[3] =~ /^Retry-After: (\d+)\r$/m;
ok $wait && $wait >= 1 && $wait <= 60, 'the fourth says how long to wait';
like $answers[3], qr/^Content-Type: application\/json\r\n.*"status":429.*More than 3 calls in a minute/ms, 'and why';
is_deeply [map { call('authentication', credentials('globex'))->code } 1 .. 10], [(200) x 10], 'a buyer without a limit has none';
is call('authentication', credentials('acme'), site => 'brief')->code, 200, 'another site counts by itself';
is call('authentication', { %{ credentials('acme') }, credentials => 'acme:wrong' })->code, 401, 'a stranger\'s wrong credentials are not told of it';

minute_with(20);
my $token = decode_json(call('authentication', credentials('hooli'))->content)->{token};
is_deeply [map { call($_, { token => $token, query => 'log', source_part_num => 'off-year' })->code } qw(search detail search search)], [200, 200, 200, 429],
    'searches and details count like authentications';

# ---- wrong credentials ---------------------------------------------------------------------------------------------------

minute_with(30);
my @codes = map { call('authentication', { credentials => "globex:wrong-$_", email => 'ines@buyer.example' })->code } 1 .. 32;
is_deeply \@codes, [(401) x 30, 429, 429], 'after thirty wrong secrets for one name no more are looked at';
my $r = call('authentication', credentials('globex'));
is $r->code, 429, 'nor is the right one';
like $r->header('Retry-After'), qr/^\d+$/, 'which says how long to wait';
is $ua->post($server->url('market', 'punchout/openbuy/token'), { grant_type => 'client_credentials', client_id => 'globex', client_secret => 'globex-secret' })->code, 429, 'the OAuth door counts with it';
is call('authentication', { %{ credentials('hooli') }, credentials => 'hooli:wrong' })->code, 401, 'another name is looked at';
# each letter of the name as it is or encoded
sub encoded_client {
    my ($name, $n) = @_;
    my $id = join '', map { $n >> $_ & 1 ? sprintf '%%%02x', ord substr $name, $_, 1 : substr $name, $_, 1 } 0 .. length($name) - 1;
    return $ua->post($server->url('market', 'punchout/openbuy/token'), { grant_type => 'client_credentials' }, Authorization => 'Basic ' . encode_base64("$id:wrong", ''));
}
is_deeply [map { encoded_client('globex', $_)->code } 1 .. 5], [(429) x 5], 'nor does an encoded name of the same buyer have attempts of its own';
is call('authentication', credentials('globex'), site => 'brief')->code, 200, 'so is this one at another site';

# ---- the life of a token -------------------------------------------------------------------------------------------------

$token = decode_json(call('authentication', credentials('globex'), site => 'brief')->content)->{token};
my $until = time + 30;
do { sleep 0.3; $r = call('search', { query => 'log', token => $token }, site => 'brief') } while $r->code == 200 && time < $until;
is $r->code, 401, 'a token ends by itself';
is $r->header('WWW-Authenticate'), 'Bearer error="invalid_token"', 'and says so';

# ---- what can not be read ------------------------------------------------------------------------------------------------

sub start { my ($rc, $said) = $server->run(slurp($server->root . '/httpd.conf'), '-k', 'start'); is $rc, 0, 'httpd starts again' or diag $said; for (1 .. 100) { last if -s $server->root . '/logs/pid'; sleep 0.1 } }
sub refused_for_now {
    my ($r, $text, $name) = @_;
    is $r->code, 500, "$name: 500" or diag $r->as_string;
    is $r->header('Content-Type'), 'application/json', 'in JSON';
    like decode_json($r->content)->{detail}, qr/$text.*try again later/, 'which says to try again later';
}
my $of_umbrella;
($token, $of_umbrella) = map { decode_json(call('authentication', credentials($_))->content)->{token} } qw(initech umbrella);
$server->stop;
(my $without = slurp($server->root . '/httpd.conf')) =~ s{<PunchOutBuyer umbrella>.*?</PunchOutBuyer>}{}s;
spew($server->root . '/httpd.conf', $without);
start();
is call('search', { query => 'log', token => $token })->code, 200, 'a token outlives a restart';
is call('search', { query => 'log', token => $of_umbrella })->code, 401, 'but not its buyer';
$server->stop;
my ($catalog) = glob $server->root . '/state/catalog-*[0-9a-f].db';
ok $catalog, 'there is a compiled catalog' or diag join ' ', glob $server->root . '/state/*';
spew($catalog, 'this is no database');
start();
refused_for_now(call($_, { query => 'log', source_part_num => 'off-year', token => $token }), 'catalog', "$_ without a catalog") for qw(search detail checkout);
$server->stop;
spew($server->root . '/state/ledger.db', 'this is no database' x 1000);
unlink map { $server->root . "/state/ledger.db-$_" } qw(wal shm);
start();
refused_for_now(call('authentication', credentials('initech')), "can't answer", 'authentication without the ledger');
refused_for_now(call('search', { query => 'log', token => $token }), "can't answer", 'a search without it');
refused_for_now($ua->post($server->url('market', 'punchout/openbuy/token'), { grant_type => 'client_credentials', client_id => 'initech', client_secret => 'initech-secret' }), "can't answer", 'the OAuth door without it');
is call('authentication', { %{ credentials('initech') }, credentials => 'initech:wrong' })->code, 401, 'wrong credentials are wrong all the same';
$server->stop;
done_testing;
