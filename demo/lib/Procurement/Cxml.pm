# Procurement::Cxml - the documents of the procurement system: writes setups and orders, reads answers and carts, and finds
# what a real procurement system would refuse in a cart.
package Procurement::Cxml;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(decode_utf8);
use Exporter qw(import);
use Math::BigFloat;
use POSIX qw(strftime);
use XML::LibXML;
use Demo::Page qw(escape);

our @EXPORT_OK = qw(setup_request order_request read_document status_response read_answer read_cart cart_faults
    line_faults total_faults pretty mask timestamp product sum money);

# UN/CEFACT Recommendation 20: the units that this system's administrator has set up.
my %UNIT = map { $_ => 1 } qw(
    EA C62 H87 NMP SET PR DZN LO LS ACT IE E48 E50 E51 E53 P1 MIL MIO
    SEC MIN HUR DAY WEE MON QAN SAN ANN E49
    AD 2P 4L E34 E35 E36 A99 C37 E20
    KWH KGM GRM TNE MTR KMT LTR MTK MTQ
);
my $DECIMAL = qr/\A[0-9]+(?:\.[0-9]+)?\z/;

# ---- writing -------------------------------------------------------------------------------------------------------------

sub timestamp ($time) { return strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime $time) }

sub credential ($who, $more = '') {
    return '<Credential domain="' . escape($who->{domain}) . '"><Identity>' . escape($who->{identity}) . "</Identity>$more</Credential>";
}

# %doc: payload_id, time, deployment (undef: the attribute is left out, as Coupa does), body.
sub envelope ($connection, $secret, %doc) {
    my ($buyer, $supplier) = @$connection{qw(buyer supplier)};
    my $mode = defined $doc{deployment} ? ' deploymentMode="' . escape($doc{deployment}) . '"' : '';
    return <<"XML";
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/$connection->{dtd}/cXML.dtd">
<cXML payloadID="@{[ escape($doc{payload_id}) ]}" timestamp="@{[ timestamp($doc{time}) ]}" xml:lang="en-US">
  <Header>
    <From>@{[ credential($buyer) ]}</From>
    <To>@{[ credential($supplier) ]}</To>
    <Sender>@{[ credential($buyer, '<SharedSecret>' . escape($secret) . '</SharedSecret>') ]}
      <UserAgent>@{[ escape($connection->{user_agent}) ]}</UserAgent></Sender>
  </Header>
  <Request$mode>
$doc{body}  </Request>
</cXML>
XML
}

# %visit: operation, cookie, person, return_url, setup_url, selected (part id or undef), lines (of the cart that is edited).
sub setup_request ($connection, $secret, %visit) {
    my ($person, $address) = ($visit{person}, $connection->{address});
    my %extrinsic = (FirstName => $person->{first}, LastName => $person->{last}, UniqueName => $person->{login},
        UserEmail => $person->{email}, User => $person->{login}, BusinessUnit => $person->{unit});
    my $extrinsics = join '', map { qq{      <Extrinsic name="$_">} . escape($extrinsic{$_}) . "</Extrinsic>\n" }
        qw(FirstName LastName UniqueName UserEmail User BusinessUnit);
    my $selected = defined $visit{selected}
        ? '      <SelectedItem><ItemID><SupplierPartID>' . escape($visit{selected}) . "</SupplierPartID></ItemID></SelectedItem>\n" : '';
    my $lines = join '', map { item_out($_) } @{ $visit{lines} // [] };
    return envelope($connection, $secret, %visit, body => <<"XML");
    <PunchOutSetupRequest operation="$visit{operation}">
      <BuyerCookie>@{[ escape($visit{cookie}) ]}</BuyerCookie>
$extrinsics      <BrowserFormPost><URL>@{[ escape($visit{return_url}) ]}</URL></BrowserFormPost>
      @{[ contact($person) ]}
      <SupplierSetup><URL>@{[ escape($visit{setup_url}) ]}</URL></SupplierSetup>
      <ShipTo>@{[ address($address) ]}</ShipTo>
$selected$lines    </PunchOutSetupRequest>
XML
}

# $order: number, payload_id, time, requisition, lines, currency, total, comment.
sub order_request ($connection, $secret, $order) {
    my $address = address($connection->{address});
    my $comment = length $order->{comment} ? '        <Comments xml:lang="en-US">' . escape($order->{comment}) . "</Comments>\n" : '';
    my $lines = join '', map { item_out($_, $order->{requisition}) } @{ $order->{lines} };
    return envelope($connection, $secret, payload_id => $order->{payload_id}, time => $order->{time},
        deployment => $connection->{deployment}, body => <<"XML");
    <OrderRequest>
      <OrderRequestHeader orderID="$order->{number}" orderDate="@{[ timestamp($order->{time}) ]}" type="new" orderVersion="1" requisitionID="$order->{requisition}">
        <Total>@{[ money_element($order->{total}, $order->{currency}) ]}</Total>
        <ShipTo>$address</ShipTo>
        <BillTo>$address</BillTo>
        @{[ contact($order->{person}) ]}
$comment      </OrderRequestHeader>
$lines    </OrderRequest>
XML
}

sub contact ($person) {
    return '<Contact role="endUser"><Name xml:lang="en-US">' . escape("$person->{first} $person->{last}") . '</Name><Email>'
        . escape($person->{email}) . '</Email></Contact>';
}

sub address ($at) {
    my %x = map { $_ => escape($at->{$_}) } keys %$at;
    my $state = length $x{state} ? "<State>$x{state}</State>" : '';
    return qq{<Address addressID="$x{id}"><Name xml:lang="en-US">$x{name}</Name><PostalAddress><Street>$x{street}</Street>}
        . qq{<City>$x{city}</City>$state<PostalCode>$x{postcode}</PostalCode>}
        . qq{<Country isoCountryCode="$x{country}">$x{country_name}</Country></PostalAddress></Address>};
}

sub money_element ($amount, $currency) { return '<Money currency="' . escape($currency) . '">' . escape($amount) . '</Money>' }

# What stood in the cart goes back as it came.
sub item_out ($line, $requisition = undef) {
    my %x = map { $_ => escape($line->{$_}) } grep { !ref $line->{$_} } keys %$line;
    my $auxiliary = length $x{auxiliary} ? "<SupplierPartAuxiliaryID>$x{auxiliary}</SupplierPartAuxiliaryID>" : '';
    my $short     = length $x{short_name} ? "<ShortName>$x{short_name}</ShortName>" : '';
    my $maker     = length $x{manufacturer_part} ? "<ManufacturerPartID>$x{manufacturer_part}</ManufacturerPartID>" : '';
    $maker .= qq{<ManufacturerName xml:lang="en-US">$x{manufacturer}</ManufacturerName>} if length $x{manufacturer};
    my $extrinsics = join '', map { '<Extrinsic name="' . escape($_->[0]) . '">' . escape($_->[1]) . '</Extrinsic>' } @{ $line->{extrinsics} };
    my $from = defined $requisition ? ' requisitionID="' . escape($requisition) . '"' : '';
    return <<"XML";
      <ItemOut quantity="$x{quantity}" lineNumber="$x{number}"$from>
        <ItemID><SupplierPartID>$x{part}</SupplierPartID>$auxiliary</ItemID>
        <ItemDetail><UnitPrice>@{[ money_element(@$line{qw(unit_price currency)}) ]}</UnitPrice>
          <Description xml:lang="en-US">$short$x{description}</Description>
          <UnitOfMeasure>$x{unit}</UnitOfMeasure><Classification domain="UNSPSC">$x{unspsc}</Classification>$maker$extrinsics</ItemDetail>
      </ItemOut>
XML
}

sub status_response ($code, $text) {
    my ($id, $now, $about) = (escape(time . ".$$." . int(rand 1e9) . '@procurement.example'), timestamp(time), escape($text));
    return <<"XML";
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd">
<cXML payloadID="$id" timestamp="$now"><Response><Status code="$code" text="$about"/></Response></cXML>
XML
}

# ---- reading -------------------------------------------------------------------------------------------------------------

# undef for text that is no XML. Nothing outside of the document is read.
sub parse ($bytes) {
    return eval { XML::LibXML->new(no_network => 1, load_ext_dtd => 0, expand_entities => 0)->parse_string($bytes) };
}

# A request of the supplier: {request, element, payload_id, from, to, secret, test}; undef when the bytes are none.
sub read_document ($bytes) {
    my $document = parse($bytes) or return undef;
    my ($element) = $document->findnodes('/cXML/Request/*') or return undef;
    my %party = map {
        my ($found) = $document->findnodes("/cXML/Header/$_/Credential");
        (lc $_ => $found && { domain => $found->getAttribute('domain'), identity => $found->findvalue('Identity') });
    } qw(From To);
    return { %party, request => $element->nodeName, element => $element, payload_id => $document->documentElement->getAttribute('payloadID'),
        secret => $document->findvalue('/cXML/Header/Sender/Credential/SharedSecret'),
        test => $document->findvalue('/cXML/Request/@deploymentMode') eq 'test' ? 1 : 0 };
}

# {code, text, detail, start_page}; code is undef when the bytes are no cXML answer.
sub read_answer ($bytes) {
    my $document = parse($bytes) or return {};
    my ($status) = $document->findnodes('/cXML/Response/Status') or return {};
    my $start = $document->findvalue('/cXML/Response/PunchOutSetupResponse/StartPage/URL') =~ s/\A\s+|\s+\z//gr;
    return { code => $status->getAttribute('code'), text => $status->getAttribute('text'), detail => $status->textContent,
        start_page => $start };
}

# undef when the bytes are no PunchOutOrderMessage.
sub read_cart ($bytes) {
    my $document = parse($bytes) or return undef;
    my ($message) = $document->findnodes('/cXML/Message/PunchOutOrderMessage') or return undef;
    my ($total) = $message->findnodes('PunchOutOrderMessageHeader/Total/Money');
    my ($from)  = $document->findnodes('/cXML/Header/From/Credential');
    my ($status) = $document->findnodes('/cXML/Message/Status/@code');
    return {
        payload_id => $document->documentElement->getAttribute('payloadID'),
        from       => $from && { domain => $from->getAttribute('domain'), identity => $from->findvalue('Identity') },
        secret     => scalar(() = $document->findnodes('//SharedSecret | //DigitalSignature | //CredentialMac')),
        status     => $status ? $status->value : 200,
        test       => $document->findvalue('/cXML/Message/@deploymentMode') eq 'test',
        cookie     => $message->findvalue('BuyerCookie'),
        allowed    => $message->findvalue('PunchOutOrderMessageHeader/@operationAllowed'),
        total      => $total ? $total->textContent : '',
        currency   => $total ? $total->getAttribute('currency') // '' : '',
        lines      => do { my $n = 0; [map { read_line($_, ++$n) } $message->findnodes('ItemIn')] },
    };
}

sub read_line ($item, $position) {
    my ($money)       = $item->findnodes('ItemDetail/UnitPrice/Money');
    my ($description) = $item->findnodes('ItemDetail/Description');
    my %line = (
        number            => $item->getAttribute('lineNumber') // $position,
        quantity          => $item->getAttribute('quantity') // '',
        part              => $item->findvalue('ItemID/SupplierPartID'),
        auxiliary         => $item->findvalue('ItemID/SupplierPartAuxiliaryID'),
        unit_price        => $money ? $money->textContent : '',
        currency          => $money ? $money->getAttribute('currency') // '' : '',
        short_name        => $item->findvalue('ItemDetail/Description/ShortName'),
        description       => $description ? join('', map { $_->textContent } $description->findnodes('text()')) : '',
        unit              => $item->findvalue('ItemDetail/UnitOfMeasure'),
        unspsc            => $item->findvalue('ItemDetail/Classification[@domain="UNSPSC"]'),
        manufacturer_part => $item->findvalue('ItemDetail/ManufacturerPartID'),
        manufacturer      => $item->findvalue('ItemDetail/ManufacturerName'),
        extrinsics        => [map { [$_->getAttribute('name'), $_->textContent] } $item->findnodes('ItemDetail/Extrinsic')],
    );
    $line{description} =~ s/\A\s+|\s+\z//g;
    return \%line;
}

# ---- judging -------------------------------------------------------------------------------------------------------------

sub product (@numbers) {
    my $result = Math::BigFloat->new(1);
    $result->bmul($_) for @numbers;
    return $result;
}

sub sum (@numbers) {
    my $result = Math::BigFloat->new(0);
    $result->badd($_) for @numbers;
    return $result;
}

# With two decimals at least: "1200" is "1200.00", "500.055" stays.
sub money ($amount) {
    my $text = Math::BigFloat->new($amount)->bstr;
    return $text if $text =~ /\.\d\d/;
    return $text =~ /\.\d\z/ ? "${text}0" : "$text.00";
}

# Sentences that say why this cart can't be taken; none: it is fine. $session: cookie, operation, supplier.
sub cart_faults ($cart, $session) {
    my @faults;
    push @faults, "The BuyerCookie '$cart->{cookie}' is not this session's, which is '$session->{cookie}'."
        if $cart->{cookie} ne $session->{cookie};
    push @faults, 'The message carries a secret: anybody who reads the page\'s source could take it.' if $cart->{secret};
    my ($from, $supplier) = ($cart->{from}, $session->{supplier});
    push @faults, 'The message is not from the supplier of this session.'
        if !$from || lc $from->{domain} ne lc $supplier->{domain} || $from->{identity} ne $supplier->{identity};
    return @faults if $cart->{status} != 200;
    if (!@{ $cart->{lines} }) {
        push @faults, 'The cart is empty: on an edit that would delete every line of the requisition. A cancelled edit has Status 204.'
            if $session->{operation} eq 'edit';
        return @faults;
    }
    push @faults, map { line_faults($_) } @{ $cart->{lines} };
    push @faults, total_faults($cart) if !@faults;
    return @faults;
}

sub line_faults ($line) {
    my ($n, @faults) = ("Line $line->{number}");
    for (qw(part auxiliary)) {
        push @faults, "$n: the $_ id '$line->{$_}' holds one of ? { }." if $line->{$_} =~ /[?{}]/;
    }
    push @faults, "$n: the supplier part id is missing." if !length $line->{part};
    push @faults, "$n: the description is missing." if !length $line->{description};
    push @faults, "$n: '$line->{quantity}' is no quantity." if $line->{quantity} !~ $DECIMAL || $line->{quantity} == 0;
    push @faults, "$n: '$line->{unit_price}' is no amount of money." if $line->{unit_price} !~ $DECIMAL;
    push @faults, "$n: the currency is missing." if $line->{currency} !~ /\A[A-Z]{3}\z/;
    push @faults, "$n: the unit of measure '$line->{unit}' is not known here." if !$UNIT{ $line->{unit} };
    push @faults, length $line->{unspsc} ? "$n: the UNSPSC '$line->{unspsc}' has not eight digits." : "$n: the UNSPSC is missing."
        if $line->{unspsc} !~ /\A[0-9]{8}\z/;
    return @faults;
}

sub total_faults ($cart) {
    return 'The total has no currency.' if $cart->{currency} !~ /\A[A-Z]{3}\z/;
    return "The total '$cart->{total}' is no amount of money." if $cart->{total} !~ $DECIMAL;
    my @other = grep { $_->{currency} ne $cart->{currency} } @{ $cart->{lines} };
    return "Line $other[0]{number} is in $other[0]{currency}, the total in $cart->{currency}." if @other;
    my $sum = sum(map { product(@$_{qw(quantity unit_price)}) } @{ $cart->{lines} });
    return "The total $cart->{total} is not the sum of the lines, " . money($sum) . '.' if $sum->bcmp($cart->{total});
    return;
}

# ---- showing -------------------------------------------------------------------------------------------------------------

# Bytes with every secret covered: nothing else is ever kept.
sub mask ($bytes) { return $bytes =~ s{(<SharedSecret\b[^>]*>).*?(</SharedSecret\s*>)}{$1********$2}gsr }

# Readable text, whatever the bytes are.
sub pretty ($bytes) {
    my $document = eval {
        XML::LibXML->new(no_network => 1, load_ext_dtd => 0, expand_entities => 0, no_blanks => 1)->parse_string($bytes);
    } or return decode_utf8($bytes);
    return decode_utf8($document->toString(1));
}

1;
