# PunchOutLines: lines that hold sums, from the request to what the backend hears of orders and their changes.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use PunchoutTest;

my $serial = 0;
my @at = (vhost => 'lines');
sub order_id { return "LN-$$-" . ++$serial }

# The document of the cart that a request for approval returns: browser, request's id, document.
sub requested {
    my ($buyer, %form) = @_;
    my $ua = open_session(buyer => $buyer, @at);
    my ($document) = cart_of(request_approval($ua, account => "acct-$buyer", @at, %form));
    my ($request) = $document =~ m{<SupplierPartAuxiliaryID>(req-[^.]+)\.1<};
    return ($ua, $request, $document);
}
sub status { return status_of(order_reply(order_document(@_), @at)) }
sub shown { return [map { "$_->{quantity} x $_->{price} $_->{unit} $_->{unspsc}" } @{ cart_lines($_[0]) }] }
sub total { return $_[0] =~ m{<Total>\s*<Money currency="USD">([^<]+)<} ? $1 : undef }
sub types_of { my @types = $_[0] =~ m{<Extrinsic name="LineType">([^<]+)<}g; return \@types }
sub hears { my ($request, $n) = @_; return wait_for(15, sub { my @e = events($request); @e >= $n ? $e[-1]{body} : undef }) }
sub charges { return [map { my $c = $_; join ' ', map { defined $c->{$_} ? $c->{$_} : '-' } qw(line kind dimension quantity unitPrice unit orderLine) } @{ $_[0]{data}{charges} }] }
sub ordered { return [map { "$_->{ordered}{quantity} x $_->{ordered}{unitPrice} = $_->{ordered}{amount}" } @{ $_[0]{data}{charges} }] }

my $dtd = $ENV{PUNCHOUT_SHARED} && -d "$ENV{PUNCHOUT_SHARED}/dtd";

# ---- split: the word of the site ------------------------------------------------------------------------------------
my ($ua, $request, $document) = requested('acme', offer => 'off-both', quantity => 3, budget => '500.00');
is_deeply shown($document), ['1 x 2700.00 EA 81162000', '50000 x 0.01 EA 43232701'], 'split: each charge is a line that holds its sum';
is_deeply types_of($document), [qw(Service Material)], 'of a type by which the buyer sorts it';
is total($document), '3200.00', 'and the sum is exact';
like $document, qr{contract, 12 months, 3 x 900\.00 USD<}, 'the contract line says what its sum is for';
like $document, qr{GB ingested, per GB 0\.25 USD, up to 500\.00 USD<}, 'and so does the usage line';
SKIP: {
    skip 'PUNCHOUT_SHARED names no folder that holds dtd/', 1 unless $dtd;
    is invalid($document), '', 'the cart is valid';
}
my $page = $ua->get(base_url('lines') . "/punchout/requests/$request")->content;
like $page, qr{GB ingested, per GB</td><td class="n">2000</td><td class="n">0\.25 USD}, 'the page shows what was asked for';
unlike $page, qr{50000}, 'and no coins';
my $lines = cart_lines($document);
my $po = order_id();
is status(id => $po, lines => $lines), 200, 'the order as emitted is taken';
my $event = hears($request, 1);
is_deeply charges($event), ['1 contract - 3 900.00 EA 1', '2 usage gb 2000 0.25 E34 2'], 'the backend hears what was asked for';
is_deeply ordered($event), ['1 x 2700.00 = 2700.00', '50000 x 0.01 = 500.00'], 'and what was ordered';
is_deeply $event->{data}{approvals}, [{ kind => 'contract', state => 'ordered' }, { kind => 'usage', state => 'ordered' }], 'and both approvals';
my @more = ($lines->[0], { %{ $lines->[1] }, quantity => 80000 });
is status(id => $po, type => 'update', version => 2, lines => \@more), 200, 'the buyer raises the budget';
$event = hears($request, 2);
is $event->{type}, 'marketplace.subscription.changed', 'which the backend hears as a change';
is_deeply ordered($event), ['1 x 2700.00 = 2700.00', '80000 x 0.01 = 800.00'], 'of the sum that is ordered';
is_deeply charges($event), ['1 contract - 3 900.00 EA 1', '2 usage gb 2000 0.25 E34 2'], 'while what was asked for stays';
my ($asked) = wait_for(15, sub { mails($request, 'Approval requested') });
like $asked, qr/1 x 2700\.00 USD .*3 x 900\.00 USD/, 'the mail shows sums and what they are for';
like $asked, qr/Total: +3200\.00 USD/, 'and their total';

# ---- single: the buyer's own word -----------------------------------------------------------------------------------
($ua, $request, $document) = requested('globex', offer => 'off-both', budget => '500.00');
is_deeply shown($document), ['140000 x 0.01 EA 43232701'], 'single: one line for the whole offer';
is_deeply types_of($document), ['Material'], 'which may be invoiced in parts';
is total($document), '1400.00', 'and the sum is exact';
SKIP: {
    skip 'PUNCHOUT_SHARED names no folder that holds dtd/', 1 unless $dtd;
    is invalid($document), '', 'the cart is valid';
}
$lines = cart_lines($document);
delete $lines->[0]{auxiliary};
$po = order_id();
is status(buyer => 'globex', id => $po, lines => $lines), 200, 'an order without auxiliary id finds its request by what was emitted';
$event = hears($request, 1);
is_deeply charges($event), ['1 contract - 1 900.00 EA 1', '1 usage gb 2000 0.25 E34 1'], 'the backend hears of both charges on one line';
is_deeply ordered($event), [('140000 x 0.01 = 1400.00') x 2], 'and of the sum that both share';
is_deeply $event->{data}{approvals}, [{ kind => 'contract', state => 'ordered' }, { kind => 'usage', state => 'ordered' }], 'one order approves both';
is status(buyer => 'globex', id => $po, type => 'update', version => 2, lines => [{ %{ $lines->[0] }, quantity => 170000 }]), 200, 'the buyer raises the sum';
$event = hears($request, 2);
is $event->{type}, 'marketplace.subscription.changed', 'which the backend hears as a change';
is_deeply ordered($event), [('170000 x 0.01 = 1700.00') x 2], 'of the sum that is ordered';
is status(buyer => 'globex', id => $po, type => 'update', version => 3, lines => [{ %{ $lines->[0] }, price => '0.02' }]), 409, 'another coin is another price';
(undef, $request, $document) = requested('globex', offer => 'off-year', quantity => 2);
is_deeply shown($document), ['1 x 2400.00 EA 81162000'], 'a contract alone is a Service of its whole sum';
my $refused = request_approval(open_session(buyer => 'globex', @at), account => 'acct-globex', @at, offer => 'off-both');
like $refused->content, qr/needs a budget for usage/, 'usage beside a contract on one line needs a budget';
my $free = (requested('acme', offer => 'off-free'))[2];
is_deeply shown($free), ['1 x 0.00 EA 81162000'], 'what is free is a Service of 0.00';

# ---- what is no amount ----------------------------------------------------------------------------------------------
my $open = open_session(buyer => 'acme', @at);
my $csrf = csrf_of($open, @at);
my @not_money = ('1e9', '0x10', 'NaN', '1,000.00', '9' x 19, '0.000000001');
is request_approval($open, @at, csrf => $csrf, offer => 'off-payg', budget => $_)->code, 400, "a budget of $_ is refused" for @not_money;
is request_approval($open, @at, csrf => $csrf, offer => 'off-year', quantity => $_)->code, 400, "so is a quantity of $_" for @not_money;
(undef, $request, $document) = requested('acme', offer => 'off-both', quantity => 3, budget => '500.00');
my ($contract, $usage) = @{ cart_lines($document) };
for my $text (@not_money) {
    is status(total => 1, lines => [$contract, { %$usage, quantity => $text }]), 400, "an order of a quantity of $text is refused";
    is status(total => 1, lines => [$contract, { %$usage, price => $text }]), 400, "so is a price of $text";
    is status(total => $text, lines => [$contract, $usage]), 400, "and a total of $text";
}
is status(total => 1, lines => [$contract, { %$usage, quantity => '9' x 18 }]), 409, 'the largest quantity is understood, and differs';
is status(total => 1, lines => [$contract, { %$usage, price => '0.01000001' }]), 409, 'so is the finest price';
is status(lines => [$contract, $usage]), 200, 'after all that the order as emitted is taken';

Test::More::done_testing();
