# What the benches share: an httpd of their own, files, and medians.
package Httpd;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

our @EXPORT = qw(free_port listens load_modules median own part slurp spew start_server stop_server system_user);

sub free_port { return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport }
sub spew { my ($file, $text) = @_; open(my $fh, '>', $file) or die "$file: $!"; print $fh $text; close $fh }
sub slurp {
    my $file = shift;
    open(my $fh, '<', $file) or return '';
    local $/;
    my $text = <$fh>;
    return defined $text ? $text : '';
}
sub part { my ($share, @values) = @_; my @s = sort { $a <=> $b } @values; return $s[$share * $#s] }
sub median { return part(0.5, @_) }

# Whom httpd runs as when root starts it.
sub system_user { return $> == 0 ? 'www-data' : scalar getpwuid($>) }
sub own { my ($dir) = @_; my $user = system_user(); system('chown', '-R', "$user:$user", $dir) if $> == 0 }

# The LoadModule lines of those modules that are not built in.
sub load_modules {
    my ($apxs, $httpd, @names) = @_;
    chomp(my $libexec = `$apxs -q LIBEXECDIR`);
    my %builtin = map { /^\s*(?:mod_)?(\w+)\.c/ ? ($1 => 1) : () } `$httpd -l`;
    my @loaded = grep { !$builtin{$_} && -e "$libexec/mod_$_.so" } @names;
    return join '', map { "LoadModule ${_}_module $libexec/mod_$_.so\n" } @loaded;
}

sub listens {
    my $port = shift;
    for (1 .. 3000) {
        return 1 if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        sleep 0.01;
    }
    return 0;
}

# The pid of an httpd that listens; what it says goes below its logs. wrapper: a program that runs it as one process.
sub start_server {
    my ($httpd, $dir, $port, @wrapper) = @_;
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        setpgrp;                        # prefork ends its whole process group
        open(STDERR, '>', "$dir/logs/start");
        exec(@wrapper, $httpd, '-f', "$dir/httpd.conf", '-D', 'FOREGROUND', @wrapper ? '-X' : ()) or POSIX::_exit(127);
    }
    return $pid if listens($port);
    stop_server($pid);
    die "httpd does not start:\n" . slurp("$dir/logs/start") . slurp("$dir/logs/error.log");
}
sub stop_server { my $pid = shift; kill 'TERM', $pid; waitpid $pid, 0 }

1;
