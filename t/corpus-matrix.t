# Real documents, each in the ways that other systems would have sent it: no change that means nothing may change
# what is read out of a document or what it is answered. The table is t/corpus-matrix.tsv; "-": there is nothing to change.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use File::Temp ();
use FindBin;
use HTTP::Request ();
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use PunchoutTest::Corpus;
use PunchoutTest::Parties ();
use PunchoutTest::Variants qw(@CHANGES variant parts);

my $reader = "$FindBin::Bin/unit/read_document";
Test::More::plan skip_all => 'no real documents here: set PUNCHOUT_SHARED to the folder that holds corpus/'
    unless corpus_folder();

my @columns = split /\t/, (split /\n/, PunchoutTest::Parties::slurp("$FindBin::Bin/corpus-table.tsv"))[0];
my %row = corpus_status("$FindBin::Bin/corpus-status.tsv");
my @files = corpus_files();

# ---- the committed table -------------------------------------------------------------------------------------------

my ($head, %expected);
for (grep { !/^#/ } split /\n/, PunchoutTest::Parties::slurp("$FindBin::Bin/corpus-matrix.tsv")) {
    my ($file, @cells) = split /\t/;
    if ($head) { $expected{$file} = \@cells }
    else { $head = join ' ', @cells }
}
is $head, join(' ', @CHANGES), 'the table has a column for each change';
is_deeply [sort keys %expected], \@files, 'and a row for each document';
is_deeply { map { $_ => $expected{$_}[0] } keys %expected },
    { map { $_ => $row{$_}{ $row{$_}{then} eq '-' ? 'status' : 'then' } } keys %row },
    'a document as it is has the Status of corpus-status.tsv';

# ---- what is read --------------------------------------------------------------------------------------------------

my $folder = File::Temp->newdir;
my (%variant, %path);
for my $file (@files) {
    my $message = corpus_document($file);
    my $document = (parts($message))[1];
    for my $change (@CHANGES) {
        $variant{$file}{$change} = variant($message, $change);
        next unless defined $variant{$file}{$change};
        my $path = $path{$file}{$change} = "$folder/" . $file =~ s{/}{_}gr . ".$change";
        PunchoutTest::Parties::spew($path, variant($document, $change));
    }
}
my %read;
open(my $out, '-|', $reader, map { values %$_ } values %path) or die "$reader: $!; make t/unit/read_document";
while (<$out>) {
    chomp;
    my ($path, @values) = split /\t/;
    $read{$path} = \@values;
}
close $out or die "$reader failed: $?";

# "=" or the name of the first column that says something else than the document as it is
sub verdict {
    my ($file, $change) = @_;
    my ($original, $changed) = map { $read{ $path{$file}{$_} } } 'as-is', $change;
    my @names = (@columns[1 .. $#columns], 'digest');
    return 'nothing' if @$original != @names || @$changed != @names;
    for (0 .. $#names) { return $names[$_] if $original->[$_] ne $changed->[$_] }
    return '=';
}

# ---- what is answered ----------------------------------------------------------------------------------------------

my $ua = browser(cookie_jar => undef);

sub answer {
    my ($file, $change, $document) = @_;
    my $request = HTTP::Request->new(POST => corpus_url($file), ['Content-Type' => $row{$file}{type}], $document);
    $request->remove_header('Content-Type') if $change eq 'no-type';
    my $r = $ua->request($request);
    my $status = status_of($r) || 'none';
    $status .= ' of HTTP ' . $r->code if $r->code != 200;
    $status .= ' without StartPage' if $file =~ /posr-/ && $status eq 200 && !start_page_of($r);
    return $status;
}

my $made = 0;
my @lines = (join ' ', sprintf('%-42s', ''), map { sprintf '%-10s', $_ } @CHANGES);
for my $file (@files) {
    my ($request, $document, @cells, @wrong) = ();
    if ($row{$file}{then} ne '-') {
        $document = own_numbers(corpus_document($file), "m$$" . ++$made);
        is answer($file, 'as-is', $document), $row{$file}{status},
            "$file: Status $row{$file}{status} before its request is made";
        $request = make_request($file, $document);
    }
    for my $i (0 .. $#CHANGES) {
        my $change = $CHANGES[$i];
        my $changed = $document ? variant($document, $change) : $variant{$file}{$change};
        my $status = defined $changed ? answer($file, $change, $changed) : '-';
        my $verdict = defined $changed ? verdict($file, $change) : '';
        my $expected = $expected{$file} ? $expected{$file}[$i] : 'no row';
        push @cells, sprintf '%-10s', $status . $verdict;
        push @wrong, "$change: Status $status, expected $expected" if $status ne $expected;
        push @wrong, "$change: another $verdict" if $verdict !~ /^=?$/;
    }
    push @lines, join ' ', sprintf('%-42s', $file), @cells;
    is join('; ', @wrong), '', "$file: says the same and is answered the same in all its forms";
    next if !$request || $file =~ /posr-/;
    if ($document =~ /deploymentMode="test"/) {
        is ledger("SELECT state FROM request WHERE id='$request'"), 7, "$file: a test that ends as tested";
        is scalar(events($request)), 0, "$file: and of which no backend hears";
    }
    else {
        arrived($request, 10);
        is ledger("SELECT count(*) FROM outbox WHERE request='$request' AND channel LIKE 'event%'"), 1,
            "$file: one event, however often it came";
        is scalar(events($request)), 1, "$file: which the backend got once";
    }
}
diag $_ for @lines;

Test::More::done_testing();
