# What the marketplace's billing may hand over, what is refused before the buyer sees it, and what the buyer gets.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use PunchoutTest;

my @at = (vhost => 'invoicing');
my $door = base_url('invoicing') . '/punchout/invoices';
my $ua = browser();
my $serial = 0;

sub unused { return 'INV-' . $$ . '-' . ++$serial }

# A request of a buyer that is ordered: id, purchase order, payloadID of its OrderRequest. split: a purchase order for each line.
sub ordered {
    my ($buyer, %form) = @_;
    my ($split, $unit) = delete @form{qw(split unit)};
    my $shopper = open_session(buyer => $buyer, @at);
    my $lines = lines_from(request_approval($shopper, @at, account => "billed-$$-" . ++$serial, %form));
    my ($request) = $lines->[0]{auxiliary} =~ /^(.*)\.1$/;
    my @orders;
    for my $some ($split ? map { [$_] } @$lines : $lines) {
        my ($id, $payload) = ("BILL-$$-" . ++$serial, payload_id());
        my $r = order_reply(order_document(buyer => $buyer, id => $id, payload => $payload,
            lines => [map { { %$_, $unit ? (unit => $unit) : () } } @$some]), @at);
        die 'order: ' . $r->content unless status_of($r) eq '200';
        push @orders, { id => $id, payload => $payload };
    }
    arrived($request, 15) or die "no event about $request";
    return ($request, @orders);
}

my %partner = (name => 'Keeper Ltd', street => 'Kai 1', city => 'Hamburg', postalCode => '20457', country => 'DE', email => 'billing@keeper.example', taxId => 'DE123456789');
sub invoice {
    my ($lines, %more) = @_;
    return { number => unused(), date => '2026-11-30', seller => 'Keeper Ltd', remitTo => \%partner, currency => 'USD',
        tax => { amount => '0.00', description => 'none' }, lines => $lines, %more };
}
sub line { my ($request, $charge, $quantity, $price, %more) = @_; return { request => $request, charge => $charge, quantity => $quantity, unitPrice => $price, %more } }

sub hand_over {
    my ($invoice, %o) = @_;
    return $ua->post($door, 'Content-Type' => 'application/json', Authorization => $o{authorization} || 'Bearer billing-secret',
        Content => ref $invoice ? JSON::PP::encode_json($invoice) : $invoice);
}
sub told { my $r = shift; my $j = eval { JSON::PP::decode_json($r->content) } || {}; return $r->code . ' ' . ($j->{detail} || $j->{state} || '') }
sub answer { return told(hand_over(@_)) }
sub ask { return $ua->get("$door$_[0]", Authorization => 'Bearer billing-secret') }
sub asked { return JSON::PP::decode_json(ask("/$_[0]")->content) }
sub document_of { my $j = asked($_[0]); return ledger("SELECT body FROM outbox WHERE key = '$j->{payloadID}'") }
sub valid { my ($document, $name) = @_; my $wrong = invalid($document); SKIP: { skip 'no DTDs', 1 unless defined $wrong; is $wrong, '', $name } }
sub held_by { my ($document, $element) = @_; return [$document =~ /<$element\b[^>]*?>([^<]*)</g] }
sub money_in { my ($document, $element) = @_; return [$document =~ m{<$element><Money currency="\w+">([^<]*)<}g] }

# ---- who may ------------------------------------------------------------------------------------------------------------
is told($ua->post(base_url('shop') . '/punchout/invoices', Content => '{}')), '404 The door for invoices is shut: PunchOutBackendSecret is not set', 'without a secret the door is shut';
for ('Bearer wrong', 'Bearer ', 'Basic billing-secret', 'Bearer billing-secret2') {
    like answer('{}', authorization => $_), qr/^401 /, "'$_' opens nothing";
}
is $ua->get("$door/x")->code, 401, 'nor is anything shown without the secret';

# ---- an invoice of a contract, for Coupa -----------------------------------------------------------------------------------
my ($year, $po) = ordered('acme', offer => 'off-year', quantity => 3, unit => 'EA');
my $first = invoice([line($year, 1, '2', '1200.00', period => { from => '2026-11-01', to => '2027-10-31' })], date => '2026-11-30T09:15:00+01:00',
    comments => "Thank you <3 & come again", subtotal => '2400.00', total => '2856.00', period => { from => '2026-11-01', to => '2026-11-30' },
    tax => { amount => '456.00', description => 'VAT', details => [{ category => 'vat', rate => '19', taxable => '2400.00', amount => '456.00', description => '19 % VAT' }] });
my $r = hand_over($first);
is $r->code, 201, 'an invoice of what was ordered is taken' or diag $r->content;
my $said = JSON::PP::decode_json($r->content);
is $said->{state}, 'queued', 'and queued';
is_deeply [@$said{qw(number buyer kind subtotal tax total currency)}], [$first->{number}, qw(acme standard 2400.00 456.00 2856.00 USD)], 'with its sums';
my $document = document_of($first->{number});
valid($document, 'the buyer gets a document that is valid by the DTD');
like $document, qr{cXML/1\.2\.020/InvoiceDetail\.dtd}, 'of the version that Coupa takes';
like $document, qr{<InvoiceDetailRequestHeader invoiceID="$first->{number}" invoiceDate="2026-11-30T09:15:00\+01:00" purpose="standard"}, 'it has number and date as the backend said';
like $document, qr{<OrderReference orderID="$po->{id}" orderDate="2026-11-23T10:00:00\+00:00"><DocumentReference payloadID="\Q$po->{payload}\E"/>}, 'the purchase order and the payloadID of its OrderRequest';
like $document, qr{<InvoiceDetailServiceItem invoiceLineNumber="1" quantity="2"><InvoiceDetailServiceItemReference lineNumber="1">}, 'the line of the purchase order';
is_deeply [map { held_by($document, $_)->[0] } qw(SupplierPartID SupplierPartAuxiliaryID UnitOfMeasure)], ['off-year', "$year.1", 'EA'], 'part, auxiliary id, and the unit of the purchase order';
is_deeply [map { money_in($document, $_)->[-1] } qw(SubtotalAmount TaxAmount TaxableAmount NetAmount DueAmount)], [qw(2400.00 456.00 2400.00 2856.00 2856.00)], 'and the sums';
is_deeply [$document =~ /<Contact role="(\w+)">/g], [qw(remitTo billTo from soldTo)], 'it says who is who';
like $document, qr{Thank you &lt;3 &amp; come again}, 'and what the backend adds';
unlike $document, qr/acme-secret/, 'no secret lies in the ledger';


# ---- what the buyer says ----------------------------------------------------------------------------------------------------
sub becomes { my ($number, $state) = @_; wait_for(15, sub { asked($number)->{state} eq $state }); return asked($number)->{state} }
sub buyer_says { PunchoutTest::Parties::spew(parties_dir() . '/receiver/invoices.answer', $_[0]) }
is becomes($first->{number}, 'sent'), 'sent', 'it is delivered';
like asked($first->{number})->{answer}, qr/200/, 'and the backend can ask what the buyer said';
my ($posted) = grep { /$first->{number}/ } map { PunchoutTest::Parties::slurp($_) } glob parties_dir() . '/receiver/invoices-*.http';
like $posted, qr{<SharedSecret>acme-secret</SharedSecret>}, 'the buyer got it with the secret';
buyer_says("417\nContent-Type: text/xml\n\n<cXML><Response><Status code=\"417\" text=\"Expectation Failed\">PO is closed</Status></Response></cXML>");
my $vain = invoice([line($year, 1, '1', '1200.00')]);
like answer($vain), qr/^201 /, 'an invoice that the buyer will refuse is queued like any other';
is becomes($vain->{number}, 'refused'), 'refused', 'and becomes refused';
{
    my $key = ledger("SELECT payload_id FROM invoice WHERE number = '$vain->{number}'");
    my $words = join ' ', map { "'$_'" } qw(outbox retry), $key, '--ledger', ledger_file(), '--site', ledger("SELECT site FROM invoice WHERE number = '$vain->{number}'");
    like `'$FindBin::Bin/../punchoutctl' $words 2>&1; echo \$?`, qr/under a number of its own\n1$/, 'the operator can not send it again: its amount may be on another by now';
    is ledger("SELECT state FROM outbox WHERE key = '$key'"), 3, 'so it stays refused';
}
like asked($vain->{number})->{answer}, qr/417.*PO is closed/, "with the buyer's words";
like answer(invoice([line($year, 1, '1', '1200.00')], kind => 'creditMemo', original => $vain->{number})), qr/^409 The buyer has refused invoice/, 'there is nothing to credit of it';
like answer({ %$vain, comments => 'corrected' }), qr/^409 .*other content/, 'a corrected one needs a number of its own';
unlink parties_dir() . '/receiver/invoices.answer';

# ---- again ------------------------------------------------------------------------------------------------------------------
$r = hand_over({ %$first, tax => { %{ $first->{tax} }, amount => '456.0' }, billTo => undef });
is $r->code, 200, 'the same invoice again, in other words, is nothing new';
is JSON::PP::decode_json($r->content)->{payloadID}, $said->{payloadID}, 'and has the document of before';
is ledger("SELECT count(*) FROM outbox WHERE key = '$said->{payloadID}'"), 1, 'which goes out once';
like answer({ %$first, comments => 'other' }), qr/^409 Invoice $first->{number} was handed over before with other content/, 'other content under its number is refused';

# ---- above its purchase order -------------------------------------------------------------------------------------------------
like answer(invoice([line($year, 1, '2', '1200.00')])), qr/^409 lines\[0\]: purchase order $po->{id}, line 1 .*was for 3600\.00 USD, of which 2400\.00 USD is invoiced already: 2400\.00 USD more is above it/,
    'more than was ordered is refused, with the figures';
like answer(invoice([line($year, 1, '1', '700.00'), line($year, 1, '1', '500.01')])), qr/^409 .*1200\.01 USD more is above it/, 'also in two lines';
like answer(invoice([line($year, 1, '1', '1200.01')])), qr/^409 .*unitPrice is 1200\.01 USD, purchase order $po->{id} has 1200\.00 USD/, 'and so is a higher price';
my $instalment = invoice([line($year, 1, '1', '700.00'), line($year, 1, '1', '500.00')]);
like answer($instalment), qr/^201 /, 'the rest is taken, in instalments';
like answer(invoice([line($year, 1, '1', '0.01')])), qr/^409 .*3600\.00 USD is invoiced already/, 'and then nothing more';

# ---- credit memo ------------------------------------------------------------------------------------------------------------
like answer(invoice([line($year, 1, '1', '1200.00')], kind => 'creditMemo')), qr/^400 original is missing/, 'a credit memo names its invoice';
like answer(invoice([line($year, 1, '1', '1200.00')], kind => 'creditMemo', original => 'INV-none')), qr/^409 There is no invoice INV-none/, 'one that was handed over';
like answer(invoice([line($year, 1, '3', '1200.00')], kind => 'creditMemo', original => $first->{number})), qr/^409 .*3600\.00 USD .*more than invoice $first->{number} has left for it, 2400\.00 USD/, 'and credits no more than it';
my $credit = invoice([line($year, 1, '1', '1200.00')], kind => 'creditMemo', original => $first->{number}, tax => { amount => '228.00', description => 'VAT' });
like answer($credit), qr/^201 /, 'a credit memo is taken';
$document = document_of($credit->{number});
valid($document, 'and valid by the DTD');
like $document, qr{purpose="lineLevelCreditMemo".*<DocumentReference payloadID="\Q$said->{payloadID}\E"/><InvoiceIDInfo invoiceID="$first->{number}"}s, 'it refers to the invoice';
is_deeply [(held_by($document, 'Name'))->[0], $document =~ /quantity="([^"]+)"/, money_in($document, 'UnitPrice')->[0], money_in($document, 'DueAmount')->[0]],
    ['Keeper Ltd', '-1', '1200.00', '-1428.00'], 'with negative quantity and amounts and a positive price';
like answer(invoice([line($year, 1, '2', '1200.00')], kind => 'creditMemo', original => $first->{number})), qr/^409 .*has left for it, 1200\.00 USD/, 'what is credited is not credited again';
like answer(invoice([line($year, 1, '1', '1200.00')])), qr/^201 /, 'but may be invoiced again';

# ---- several purchase orders, usage -------------------------------------------------------------------------------------------
my ($both, @two) = ordered('acme', offer => 'off-both', budget => '50.00', split => 1);
my ($payg, $third) = ordered('acme', offer => 'off-payg', budget => '500');
my $several = invoice([line($both, 2, '100', '0.25', description => 'GB ingested in November', period => { from => '2026-11-01', to => '2026-11-30' }), line($both, 1, '1', '900.00'),
    line($payg, 1, '40', '0.0925'), line($both, 2, '20.5', '0.25', amount => '5.12')]);
like answer($several), qr/^201 /, 'one invoice may be about several purchase orders';
$document = document_of($several->{number});
valid($document, 'it is valid by the DTD');
is_deeply [$document =~ /<OrderReference orderID="([^"]+)"/g], [$two[1]{id}, $two[0]{id}, $third->{id}], 'each purchase order stands there once';
is_deeply [$document =~ /<InvoiceDetail(?:Service)?Item invoiceLineNumber="(\d)" quantity="([\d.]+)"/g], [qw(1 100 4 20.5 2 1 3 40)], 'with its lines';
is_deeply money_in($document, 'UnitPrice'), [qw(0.25 0.25 900.00 0.0925)], 'and their prices, all decimals';
is money_in($document, 'DueAmount')->[0], '933.82', 'and the sum of what the backend rounded';
like $document, qr/GB ingested in November \(2026-11-01 to 2026-11-30\)/, 'the period of what is counted stands in its description';
is_deeply [grep { /Classification/ } $document =~ m{<InvoiceDetailItemReference .*?</InvoiceDetailItemReference>}gs], [], 'and no Classification where this DTD has none';
like answer(invoice([line($payg, 1, '5406', '0.0925')])), qr/^422 .*quantity x unitPrice is 500\.055 USD, but USD has 2 decimals: round it, and say so by "amount"/, 'what no coin can pay the backend rounds';
like answer(invoice([line($payg, 1, '5406', '0.0925', amount => '500.07')])), qr/^422 .*may differ by less than the smallest coin/, 'by less than one coin';
like answer(invoice([line($payg, 1, '5370', '0.0925', amount => '496.72')])), qr/^409 .*was for 500\.055 USD, of which 3\.70 USD is invoiced already: 496\.72 USD more is above it\..*PunchOutUsageLimit none/, 'usage above its budget is refused';
like answer(invoice([line($payg, 1, '100', '0.09')])), qr/^409 .*unitPrice is 0\.09 USD/, 'and so is another price of usage';

# ---- what is never invoiced ----------------------------------------------------------------------------------------------------
my ($trial) = ordered('acme', offer => 'off-try');
like answer(invoice([line($trial, 1, '1', '1.00')])), qr/^409 lines\[0\]: $trial\.1 can't be invoiced: it is a free trial/, 'no invoice for a trial';
my ($byol) = ordered('acme', offer => 'off-byol');
like answer(invoice([line($byol, 1, '1', '1.00')])), qr/^409 .*own license \(BYOL\)/, 'nor for BYOL';
my ($free) = ordered('acme', offer => 'off-free');
like answer(invoice([line($free, 1, '1', '1.00')])), qr/^409 .*it is free/, 'nor for what is free';
my $tested = open_session(buyer => 'acme', test => 1, @at);
my ($test) = lines_from(request_approval($tested, @at, account => 'tester', offer => 'off-year'))->[0]{auxiliary} =~ /^(.*)\.1$/;
like answer(invoice([line($test, 1, '1', '1200.00')])), qr/^409 .*test mode/, 'nor in test mode';
my $open = open_session(buyer => 'acme', @at);
my ($asked) = lines_from(request_approval($open, @at, account => 'asker', offer => 'off-year'))->[0]{auxiliary} =~ /^(.*)\.1$/;
like answer(invoice([line($asked, 1, '1', '1200.00')])), qr/^409 .*no purchase order has ordered it yet/, 'nor before it is ordered';
like answer(invoice([line('req-0000000000000000', 1, '1', '1.00')])), qr/^409 None of the requests is known/, 'nor of nobody\'s request';
like answer(invoice([line($year, 2, '1', '1.00')])), qr/^409 .*has no charge 2/, 'nor of a charge that is not there';
like answer(invoice([line($year, 1, '1', '1.00')], currency => 'EUR')), qr/^409 .*in EUR, $year\.1 was ordered in USD/, 'nor in another currency';

# ---- other buyers -----------------------------------------------------------------------------------------------------------------
my ($theirs, $network) = ordered('initech', offer => 'off-payg');
my $usage = invoice([line($theirs, 1, '1000', '0.0925')], buyer => 'initech');
like answer($usage), qr/^201 /, 'PunchOutUsageLimit none: usage without a budget is invoiced at its price';
$document = document_of($usage->{number});
valid($document, 'for Ariba it is valid by its DTD');
like $document, qr{cXML/1\.2\.050/InvoiceDetail\.dtd.*<OrderReference orderID="$network->{id}".*payloadID="\Q$network->{payload}\E".*<Classification domain="UNSPSC">43232701<}s, 'and says the class';
like answer(invoice([line($theirs, 1, '1', '0.09', amount => '0.09')])), qr/^409 .*unitPrice/, 'at no other price';
like answer(invoice([line($theirs, 1, '1000', '0.0925')], buyer => 'acme')), qr/^409 The invoice is for buyer acme, its requests are of initech/, 'an invoice for another buyer is refused';
like answer(invoice([line($theirs, 1, '1000', '0.0925'), line($year, 1, '1', '1.00')])), qr/^409 lines\[1\]: request $year is of buyer acme/, 'and so is one of two buyers';
my ($silent) = ordered('globex', offer => 'off-year');
like answer(invoice([line($silent, 1, '1', '1200.00')])), qr/^409 Buyer globex takes no invoices by cXML .*send it another way/, 'a buyer that takes none gets none';
is ask('?buyer=globex')->content, '{"invoices":[]}', 'and none is kept for it';

# ---- what is wrong with it -----------------------------------------------------------------------------------------------------------
my $json = JSON::PP::encode_json(invoice([line($theirs, 1, '100', '0.0925')]));
my @wrong = (
    ['a typo', sub { s/"currency"/"curency"/ }, qr/^400 "curency" is no member of an invoice/],
    ['a member of a line that nobody knows', sub { s/"charge"/"discount":"1","charge"/ }, qr/^400 lines\[0\]\."discount" is no member/],
    ['money as a number', sub { s/"0\.0925"/0.0925/ }, qr/^400 lines\[0\]\.unitPrice is a JSON number/],
    ['a quantity as a number', sub { s/"100"/100/ }, qr/^400 lines\[0\]\.quantity is a JSON number/],
    ['an exponent', sub { s/"100"/"1e2"/ }, qr/^400 lines\[0\]\.quantity must be a plain decimal number/],
    ['a negative quantity', sub { s/"100"/"-100"/ }, qr/^400 .*kind":"creditMemo"/],
    ['a quantity of zero', sub { s/"100"/"0"/ }, qr/^422 .*greater than zero/],
    ['a sum that is wrong', sub { s/"currency"/"total":"9.26","currency"/ }, qr/^422 total is 9\.26 USD, but the lines and the tax come to 9\.25 USD/],
    ['taxes that don\'t add up', sub { s/"description":"none"/"description":"none","details":[{"category":"vat","amount":"1.00"}]/ }, qr/^422 tax\.amount is 0\.00 USD, but tax\.details come to 1\.00 USD/],
    ['a member twice', sub { s/"currency"/"currency":"USD","currency"/ }, qr/^400 The body is no JSON/],
    ['a date without a zone', sub { s/2026-11-30/2026-11-30T10:00:00/ }, qr/^400 date must be a day/],
    ['a day that no calendar has', sub { s/2026-11-30/2026-02-30/ }, qr/^400 date/],
    ['half a document', sub { $_ = substr $_, 0, 200 }, qr/^400 The body is no JSON/],
    ['nothing', sub { $_ = '' }, qr/^400 The body is no JSON/],
);
for my $case (@wrong) {
    my ($name, $change, $expected) = @$case;
    local $_ = $json;
    $change->();
    isnt $_, $json, "$name: written" if $name ne 'nothing';
    like answer($_), $expected, "$name is refused";
}
like answer('"' . 'x' x 1_100_000 . '"'), qr/^413 /, 'more than 1 MB is refused';

# ---- what became of it ----------------------------------------------------------------------------------------------------------------
is ask('/INV-none')->code, 404, 'an unknown number is not found';
like ask('/INV-none')->header('Content-Type'), qr{^application/problem\+json}, 'which is said to a program';
my $blank = invoice([line($theirs, 1, '100', '0.0925')], number => "R\xe9 17/$$");
like answer($blank), qr/^201 /, 'a number may hold blanks, slashes and foreign letters';
is ask("?number=R%C3%A9%2017%2F$$")->code, 200, 'and is found by them';
is ask("/R%C3%A9%2017/$$")->code, 200, 'also in the path';
my @latest = @{ JSON::PP::decode_json(ask('?buyer=initech&limit=2')->content)->{invoices} };
is_deeply [map { $_->{number} } @latest], [$blank->{number}, $usage->{number}], 'the latest of a buyer are listed';
is ask('?limit=0')->code, 400, 'with a limit that makes sense';
is $ua->delete($door, Authorization => 'Bearer billing-secret')->code, 405, 'nothing is deleted';

my $update = request_document("<StatusUpdateRequest><DocumentReference payloadID=\"$said->{payloadID}\"/><Status code=\"409\" text=\"Conflict\">no budget</Status></StatusUpdateRequest>");
is status_of(order_reply($update, @at)), '200', 'the buyer may say later what became of an invoice';
like asked($first->{number})->{statusUpdates}[0]{status}, qr/409.*no budget/, 'and the backend hears it';
is scalar(@{ asked($several->{number})->{statusUpdates} }), 0, 'of this invoice alone';

done_testing;
