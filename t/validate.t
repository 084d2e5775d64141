# PunchOutValidate: what we send is held against local DTDs. Needs no Apache::Test: it starts an httpd of its own, for a
# server without the DTDs does not start. PUNCHOUT_SHARED names the folder that holds dtd/.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use HTTP::Cookies ();
use LWP::UserAgent ();
use PunchoutTest::Httpd;
use Test::More;
use Time::HiRes qw(sleep time);

my $dtds = ($ENV{PUNCHOUT_SHARED} || '') . '/dtd';
plan skip_all => 'PUNCHOUT_SHARED does not name a folder that holds dtd/' unless -f "$dtds/legacy/1.2.014-cXML.dtd";

# ---- folders of DTDs -------------------------------------------------------------------------------------------------

my $server = PunchoutTest::Httpd->new(qw(off valid log refuse));
my $root = $server->root;
make_path(map { "$root/$_" } qw(htdocs/shop official/1.2.014 official/1.2.071 strict/1.2.014 strict/1.2.071 empty));

my %source = ('1.2.014' => "$dtds/legacy/1.2.014-cXML.dtd", '1.2.071' => "$dtds/cXML.dtd");
for my $version (keys %source) {
    symlink($source{$version}, "$root/official/$version/cXML.dtd") or die "symlink: $!";
    # a rule that nothing we write can follow: so an invalid document appears without a mistake in the module
    my $strict = slurp($source{$version});
    $strict =~ s/<!ELEMENT\s+(Status|BuyerCookie)\s+[^>]*>/<!ELEMENT $1 (Impossible)>/g == 2 or die "$version: Status and BuyerCookie not found";
    spew("$root/strict/$version/cXML.dtd", $strict);
}

# ---- an httpd -----------------------------------------------------------------------------------------------------------

sub site { return $server->site(@_) }

my @buyers = map {
    ("<PunchOutBuyer $_->[0]>", "PunchOutCredential DUNS $_->[0]", "PunchOutDTD $_->[1]", "PunchOutSharedSecret $_->[0]-secret",
     'PunchOutReturnHosts buyer.example', '</PunchOutBuyer>')
} ['acme', '1.2.014'], ['newest', '1.2.071'];

sub configuration { return $server->configuration(@buyers, 'Header set X-CSRF expr=%{reqenv:PUNCHOUT_CSRF}', @_) }
sub httpd { return $server->run(@_) }

# ---- configtest ----------------------------------------------------------------------------------------------------------

my ($rc, $out) = httpd(configuration(site('valid', 'PunchOutValidate official log')), '-t');
is $rc, 0, 'a folder that has a DTD for every buyer passes configtest' or diag $out;
($rc, $out) = httpd(configuration(site('valid', 'PunchOutValidate empty log')), '-t');
isnt $rc, 0, 'an empty folder fails configtest';
like $out, qr{PO0091: PunchOutValidate .*\Q$root/empty/1.2.014/cXML.dtd\E}, 'which says what file is missing';
like $out, qr{xml\.cxml\.org}, 'and where DTDs come from';
rename("$root/official/1.2.071", "$root/official/away") or die $!;
($rc, $out) = httpd(configuration(site('valid', 'PunchOutValidate official log')), '-t');
isnt $rc, 0, 'a version that one buyer has is missing: configtest fails';
like $out, qr{1\.2\.071/cXML\.dtd.*buyer "newest"}, 'and names file and buyer';
rename("$root/official/away", "$root/official/1.2.071") or die $!;
make_path("$root/broken/1.2.014");
spew("$root/broken/1.2.014/cXML.dtd", '<html>404</html>');
($rc, $out) = httpd(configuration(site('valid', 'PunchOutValidate broken log')), '-t');
like $out, qr{PO0091:.*1\.2\.014/cXML\.dtd}, 'a file that is no DTD fails configtest';
for ('official', 'official maybe', '"" log') {
    ($rc, $out) = httpd(configuration(site('valid', "PunchOutValidate $_")), '-t');
    isnt $rc, 0, "PunchOutValidate $_ is refused";
}

# ---- a running server ----------------------------------------------------------------------------------------------------

spew("$root/htdocs/shop/index.html", 'shop');
my $conf = configuration(site('off'), site('valid', 'PunchOutValidate official refuse'), site('log', 'PunchOutValidate strict log'),
    site('refuse', 'PunchOutValidate strict refuse'));
($rc, $out) = httpd($conf, '-k', 'start');
is $rc, 0, 'httpd starts' or diag $out, slurp("$root/logs/error_log");
my $count = 0;
sub document {
    my ($buyer, $body, $cookie) = @_;
    my $id = ++$count;
    my $party = "<Credential domain=\"DUNS\"><Identity>$buyer</Identity>";
    return "<?xml version=\"1.0\"?><cXML payloadID=\"$id\@buyer.example\" timestamp=\"2026-11-23T10:00:00+00:00\"><Header>"
        . "<From>$party</Credential></From><To><Credential domain=\"DUNS\"><Identity>market-1</Identity></Credential></To>"
        . "<Sender>$party<SharedSecret>$buyer-secret</SharedSecret></Credential><UserAgent>Test</UserAgent></Sender></Header>"
        . "<Request>$body</Request></cXML>";
}
sub setup {
    my ($buyer, $cookie) = @_;
    return document($buyer, '<PunchOutSetupRequest operation="create"><BuyerCookie>' . (defined $cookie ? $cookie : 'c-1') . '</BuyerCookie>'
        . '<BrowserFormPost><URL>https://buyer.example/return</URL></BrowserFormPost></PunchOutSetupRequest>');
}

sub browser { return LWP::UserAgent->new(timeout => 30, max_redirect => 0, cookie_jar => HTTP::Cookies->new) }
sub url { return $server->url(@_) }
sub post { my ($name, $document) = @_; return browser()->post(url($name, 'punchout/setup'), 'Content-Type' => 'text/xml', Content => $document) }
sub status_of { my $r = shift; return $r->content =~ /<Status code="(\d+)"/ ? $1 : 'none' }
sub log_since { return $server->log_since(@_) }
sub log_size { return $server->log_size }

# A shopper who came as that buyer, and asks for an offer or cancels.
sub shopper {
    my ($name, $buyer, $cookie) = @_;
    my $r = post($name, setup($buyer, $cookie));
    my ($start) = $r->content =~ m{<URL>([^<]+)</URL>} or return;
    my $ua = browser();
    $ua->get($start)->code == 303 or return;
    my $csrf = $ua->get(url($name, 'shop/index.html'))->header('X-CSRF');
    return sub {
        my ($path, %form) = @_;
        return $ua->post(url($name, "punchout/$path"), { %form, csrf => $csrf });
    };
}

for my $buyer (qw(acme newest)) {
    my $from = log_size();
    is status_of(post('valid', setup($buyer))), 200, "$buyer: a valid setup response goes out";
    is status_of(post('valid', document($buyer, '<ProfileRequest/>'))), 200, "$buyer: so does a ProfileResponse";
    is status_of(post('valid', document($buyer, '<CatalogUploadRequest/>'))), 450, "$buyer: and a refusal";
    my $cookie = '<session xmlns="urn:x">7</session>';
    my $shopper = shopper('valid', $buyer, $cookie);
    my $r = $shopper->('request', offer => 'off-year');
    is $r->code, 200, "$buyer: a valid cart goes out, with the markup of its BuyerCookie";
    like $r->content, qr/<form method="post"/, "$buyer: in its form";
    $r = shopper('valid', $buyer)->('cancel');
    is $r->code, 200, "$buyer: so does an unchanged cart";
    unlike log_since($from), qr/PO018[23]/, "$buyer: and the log has nothing against them";
}
is status_of(post('valid', setup('stranger'))), 401, 'a stranger gets a valid refusal';
is status_of(post('valid', 'no XML')), 406, 'and so does garbage';

{
    my $from = log_size();
    my $r = post('log', setup('acme'));
    is status_of($r), 200, 'log: what is not valid goes out all the same';
    my $log = log_since($from);
    like $log, qr/:warn\].*PO0182:.*Status.*payloadID \d+\.\d+\.\w+\@127\.0\.0\.1/i, 'log: and the log names payloadID, element and reason';
    my $shopper = shopper('log', 'acme', 'cookie-that-nobody-may-see');
    $from = log_size();
    $r = $shopper->('request', offer => 'off-year');
    is $r->code, 200, 'log: a cart goes out too';
    $log = log_since($from);
    like $log, qr/PO0182:.*BuyerCookie/, 'log: with a line in the log';
    unlike $log, qr/cookie-that-nobody-may-see/, 'log: that quotes nothing of it';
}

{
    my $from = log_size();
    my $r = post('refuse', setup('acme'));
    is status_of($r), 560, 'refuse: a response that is not valid becomes Status 560';
    is $r->code, 503, 'refuse: and HTTP 503, so that the document comes again';
    unlike $r->content, qr/StartPage/, 'refuse: nothing of it goes out';
    my ($id) = $r->content =~ /(doc-[0-9a-z]{16})/;
    ok $id, 'refuse: its text has an id';
    my $log = log_since($from);
    like $log, qr/:crit\].*PO0183:.*\Q$id\E: .*Status/, 'refuse: under which the log has the reason, at level crit';
}

# a Status is impossible there, so no shopper gets as far as a cart: here only the cookie is impossible
(my $cart = slurp("$root/strict/1.2.014/cXML.dtd")) =~ s/<!ELEMENT Status \(Impossible\)>/<!ELEMENT Status (#PCDATA)>/ or die;
spew("$root/strict/1.2.014/cXML.dtd", $cart);
($rc, $out) = httpd($conf, '-k', 'graceful');
is $rc, 0, 'a graceful restart takes a changed DTD' or diag $out;
{
    my $end = time + 20;
    sleep 0.2 while status_of(post('refuse', setup('acme'))) ne 200 && time < $end;
    my $shopper = shopper('refuse', 'acme');
    ok $shopper, 'refuse: a valid setup response goes out' or BAIL_OUT('no session');
    my $from = log_size();
    for my $way (['request', offer => 'off-year'], ['cancel']) {
        my $r = $shopper->(@$way);
        is $r->code, 500, "refuse: $way->[0]: a cart that is not valid becomes a page";
        unlike $r->content, qr/<form|BuyerCookie/, "refuse: $way->[0]: without a form";
        my ($id) = $r->content =~ /(doc-[0-9a-z]{16})/;
        like log_since($from), qr/:crit\].*PO0183:.*\Q$id\E: .*BuyerCookie/, "refuse: $way->[0]: whose id is in the log, at level crit";
    }
}

{
    my $from = log_size();
    is status_of(post('off', setup('acme'))), 200, 'without the directive documents go out';
    unlike log_since($from), qr/PO018[23]/, 'and are not looked at';
}

$server->stop;
done_testing();
