#!/usr/bin/perl
# Measures mod_punchout against limits of the same run: ratios count, absolute figures are this machine's.
#   bench/run.pl BUILD-FOLDER APXS HTTPD
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Httpd;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my ($build, $apxs, $httpd) = @ARGV;
die "usage: run.pl BUILD-FOLDER APXS HTTPD\n" unless $httpd;
my ($rounds, $seconds, $connections, $senders) = (3, 3, 16, 16);
my $dir = tempdir('punchout-bench-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{KEEP});
chmod 0755, $dir;
mkdir "$dir/$_" for qw(logs state);
my $user = system_user();
# valgrind runs httpd as that user from the start
my @as_user = $> == 0 ? ('setpriv', "--reuid=$user", "--regid=$user", '--clear-groups') : ();
my $ledger = "$dir/state/ledger.db";
my ($next, $parent, $sink) = (1);
END {
    my $status = $?;                    # waiting for a child changes it, and a bench that failed must say so
    stop_httpd() if $parent;
    stop_sink() if $sink;
    $? = $status;
}

my ($port, $sink_port) = (free_port(), free_port());
my $site = "http://localhost:$port";

sub peer { my $out = `$build/bench/peer @_`; die "bench/peer @_ failed\n" if $?; return split ' ', $out }

sub write_conf {
    my $modules = load_modules($apxs, $httpd, qw(mpm_event authz_core unixd slotmem_shm proxy proxy_http));
    spew("$dir/catalog.json", '{"products":[{"id":"prod-ab12","name":"Log Keeper","description":"x","seller":"Keeper Ltd","offers":'
        . '[{"id":"off-year","pricing":"contract","price":"1200.00","currency":"USD","term":"P12M","unit":"EA"}]}]}');
    spew("$dir/httpd.conf", <<"CONF" . ($> == 0 ? "User $user\nGroup $user\n" : ''));
ServerRoot "$dir"
Listen 127.0.0.1:$port
ServerName localhost
PidFile logs/pid
DefaultRuntimeDir logs
ErrorLog logs/error.log
LogLevel warn
Mutex pthread default
${modules}LoadModule punchout_module $build/.libs/mod_punchout.so
LoadModule punchout_bench_module $build/bench/.libs/mod_punchout_bench.so
StartServers 2
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
MaxKeepAliveRequests 0
KeepAliveTimeout 60
<Directory />
    AllowOverride None
</Directory>
ProxyPass /proxied http://127.0.0.1:$sink_port/proxied
PunchOutPublicURL $site
PunchOutStateDir $dir/state
PunchOutIdentity DUNS market-1
PunchOutCatalog $dir/catalog.json
PunchOutSessionStore shm 512M
PunchOutFulfillment http://127.0.0.1:$sink_port/subscriptions
<PunchOutBuyer acme>
    PunchOutCredential DUNS buyer-1
    PunchOutSharedSecret bench-secret
    PunchOutReturnHosts buyer.example
    PunchOutDeployment production
</PunchOutBuyer>
<Location /punchout>
    SetHandler punchout
</Location>
<Location /floor>
    SetHandler bench-floor
</Location>
<Location /sax>
    SetHandler bench-sax
</Location>
CONF
}

sub start_httpd { $parent = start_server($httpd, $dir, $port, @_) }
sub stop_httpd { stop_server($parent); $parent = undef }
sub start_sink {
    defined($sink = fork) or die;
    if (!$sink) { exec("$build/bench/peer", 'sink', $sink_port) or POSIX::_exit(127) }
    listens($sink_port) or die 'the sink does not start';
}
sub stop_sink { kill 'TERM', $sink; waitpid $sink, 0; $sink = undef }
sub fill { my $n = shift; my $first = $next; peer('fill', $ledger, $site, $first, $n); own($dir); $next += $n; return $first }

sub setup_document {
    my $filler = join '', map { "<Extrinsic name=\"Custom$_\">value of field $_</Extrinsic>" } 1 .. $_[0];
    return '<?xml version="1.0" encoding="UTF-8"?>' . "\n" . '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd">' . "\n"
        . '<cXML payloadID="1795428900.93@buyer.example" timestamp="2026-11-23T10:00:00+00:00" xml:lang="en-US"><Header><From><Credential domain="DUNS">'
        . '<Identity>buyer-1</Identity></Credential></From><To><Credential domain="DUNS"><Identity>market-1</Identity></Credential></To><Sender>'
        . '<Credential domain="DUNS"><Identity>buyer-1</Identity><SharedSecret>bench-secret</SharedSecret></Credential><UserAgent>Coupa Procurement 1.0'
        . '</UserAgent></Sender></Header><Request><PunchOutSetupRequest operation="create"><BuyerCookie>bc-1</BuyerCookie><Extrinsic name="FirstName">'
        . 'Ines</Extrinsic><Extrinsic name="LastName">Okafor</Extrinsic><Extrinsic name="UniqueName">ines</Extrinsic><Extrinsic name="UserEmail">'
        . "ines\@buyer.example</Extrinsic><Extrinsic name=\"User\">ines</Extrinsic><Extrinsic name=\"BusinessUnit\">COUPA</Extrinsic>$filler<BrowserFormPost><URL>https://buyer.example/return?id=7</URL>"
        . '</BrowserFormPost><Contact role="endUser"><Name xml:lang="en-US">ines</Name><Email>ines@buyer.example</Email></Contact>'
        . '<SupplierSetup><URL>https://market.example/punchout/setup</URL></SupplierSetup></PunchOutSetupRequest></Request></cXML>';
}

# CPU time of all children so far, in microseconds.
sub cpu {
    my $ticks = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my @f = split ' ', slurp($stat) =~ s/^.*\) //sr;
        $ticks += $f[11] + $f[12] if @f > 12 && $f[1] == $parent;
    }
    return $ticks * 1_000_000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# ---- setup against floor and floor + SAX ---------------------------------------------------------------------------------

my %path = (floor => '/floor', sax => '/sax', setup => '/punchout/setup');

sub bench_setup {
    my ($name, $file) = @_;
    my (%rate, %cpu);
    for my $round (1 .. $rounds) {
        for my $what ($round % 2 ? qw(floor sax setup) : qw(setup sax floor)) {
            my $before = cpu();
            my ($rate, $done) = peer('load', $port, $path{$what}, $file, $connections, $seconds);
            push @{ $rate{$what} }, $rate;
            push @{ $cpu{$what} }, (cpu() - $before) / $done;
        }
    }
    my %r = map { $_ => median(@{ $rate{$_} }) } keys %rate;
    my %c = map { $_ => median(@{ $cpu{$_} }) } keys %cpu;
    printf "setup %-6s requests/s    floor %6.0f   floor+SAX %6.0f   setup %6.0f   setup/floor %.2f   setup/(floor+SAX) %.2f\n",
        $name, @r{qw(floor sax setup)}, $r{setup} / $r{floor}, $r{setup} / $r{sax};
    printf "setup %-6s server CPU us floor %6.1f   floor+SAX %6.1f   setup %6.1f   setup/floor %.2f   setup/(floor+SAX) %.2f\n",
        $name, @c{qw(floor sax setup)}, $c{setup} / $c{floor}, $c{setup} / $c{sax};
}

# Counted is what lies inside ap_run_process_connection() alone: the deliverer of the same process also works while nobody
# asks, and the longer the slower this machine is. What a first request costs is in both counts and cancels out.
sub instructions {
    my ($what, $file, $n) = @_;
    my $out = "$dir/state/callgrind.$what.$n";
    start_httpd(@as_user, 'valgrind', '--tool=callgrind', "--callgrind-out-file=$out", '-q',
        '--toggle-collect=ap_run_process_connection');
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "connect: $!";
    my $body = slurp($file);
    for (1 .. $n) {
        print $s "POST $path{$what} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", length($body), "\r\n\r\n", $body;
        my ($answer, $need) = ('', 0);
        until ($need && length $answer >= $need) {
            sysread($s, $answer, 65536, length $answer) or die "no answer to request $n\n" . slurp("$dir/logs/error.log");
            $need = $+[0] + $1 if !$need && $answer =~ /\r\nContent-Length: (\d+).*?\r\n\r\n/s;
        }
    }
    close $s;
    stop_httpd();
    return slurp($out) =~ /^(?:summary|totals): (\d+)/m ? $1 : die "no totals in $out";
}

sub bench_instructions {
    my ($name, $file) = @_;
    my %i = map { my $w = $_; $w => (instructions($w, $file, 300) - instructions($w, $file, 100)) / 200 } qw(floor sax setup);
    printf "setup %-6s instructions  floor %6.0f   floor+SAX %6.0f   setup %6.0f   setup/floor %.2f   setup/(floor+SAX) %.2f\n",
        $name, @i{qw(floor sax setup)}, $i{setup} / $i{floor}, $i{setup} / $i{sax};
}

# ---- orders, latency, deliveries ---------------------------------------------------------------------------------------------

sub bench_orders {
    my ($name) = @_;
    my (@loop, @http);
    for my $round (1 .. $rounds) {
        my ($loop) = `$build/bench/ledger_loop -n 4000 $dir/state/loop.$round` =~ /([\d.]+)\s*orders\/s/ or die "ledger_loop says no rate\n";
        unlink glob "$dir/state/loop.$round*";
        push @loop, $loop;
        my $first = fill(4000);
        push @http, peer('orders', $port, $first, 4000, $senders);
    }
    my ($l, $h) = (median(@loop), median(@http));
    printf "orders %-22s loop of one-order commits %5.0f/s   %d senders over HTTP %5.0f/s   ratio %.2f\n", $name, $l, $senders, $h, $h / $l;
}

# From the 200 to the backend's read, beside the order's own round trip.
sub bench_latency {
    my $first = fill(300);
    my ($median, $p99, $max, $trip) = peer('latency', $port, $sink_port, $first, 300);
    printf "order -> backend, idle          median %s ms   p99 %s ms   max %s ms   the order itself %s ms   ratio %.2f\n",
        $median, $p99, $max, $trip, $median / $trip;
}

# How many events the backend has, and how many a second came.
sub sink_stats {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $sink_port) or die "connect: $!";
    print $s "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n";
    sysread($s, my $answer, 4096) or die 'the backend says no count';
    return $answer =~ /(\d+) (\d+)$/;
}
# Until nothing has come for a second.
sub wait_for_sink {
    my ($before, $count) = (-1, 0);
    for (1 .. 60) {
        ($count) = sink_stats();
        return if $count == $before;
        $before = $count;
        sleep 1;
    }
}

# Events that wait while nothing runs, then go out as fast as they can; the limit is what clients get through ProxyPass.
sub bench_deliveries {
    my $events = 20000;
    peer('fill-outbox', $ledger, $site, $events);
    own($dir);
    start_sink();
    start_httpd();
    my ($count, $rate) = (0, 0);
    for (1 .. 300) {
        ($count, $rate) = sink_stats();
        last if $count >= $events;
        sleep 0.2;
    }
    my $cpu = cpu();
    spew("$dir/event.json", '{"data":{"request":"req-0000000000000000"},"filler":"' . '0' x 900 . '"}');
    my ($limit, $done) = peer('load', $port, '/proxied', "$dir/event.json", 8, $seconds);
    my $cpu_limit = cpu() - $cpu;
    stop_httpd();
    stop_sink();
    printf "deliveries of a backlog         %d events at %d/s (8 threads)   8 clients through ProxyPass %d/s   ratio %.2f\n",
        $count, $rate, $limit, $rate / $limit;
    printf "deliveries, server CPU us       %.0f   through ProxyPass %.0f   ratio %.2f\n", $cpu / $count, $cpu_limit / $done,
        $cpu / $count / ($cpu_limit / $done);
}

$| = 1;
write_conf();
spew("$dir/small.xml", setup_document(0));
spew("$dir/large.xml", setup_document(300));
own($dir);
start_httpd();
printf "documents: %d and %d bytes; %d connections; medians of %d interleaved rounds\n", -s "$dir/small.xml", -s "$dir/large.xml", $connections, $rounds;
bench_setup('1.2 KB', "$dir/small.xml");
bench_setup('18 KB', "$dir/large.xml");
bench_orders('(backend down)');
start_sink();
wait_for_sink();                        # what waited goes out first
bench_orders('(while delivering)');
wait_for_sink();
stop_sink();
bench_latency();
stop_httpd();
unlink glob "$ledger*";
bench_deliveries();
if (`valgrind --version 2>/dev/null` =~ /valgrind/) {
    bench_instructions('1.2 KB', "$dir/small.xml");
    bench_instructions('18 KB', "$dir/large.xml");
}
else {
    print "instructions: not counted, valgrind is not installed\n";
}
