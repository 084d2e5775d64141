#!/usr/bin/perl
# mailsink.pl - a mail server for the demo and the tests: takes every mail and keeps it as one file, delivers none.
#
#   mailsink.pl --dir DIR [--port 8025] [--port-file FILE] [--refuse 'RCPT 550 no such user']...
#
# --port 0 picks a free port; --port-file says which. A mail becomes DIR/TIME-PID-N.eml: two X-Envelope-* lines, then the mail
# as it came (dots unstuffed, line ends as LF). To refuse, name where and with which answer: CONNECT, EHLO, MAIL, RCPT, DATA,
# or DOT (after the mail's last line). DIR/refuse, with such lines, does the same while the server runs.
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Getopt::Long qw(GetOptions);
use IO::Socket::INET;
use Time::HiRes qw(time);

my $MAIL_MAX = 10 * 1024 * 1024;
my $IDLE     = 60;
my ($port, $dir, $port_file, @refuse) = (8025);
GetOptions('port=i' => \$port, 'dir=s' => \$dir, 'port-file=s' => \$port_file, 'refuse=s' => \@refuse) && $dir
    or die "usage: mailsink.pl --dir DIR [--port N] [--port-file FILE] [--refuse 'VERB CODE TEXT']...\n";
-d $dir or mkdir $dir or die "can't make $dir: $!\n";

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "can't listen on 127.0.0.1:$port: $@\n";
if (defined $port_file) {
    open my $out, '>', "$port_file.new" or die "can't write $port_file: $!\n";
    say {$out} $listener->sockport;
    close $out;
    rename "$port_file.new", $port_file or die "can't write $port_file: $!\n";
}
$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = $SIG{INT} = sub { exit 0 };
while (1) {
    my $client = $listener->accept or next;
    my $pid = fork // do { close $client; next };
    if (!$pid) {
        close $listener;
        @SIG{qw(TERM INT ALRM)} = ('DEFAULT') x 3;
        serve($client);
        exit 0;
    }
    close $client;
}

# What to say instead of yes at this point of the dialogue; undef: nothing is in the way.
sub refusal ($verb) {
    my @lines = @refuse;
    if (open my $file, '<', "$dir/refuse") {
        push @lines, <$file>;
    }
    for (@lines) {
        return $3 ? "$2 $3" : "$2 refused" if /\A\s*(\w+)\s+([45]\d\d)(?:\s+(\S.*?))?\s*\z/ && uc $1 eq $verb;
    }
    return undef;
}

sub serve ($client) {
    binmode $client;
    my %mail;
    answer($client, refusal('CONNECT') // '220 localhost mail sink');
    while (defined(my $line = read_line($client))) {
        my ($verb, $rest) = $line =~ /\A(\w+)\s*(.*)\z/s or do { answer($client, '500 what?'); next };
        $verb = uc $verb;
        if ($verb eq 'QUIT') { answer($client, '221 bye'); return }
        my $no = $verb eq 'HELO' ? refusal('EHLO') : refusal($verb);
        if    ($no)              { answer($client, $no) }
        elsif ($verb eq 'EHLO')  { %mail = (); answer($client, '250-localhost', '250-8BITMIME', "250 SIZE $MAIL_MAX") }
        elsif ($verb eq 'HELO')  { %mail = (); answer($client, '250 localhost') }
        elsif ($verb eq 'NOOP')  { answer($client, '250 ok') }
        elsif ($verb eq 'RSET')  { %mail = (); answer($client, '250 ok') }
        elsif ($verb eq 'MAIL')  { answer($client, mail_from(\%mail, $rest)) }
        elsif ($verb eq 'RCPT')  { answer($client, rcpt_to(\%mail, $rest)) }
        elsif ($verb eq 'DATA')  { data($client, \%mail) or return; %mail = () }
        else                     { answer($client, '502 not known here') }
    }
}

sub mail_from ($mail, $rest) {
    return '503 one sender at a time' if defined $mail->{from};
    $rest =~ /\AFROM:\s*<([^<>\r\n]*)>(.*)\z/i or return '501 MAIL FROM:<address>';
    my ($from, $parameters) = ($1, $2);
    return '552 larger than SIZE allows' if $parameters =~ /\bSIZE=(\d+)/i && $1 > $MAIL_MAX;
    $mail->{from} = $from;
    return '250 ok';
}

sub rcpt_to ($mail, $rest) {
    return '503 MAIL comes first' if !defined $mail->{from};
    $rest =~ /\ATO:\s*<([^<>\r\n]+)>/i or return '501 RCPT TO:<address>';
    push @{ $mail->{to} }, $1;
    return '250 ok';
}

# Takes the text of a mail and keeps it. 0: the client is gone.
sub data ($client, $mail) {
    if (!$mail->{to}) { answer($client, '503 RCPT comes first'); return 1 }
    answer($client, '354 end with a dot on a line of its own');
    my ($text, $size, $line) = ('', 0);
    while (defined($line = read_line($client)) && $line ne '.') {
        $line =~ s/\A\.//;
        $size += length($line) + 2;
        $text .= "$line\n" if $size <= $MAIL_MAX;
    }
    return 0 if !defined $line;
    answer($client, $size > $MAIL_MAX ? '552 larger than SIZE allows' : refusal('DOT') // keep($mail, $text));
    return 1;
}

# Written aside and renamed: who looks into the directory sees whole mails only.
sub keep ($mail, $text) {
    state $count = 0;
    my $name = sprintf '%.6f-%d-%d.eml', time, $$, ++$count;
    my $ok = open my $file, '>:raw', "$dir/.$name";
    $ok &&= print {$file} "X-Envelope-From: $mail->{from}\nX-Envelope-To: ", join(', ', @{ $mail->{to} }), "\n", $text;
    $ok &&= close $file;
    $ok &&= rename "$dir/.$name", "$dir/$name";
    return $ok ? "250 kept as $name" : '451 can not write';
}

sub read_line ($client) {
    local $/ = "\n";
    alarm $IDLE;
    my $line = <$client>;
    alarm 0;
    return undef if !defined $line;
    $line =~ s/\r?\n\z//;
    return $line;
}

sub answer ($client, @lines) {
    print {$client} map { "$_\r\n" } @lines;
    $client->flush;
    return;
}
