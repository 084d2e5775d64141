# What Open Buy's checkout answers can be ordered exactly so, whatever is bought and however the buyer's lines are made.
# Starts an httpd of its own, with a site for each PunchOutLines, with and without a budget for usage.
use strict;
use warnings FATAL => 'all';
use Encode qw(encode_utf8);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use LWP::UserAgent ();
use PunchoutTest;
use PunchoutTest::Httpd qw(spew);
use Test::More;
use Time::HiRes qw(sleep);

my @modes = map { my $lines = $_; map { [$lines, $_] } '', '500.00' } qw(classic single split);
sub site_name { return join '-', grep { length } @{ $_[0] } }
my $server = PunchoutTest::Httpd->new(map { site_name($_) } @modes);

# ---- what there is to buy ------------------------------------------------------------------------------------------------

my %usage = (dimension => 'hour', description => 'hour', price => '0.0925', unit => 'HUR');
my %gigabytes = (dimension => 'gb', description => "Gigabytes \x{e4}\x{20ac} & <more>", price => '0.25', unit => 'E34');
my %contract = (pricing => 'contract', currency => 'USD', term => 'P12M');
my @offers = (
    { id => 'off-contract', %contract, price => '1200.00', unit => 'EA' },
    { id => 'off-small', %contract, price => '0.0001' },
    { id => 'off-yen', %contract, price => '120000', currency => 'JPY' },
    { id => 'off-own-currency', pricing => 'contract', price => '99.5', term => 'P1M' },
    { id => 'off-free', pricing => 'free' },
    { id => 'off-byol', pricing => 'byol' },
    { id => 'off-trial', pricing => 'trial', term => 'P14D' },
    { id => 'off-usage', pricing => 'usage', currency => 'USD', usage => [\%usage] },
    { id => 'off-usages', pricing => 'usage', currency => 'USD', usage => [\%usage, \%gigabytes] },
    { id => 'off-yen-usage', pricing => 'usage', currency => 'JPY', usage => [{ %usage, price => '3' }] },
    { id => 'off-both', %contract, price => '900.00', unit => 'EA', usage => [\%gigabytes] },
    { id => 'off-' . 'p' x 60, %contract, price => '1.00' });
spew($server->root . '/catalog.json', encode_json({ products => [{ id => 'prod-1', name => "Log Keeper \x{e4}\x{20ac} " . 'x' x 60, seller => 'Keeper & Co',
    description => 'Keeps logs', offers => \@offers }] }));

# ---- who buys ------------------------------------------------------------------------------------------------------------

# with units, texts and decimals of their own
my %lines_of = (
    acme => ['PunchOutProfile coupa', 'PunchOutCurrency USD'],
    globex => ['PunchOutProfile jaggaer', 'PunchOutCurrency JPY', 'PunchOutUnit EA PCE', 'PunchOutUnit HUR HR', 'PunchOutLimit description=21 part=40',
        'PunchOutPreApprove free byol', 'PunchOutApprovals separate'],
    hooli => ['PunchOutProfile ariba', 'PunchOutStartElsewhere on', 'PunchOutCurrency EUR', 'PunchOutDeployment test']);
sub block {
    my $name = shift;
    my $b = buyer($name);
    return ("<PunchOutBuyer $name>", "PunchOutCredential $b->{from}[0] $b->{from}[1]", "PunchOutSharedSecret $b->{secret}", 'PunchOutReturnHosts buyer.example',
        'PunchOutOpenBuyRate none', (grep { /Deployment/ } @{ $lines_of{$name} }) ? () : 'PunchOutDeployment production', @{ $lines_of{$name} }, '</PunchOutBuyer>');
}
my ($rc, $said) = $server->run($server->configuration('PunchOutCatalog ' . $server->root . '/catalog.json', (map { block($_) } sort keys %lines_of),
    map { $server->site(site_name($_), "PunchOutLines $_->[0]", $_->[1] ? "PunchOutUsageBudget $_->[1]" : ()) } @modes), '-k', 'start');
is $rc, 0, 'httpd starts' or diag($said), BAIL_OUT('httpd does not start');
for (1 .. 100) { last if -s $server->root . '/logs/pid'; sleep 0.1 }

my $ua = LWP::UserAgent->new(keep_alive => 1, timeout => 30);
sub call {
    my ($site, $action, $body) = @_;
    my $r = $ua->post($server->url($site, "punchout/openbuy/$action"), 'Content-Type' => 'application/json', Content => encode_json($body));
    return ($r->code, decode_json($r->content));
}
sub checkout {
    my ($site, $buyer, $offer, $quantity) = @_;
    my ($code, $said) = call($site, 'authentication', { credentials => "$buyer:" . buyer($buyer)->{secret}, email => 'ines@buyer.example' });
    $code == 200 or die "$code: $said->{detail}";
    return call($site, 'checkout', { token => $said->{token}, source_part_num => $offer, quantity => $quantity });
}
# The order that says what the item says, but for %o: status and answer.
sub order {
    my ($site, $buyer, $item, %o) = @_;
    my %line = (quantity => $item->{quantity});
    @line{qw(part auxiliary price currency unit)} = @$item{qw(source_part_num supp_aux_part_num price currency uom)};
    my $r = post_cxml($server->url($site, 'punchout/order'), order_document(buyer => $buyer, lines => [{ %line, %o }]));
    return (status_of($r), $r->content);
}

# ---- each with each ------------------------------------------------------------------------------------------------------

# What can not be one line, or not without a budget; undef: it can.
sub expected_refusal {
    my ($lines, $budget, $buyer, $offer) = @_;
    my $id = $offer->{id};
    return 'number of this offer' if $buyer eq 'globex' && length $id > 40;
    my $several = ($offer->{usage} ? @{ $offer->{usage} } : 0) + ($offer->{price} ? 1 : 0) > 1;
    return $several && 'needs a budget' if $lines eq 'single' && !$budget;
    return $several && 'page by punchout' if $lines ne 'single';
    return undef;
}
sub bytes_of { return length encode_utf8($_[0]) }
for my $mode (@modes) {
    my ($lines, $budget) = @$mode;
    my $site = site_name($mode);
    for my $buyer (sort keys %lines_of) {
        for my $offer (@offers) {
            my $quantity = $offer->{pricing} eq 'usage' ? 1 : 3;
            my $name = "$site, $buyer, $offer->{id}";
            my $refusal = expected_refusal($lines, $budget, $buyer, $offer);
            my ($code, $item) = checkout($site, $buyer, $offer->{id}, $quantity);
            if ($refusal) {
                is $code, 400, "$name: refused";
                like $item->{detail} || encode_json($item), qr/\Q$refusal/, "$name: and why";
                next;
            }
            is $code, 200, "$name: checked out" or diag(encode_json($item)), next;
            my ($status, $words) = order($site, $buyer, $item);
            is $status, 200, "$name: an order that says what was answered is taken" or diag encode_json($item), $words;
            unlike $words, qr/the cart said|as if it were equal|held/, "$name: as equal";
            cmp_ok bytes_of($item->{description}), '<=', $buyer eq 'globex' ? 21 : 255, "$name: described in as many bytes as the buyer takes";
            unlike $item->{uom}, qr/^(?:EA|HUR)$/, "$name: in its own units" if $buyer eq 'globex';
            my ($other) = order($site, $buyer, (checkout($site, $buyer, $offer->{id}, $quantity))[1], price => $item->{price} + 1);
            is $other, 409, "$name: another price is not";
        }
    }
}
$server->stop;
done_testing;
