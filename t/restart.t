# Sessions and orders over restarts; a 200 means that the order is on the disk.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use PunchoutTest;
use PunchoutTest::Parties;


my $pid_file = Apache::Test::vars('t_logs') . '/httpd.pid';
sub parent { my $p = PunchoutTest::Parties::slurp($pid_file); chomp $p; return $p }
sub children { open(my $ps, '-|', 'ps', '-o', 'pid=', '--ppid', parent()) or die "ps: $!"; return map { /(\d+)/ } <$ps> }
sub buyer_of { my $ua = shift; return decode_json($ua->get(base_url() . '/shop/x')->content)->{'PunchOut-Buyer'} }

# Waits until no child of before is left in service.
sub restart {
    my ($signal) = @_;
    my $log = Apache::Test::vars('t_logs') . '/error_log';
    my $size = -s $log;
    kill $signal, parent();
    ok wait_for(20, sub {
        open(my $fh, '<', $log) or return;
        seek $fh, $size, 0;
        local $/;
        <$fh> =~ /resuming normal operations/ && browser()->get(base_url() . '/shop/x')->code == 200;
    }), "httpd restarts at SIG$signal";
}

for my $signal (qw(USR1 HUP)) {
    my $open = open_session(user => 'ines');
    my $unused = start_page_of(post_cxml(base_url() . '/punchout/setup', setup_document()));
    my $lines = lines_from(request_approval(open_session(), offer => 'off-year', account => 'acct-r'));
    restart($signal);
    is buyer_of($open), 'acme', "a session opened before SIG$signal still works";
    my $ua = browser();
    is $ua->get($unused)->code, 303, 'so does an unused start link';
    is buyer_of($ua), 'acme', 'and the session it opens';
    is status_of(order_reply(order_document(lines => $lines))), 200, 'and the order of a cart from before';
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    ok wait_for(15, sub { events($request) }), 'and its delivery';
}

# ---- on disk before it is answered --------------------------------------------------------------------------------------------
{
    my $lines = lines_from(request_approval(open_session(), offer => 'off-year', account => 'acct-r'));
    my $out = Apache::Test::vars('t_logs') . '/strace.out';
    my $strace = fork;
    die "fork: $!" unless defined $strace;
    if (!$strace) {
        delete $ENV{LD_PRELOAD};
        open(STDERR, '>', "$out.err");
        exec('strace', '-f', '-s', '4200', '-o', $out, '-y', '-e', 'trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg',
            map { ('-p', $_) } children()) or exit 127;
    }
    wait_for(5, sub { (PunchoutTest::Parties::slurp("$out.err") || '') =~ /attached/ });
    sleep 1;
    my $r = order_reply(order_document(id => "STRACE-$$", lines => $lines));
    is status_of($r), 200, 'an order under strace';
    sleep 1;
    kill 'INT', $strace;
    waitpid $strace, 0;
    my ($written, $synced, $answered, $n) = (0, 0, 0, 0);
    for (split /\n/, PunchoutTest::Parties::slurp($out) || '') {
        ++$n;
        if (!$written) { $written = $n if /pwrite64\(\d+<[^>]*ledger\.db-wal>.*STRACE-$$/ }
        elsif (!$synced) { $synced = $n if /(?:fsync|fdatasync)\(\d+<[^>]*ledger\.db-wal>\) = 0/ || /(?:fsync|fdatasync) resumed>\) += 0/ }
        $answered ||= $n if /"HTTP\/1\.1 200 OK/ && /text\/xml/;
    }
    cmp_ok $written, '>', 0, 'the order is written to the ledger';
    cmp_ok $synced, '>', $written, 'and then synced';
    cmp_ok $answered, '>', $synced, 'before the 200 goes to the socket';
}

Test::More::done_testing();
