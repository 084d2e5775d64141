# Real documents over HTTP: each gets the Status that the committed table gives it. What is read out of them is the
# business of t/unit/test_corpus.c, and what changes of them change that of t/corpus-matrix.t.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use PunchoutTest::Corpus;

Test::More::plan skip_all => 'no real documents here: set PUNCHOUT_SHARED to the folder that holds corpus/'
    unless corpus_folder();

my %row = corpus_status("$FindBin::Bin/corpus-status.tsv");
is_deeply [sort keys %row], [corpus_files()], 'every document of the corpus has its row, and every row its document';

my $made = 0;
for my $file (grep { $row{$_} } corpus_files()) {
    my ($type, $status, $then) = @{ $row{$file} }{qw(type status then)};
    my $document = corpus_document($file);
    $document = own_numbers($document, 'c' . $$ . ++$made) if $then ne '-';
    my $post = sub { browser()->post(corpus_url($file), 'Content-Type' => $type, Content => $_[0]) };
    my $r = $post->($document);
    is status_of($r), $status, "$file: Status $status: $row{$file}{why}";
    is $r->code, 200, "$file: HTTP 200";
    like start_page_of($r) || '', qr/./, "$file: and a StartPage" if $file =~ /posr-/ && $status == 200;
    next if $then eq '-';
    my $request = make_request($file, $document);
    my $later = $post->($document);
    is status_of($later), $then, "$file: Status $then once its request was made";
    if ($file =~ /posr-/) {
        like start_page_of($later) || '', qr/./, "$file: and a StartPage";
        next;
    }
    is $document =~ /deploymentMode="test"/ ? ledger("SELECT state FROM request WHERE id='$request'") : arrived($request, 10),
        $document =~ /deploymentMode="test"/ ? 7 : 1, "$file: and the backend hears of it once, or it ends as tested";
}

Test::More::done_testing();
