#!/usr/bin/perl
# A marketplace and fulfillment backend for the tests: one process, any number of connections that stay open.
#   backend.pl PORT DIRECTORY
# GET  /shop/...      answers with the request's headers as JSON; ?account=ID names that account, &buyer=NAME its connection
# POST /shop/echo    answers with the request's body as ?type=, with status=, encoding=, account=, chunked=1 or cut=1 (breaks off)
# POST /subscriptions  one line of JSON in DIRECTORY/events.jsonl; DIRECTORY/answer may hold another answer:
#                      "STATUS[ PERCENT]\n[BODY]": that status for so many percent of the events, delay=SECONDS before it
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my ($port, $dir) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 128, ReuseAddr => 1)
    or die "port $port: $!";
open(my $events, '>>', "$dir/events.jsonl") or die "$dir/events.jsonl: $!";
$events->autoflush(1);
$SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new($listener);
my (%in, %subscription);

sub json_string {
    my $s = shift;
    return 'null' unless defined $s;
    $s =~ s/([\x00-\x1f"\\\x7f-\xff])/sprintf('\\u%04x', ord $1)/ge;
    return "\"$s\"";
}

sub answer {
    my ($status, $type, $body, @headers) = @_;
    my %text = (200 => 'OK', 202 => 'Accepted', 401 => 'Unauthorized', 422 => 'Unprocessable Entity', 503 => 'Unavailable');
    return "HTTP/1.1 $status " . ($text{$status} || 'Answer') . "\r\nContent-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n" . join('', map { "$_\r\n" } @headers) . "\r\n" . $body;
}

# What a shop says of its own, such as a cart.
sub echo {
    my ($target, $body) = @_;
    my %o = map { s/%([0-9a-fA-F]{2})/chr hex $1/ger } map { /^(\w+)=(.*)$/ } split /&/, ($target =~ /\?(.*)/)[0];
    my @headers = ('Set-Cookie: basket=empty; Path=/', 'ETag: "e1"', 'Content-Disposition: attachment', 'X-Frame-Options: DENY',
        $o{encoding} ? "Content-Encoding: $o{encoding}" : (), $o{account} ? "PunchOut-Account: $o{account}" : ());
    my $text = answer($o{status} || 200, $o{type}, $body, @headers);
    my $length = length $body;
    $text =~ s/Content-Length: $length/'Content-Length: ' . ($length + 10)/e if $o{cut};
    return $text unless $o{chunked};
    $text =~ s/Content-Length: $length/Transfer-Encoding: chunked/;
    $text =~ s/\r\n\r\n.*/\r\n\r\n/s;
    return $text . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } $body =~ /(.{1,100})/gs) . "0\r\n\r\n";
}

sub shop {
    my ($method, $target, $headers, $body) = @_;
    my @extra;
    return echo($target, $body) if $target =~ m{^/shop/(?:\w+/)?echo};
    push @extra, "PunchOut-Account: $1; email=$1\@market.example" if $target =~ /[?&]account=([\w.-]+)/;
    $extra[0] .= "; buyer=$1" if @extra && $target =~ /[?&]buyer=([\w.-]+)/;
    my $json = '{' . join(',', map { json_string($_->[0]) . ':' . json_string($_->[1]) } @$headers, ['-body', $body], ['-target', $target]) . '}';
    return answer(200, 'application/json', $json, @extra);
}

sub chosen_answer {
    open(my $fh, '<', "$dir/answer") or return;
    my $first = <$fh>;
    return unless defined $first;
    local $/;
    my $body = <$fh>;
    my ($status, $percent) = $first =~ /^(\d+)(?:\s+(\d+))?/ or return;
    sleep($1) if $first =~ /delay=([\d.]+)/;
    return if defined $percent && rand(100) >= $percent;
    return ($status, defined $body ? $body : '');
}

sub subscription {
    my ($method, $target, $headers, $body) = @_;
    my ($key) = map { $_->[1] } grep { lc $_->[0] eq 'idempotency-key' } @$headers;
    my ($type) = map { $_->[1] } grep { lc $_->[0] eq 'content-type' } @$headers;
    my ($status, $text) = chosen_answer();
    my $at = time;
    $status ||= 200;
    $subscription{$key} ||= 'sub-' . substr($key, 4) if defined $key;
    $text = "{\"subscription\":\"$subscription{$key}\",\"url\":\"https://market.example/getting-started/$subscription{$key}\"}"
        if $status == 200 && (!defined $text || $text eq '');
    print $events '{"at":', $at, ',"status":', $status, ',"key":', json_string($key), ',"type":', json_string($type), ',"target":', json_string($target),
        ',"body":', ($body =~ /^\{/ ? $body : 'null'), "}\n";
    return answer($status, $status >= 400 ? 'application/problem+json' : 'application/json', defined $text ? $text : '{}');
}

# One whole request out of a connection's bytes, or nothing yet.
sub take_request {
    my $buffer = shift;
    $$buffer =~ /^(.*?)\r\n\r\n/s or return;
    my ($head, $length) = ($1, 0);
    my ($line, @lines) = split /\r\n/, $head;
    my @headers = map { /^([^:]+):\s*(.*)$/ ? [$1, $2] : () } @lines;
    for (@headers) { $length = $_->[1] if lc $_->[0] eq 'content-length' }
    my $chunked = grep { lc $_->[0] eq 'transfer-encoding' && $_->[1] =~ /chunked/i } @headers;
    my $rest = substr($$buffer, length($head) + 4);
    my $body = '';
    if ($chunked) {
        while (1) {
            $rest =~ s/^([0-9a-fA-F]+)[^\r]*\r\n// or return;
            my $n = hex $1;
            if (!$n) { $rest =~ s/^(?:[^\r\n]+\r\n)*\r\n// or return; last }
            return if length($rest) < $n + 2;
            $body .= substr($rest, 0, $n);
            $rest = substr($rest, $n + 2);
        }
    }
    else {
        return if length($rest) < $length;
        $body = substr($rest, 0, $length);
        $rest = substr($rest, $length);
    }
    $$buffer = $rest;
    my ($method, $target) = split / /, $line;
    return ($method, $target, \@headers, $body);
}

while (1) {
    for my $s ($select->can_read) {
        if ($s == $listener) {
            my $c = $listener->accept or next;
            $select->add($c);
            $in{$c} = '';
            next;
        }
        if (!sysread($s, $in{$s}, 65536, length $in{$s})) {
            delete $in{$s};
            $select->remove($s);
            close $s;
            next;
        }
        while (my @request = take_request(\$in{$s})) {
            my $out = $request[1] =~ m{^/subscriptions} ? subscription(@request) : shop(@request);
            syswrite($s, $out);
            shutdown($s, 2) if $request[1] =~ /[?&]cut=1/;
        }
    }
}
