# What hostile documents get over HTTP, and what it costs the server: every row of hostile.tsv at both doors.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use Apache::TestUtil qw(t_start_error_log_watch t_finish_error_log_watch);
use Compress::Zlib qw(memGzip);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use PunchoutTest;
use Time::HiRes qw(time);

my $program = $ENV{TEST_HOSTILE} || '';
Test::More::plan(skip_all => 'TEST_HOSTILE does not name the program that makes the documents') unless -x $program;
$SIG{PIPE} = 'IGNORE';

my $GROWTH = 10 * 1024 * ($ENV{PUNCHOUT_PRELOAD} ? 10 : 1);     # KB; a sanitizer keeps what is freed
my $MEGABYTE = 1_000_000;

# ---- documents and requests -----------------------------------------------------------------------------------------

sub document {
    my ($name, $variant) = @_;
    open(my $fh, '-|', $program, $name, $variant || 0) or die "$program: $!";
    binmode $fh;
    local $/;
    my $bytes = <$fh>;
    close $fh or die "$program knows no $name";
    return defined $bytes ? $bytes : '';
}

sub connection {
    my ($vhost) = @_;
    local $_;                                           # Apache::Test sets it
    my ($host, $port) = base_url($vhost) =~ m{^http://(.*):(\d+)$};
    return IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 30) || die "connect: $!";
}

sub head {
    my ($door, @more) = @_;
    return join "\r\n", "POST /punchout/$door HTTP/1.1", 'Host: market.example', 'Content-Type: text/xml', @more, '', '';
}

# Writes all pieces, as far as they are taken, and reads until the server closes.
sub exchange {
    my ($vhost, @pieces) = @_;
    my $s = connection($vhost);
    for my $piece (@pieces) {
        last unless defined syswrite_all($s, $piece);
    }
    $s->shutdown(1);
    local $/;
    my $answer = <$s>;
    return defined $answer ? $answer : '';
}

sub syswrite_all {
    my ($s, $bytes) = @_;
    my $at = 0;
    while ($at < length $bytes) {
        my $n = syswrite($s, $bytes, 65536, $at) or return;
        $at += $n;
    }
    return $at;
}

sub post {
    my ($door, $bytes, %o) = @_;
    return exchange($o{vhost} || 'shop', head($door, 'Connection: close', 'Content-Length: ' . length $bytes, @{ $o{head} || [] }), $bytes);
}

sub status { return $_[0] =~ /<Status code="(\d+)"/ ? $1 : 'none: ' . substr($_[0], 0, 200) }
sub chunk { return sprintf("%x\r\n%s\r\n", length $_[0], $_[0]) }

# ---- the rows that are made of HTTP ---------------------------------------------------------------------------------

my $good = document('good');
my $chunked = 'Transfer-Encoding: chunked';
my $gzip = [ 'Content-Encoding: gzip' ];
my %made_here = (
    'body-100mb' => sub { exchange('shop', head($_[0], 'Connection: close', 'Content-Length: ' . 100 * $MEGABYTE), (' ' x $MEGABYTE) x 100) },
    'body-chunked' => sub { exchange('shop', head($_[0], 'Connection: close', $chunked), (chunk(' ' x $MEGABYTE)) x 20, "0\r\n\r\n") },
    'chunk-broken' => sub { exchange('shop', head($_[0], 'Connection: close', $chunked), "zz\r\n$good\r\n0\r\n\r\n") },
    'length-too-long' => sub { exchange('shop', head($_[0], 'Connection: close', 'Content-Length: ' . 2 * length $good), $good) },
    'length-too-short' => sub { exchange('shop', head($_[0], 'Connection: close', 'Content-Length: 500'), $good) },
    'length-beside-chunks' => sub { exchange('shop', head($_[0], 'Content-Length: 5', $chunked), chunk($good), "0\r\n\r\n") },
    'gzip' => sub { post($_[0], memGzip($good), head => $gzip) },
    'gzip-inflated' => sub { post($_[0], memGzip($good), head => $gzip, vhost => 'inflating') },
    'gzip-bomb' => sub { post($_[0], memGzip(' ' x (100 * $MEGABYTE)), head => $gzip, vhost => 'inflating') },
);

# ---- the server's processes -----------------------------------------------------------------------------------------

sub children {
    open(my $fh, '<', Apache::Test::vars('t_pid_file')) or die 'no pid file';
    chomp(my $parent = <$fh>);
    if (open(my $list, '<', "/proc/$parent/task/$parent/children")) { return split ' ', <$list> || '' }
    return grep { /^\d+$/ } split ' ', `ps -o pid= --ppid $parent`;
}

sub memory {
    my ($pid, $which) = @_;
    open(my $fh, '<', "/proc/$pid/status") or return 0;
    my ($kb) = map { /^$which:\s+(\d+)/ ? $1 : () } <$fh>;
    return $kb || 0;
}

# What the children hold now; their high-water marks begin again here, where that is allowed.
sub resident {
    my %kb = map { $_ => memory($_, 'VmRSS') } children();
    for (keys %kb) { if (open(my $fh, '>', "/proc/$_/clear_refs")) { print $fh '5'; close $fh } }
    return \%kb;
}

# By how much the one that grew most holds more, and held more at its peak.
sub growth {
    my ($before) = @_;
    my ($now, $peak) = (0, 0);
    for my $pid (keys %$before) {
        my ($n, $p) = map { memory($pid, $_) - $before->{$pid} } qw(VmRSS VmHWM);
        $now = $n if $n > $now;
        $peak = $p if $p > $peak;
    }
    return ($now, $peak);
}

# ---- the table ------------------------------------------------------------------------------------------------------

open(my $table, '<', "$FindBin::Bin/hostile.tsv") or die "hostile.tsv: $!";
my @rows = map { chomp; my @c = split /\t/; @c == 5 && !/^#/ ? { name => $c[0], read => $c[1], status => $c[2] } : () } <$table>;
ok @rows > 150, 'the table is read';
my %listed = map { $_->{name} => 1 } @rows;
ok !(grep { !$listed{$_} } keys %made_here), 'every document of this test is in it';

# words of the documents that nobody but their sender may see again: answers and log are searched for them
my @private = ('acme-secret', 'acme-', 'guess', 'bc-1', 'buyer.example/return', 'evil.example', 'passwd', 'root:', 'lol', 'x' x 65, 'UserAgent');

for my $door (qw(setup order)) { post($door, $good) for 1 .. 8 }   # what every child needs once
my (%most, %seen);
t_start_error_log_watch();
for my $row (@rows) {
    my $inflating = $row->{name} =~ /^gzip-/;
    SKIP: for my $door (qw(setup order)) {
        Test::More::skip('mod_deflate is not loaded', 2) if $inflating && !Apache::Test::have_module('deflate');
        for my $variant ($row->{name} eq 'truncated' ? (1, 8, 15, 22, 29, 36, 43) : 0) {
            my $before = resident();
            my $answer = $row->{read} eq '-' ? ($made_here{ $row->{name} } || die "no $row->{name}")->($door)
                : post($door, document($row->{name}, $variant));
            my ($now, $peak) = growth($before);
            my $what = "$row->{name}" . ($variant ? " $variant" : '') . " at $door";
            if ($row->{status} =~ /^HTTP/) {
                like $answer, qr{^HTTP/1\.1 400 }, "$what: httpd refuses it";
                unlike $answer, qr/<cXML/, "$what: and there is one answer";
                next;
            }
            is join(' ', $answer =~ m{^HTTP/1\.1 (\d+)}, status($answer)), "200 $row->{status}", $what;
            ok $now <= $GROWTH && $peak <= $GROWTH, "$what: the child grew by $now KB, $peak KB at its peak";
            my ($body) = $answer =~ /\r\n\r\n(.*)/s;
            my @told = grep { index($body || '', $_) >= 0 } @private;
            is "@told", '', "$what: the answer repeats nothing of it" if $row->{status} ne '200';
            if (!$seen{ $row->{status} }++) {
                my $invalid = invalid($body, $what);
                is $invalid, '', "an answer with Status $row->{status} is valid" if defined $invalid;
            }
            $most{$what} = $peak;
        }
    }
}
my $log = join '', t_finish_error_log_watch();
like $log, qr/PO0103:/, 'the log says what was refused';
is join(' ', grep { index($log, $_) >= 0 } @private), '', 'and nothing of what was in it';
Test::More::diag(sprintf '%-40s %6d KB at the peak', $_, $most{$_}) for (sort { $most{$b} <=> $most{$a} } keys %most)[0 .. 4];
is status(post('setup', $good)), 200, 'a good setup works as before';
is status_of(order_reply(order_document(lines => lines_from(request_approval(open_session(), offer => 'off-year', account => 'acct-h'))))), 200,
    'so does an order';

# ---- who is not let in learns nothing from how ------------------------------------------------------------------------

# Answers over one connection: the seconds that each took, and the last one.
sub ask_often {
    my ($times, %documents) = @_;
    my (%seconds, %answer);
    my $s = connection('shop');
    for (1 .. $times) {
        for my $who (sort keys %documents) {
            my $start = time;
            syswrite_all($s, head('setup', 'Content-Length: ' . length $documents{$who}) . $documents{$who}) or die 'write';
            my $text = '';
            until ($text =~ m{</cXML>\s*\z}) { sysread($s, $text, 65536, length $text) or die "the connection was closed: $text" }
            push @{ $seconds{$who} }, time - $start;
            $answer{$who} = $text;
        }
    }
    return (\%seconds, \%answer);
}

my %strangers = (
    'an unknown buyer' => setup_document(from => ['DUNS', 'nobody-7'], secret => 'guess-99'),
    'a wrong Sender' => setup_document(sender => ['DUNS', 'nobody-7'], secret => 'acme-secret'),
    'a wrong secret' => setup_document(secret => 'guess-99'),
    'a wrong To' => setup_document(to => 'nobody-7', secret => 'acme-secret'),
    'no secret' => setup_document(secret => undef),
    'a long secret' => setup_document(secret => 'g' x 60000),
);
my ($seconds, $answers) = ask_often(300, %strangers);
my %texts;
for my $who (sort keys %strangers) {
    my ($status) = $answers->{$who} =~ m{(<Status.*</Status>)}s;
    (my $headers = $answers->{$who}) =~ s/\r\n\r\n.*//s;
    $headers =~ s/^Date:.*\r\n//m;
    $headers =~ s/^Content-Length: \K.*//m;             # a payloadID has no fixed length
    $texts{"$headers $status"}++;
    my @sorted = sort { $a <=> $b } @{ $seconds->{$who} };
    Test::More::diag(sprintf '%-20s median %7.1f us, quartiles %7.1f %7.1f', $who, map { 1e6 * $sorted[$_ * @sorted] } 0.5, 0.25, 0.75);
}
is scalar(keys %texts), 1, 'an unknown buyer, a wrong Sender, To or secret, and none: one answer, headers and all' or Test::More::diag(join "\n", keys %texts);
like((keys %texts)[0], qr/code="401"/, 'it is Status 401');

my $before = resident();
my ($state) = map { -s } ledger_file();
ask_often(10_000, 'a wrong secret' => $strangers{'a wrong secret'});
my ($now, $peak) = growth($before);
ok $now < 2048, "10,000 wrong secrets: the child holds $now KB more";
is -s ledger_file(), $state, 'and the ledger is as long as before';
is status(post('setup', $good)), 200, 'the right secret is taken after them';

Test::More::done_testing();
