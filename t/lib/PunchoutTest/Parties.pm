# The other parties of a test: a marketplace with its fulfillment backend, a sandbox, a mail server.
package PunchoutTest::Parties;
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Socket::INET;
use POSIX ();

my $here = dirname(__FILE__);

sub free_port {
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!";
    return $s->sockport;
}

sub slurp { my $f = shift; open(my $fh, '<', $f) or return; local $/; return scalar <$fh> }
sub spew { my ($f, $text) = @_; open(my $fh, '>', "$f.new") or die "$f: $!"; print $fh $text; close $fh; rename("$f.new", $f) }

# Starts one party and waits until it listens.
sub start {
    my ($dir, $name, $port, @command) = @_;
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        delete @ENV{qw(LD_PRELOAD ASAN_OPTIONS)};
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>>', "$dir/$name.log");
        open(STDERR, '>&', \*STDOUT);
        POSIX::setsid();
        exec(@command) or POSIX::_exit(127);
    }
    spew("$dir/$name.pid", $pid);
    spew("$dir/$name.port", $port);
    for (1 .. 200) {
        return $port if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        select(undef, undef, undef, 0.05);
    }
    die "$name does not listen on port $port; see $dir/$name.log\n";
}

sub stop {
    my ($dir, $name) = @_;
    my $pid = slurp("$dir/$name.pid") or return;
    local $?;                           # the end of a run is not the end of a party
    kill 'TERM', $pid;
    for (1 .. 100) {
        waitpid($pid, POSIX::WNOHANG());
        last unless kill 0, $pid;
        select(undef, undef, undef, 0.02);
    }
    unlink "$dir/$name.pid";
}

sub start_backend {
    my ($dir, $name, $port) = @_;
    mkdir "$dir/$name";
    return start($dir, $name, $port, $^X, "$here/backend.pl", $port, "$dir/$name");
}

# The demo's mail sink; in a build folder of its own it stands with the sources.
sub start_smtp {
    my ($dir, $port) = @_;
    my ($sink) = grep { -e } "$here/../../../demo/mailsink.pl", ($ENV{PUNCHOUT_SRCDIR} || '.') . '/demo/mailsink.pl';
    return start($dir, 'smtp', $port, $^X, $sink, '--dir', "$dir/mail", '--port', $port);
}

sub start_all {
    my $dir = shift;
    my %port = (backend => start_backend($dir, 'backend', free_port()), sandbox => start_backend($dir, 'sandbox', free_port()));
    $port{smtp} = start_smtp($dir, free_port());
    mkdir "$dir/receiver";
    $port{receiver} = free_port();
    start($dir, 'receiver', $port{receiver}, $^X, "$here/receiver.pl", $port{receiver}, "$dir/receiver");
    return %port;
}

sub stop_all { my $dir = shift; stop($dir, $_) for qw(backend sandbox smtp receiver) }

1;
