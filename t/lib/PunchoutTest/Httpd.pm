# An httpd of a test's own, for what the configuration of Apache::Test can't show: it lives in a folder that goes with it.
# PUNCHOUT_SO, PUNCHOUT_HTTPD and PUNCHOUT_APXS say which.
package PunchoutTest::Httpd;
use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep);

our @EXPORT = qw(spew slurp);
my $t = dirname(dirname(dirname(abs_path(__FILE__))));
my @servers;
# Before File::Temp takes the folder away, and with it the pid of a server that would run on.
END { $_->stop for grep { defined } @servers }

sub spew {
    my ($file, $text) = @_;
    open(my $fh, '>', $file) or die "$file: $!";
    print $fh $text;
    close $fh or die "$file: $!";
}

sub slurp { open(my $fh, '<', $_[0]) or return ''; local $/; return scalar <$fh> }

# With a port for each name.
sub new {
    my ($class, @names) = @_;
    my $self = bless { pid => $$, root => tempdir('punchout-XXXXXX', TMPDIR => 1, CLEANUP => 1) }, $class;
    $self->{so} = $ENV{PUNCHOUT_SO} || "$t/../.libs/mod_punchout.so";
    -e $self->{so} or die "no module $self->{so}: make it, or set PUNCHOUT_SO\n";
    my $apxs = $ENV{PUNCHOUT_APXS} || 'apxs';
    chomp(($self->{modules}, my $bin, my $name) = map { scalar `$apxs -q $_` } qw(LIBEXECDIR SBINDIR PROGNAME));
    $self->{httpd} = $ENV{PUNCHOUT_HTTPD} || "$bin/$name";
    chmod 0755, $self->{root};
    make_path(map { "$self->{root}/$_" } qw(logs state htdocs));
    chmod 0777, "$self->{root}/state";
    my @sockets = map { IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "socket: $!" } @names;
    @{ $self->{port} }{@names} = map { $_->sockport } @sockets;
    push @servers, $self;
    weaken($servers[-1]);
    return $self;
}

sub root { return $_[0]{root} }
sub url { my ($self, $name, $path) = @_; return "http://127.0.0.1:$self->{port}{$name}" . (defined $path ? "/$path" : '') }

# The <VirtualHost> of that name.
sub site {
    my ($self, $name, @lines) = @_;
    return ("<VirtualHost 127.0.0.1:$self->{port}{$name}>", 'PunchOutPublicURL ' . $self->url($name), @lines, '</VirtualHost>');
}

# What every such server has, then these lines.
sub configuration {
    my ($self, @lines) = @_;
    my %builtin = map { /^\s*(?:mod_)?(\w+)\.c/ ? ($1 => 1) : () } `$self->{httpd} -l`;
    my @user = $> || !getpwnam('nobody') ? () : ('User nobody', 'Group ' . (getgrnam('nogroup') ? 'nogroup' : 'nobody'));
    my @modules = grep { !$builtin{$_} && -e "$self->{modules}/mod_$_.so" } 'mpm_' . ($ENV{PUNCHOUT_MPM} || 'event'),
        qw(authz_core unixd headers slotmem_shm proxy proxy_http);
    return join "\n", "ServerRoot $self->{root}", 'ServerName localhost', 'PidFile logs/pid', 'ErrorLog logs/error_log', 'LogLevel info',
        'DefaultRuntimeDir logs', 'Mutex fcntl:logs default', 'DocumentRoot htdocs',
        (map { "Listen 127.0.0.1:$self->{port}{$_}" } sort keys %{ $self->{port} }),
        (map { "LoadModule ${_}_module $self->{modules}/mod_$_.so" } @modules), @user, "LoadModule punchout_module $self->{so}",
        "PunchOutStateDir $self->{root}/state", 'PunchOutSessionStore shm 4M', 'PunchOutIdentity DUNS market-1',
        "PunchOutCatalog $t/conf/catalog.json", '<Location /punchout>', 'SetHandler punchout', '</Location>', @lines, '';
}

sub command { my $self = shift; return "$self->{httpd} -d $self->{root} -f $self->{root}/httpd.conf" }

# Runs httpd on that configuration: exit status and what it said.
sub run {
    my ($self, $conf, @args) = @_;
    spew("$self->{root}/httpd.conf", $conf);
    my $out = qx(@{[ $self->command ]} @args 2>&1);
    return ($? >> 8, $out);
}

sub log_size { return -s "$_[0]{root}/logs/error_log" || 0 }
sub log_since { my ($self, $from) = @_; return substr(slurp("$self->{root}/logs/error_log"), $from) }

# By signal: httpd's own -k stop wants a configuration without a fault.
sub stop {
    my $self = shift;
    my $pid = "$self->{root}/logs/pid";
    return unless $self->{pid} == $$ && -s $pid;
    kill 'TERM', slurp($pid) + 0;
    for (1 .. 100) { last unless -e $pid; sleep 0.1 }
}
sub DESTROY { $_[0]->stop }

1;
