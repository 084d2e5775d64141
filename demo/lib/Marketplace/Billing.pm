# Marketplace::Billing - makes an invoice of what a purchase order has approved, and hands it over to mod_punchout
# (docs/integration.md, "Invoices"). A real billing waits for the month's end; this one for a few seconds.
package Marketplace::Billing;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use JSON::PP ();
use LWP::UserAgent;
use Math::BigFloat;
use POSIX qw(strftime);

our @EXPORT_OK = qw(invoice_of hand_over);

my $DECIMALS  = 2;      # every price of the demo's catalog is in USD
my $USED_PART = 10;     # of the ordered usage one part of that many has been used

# What is to be paid of an event's charges; undef: nothing. The same event makes the same invoice each time.
sub invoice_of ($event) {
    my $data = $event->{data};
    return undef if $data->{mode} ne 'production' || $event->{type} !~ /\.(?:approved|renewed)\z/;
    my @lines = map { line_of($data->{request}, $_) } grep { $_->{order} && $_->{kind} =~ /\A(?:contract|usage)\z/ } @{ $data->{charges} };
    return undef if !@lines;
    my $seller = $data->{seller};
    return {
        number   => 'INV-' . uc substr(sha256_hex($event->{id}), 0, 8), date => $event->{time}, kind => 'standard', seller => $seller,
        remitTo  => { name => $seller, street => '1 Market Square', city => 'Portland', state => 'OR', postalCode => '97201', country => 'US' },
        currency => $data->{charges}[0]{currency}, comments => "Subscription of request $data->{request}",
        tax      => { amount => '0.00', description => 'No sales tax in Oregon' }, lines => \@lines,
    };
}

sub line_of ($request, $charge) {
    my $quantity = Math::BigFloat->new($charge->{quantity});
    $quantity = $quantity->bdiv($USED_PART)->bceil if $charge->{kind} eq 'usage';
    my $amount = $quantity->copy->bmul($charge->{unitPrice})->bfround(-$DECIMALS, 'zero');
    return if $amount->is_zero;
    return { request => $request, charge => $charge->{line}, quantity => '' . $quantity->bstr, unitPrice => $charge->{unitPrice},
        amount => '' . $amount->bstr };
}

# Until it is answered: a 5xx or no answer means to send the same again. Gives the last HTTP status.
sub hand_over ($invoice, $url, $secret) {
    my $said;
    for my $pause (1, 2, 4, 8, 16, 0) {
        $said = LWP::UserAgent->new(timeout => 20)->post($url, 'Content-Type' => 'application/json', Authorization => "Bearer $secret",
            Content => JSON::PP->new->utf8->canonical->encode($invoice));
        last if $said->code < 500;
        sleep $pause;
    }
    return $said->code;
}

1;
