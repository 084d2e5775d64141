# What a procurement system, a shopper and an operator do, for the httpd tests.
package PunchoutTest;
use strict;
use warnings;
use Apache::TestConfig ();
use Apache::TestRequest ();
use Encode qw(decode);
use Exporter 'import';
use File::Basename qw(dirname);
use HTTP::Cookies ();
use JSON::PP ();
use LWP::UserAgent ();
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__);
use PunchoutTest::Parties ();

our @EXPORT = qw(base_url browser buyer setup_document order_document post_cxml status_of start_page_of open_session csrf_of
    request_approval cart_of cart_lines lines_from order_reply events wait_for mails backend_answers parties_dir ledger
    request_state ledger_file payload_id arrived request_document invalid);

my %buyers = (
    acme    => { from => ['DUNS', 'buyer-1'], secret => 'acme-secret', return => 'https://buyer.example/return?id=7&x=%3C' },
    globex  => { from => ['NetworkID', 'AN01000000099'], secret => 'globex-secret', return => 'https://globex.example/cart' },
    hooli   => { from => ['DUNS', 'buyer-hooli'], secret => 'hooli-secret', return => 'https://hooli.example/cart' },
    wonka   => { from => ['DUNS', 'buyer-wonka'], secret => 'wonka-secret', return => 'https://wonka.example/cart' },
    initech => { from => ['NetworkID', 'AN01000000077'], secret => 'initech-secret', return => 'https://initech.example/cart' },
);
my $count = 0;

# A sanitizer's run-time is for httpd, not for the ps and sqlite3 that a test asks (ps hangs under it now and then).
delete @ENV{qw(LD_PRELOAD ASAN_OPTIONS)};

sub buyer { return $buyers{ $_[0] } }
sub payload_id { return sprintf '%.6f.%d.%d@buyer.example', time, $$, ++$count }

sub base_url {
    my $vhost = shift || 'shop';
    Apache::TestRequest::module($vhost);
    my $hostport = Apache::TestRequest::hostport();
    Apache::TestRequest::module('default');
    return "http://$hostport";
}

sub browser {
    my %options = @_;
    my $ua = LWP::UserAgent->new(keep_alive => 1, timeout => 30, max_redirect => 0, %options);
    $ua->cookie_jar(HTTP::Cookies->new) unless $options{cookie_jar};
    return $ua;
}

# ---- documents of the procurement system ---------------------------------------------------------------------------

sub escape { my $s = shift; $s =~ s/&/&amp;/g; $s =~ s/</&lt;/g; $s =~ s/"/&quot;/g; return $s }

sub header {
    my %o = @_;
    my $b = $buyers{ $o{buyer} || 'acme' };
    my ($domain, $identity) = @{ $o{from} || $b->{from} };
    my ($sender_domain, $sender) = @{ $o{sender} || [$domain, $identity] };
    my $secret = exists $o{secret} ? $o{secret} : $b->{secret};
    my $to = $o{to} || 'market-1';
    return '<?xml version="1.0" encoding="UTF-8"?>' . "\n"
        . '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd">' . "\n"
        . '<cXML payloadID="' . ($o{payload} || payload_id()) . '" timestamp="2026-11-23T10:00:00+00:00" xml:lang="en-US"><Header>'
        . "<From><Credential domain=\"$domain\"><Identity>$identity</Identity></Credential></From>"
        . "<To><Credential domain=\"DUNS\"><Identity>$to</Identity></Credential></To>"
        . "<Sender><Credential domain=\"$sender_domain\"><Identity>$sender</Identity>"
        . (defined $secret ? "<SharedSecret>$secret</SharedSecret>" : '')
        . '</Credential><UserAgent>Test Procurement 1.0</UserAgent></Sender></Header>'
        . '<Request' . ($o{test} ? ' deploymentMode="test"' : '') . '>';
}

sub setup_document {
    my %o = (cookie => 'bc-1', operation => 'create', user => 'ines', email => 'ines@buyer.example', @_);
    my $return = exists $o{return} ? $o{return} : $buyers{ $o{buyer} || 'acme' }{return};
    return header(%o) . "<PunchOutSetupRequest operation=\"$o{operation}\"><BuyerCookie>$o{cookie}</BuyerCookie>"
        . "<Extrinsic name=\"User\">$o{user}</Extrinsic><Extrinsic name=\"UserEmail\">$o{email}</Extrinsic>"
        . '<Extrinsic name="FirstName">Ines</Extrinsic><Extrinsic name="LastName">Okafor</Extrinsic>'
        . (defined $return ? '<BrowserFormPost><URL>' . escape($return) . '</URL></BrowserFormPost>' : '')
        . ($o{more} || '') . '</PunchOutSetupRequest></Request></cXML>';
}

# lines: hashes with part, auxiliary, quantity, price, currency, unit
sub order_document {
    my %o = (id => 'ORDER-' . ++$count . "-$$", lines => [], type => 'new', @_);
    my ($n, $total) = (0, $o{total});
    unless (defined $total) {
        $total = 0;
        $total += $_->{quantity} * $_->{price} for @{ $o{lines} };
        $total = sprintf '%.4f', $total;
    }
    my $address = '<Address><Name xml:lang="en">Buyer Ltd</Name><PostalAddress><Street>1 Test St</Street><City>Testville</City>'
        . '<Country isoCountryCode="US">United States</Country></PostalAddress></Address>';
    my $lines = join '', map {
        ++$n;
        "<ItemOut quantity=\"$_->{quantity}\" lineNumber=\"$n\"><ItemID><SupplierPartID>$_->{part}</SupplierPartID>"
            . (defined $_->{auxiliary} ? "<SupplierPartAuxiliaryID>$_->{auxiliary}</SupplierPartAuxiliaryID>" : '') . '</ItemID>'
            . "<ItemDetail><UnitPrice><Money currency=\"$_->{currency}\">$_->{price}</Money></UnitPrice>"
            . "<Description xml:lang=\"en\">line $n</Description><UnitOfMeasure>$_->{unit}</UnitOfMeasure>"
            . '<Classification domain="UNSPSC">43232701</Classification></ItemDetail></ItemOut>'
    } @{ $o{lines} };
    my $currency = $o{currency} || (@{ $o{lines} } ? $o{lines}[0]{currency} : 'USD');
    my $version = defined $o{version} ? " orderVersion=\"$o{version}\"" : '';
    return header(%o) . "<OrderRequest><OrderRequestHeader orderID=\"$o{id}\" orderDate=\"2026-11-23T10:00:00+00:00\" type=\"$o{type}\"$version>"
        . "<Total><Money currency=\"$currency\">$total</Money></Total><ShipTo>$address</ShipTo><BillTo>$address</BillTo>"
        . "</OrderRequestHeader>$lines</OrderRequest></Request></cXML>";
}

# Any other request: its element as it stands.
sub request_document { my ($element, %o) = @_; return header(%o) . "$element</Request></cXML>" }

# What xmllint has against a document by the DTD of the version that it names; '' when it is valid, undef without DTDs.
sub invalid {
    my ($document, $name) = @_;
    my $dtds = ($ENV{PUNCHOUT_SHARED} || '') . '/dtd';
    return undef unless -d $dtds;
    my ($version, $which) = $document =~ m{schemas/cXML/([\d.]+)/(\w+\.dtd)} or return 'it names no DTD';
    my $dtd = -e "$dtds/legacy/$version-$which" ? "$dtds/legacy/$version-$which" : "$dtds/$which";
    my $file = Apache::Test::vars('t_logs') . '/document.xml';
    (my $plain = $document) =~ s/<!DOCTYPE[^>]*>//;     # xmllint would try to fetch it
    PunchoutTest::Parties::spew($file, $plain);
    return `xmllint --nonet --noout --dtdvalid '$dtd' '$file' 2>&1`;
}

sub post_cxml {
    my ($url, $document, %o) = @_;
    my $ua = $o{ua} || LWP::UserAgent->new(timeout => 60);
    return $ua->post($url, 'Content-Type' => 'text/xml; charset=UTF-8', Content => $document);
}

sub status_of { my $r = shift; return $r->content =~ /<Status code="(\d+)"/ ? $1 : undef }
sub order_reply { my ($document, %o) = @_; return post_cxml(base_url($o{vhost}) . '/punchout/order', $document, %o) }

# ---- the shopper ------------------------------------------------------------------------------------------------------

sub start_page_of { my $r = shift; return $r->content =~ m{<StartPage>\s*<URL>([^<]+)</URL>} ? $1 : undef }

# From the setup to a browser that holds the session's cookie.
sub open_session {
    my %o = @_;
    my $r = post_cxml(base_url($o{vhost}) . '/punchout/setup', setup_document(%o));
    my $start = start_page_of($r) or die 'no StartPage: ' . $r->as_string;
    my $ua = browser();
    my $went = $ua->get($start);
    die 'start: ' . $went->as_string unless $went->code == 303;
    return $ua;
}

# The marketplace's page shows the headers that it received.
sub csrf_of {
    my ($ua, %o) = @_;
    my $page = $ua->get(base_url($o{vhost}) . '/shop/' . ($o{account} ? "?account=$o{account}" : ''));
    return JSON::PP::decode_json($page->content)->{'PunchOut-CSRF'};
}

sub request_approval {
    my ($ua, %form) = @_;
    my $vhost = delete $form{vhost};
    $form{csrf} = csrf_of($ua, vhost => $vhost, account => delete $form{account}) unless exists $form{csrf};
    return $ua->post(base_url($vhost) . '/punchout/request', \%form);
}

sub unescape { my $s = shift; $s =~ s/&lt;/</g; $s =~ s/&gt;/>/g; $s =~ s/&quot;/"/g; $s =~ s/&#(\d+);/chr $1/ge; $s =~ s/&amp;/&/g; return $s }

# ($document, $field, $action) of the page that takes a cart back.
sub cart_of {
    my $html = ref $_[0] ? $_[0]->content : $_[0];
    my ($action) = $html =~ /<form[^>]*action="([^"]*)"/ or return;
    my ($field, $value) = $html =~ /<input type="hidden" name="(c[xX][mM][lL]-[^"]*)" value="([^"]*)"/ or return;
    $value = unescape_once($value);
    $value = decode_base64($value) if $field =~ /base64/i;
    return ($value, $field, unescape_once($action));
}

# One level of HTML escaping: what a browser takes off.
sub unescape_once {
    my $s = shift;
    my %plain = (lt => '<', gt => '>', quot => '"', amp => '&', '#39' => "'", apos => "'");
    $s =~ s/&(lt|gt|quot|amp|apos|#39);/$plain{$1}/g;
    return $s;
}

# The lines of a cart as order_document() takes them.
sub cart_lines {
    my $document = shift;
    my @lines;
    while ($document =~ m{<ItemIn\b([^>]*)>(.*?)</ItemIn>}gs) {
        my ($attributes, $item) = ($1, $2);
        my %line;
        ($line{quantity}) = $attributes =~ /quantity="([^"]+)"/;
        ($line{part}) = $item =~ m{<SupplierPartID>([^<]*)<};
        ($line{auxiliary}) = $item =~ m{<SupplierPartAuxiliaryID>([^<]*)<};
        ($line{currency}, $line{price}) = $item =~ m{<UnitPrice>\s*<Money currency="([^"]+)">([^<]+)<};
        ($line{unit}) = $item =~ m{<UnitOfMeasure>([^<]*)<};
        ($line{unspsc}) = $item =~ m{<Classification domain="UNSPSC">([^<]*)<};
        push @lines, \%line;
    }
    return \@lines;
}
sub lines_from { return cart_lines((cart_of($_[0]))[0]) }

# ---- the other parties ------------------------------------------------------------------------------------------------

sub parties_dir { return Apache::Test::vars('t_logs') . '/parties' }
sub ledger_file { return Apache::Test::vars('t_dir') . '/state/ledger.db' }

# What the backend received about a request, in order. Lines that don't name it are not decoded: there are thousands.
sub events {
    my ($request, %o) = @_;
    my $text = PunchoutTest::Parties::slurp(parties_dir() . '/' . ($o{party} || 'backend') . '/events.jsonl') || '';
    return grep { !defined $request || ($_->{body} && $_->{body}{data}{request} eq $request) } map { JSON::PP::decode_json($_) }
        grep { /\}$/ && (!defined $request || index($_, $request) >= 0) } split /\n/, $text;
}

sub wait_for {
    my ($seconds, $condition) = @_;
    my $end = time + $seconds;
    while (1) {
        my @result = $condition->();
        return wantarray ? @result : $result[-1] if @result && $result[-1];
        return if time > $end;
        sleep 0.05;
    }
}

# How many events about a request the backend got, once there are any.
sub arrived { my ($request, $seconds) = @_; my @events = wait_for($seconds, sub { events($request) }); return scalar @events }

# backend_answers(422, '{"detail":"..."}'); backend_answers() is 200 again
sub backend_answers {
    my ($status, $body, %o) = @_;
    my $file = parties_dir() . '/' . ($o{party} || 'backend') . '/answer';
    return unlink $file unless $status;
    PunchoutTest::Parties::spew($file, "$status" . (defined $o{percent} ? " $o{percent}" : '') . ($o{delay} ? " delay=$o{delay}" : '')
        . "\n" . (defined $body ? $body : ''));
}

# The whole text of every mail that mentions a word.
# Mails that name $word and, if given, whose subject begins like that.
sub mails {
    my ($word, $subject) = @_;
    return grep { defined && /\Q$word\E/ && (!$subject || decode('MIME-Header', (/^(Subject: .*(?:\n .*)*)/m)[0]) =~ /^Subject: (?:TEST: )?\Q$subject\E/) } map { PunchoutTest::Parties::slurp($_) } sort glob(parties_dir() . '/mail/*');
}

# One value or one row (columns joined by |) from the ledger, as an operator would ask.
sub ledger {
    my ($sql) = @_;
    open(my $fh, '-|', 'sqlite3', '-readonly', ledger_file(), $sql) or die "sqlite3: $!";
    local $/;
    my $out = <$fh>;
    close $fh;
    $out = '' unless defined $out;
    $out =~ s/\s+\z//;
    return $out;
}

# As the account sees it.
sub request_state {
    my ($ua, $request, %o) = @_;
    my $r = $ua->get(base_url($o{vhost}) . "/punchout/requests/$request", Accept => 'application/json');
    return $r->code == 200 ? JSON::PP::decode_json($r->content) : { state => 'HTTP ' . $r->code };
}

1;
