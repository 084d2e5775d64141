# The real documents of ../shared/corpus, and what has to be in the ledger before their orders can be taken.
package PunchoutTest::Corpus;
use strict;
use warnings;
use Exporter 'import';
use PunchoutTest;
use PunchoutTest::Parties ();
use PunchoutTest::Variants qw(parts);
use XML::LibXML;

our @EXPORT = qw(corpus_folder corpus_files corpus_document corpus_status corpus_url own_numbers make_request);

my %buyer_of = (
    'order-cxmlphp.xml'               => 'cxmlphp',
    'order-officeluv.xml'             => 'officeluv-order',
    'synthetic/order-split-lines.xml' => 'acme',
    'synthetic/order-multipart.mime'  => 'acme',
    'synthetic/posr-edit.xml'         => 'acme',
);
my $made = 0;

# undef where there are no real documents.
sub corpus_folder {
    my $folder = ($ENV{PUNCHOUT_SHARED} || '') . '/corpus';
    return -e "$folder/PROVENANCE.tsv" ? $folder : undef;
}

# Every document, by its name below the folder.
sub corpus_files {
    my $folder = corpus_folder();
    return sort map { s{^\Q$folder\E/}{}r } map { glob "$folder/$_" } qw(*.xml synthetic/*.xml synthetic/*.mime);
}

sub corpus_document { return PunchoutTest::Parties::slurp(corpus_folder() . '/' . shift) }
sub corpus_url { return base_url('corpus') . '/punchout/' . ($_[0] =~ /order/ ? 'order' : 'setup') }

# corpus-status.tsv: file => hash with type, status, then ("-": nothing changes it)
sub corpus_status {
    my $table = shift;
    my %row;
    for (grep { !/^#/ } split /\n/, PunchoutTest::Parties::slurp($table)) {
        my ($file, $type, $status, $then, $why) = split /\t/;
        $row{$file} = { type => $type, status => $status, then => $then, why => $why };
    }
    return %row;
}

# A document with numbers of its own (the mark makes them), so that it is new here whatever other tests sent. A line that names
# a foreign request becomes one that names none: orders by people who typed it.
sub own_numbers {
    my ($document, $mark) = @_;
    $document =~ s{<SupplierPartAuxiliaryID>(?!req-)[^<]*</SupplierPartAuxiliaryID>}{}g;
    $document =~ s/(\spayloadID="[^"]*)"/$1.$mark"/;
    $document =~ s/(\sorderID="[^"]*)"/$1-$mark"/;
    $document =~ s/>req-(\w+?)\.(\d+)</>req-${mark}x$1.$2</g;
    return $document;
}

sub sql { my ($text) = @_; $text =~ s/'/''/g; return "'$text'" }
# Money in the ledger has no trailing zeros: equal text is equal value.
sub plain { my ($number) = @_; $number =~ s/(\.\d*?)0+$/$1/; $number =~ s/\.$//; return $number }

# The request that an order's lines name, written into the ledger as an operator would restore one: its charges are those
# lines. Lines without an auxiliary id of ours are found by part, price, currency and quantity. The request's id.
sub make_request {
    my ($file, $document) = @_;
    my $xml = XML::LibXML->new(load_ext_dtd => 0)->parse_string((parts($document))[1]);
    my @items = $xml->findnodes('//ItemOut');
    my ($id) = $items[0]->findvalue('ItemID/SupplierPartAuxiliaryID') =~ /^(req-\w+)\.\d+$/;
    $id ||= "req-corpus$$" . ++$made;
    my $site = base_url('corpus');
    my $now = time . '000000';
    # a line without auxiliary id finds requests of its own mode alone
    my $test = $document =~ /deploymentMode="test"/ ? 1 : 0;
    my $statements = "INSERT INTO request(id,site,buyer,organization,state,test,product,offer,product_name,seller,pricing,action,currency,terms_at,created,updated,expires)"
        . " VALUES('$id','$site','$buyer_of{$file}','$buyer_of{$file}',1,$test,'prod-ab12','off','Corpus','Keeper Ltd','contract','new','USD',$now,$now,$now," . ($now + 86400_000_000) . ");\n";
    my $line = 0;
    for my $item (@items) {
        ++$line;
        my ($part, $quantity, $unit, $price, $currency) = map { $item->findvalue($_) } 'ItemID/SupplierPartID', '@quantity',
            'ItemDetail/UnitOfMeasure', 'ItemDetail/UnitPrice/Money', 'ItemDetail/UnitPrice/Money/@currency';
        $statements .= "INSERT INTO charge(request,site,buyer,line,kind,part,description,quantity,unit_price,currency,unit,unspsc,state,order_line)"
            . " VALUES((SELECT seq FROM request WHERE site='$site' AND id='$id'),'$site','$buyer_of{$file}',$line,'contract',"
            . join(',', map { sql($_) } $part, 'corpus', plain($quantity), plain($price), $currency, $unit) . ",'43232701',0,0);\n";
    }
    open(my $fh, '|-', 'sqlite3', '-bail', '-cmd', '.timeout 5000', ledger_file()) or die "sqlite3: $!";
    print $fh "BEGIN;\n$statements COMMIT;\n";
    close $fh or die "the request of $file could not be made";
    return $id;
}

1;
