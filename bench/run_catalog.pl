#!/usr/bin/perl
# What a large catalog costs: start, search, memory, index; beside a limit of the same run wherever there is one.
#   bench/run_catalog.pl BUILD-FOLDER APXS HTTPD PRODUCTS
use strict;
use warnings;
use Digest::SHA qw(sha1_base64);
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Httpd;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep time);

my ($build, $apxs, $httpd, $products) = @ARGV;
die "usage: run_catalog.pl BUILD-FOLDER APXS HTTPD PRODUCTS\n" unless $products;
my ($rounds, $page_rounds, $visits) = (5, 15, 400);
my $dir = tempdir('punchout-bench-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{KEEP});
chmod 0755, $dir;
mkdir "$dir/$_" for qw(logs state);
my $port = free_port();
my $server;
END {
    my $status = $?;                    # waiting for a child changes it, and a bench that failed must say so
    stop_server($server) if $server;
    $? = $status;
}

# ---- the server ----------------------------------------------------------------------------------------------------

my %size = (event => "StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n",
            prefork => "StartServers 1\nMaxRequestWorkers 1\n");

sub write_conf {
    my ($mpm, $catalog) = @_;
    my $modules = load_modules($apxs, $httpd, "mpm_$mpm",
        qw(authz_core authz_user authn_core authn_file auth_basic unixd slotmem_shm proxy proxy_http));
    my $user = system_user();
    spew("$dir/httpd.conf", <<"CONF" . $size{$mpm} . ($> == 0 ? "User $user\nGroup $user\n" : ''));
ServerRoot "$dir"
Listen 127.0.0.1:$port
ServerName localhost
PidFile logs/pid
DefaultRuntimeDir logs
ErrorLog logs/error.log
LogLevel notice
Mutex pthread default
${modules}LoadModule punchout_module $build/.libs/mod_punchout.so
MaxKeepAliveRequests 0
KeepAliveTimeout 60
<Directory />
    AllowOverride None
</Directory>
PunchOutPublicURL http://localhost:$port
PunchOutStateDir $dir/state
PunchOutIdentity DUNS market-1
@{[$catalog ? "PunchOutCatalog $dir/$catalog.json" : '']}
PunchOutFulfillment http://127.0.0.1:9/subscriptions
<PunchOutBuyer acme>
    PunchOutCredential DUNS buyer-1
    PunchOutSharedSecret bench-secret
    PunchOutReturnHosts buyer.example
    PunchOutDeployment production
    PunchOutCurrency USD
    PunchOutOpenBuyRate none
</PunchOutBuyer>
<Location /punchout>
    SetHandler punchout
</Location>
<LocationMatch "^/punchout/index\\.(cif|xml)\$">
    AuthType Basic
    AuthName index
    AuthUserFile $dir/users
    Require valid-user
</LocationMatch>
CONF
}

sub milliseconds { my ($work) = @_; my $since = time; $work->(); return (time - $since) * 1000 }
sub start { $server = start_server($httpd, $dir, $port); request(connection(), 'GET', '/') }
sub stop { stop_server($server); $server = undef }

# ---- a client ------------------------------------------------------------------------------------------------------

sub connection { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) || die "connect: $!" }

# Status, length of the body and, where it is small, the body. each: called after each piece that was read.
sub request {
    my ($s, $method, $path, $body, $headers, $each) = @_;
    my $length = defined $body ? 'Content-Length: ' . length($body) . "\r\nContent-Type: application/json\r\n" : '';
    print $s "$method $path HTTP/1.1\r\nHost: localhost\r\n$length", $headers || '', "\r\n", defined $body ? $body : '';
    my ($answer, $head, $bytes) = ('', undef, 0);
    for (;;) {
        sysread($s, my $piece, 1 << 16) or last;
        $bytes += length $piece;
        $answer .= $piece if $bytes <= 1 << 20;
        $each->() if $each;
        $head = $+[0] if !$head && $answer =~ /\r\n\r\n/;
        next unless $head;
        my ($wanted) = substr($answer, 0, $head) =~ /\r\nContent-Length: (\d+)/i;
        last if defined $wanted ? $bytes >= $head + $wanted : substr($piece, -5) eq "0\r\n\r\n";
    }
    my ($status) = $answer =~ /^HTTP\/1\.1 (\d+)/ or die "no answer to $method $path\n" . slurp("$dir/logs/error.log");
    return ($status, $bytes - $head, substr($answer, $head));
}

# ---- memory --------------------------------------------------------------------------------------------------------

# The one child that answers, known by the port it listens at; its parent is $server.
sub child {
    my @children = split ' ', slurp("/proc/$server/task/$server/children");
    @children or die 'httpd has no child';
    return $children[-1];
}

# KB of a process: what it alone has written, its share of all, what is mapped.
sub memory {
    my ($pid) = @_;
    my %kb = slurp("/proc/$pid/smaps_rollup") =~ /^(\w+):\s+(\d+) kB/mg;
    return \%kb;
}
sub growth {
    my ($before, $after) = @_;
    my @kinds = qw(Private_Dirty Pss Rss);
    return join ', ', map { sprintf '%s %+.1f MB', $_, ($after->{$_} - $before->{$_}) / 1024 } @kinds;
}
# MB of memory that no file backs.
sub anonymous { my ($kb) = slurp("/proc/$_[0]/status") =~ /^RssAnon:\s+(\d+)/m; return $kb / 1024 }

# ---- (a) start -----------------------------------------------------------------------------------------------------

sub configtest { return milliseconds(sub { !system("$httpd -t -f $dir/httpd.conf >$dir/logs/configtest 2>&1")
    or die slurp("$dir/logs/configtest") }) }

sub graceful {
    my $count = () = slurp("$dir/logs/error.log") =~ /resuming normal operations/g;
    return milliseconds(sub {
        kill 'USR1', $server;
        for (1 .. 6000) {
            my $now = () = slurp("$dir/logs/error.log") =~ /resuming normal operations/g;
            return if $now > $count;
            sleep 0.005;
        }
        die 'no graceful restart';
    });
}

sub bench_start {
    my %ms;
    write_conf('event', 'catalog');
    my $first = milliseconds(\&start);
    stop();
    for (1 .. $rounds) {
        for my $catalog (0, 1) {
            write_conf('event', $catalog && 'catalog');
            push @{ $ms{configtest}[$catalog] }, configtest();
            push @{ $ms{start}[$catalog] }, milliseconds(\&start);
            push @{ $ms{'graceful restart'}[$catalog] }, graceful();
            stop();
        }
    }
    printf "start that compiles the catalog    %.1f s\n", $first / 1000;
    for my $what (sort keys %ms) {
        my ($without, $with) = map { median(@{ $ms{$what}[$_] }) } 0, 1;
        printf "%-24s without a catalog %5.0f ms   with the unchanged catalog %5.0f ms   more %5.0f ms   ratio %.2f\n",
            $what, $without, $with, $with - $without, $with / $without;
    }
}

# ---- (b) search over HTTP ------------------------------------------------------------------------------------------

my @queries = (
    ['common word', qw(cloud data management security analytics service)],
    ['medium word', qw(kubernetes terraform postgresql linux salesforce oracle)],
    ['two words', 'cloud data', 'security analytics', 'kubernetes backup', 'linux server'],
    ['3 letters', qw(clo dat man sec ana ser)],
    ['typing error', qw(cluod managment secuirty analitics)],
    ['no hit', qw(qqcloudxx qqdataxx)]);

# The Authorization header, or undef and why there is none.
sub sign_in {
    my ($status, undef, $body) = request(connection(), 'POST', '/punchout/openbuy/authentication',
        '{"credentials":"acme:bench-secret","email":"bench@buyer.example"}');
    return (undef, "/punchout/openbuy/authentication answers $status") if $status != 200;
    return 'Authorization: Bearer ' . decode_json($body)->{token} . "\r\n";
}

sub search_http {
    my ($s, $authorization, $query, $expected) = @_;
    my ($status) = request($s, 'POST', '/punchout/openbuy/search', encode_json({ query => $query, page_number => 1 }),
        $authorization);
    die "/punchout/openbuy/search answers $status to \"$query\"\n" unless $status == ($expected || 200);
}

sub bench_search_http {
    my ($mpm) = @_;
    my ($authorization, $why) = sign_in();
    return print "search over HTTP, $mpm: SKIPPED, $why\n" unless $authorization;
    my $s = connection();
    for (@queries) {
        my ($name, @words) = @$_;
        my (@search, @floor);
        for (1 .. $page_rounds) {
            for my $words (@words) {
                push @search, milliseconds(sub { search_http($s, $authorization, $words) });
                push @floor, milliseconds(sub { request($s, 'GET', '/') });
            }
        }
        printf "search over HTTP, %-8s %-14s median %6.2f ms  p99 %6.2f   a request that httpd refuses %.2f ms   %s\n",
            $mpm, $name, median(@search), part(0.99, @search), median(@floor),
            median(@search) <= 20 ? 'within target' : 'ABOVE TARGET';
    }
}

# A child whose threads have all been asked: without a catalog (each search is answered 500), with one of one product, and
# with this one. What differs is the catalog's.
sub bench_memory {
    my ($mpm) = @_;
    my @words = map { my ($name, @words) = @$_; @words } @queries;
    my %after;
    for my $catalog ('', 'one', 'catalog') {
        write_conf($mpm, $catalog);
        start();
        my ($authorization, $why) = sign_in();
        $authorization or return print "memory, $mpm: SKIPPED, $why\n";
        search_http(connection(), "${authorization}Connection: close\r\n", $words[$_ % @words], !$catalog && 500)
            for 1 .. $visits;
        $after{$catalog} = memory(child());
        stop();
    }
    printf "memory of a child after %d searches, %-8s without a catalog Private_Dirty %.1f MB; with one product %s; "
        . "with %d %s\n", $visits, $mpm, $after{''}{Private_Dirty} / 1024, growth($after{''}, $after{one}), $products,
        growth($after{''}, $after{catalog});
}

# ---- (d) the index -------------------------------------------------------------------------------------------------

sub bench_index {
    my ($mpm, $name) = @_;
    my $basic = 'Authorization: Basic ' . encode_base64('acme:bench', '') . "\r\n";
    my $child = child();
    # what the first request of a child loads
    request(connection(), 'HEAD', "/punchout/$name", undef, "${basic}Connection: close\r\n");
    my ($before, $peak) = (anonymous($child), 0);
    my $rolled = memory($child);
    my $since = time;
    my ($status, $bytes) = request(connection(), 'GET', "/punchout/$name", undef, $basic, sub {
        my $now = anonymous($child);
        $peak = $now if $now > $peak;
    });
    my $seconds = time - $since;
    die "$name: $status\n" . slurp("$dir/logs/error.log") unless $status == 200;
    printf "%-9s %-8s %6.1f MB in %5.2f s (%.0f MB/s)   memory of the child at its peak %+.1f MB; afterwards %s\n",
        $name, $mpm, $bytes / 1e6, $seconds, $bytes / 1e6 / $seconds, $peak - $before, growth($rolled, memory($child));
}

$| = 1;
spew("$dir/users", 'acme:{SHA}' . sha1_base64('bench') . "=\n");
system("$^X $FindBin::Bin/catalog.pl $products >$dir/catalog.json") and die 'no catalog';
own($dir);
my $size = (-s "$dir/catalog.json") / 1e6;
printf "%d products, %.0f MB of JSON; medians of %d interleaved rounds\n", $products, $size, $rounds;
bench_start();
system("$build/bench/catalog_search", "$dir/catalog.json", "$dir/state") and die "catalog_search failed\n";
system("$^X $FindBin::Bin/catalog.pl 1 >$dir/one.json") and die 'no catalog of one product';
for my $mpm (qw(event prefork)) {
    bench_memory($mpm);
    write_conf($mpm, 'catalog');
    start();
    bench_search_http($mpm);
    bench_index($mpm, $_) for qw(index.cif index.xml);
    stop();
}
