# index.cif and index.xml: each buyer's catalog for the search of his own system, whole or since a date. Starts an httpd of its
# own, because the catalog changes on the way.
use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha1_base64);
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Request::Common qw(GET HEAD POST);
use JSON::PP;
use LWP::UserAgent ();
use POSIX qw(strftime);
use PunchoutTest::Httpd;
use Test::More;
use Time::HiRes qw(sleep);

my $dtds = ($ENV{PUNCHOUT_SHARED} || '') . '/dtd';
my $xmllint = $ENV{XMLLINT} || 'xmllint';
my $server = PunchoutTest::Httpd->new(qw(market));
my $root = $server->root;
my $ua = LWP::UserAgent->new;

# ---- catalog and users ------------------------------------------------------------------------------------------------

sub product {
    my ($id, %more) = @_;
    return { id => $id, name => "Name of $id", seller => 'Keeper Ltd', offers => [{ id => "off-$id", pricing => 'contract',
             price => '1200.00', currency => 'USD', term => 'P12M' }], %more };
}

sub write_catalog {
    my $products = shift;
    spew("$root/new.json", JSON::PP->new->canonical->ascii->encode({ products => $products }));
    rename("$root/new.json", "$root/catalog.json") or die $!;
}

my @products = (
    product('plain', description => qq{Says "hello", then\na second line & <tags>}),
    product('usage', offers => [{ id => 'off-usage', pricing => 'usage', currency => 'USD', usage => [{ dimension => 'gb',
            price => '0.25', unit => 'E34' }] }]),
    product('free', offers => [{ id => 'off-free', pricing => 'free' }]),
    product('for-acme', allowedOrganizations => ['acme']),
    product('not-for-acme', deniedOrganizations => ['acme']),
    product('private', offers => [{ id => 'off-private', pricing => 'contract', price => '7.00', currency => 'USD',
            organizations => ['globex'] }]),
    product('other-seller', seller => 'Guard AG'),
);
write_catalog(\@products);
spew("$root/users", join '', map { "$_:{SHA}" . sha1_base64("$_-password") . "=\n" } qw(acme globex operator));

my @auth = map { -e "$server->{modules}/mod_$_.so" ? "LoadModule ${_}_module $server->{modules}/mod_$_.so" : () }
    qw(auth_basic authn_core authn_file authz_user);
my $configuration = $server->configuration(@auth, "PunchOutCatalog $root/catalog.json", 'PunchOutProductPage /products/{product}',
    'PunchOutIdentity NetworkID AN01000000001',
    '<PunchOutBuyer acme>', 'PunchOutCredential NetworkID AN01000000099', 'PunchOutSharedSecret acme-secret',
    'PunchOutReturnHosts buyer.example', '</PunchOutBuyer>',
    '<PunchOutBuyer globex>', 'PunchOutProfile coupa', 'PunchOutCredential DUNS globex', 'PunchOutSharedSecret globex-secret',
    'PunchOutReturnHosts buyer.example', 'PunchOutSellers "Keeper Ltd"', '</PunchOutBuyer>',
    $server->site('market', map { ("<Location /punchout/index.$_>", 'AuthType Basic', 'AuthName index', "AuthUserFile $root/users",
        'Require valid-user', '</Location>') } qw(xml cif)));
my ($rc, $said) = $server->run($configuration, '-k', 'start');
is $rc, 0, 'httpd starts' or BAIL_OUT($said);
my $pid = "$root/logs/pid";
for (1 .. 100) { last if -s $pid; sleep 0.1 }
sub graceful { kill('USR1', slurp($pid)) or die "no httpd: $!" }

sub index_of {
    my ($user, $question, @headers) = @_;
    my $request = GET($server->url('market', "punchout/$question"), @headers);
    $request->authorization_basic($user, "$user-password") if $user;
    return $ua->request($request);
}
sub parts_xml { return join ' ', $_[0] =~ m{<IndexItemPunchout><ItemID><SupplierPartID>([^<]*)}g }
sub parts_cif { return join ' ', map { (split /,/)[1] } (split /\r\n/, ($_[0] =~ /\r\nDATA\r\n(.*)ENDOFDATA\r\n\z/s)[0]) }

sub valid {
    my ($xml, $dtd, $what) = @_;
SKIP: {
        skip 'PUNCHOUT_SHARED does not name a folder that holds dtd/', 1 unless -f "$dtds/$dtd";
        $xml =~ s/<!DOCTYPE Index SYSTEM "[^"]*">//;
        spew("$root/index.xml", "<!DOCTYPE Index SYSTEM \"$dtds/$dtd\">\n" . $xml =~ s/^<\?xml[^>]*\?>//r);
        is system("$xmllint --nonet --noout --valid $root/index.xml >$root/lint 2>&1"), 0, $what or diag slurp("$root/lint");
    }
}

# ---- who sees what -------------------------------------------------------------------------------------------------------

my $answer = index_of('acme', 'index.xml');
is $answer->code, 200, 'a buyer gets the index under the name of its block';
like $answer->content, qr{<!DOCTYPE Index SYSTEM "http://xml\.cxml\.org/schemas/cXML/[\d.]+/cXML\.dtd">\n<Index loadmode="Full">}, 'the root is Index';
like $answer->content, qr{<SupplierID domain="NetworkID">AN01000000001</SupplierID>}, 'from the identity of the domain that the buyer has';
is parts_xml($answer->content), 'for-acme free other-seller plain usage', 'exactly the products that the buyer may see';
valid($answer->content, $_, "it is valid by $_") for 'cXML.dtd', 'legacy/1.2.063-cXML.dtd';
like $answer->content, qr{plain</SupplierPartID></ItemID><PunchoutDetail punchoutLevel="product"><Description xml:lang="en"><ShortName>Name of plain</ShortName>Name of plain: Says &quot;hello&quot;, then\na second line &amp; &lt;tags&gt;</Description>},
    'name and description are told, escaped';
like $answer->content, qr{<URL>\Q@{[$server->url('market')]}\E/punchout/setup</URL>}, 'with the door for the setup';
like $answer->content, qr{usage</SupplierPartID>.*?<Money currency="USD">0\.25</Money></UnitPrice><UnitOfMeasure>E34<}s, 'a usage offer shows its unit and price';

my $cif = index_of('acme', 'index.cif');
is $cif->code, 200, 'the same as CIF';
like $cif->content, qr/\ACIF_I_V3\.0\r\nCHARSET: UTF-8\r\nLOADMODE: F\r\n.*\r\nITEMCOUNT: 5\r\n/s, 'with its header and the number of items';
is parts_cif($cif->content), 'for-acme free other-seller plain usage', 'the same products';
like $cif->content, qr{\r\nAN01000000001,plain,plain,"Name of plain: Says ""hello"", then a second line & <tags>",43232701,1200\.00,EA,0,Keeper Ltd,http://[^,]*/products/plain,,,,en,USD,Name of plain,TRUE,product\r\n},
    'each with eighteen fields, quoted where needed';
is parts_xml(index_of('globex', 'index.xml')->content), 'free not-for-acme plain private usage', 'another buyer sees other products';

is index_of('', 'index.xml')->code, 401, 'nobody gets it unasked';
is index_of('acme', 'index.xml?buyer=globex')->code, 403, "a buyer can't ask for another's";
is index_of('operator', 'index.xml')->code, 403, 'somebody else has to say whose';
is parts_xml(index_of('operator', 'index.xml?buyer=acme')->content), 'for-acme free other-seller plain usage', "and gets any buyer's";
is index_of('operator', 'index.xml?buyer=none')->code, 403, 'but none of nobody';
is index_of('acme', 'index.xml?since=yesterday')->code, 400, 'what is no date is told';
my $head = HEAD($server->url('market', 'punchout/index.xml'));
$head->authorization_basic('acme', 'acme-password');
$head = $ua->request($head);
ok $head->code == 200 && $head->content eq '', 'HEAD has no body';
my $post = POST($server->url('market', 'punchout/index.xml'));
$post->authorization_basic('acme', 'acme-password');
is $ua->request($post)->code, 405, 'POST is not taken';
is index_of('acme', 'index.xml', 'If-None-Match' => $answer->header('ETag'))->code, 304, 'an unchanged index is not sent again';

spew("$root/httpd.conf", $configuration =~ s/(PunchOutSharedSecret acme-secret\n)/$1PunchOutSellers "Keeper Ltd"\n/r);
graceful();
my $less;
for (1 .. 50) {
    $less = index_of('acme', 'index.xml', 'If-None-Match' => $answer->header('ETag'));
    last if $less->code == 200;
    sleep 0.1;
}
is parts_xml($less->content), 'for-acme free plain usage', 'what the configuration hides from a buyer is gone, whatever he has seen before';
spew("$root/httpd.conf", $configuration);

# ---- since when ----------------------------------------------------------------------------------------------------------

my $tomorrow = strftime('%Y-%m-%d', gmtime(time + 86400 * 2));
is index_of('acme', "index.xml?since=$tomorrow")->code, 204, 'no change: 204';
sleep 1.1;                              # times of change are told in seconds
my $now = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
$products[0]{description} = 'changed';
splice(@products, 2, 1);
$products[3]{deniedOrganizations} = ['globex'];
push @products, product('late');
write_catalog(\@products);
graceful();
$answer = index_of('acme', "index.xml?since=$now");
for (1 .. 50) {
    last if $answer->code == 200;
    sleep 0.1;
    $answer = index_of('acme', "index.xml?since=$now");
}
is parts_xml($answer->content), 'late not-for-acme plain', 'an incremental index holds what is new, changed or seen only now';
like $answer->content, qr{<Index loadmode="Incremental">}, 'and says that it is incremental';
is join(' ', $answer->content =~ m{<IndexItemDelete><ItemID><SupplierPartID>([^<]*)}g), 'free', 'what is gone is deleted';
valid($answer->content, 'cXML.dtd', 'it is valid');
$answer = index_of('globex', "index.cif?since=$now");
like $answer->content, qr/LOADMODE: I.*FIELDNAMES: [^\r]*, Delete\r\n/s, 'CIF has a column for that';
like $answer->content, qr/\r\nmarket-1,not-for-acme,{17}T\r\n/, 'and deletes what this buyer sees no longer';
unlike $answer->content, qr/for-acme,for-acme/, 'nothing is told of what it never saw';

# ---- a long catalog ------------------------------------------------------------------------------------------------------

write_catalog([map { product("p$_", description => 'word ' x 60) } 1 .. 20_000]);
graceful();
sub of_process { my ($pid, $what) = @_; return eval { slurp("/proc/$pid/$what") } // '' }   # it may be gone by now
sub children {
    my $parent = slurp("$root/logs/pid") + 0;
    return grep { of_process($_, 'stat') =~ /\) \w (\d+)/ && $1 == $parent } map { m{(\d+)\z} ? $1 : () } glob '/proc/[0-9]*';
}
sub own_memory { return map { of_process($_, 'status') =~ /^RssAnon:\s+(\d+) kB/m ? ($_ => $1) : () } children() }
for (1 .. 100) {
    $answer = index_of('acme', 'index.cif');
    last if $answer->content =~ /ITEMCOUNT: 20000/;
    sleep 0.1;
}
is scalar(() = $answer->content =~ /\r\nAN01000000001,p/g), 20_000, '20,000 products are listed';
# looked at while it is being sent: afterwards everybody has given back what he had
my ($bytes, $looks, $most, %before) = (0, 0, 0, own_memory());
my $request = GET($server->url('market', 'punchout/index.xml'));
$request->authorization_basic('acme', 'acme-password');
$ua->request($request, sub {
    $bytes += length $_[0];
    return if $bytes < 3_000_000 * ($looks + 1);
    $looks++;
    my %now = own_memory();
    for (grep { defined $before{$_} } keys %now) { $most = $now{$_} - $before{$_} if $now{$_} - $before{$_} > $most }
}, 65536);
cmp_ok $bytes, '>', 10_000_000, 'an index of more than 10 MB';
cmp_ok $looks, '>', 2, '... was looked at on its way';
cmp_ok $most, '<', 5000, '... and is never held in memory (kB)';

done_testing;
