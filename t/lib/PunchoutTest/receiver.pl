#!/usr/bin/perl
# Procurement systems that take documents, for the tests: one process, one connection at a time.
#   receiver.pl PORT DIRECTORY
# POST /NAME  keeps the request in DIRECTORY/NAME-1.http, NAME-2.http ... and answers with what DIRECTORY/NAME.answer says:
#             "HTTP-STATUS\n", header lines, an empty line, body; without that file with a cXML Status of 200.
#             HTTP-STATUS 000: it hangs up without an answer; 001: it says nothing, and keeps the connection
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $dir) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1)
    or die "port $port: $!";
$SIG{PIPE} = 'IGNORE';
my (%count, @silent);

# What the smallest answer of a real system looks like.
my $taken = '<?xml version="1.0"?><cXML><Response><Status code="200" text="OK"/></Response></cXML>';

sub slurp { open(my $fh, '<:raw', $_[0]) or return; local $/; return scalar <$fh> }

sub request_of {
    my $c = shift;
    my $in = '';
    while ($in !~ /\r\n\r\n/) { sysread($c, $in, 65536, length $in) or return }
    my ($length) = $in =~ /^content-length: *(\d+)/im;
    my $head = index($in, "\r\n\r\n") + 4;
    while (length($in) < $head + ($length || 0)) { sysread($c, $in, 65536, length $in) or return }
    return $in;
}

sub answer_for {
    my $text = slurp("$dir/$_[0].answer");
    return "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n$taken" unless defined $text;
    my ($status, $headers, $body) = $text =~ /\A(\d+)\n(.*?)\n(.*)\z/s or die "$_[0].answer: $text";
    $headers =~ s/\n/\r\n/g;
    return "HTTP/1.1 $status Answer\r\n${headers}Connection: close\r\n\r\n$body";
}

while (my $c = $listener->accept) {
    $c->timeout(5);
    my $request = request_of($c) or next;
    my ($name) = $request =~ m{\APOST /([\w-]+) } or next;
    my $file = "$dir/$name-" . ++$count{$name} . '.http';
    open(my $fh, '>:raw', "$file.new") or die "$file: $!";
    print $fh $request;
    close $fh;
    rename "$file.new", $file;
    my $answer = answer_for($name);
    push @silent, $c and next if $answer =~ m{\AHTTP/1.1 001};
    syswrite($c, $answer) unless $answer =~ m{\AHTTP/1.1 000};
    close $c;
}
