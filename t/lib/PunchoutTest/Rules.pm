# Runs the rows of t/rules.tsv over HTTP: buyers, shopper, backend and invoices, and what everybody got.
package PunchoutTest::Rules;
use strict;
use warnings;
use Encode qw(decode);
use Exporter 'import';
use File::Basename qw(basename);
use HTTP::Cookies ();
use JSON::PP ();
use POSIX ();
use PunchoutTest;
use PunchoutTest::Parties ();
use Time::HiRes qw(sleep);

our @EXPORT = qw(rules_table rules_sample run_rules differences);
our @GIVEN = qw(kind pre lines situation steps);
our @CELLS = qw(cart status events first orders buyer invoices mails state);

my $VHOST = 'rules';
my $QUIET_SECONDS = 60;                 # for everything that is on its way to arrive
my %FORM = (
    contract       => { offer => 'off-year', quantity => 2 },
    both           => { offer => 'off-both', budget => '500.00' },
    'usage-budget' => { offer => 'off-payg', budget => '500.00' },
    'usage-open'   => { offer => 'off-payg' },
    free           => { offer => 'off-free', quantity => 2 },
    byol           => { offer => 'off-byol', quantity => 2 },
    trial          => { offer => 'off-try', quantity => 2 },
);
# A situation that needs a buyer of its own: for its setting, or to be alone with its open request.
my %CONNECTION = ('no-auxiliary' => 'alone', 'hold-price' => 'hold', 'accept-price' => 'accept', each => 'each',
    separate => 'separate');

# ---- the table -------------------------------------------------------------------------------------------------------

sub row_name { my $row = shift; return join '/', @$row{qw(situation kind pre lines)} }

# The rows, each a hash by column.
sub rules_table {
    my $file = shift;
    my ($head, @rows);
    for (grep { /^[^#]/ } split /\n/, PunchoutTest::Parties::slurp($file)) {
        my @cells = split /\t/;
        if (!$head) { $head = \@cells; next }
        die "$file: a row of " . @cells . " cells: $_\n" if @cells != @$head;
        my %row;
        @row{@$head} = @cells;
        $row{name} = row_name(\%row);
        push @rows, \%row;
    }
    my $wanted = join ' ', @GIVEN, @CELLS;
    die "$file: its columns are not $wanted\n" if "@$head" ne $wanted;
    return @rows;
}

# Of each situation every seventh row, and of the next one those behind them: all kinds and settings are among them.
sub rules_sample {
    my ($turn, %rows, @situations, @sample) = (0);
    for (@_) {
        push @situations, $_->{situation} unless $rows{ $_->{situation} };
        push @{ $rows{ $_->{situation} } }, $_;
    }
    for my $rows (@rows{@situations}) {
        my $step = @$rows < 7 ? @$rows : 7;
        my $first = $turn++ % $step;
        push @sample, map { $rows->[$first + $_ * $step] // () } 0 .. @$rows / $step;
    }
    return @sample;
}

# What differs between a row's cells and what was seen, in words; nothing when it is the same.
sub differences {
    my ($row, $seen) = @_;
    return map { "$_: got \"" . ($seen->{$_} // 'nothing') . "\", expected \"$row->{$_}\"" }
        grep { !defined $seen->{$_} || $seen->{$_} ne $row->{$_} } @CELLS;
}

# ---- the configuration -----------------------------------------------------------------------------------------------

sub connection {
    my $row = shift;
    return join '-', 'rules', @$row{qw(pre lines)}, $CONNECTION{ $row->{situation} } || 'plain';
}

# The buyers of the virtual host `rules`, whose documents go to that URL.
sub configuration {
    my $post = shift;
    my %setting = (plain => '', alone => '', hold => 'PunchOutOrderMismatch hold',
        accept => 'PunchOutOrderMismatch accept', each => 'PunchOutActivate each',
        separate => 'PunchOutApprovals separate');
    my $text = '';
    for my $pre (qw(off on)) {
        for my $lines (qw(classic single split)) {
            for my $connection (sort keys %setting) {
                my $name = "rules-$pre-$lines-$connection";
                $text .= join "\n    ", "<PunchOutBuyer $name>", "PunchOutCredential DUNS $name",
                    "PunchOutSharedSecret secret-of-$name", 'PunchOutReturnHosts rules.example',
                    'PunchOutDeployment production', "PunchOutLines $lines",
                    'PunchOutPreApprove ' . ($pre eq 'on' ? 'free byol' : 'none'),
                    "PunchOutPost $post confirmation invoice", $setting{$connection};
                $text .= "\n</PunchOutBuyer>\n";
            }
        }
    }
    return $text;
}

# ---- the buyer and the shopper ---------------------------------------------------------------------------------------

my $ua;                                 # one connection for a whole process; the cookies are those of a row

sub buyer_of {
    my $name = connection($_[0]);
    return (from => ['DUNS', $name], secret => "secret-of-$name", return => 'https://rules.example/cart');
}

sub cart_cell {
    my $document = shift;
    return 'none' unless defined $document;
    my @items = $document =~ m{<ItemIn\b.*?</ItemIn>}gs;
    my @type = map { m{<Extrinsic name="LineType">([^<]*)<} ? $1 : 'none' } @items;
    my ($total) = $document =~ m{<Total>\s*<Money[^>]*>([^<]*)<};
    return join ' ', (map { "$_->{quantity}x$_->{price}:$_->{unspsc}:" . shift @type } @{ cart_lines($document) }),
        "=$total";
}

# A request that was approved beforehand has no cart; these would be its lines.
sub lines_without_cart {
    my ($row, $request) = @_;
    return [{ part => $FORM{ $row->{kind} }{offer}, auxiliary => "$request.1",
        quantity => $row->{lines} eq 'classic' ? 2 : 1, price => '0.00', currency => 'USD', unit => 'EA' }];
}

# A visit of the shopper, who sends this form; what the marketplace answers.
sub visit {
    my ($case, %form) = @_;
    my $row = $case->{row};
    $ua->cookie_jar($case->{jar} = HTTP::Cookies->new);
    my $setup = post_cxml(base_url($VHOST) . '/punchout/setup',
        setup_document(buyer_of($row), test => $row->{steps} =~ /^setup-test/ ? 1 : 0), ua => $ua);
    $ua->get(start_page_of($setup) || die "$row->{name}: no StartPage: " . $setup->content);
    return request_approval($ua, vhost => $VHOST, account => 'acct-rules', %form);
}

# Session, request and cart of a row.
sub begin {
    my ($row, $number) = @_;
    my @steps = grep { /^([A-Z] |continue$)/ } split /; /, $row->{steps};
    my %case = (row => $row, number => $number, steps => \@steps, status => [], answers => []);
    my $answer = visit(\%case, %{ $FORM{ $row->{kind} } });
    my ($document) = cart_of($answer);
    $case{cart} = cart_cell($document);
    if (defined $document) {
        $case{lines} = cart_lines($document);
        ($case{request}) = ($case{lines}[0]{auxiliary} || '') =~ /^(.*)\.1$/;
    }
    else {
        ($case{request}) = ($answer->header('Location') || '') =~ m{/requests/([\w-]+)};
        $case{cart} = 'HTTP ' . $answer->code . ' ' . $answer->content unless $case{request};
        $case{lines} = lines_without_cart($row, $case{request} // 'req-none');
    }
    return \%case;
}

# A later visit, which requests the approval that the first cart did not hold.
sub continue_request {
    my $case = shift;
    my $answer = visit($case, continue => $case->{request});
    my ($document) = cart_of($answer);
    $case->{cart} .= ' | ' . (defined $document ? cart_cell($document) : 'HTTP ' . $answer->code);
    push @{ $case->{lines} }, @{ cart_lines($document) } if defined $document;
}

# The time of these requests is over, where `steps` say so.
sub expire {
    my $list = join ',', map { "'$_->{request}'" } grep { $_->{row}{steps} =~ /\bexpire\b/ && $_->{request} } @_
        or return;
    my $sql = "PRAGMA busy_timeout=10000; UPDATE request SET expires = 1 WHERE id IN ($list)";
    system('sqlite3', ledger_file(), $sql) == 0 or die 'sqlite3';
}

# ---- purchase orders -------------------------------------------------------------------------------------------------

# "1x3+2@0.30": lines of the cart, changed.
sub ordered_lines {
    my ($case, $text) = @_;
    my @lines;
    for (split /\+/, $text) {
        my ($which, $quantity, $price, $unit, $bare) = m{^(all|\d+)(?:x([\d.]+))?(?:@([\d.]+))?(?:/(\w+))?(~)?$}
            or die "$case->{row}{name}: line \"$_\"\n";
        for my $line ($which eq 'all' ? @{ $case->{lines} } : $case->{lines}[$which - 1] || ()) {
            my %copy = %$line;
            $copy{quantity} = $quantity if defined $quantity;
            $copy{price} = $price if defined $price;
            $copy{unit} = $unit if defined $unit;
            delete $copy{auxiliary} if $bare;
            push @lines, \%copy;
        }
    }
    return \@lines;
}

# Sends one document of a row: "A new all", "A again", "B delete".
sub order {
    my ($case, $step) = @_;
    my ($letter, $type, $lines, $test) = $step =~ /^([A-Z]) (new|update|delete|again)(?: (?!test)(\S+))?( test)?$/
        or die "$case->{row}{name}: step \"$step\"\n";
    if ($type ne 'again') {
        $case->{ordered}{$letter} = ordered_lines($case, $lines) if defined $lines;
        $case->{document}{$letter} = order_document(buyer_of($case->{row}), id => "RULE-$case->{number}-$letter",
            type => $type, lines => $case->{ordered}{$letter}, test => $test);
    }
    my $answer = order_reply($case->{document}{$letter}, vhost => $VHOST, ua => $ua);
    push @{ $case->{status} }, status_of($answer) || 'none';
}

# ---- invoices --------------------------------------------------------------------------------------------------------

sub invoice_json {
    my ($case, $number, $text) = @_;
    my @lines = map {
        my ($line, $quantity, $price) = /^(\d+):([\d.]+)x([\d.]+)$/ or die "$case->{row}{name}: invoice \"$_\"\n";
        { request => $case->{request}, charge => $line + 0, quantity => $quantity, unitPrice => $price }
    } split /\+/, $text;
    return JSON::PP::encode_json({
        number => $number, date => '2026-11-24T10:00:00+00:00', kind => 'standard', seller => 'Keeper Ltd',
        currency => 'USD',
        remitTo => { name => 'Keeper Ltd', street => '1 Log Way', city => 'Testville', postalCode => '10001',
            country => 'US' },
        tax => { amount => '0.00', description => 'no tax' }, lines => \@lines });
}

sub invoice {
    my $case = shift;
    my $n = 0;
    for (split / /, $case->{row}{invoices}) {
        my ($what) = /^(\S+)=\d+$/ or die "$case->{row}{name}: invoice \"$_\"\n";
        my $r = $ua->post(base_url($VHOST) . '/punchout/invoices', 'Content-Type' => 'application/json',
            Authorization => 'Bearer rules-backend-secret',
            Content => invoice_json($case, "INV-$case->{number}-" . ++$n, $what));
        push @{ $case->{answers} }, "$what=" . $r->code;
        push @{ $case->{said} }, $r->content if $r->code >= 400;
    }
}

# ---- all rows --------------------------------------------------------------------------------------------------------

# Until nothing of these cases is on its way any more.
sub quiet {
    my $list = join ',', map { "'$_->{request}'" } grep { $_->{request} } @_ or return;
    my $sql = "SELECT count(*) FROM outbox WHERE state = 0 AND request IN ($list)";
    wait_for($QUIET_SECONDS, sub { ledger($sql) eq '0' })
        or warn "after $QUIET_SECONDS seconds something is still on its way\n";
}

# How many events the backend has about each request.
sub count_events {
    my %count;
    my $text = PunchoutTest::Parties::slurp(parties_dir() . '/backend/events.jsonl') || '';
    $count{$1}++ while $text =~ /"request":"(req-\w+)"/g;
    return \%count;
}

# Through the first document of each, the second of each, ... so that what they cause is waited for together.
sub run_cases {
    my ($rows, $first_number) = @_;
    $ua = browser();
    my @cases = map { begin($_, $first_number++) } @$rows;
    expire(@cases);
    for my $round (0 .. 9) {
        my @going = grep { @{ $_->{steps} } > $round } @cases or last;
        for (@going) {
            my $step = $_->{steps}[$round];
            $step eq 'continue' ? continue_request($_) : order($_, $step);
        }
        quiet(@cases);
        next if $round;
        my $count = count_events();
        $_->{first} = $count->{ $_->{request} // '' } || 0 for @cases;
    }
    for (@cases) {
        $ua->cookie_jar($_->{jar});
        $_->{state} = defined $_->{request} ? request_state($ua, $_->{request}, vhost => $VHOST)->{state} : 'none';
    }
    $ua->cookie_jar(HTTP::Cookies->new);
    invoice($_) for grep { defined $_->{request} } @cases;
    quiet(@cases);
    return map { my %copy = %$_; delete @copy{qw(row jar document)}; \%copy } @cases;
}

# What went to the backend: request => [types], number of orders in the last one.
sub backend_heard {
    my (%types, %orders);
    for (events()) {
        my $data = $_->{body}{data};
        my ($type) = ($_->{body}{type} || '') =~ /^marketplace\.subscription\.(\w+)$/;
        push @{ $types{ $data->{request} } }, $type // '?';
        $orders{ $data->{request} } = @{ $data->{orders} };
    }
    return (\%types, \%orders);
}

# What went to the buyers: number of the row => words.
sub buyers_heard {
    my (%confirmation, %invoice, %words);
    my @files = sort { $a->[0] <=> $b->[0] } map { [/-(\d+)\.http$/, $_] }
        glob(parties_dir() . '/receiver/rules-*.http');
    for (map { PunchoutTest::Parties::slurp($_->[1]) } @files) {
        if (/<ConfirmationRequest>.*<OrderReference\b[^>]*orderID="RULE-(\d+)-(\w)"/s) {
            my ($number, $letter) = ($1, $2);
            my ($header) = /(<ConfirmationHeader\b[^>]*>)/;
            my ($type) = $header =~ /\btype="(\w+)"/;
            push @{ $confirmation{$number}{$letter} }, "$letter:$type"
                . ($header =~ /\boperation="update"/ ? '/update' : '')
                . (/<Request\b[^>]*deploymentMode="test"/ ? '/test' : '');
        }
        push @{ $invoice{$1} }, 'invoice' if /<InvoiceDetailRequestHeader\b[^>]*invoiceID="INV-(\d+)-\d+"/;
    }
    for my $number (keys %{ { %confirmation, %invoice } }) {
        my $of = $confirmation{$number} || {};
        $words{$number} = [(map { @{ $of->{$_} } } sort keys %$of), @{ $invoice{$number} || [] }];
    }
    return \%words;
}

# How the subject of each kind of mail begins, by the templates.
sub mail_subjects {
    my %kind;
    for my $file (glob(($ENV{PUNCHOUT_SRCDIR} || '.') . '/conf/mail/*.txt')) {
        $kind{$1} = basename($file, '.txt')
            if PunchoutTest::Parties::slurp($file) =~ m[^Subject: (?:\{\{#test\}\}.*?\{\{/test\}\})?([^{\n]+)];
    }
    return \%kind;
}

# request => kinds of mails, as they came.
sub mails_heard {
    my ($subjects, %kinds) = (mail_subjects());
    for my $file (sort glob(parties_dir() . '/mail/*.eml')) {
        my $mail = PunchoutTest::Parties::slurp($file);
        my ($request) = $mail =~ /\b(req-\w+)/ or next;
        my ($folded) = $mail =~ /^Subject: (.*(?:\n .*)*)/m;
        my $subject = decode('MIME-Header', $folded) =~ s/^TEST: //r;
        my ($begins) = grep { index($subject, $_) == 0 } sort { length $b <=> length $a } keys %$subjects;
        push @{ $kinds{$request} }, defined $begins ? $subjects->{$begins} : $subject;
    }
    return \%kinds;
}

sub words { my $list = shift; return $list && @$list ? "@$list" : '-' }

# Runs the rows in some processes at a time; what was seen of each, a hash by column, in their order.
sub run_rules {
    my ($processes, @rows) = @_;
    my $dir = Apache::Test::vars('t_logs');
    my $share = int((@rows + $processes - 1) / $processes);
    my (@pids, @cases);
    for my $i (0 .. $processes - 1) {
        my @own = splice @rows, 0, $share;
        my $pid = fork() // die "fork: $!";
        push @pids, $pid;
        next if $pid;
        my $seen = eval { JSON::PP::encode_json([run_cases(\@own, 1 + $i * $share)]) };
        print STDERR $@ unless $seen;
        PunchoutTest::Parties::spew("$dir/rules.$i", $seen) if $seen;
        POSIX::_exit($seen ? 0 : 1);
    }
    for my $i (0 .. $#pids) {
        waitpid($pids[$i], 0);
        die "process $i of the rules failed\n" if $?;
        push @cases, @{ JSON::PP::decode_json(PunchoutTest::Parties::slurp("$dir/rules.$i")) };
    }
    my ($types, $orders) = backend_heard();
    my ($buyers, $mails) = (buyers_heard(), mails_heard());
    return map {
        my $request = $_->{request} // '';
        +{ cart => $_->{cart}, status => "@{ $_->{status} }", events => words($types->{$request}), first => $_->{first},
            orders => $orders->{$request} // '-', buyer => words($buyers->{ $_->{number} }),
            invoices => "@{ $_->{answers} }", mails => words($mails->{$request}), state => $_->{state},
            said => $_->{said} }
    } @cases;
}

1;
