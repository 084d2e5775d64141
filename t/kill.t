# Children die at any moment for a minute, the deliverer among them, while orders come twice and the backend fails now and
# then: every order that was answered 200 is in the ledger, and at the backend under exactly one key.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use PunchoutTest;
use PunchoutTest::Parties;
use Time::HiRes qw(sleep time);


my $seconds = $ENV{PUNCHOUT_KILL_SECONDS} || 60;
my $senders = 6;
my $logs = Apache::Test::vars('t_logs');
my $dir = "$logs/kill";
mkdir $dir;

sub parent { my $p = PunchoutTest::Parties::slurp("$logs/httpd.pid"); chomp $p; return $p }
sub children { open(my $ps, '-|', 'ps', '-o', 'pid=', '--ppid', parent()) or die "ps: $!"; return map { /(\d+)/ } <$ps> }
# The child that said last that it delivers.
sub deliverer {
    open(my $tail, '-|', 'tail', '-n', '4000', "$logs/error_log") or return;
    my $pid;
    while (<$tail>) { $pid = $1 if /\[pid (\d+)[\]:].*PO0334:/ }
    return $pid;
}

# One request for approval and its order, until the order is answered 200; sometimes sent once more.
sub one_order {
    my ($n, $out) = @_;
    my $lines = eval { lines_from(request_approval(open_session(), offer => 'off-year', account => "acct-$n")) };
    return unless $lines && @$lines;
    my $id = "KILL-$$-$n";
    my $document = order_document(id => $id, lines => $lines);
    for (1 .. 50) {
        my $r = order_reply($document);
        my $status = status_of($r) || 0;
        if ($r->code == 200 && $status == 200) {
            print $out "$id $lines->[0]{auxiliary}\n";
            order_reply($document) if rand() < 0.2;
            return;
        }
        print $out "# $id: $status ", $r->code, "\n" if $status && $status < 500;
        sleep 0.1;
    }
    print $out "# $id: never answered\n";
}

backend_answers(503, 'now and then', percent => 5);
my $end = time + $seconds;
my @pids;
for my $s (1 .. $senders) {
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if (!$pid) {
        srand($$);
        open(my $out, '>', "$dir/sender.$s") or POSIX::_exit(1);
        $out->autoflush(1);
        my $n = 0;
        one_order(++$n, $out) while time < $end;
        POSIX::_exit(0);
    }
    push @pids, $pid;
}
my ($kills, $deliverers) = (0, 0);
while (time < $end - 1) {
    sleep 0.3 + rand(0.7);
    my @children = children() or next;
    my $leader = deliverer();
    my $victim = rand() < 0.4 && $leader && grep({ $_ == $leader } @children) ? $leader : $children[rand @children];
    $deliverers++ if $leader && $victim == $leader;
    $kills += kill 'KILL', $victim;
}
waitpid $_, 0 for @pids;
backend_answers();

my (%answered, @odd);
for my $s (1 .. $senders) {
    for (split /\n/, PunchoutTest::Parties::slurp("$dir/sender.$s") || '') {
        if (/^#/) { push @odd, $_ }
        elsif (/^(\S+) (req-\w+)\.1$/) { $answered{$1} = $2 }
    }
}
diag scalar(keys %answered) . " orders answered 200, $kills children killed, $deliverers of them delivering";
cmp_ok scalar(keys %answered), '>', 50, 'orders were taken meanwhile';
cmp_ok $kills, '>', $seconds / 10, 'children were killed';
cmp_ok $deliverers, '>', 0, 'the deliverer among them';
is_deeply \@odd, [], 'no order got a permanent refusal or none at all';

ok wait_for(60, sub { ledger("SELECT count(*) FROM outbox WHERE state=0 AND channel='event'") eq '0' }), 'the outbox empties';
my %in_ledger = map { split /\|/ } split /\n/, ledger("SELECT order_id, count(*) FROM purchase_order WHERE order_id LIKE 'KILL-%' GROUP BY order_id");
is_deeply [grep { !$in_ledger{$_} } keys %answered], [], 'every order answered 200 is in the ledger';
is_deeply [grep { $in_ledger{$_} > 1 } keys %in_ledger], [], 'none is there twice';
my (%keys, %done);
for (events()) {
    next unless $_->{body};
    $keys{ $_->{body}{data}{request} }{ $_->{key} }++;
    $done{ $_->{body}{data}{request} }++ if $_->{status} == 200;
}
is_deeply [grep { !$done{$_} } values %answered], [], 'each is at the backend';
is_deeply [grep { keys %{ $keys{$_} || {} } != 1 } values %answered], [], 'under exactly one key';
is ledger('PRAGMA integrity_check'), 'ok', 'the ledger is whole';

Test::More::done_testing();
