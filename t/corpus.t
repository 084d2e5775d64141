# Real documents over HTTP: each gets the Status that the committed table gives it. What is read out of them is the business of
# t/unit/test_corpus.c.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use PunchoutTest;
use PunchoutTest::Parties;
use XML::LibXML;

my $corpus = ($ENV{PUNCHOUT_SHARED} || '') . '/corpus';
Test::More::plan skip_all => 'no real documents here: set PUNCHOUT_SHARED to the folder that holds corpus/' unless -d $corpus;

my $table = "$FindBin::Bin/corpus-status.tsv";
my %buyer_of = ('order-cxmlphp.xml' => 'cxmlphp', 'order-officeluv.xml' => 'officeluv-order', 'synthetic/order-split-lines.xml' => 'acme');

my $made = 0;
sub sql { my ($text) = @_; $text =~ s/'/''/g; return "'$text'" }

# The request that an order's lines name, written into the ledger as an operator would restore one: its charges are those
# lines. Lines without an auxiliary id of ours are found by part, price, currency and quantity.
sub make_request {
    my ($file, $document) = @_;
    my $xml = XML::LibXML->new(load_ext_dtd => 0)->parse_string($document);
    my @items = $xml->findnodes('//ItemOut');
    my ($id) = $items[0]->findvalue('ItemID/SupplierPartAuxiliaryID') =~ /^(req-\w+)\.\d+$/;
    $id ||= 'req-corpus' . ++$made;
    my $site = base_url('corpus');
    my $now = time . '000000';
    my $statements = "INSERT INTO request(id,site,buyer,organization,state,test,product,offer,product_name,seller,pricing,action,currency,terms_at,created,updated,expires)"
        . " VALUES('$id','$site','$buyer_of{$file}','$buyer_of{$file}',1,0,'prod-ab12','off','Corpus','Keeper Ltd','contract','new','USD',$now,$now,$now," . ($now + 86400_000_000) . ");\n";
    my $line = 0;
    for my $item (@items) {
        ++$line;
        my ($part, $quantity, $unit) = map { $item->findvalue($_) } 'ItemID/SupplierPartID', '@quantity', 'ItemDetail/UnitOfMeasure';
        # money in the ledger has no trailing zeros: equal text is equal value
        s/(\.\d*?)0+$/$1/, s/\.$// for $quantity;
        my ($price, $currency) = map { $item->findvalue($_) } 'ItemDetail/UnitPrice/Money', 'ItemDetail/UnitPrice/Money/@currency';
        s/(\.\d*?)0+$/$1/, s/\.$// for $price;
        $statements .= "INSERT INTO charge(request,site,buyer,line,kind,part,description,quantity,unit_price,currency,unit,unspsc,state,order_line)"
            . " VALUES((SELECT seq FROM request WHERE site='$site' AND id='$id'),'$site','$buyer_of{$file}',$line,'contract'," . join(',', map { sql($_) } $part, 'corpus', $quantity, $price, $currency, $unit) . ",'43232701',0,0);\n";
    }
    open(my $fh, '|-', 'sqlite3', '-bail', '-cmd', '.timeout 5000', ledger_file()) or die "sqlite3: $!";
    print $fh "BEGIN;\n$statements COMMIT;\n";
    close $fh or die "the request of $file could not be made";
    return $id;
}

open(my $fh, '<', $table) or die "$table: $!";
my %seen;
while (<$fh>) {
    next if /^#/;
    chomp;
    my ($file, $type, $status, $then) = split /\t/;
    $seen{$file} = 1;
    my $document = PunchoutTest::Parties::slurp("$corpus/$file");
    ok defined $document, "$file is there" or next;
    my $url = base_url('corpus') . '/punchout/' . ($file =~ /order/ ? 'order' : 'setup');
    my $post = sub { browser()->post($url, 'Content-Type' => $type, Content => $_[0]) };
    my $r = $post->($document);
    is status_of($r), $status, "$file: Status $status";
    is $r->code, 200, "$file: HTTP 200";
    like start_page_of($r) || '', qr/./, "$file: and a StartPage" if $file =~ /posr/ && $status == 200;
    next if $then eq '-';
    # a line that names a foreign request is one that names none: orders by people who typed it
    $document =~ s{<SupplierPartAuxiliaryID>(?!req-)[^<]*</SupplierPartAuxiliaryID>}{}g;
    my $request = make_request($file, $document);
    is status_of($post->($document)), $then, "$file: Status $then once its request was made";
    is $document =~ /deploymentMode="test"/ ? ledger("SELECT state FROM request WHERE id='$request'") : arrived($request, 10),
        $document =~ /deploymentMode="test"/ ? 7 : 1, "$file: and the backend hears of it once, or it ends as tested";
}
is_deeply [grep { !$seen{$_} } map { s{^\Q$corpus\E/}{}r } glob("$corpus/posr-*.xml $corpus/order-*.xml $corpus/synthetic/posr-*.xml $corpus/synthetic/order-*")],
    ['order-response-6mils.xml'], 'every request of the corpus has its row (the other file is a Response)';

Test::More::done_testing();
