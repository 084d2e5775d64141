# Procurement::Incoming - documents that the supplier sends by himself: who sent them, which order they are about, and what is
# answered, as a real procurement system would (HTTP and cXML say the same).
package Procurement::Incoming;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Exporter qw(import);
use Procurement::Cxml qw(read_document status_response);

our @EXPORT_OK = qw(take_document);

# What is done with a request: (connection, payload element, document) give code, text and the payload's effect.
my %TAKEN = (ConfirmationRequest => \&take_confirmation, InvoiceDetailRequest => \&take_invoice);

# Gives (status, bytes of the answer).
sub take_document ($office, $bytes) {
    my ($code, $text, $connection, $kind) = judge($office, $bytes);
    $office->keep_document(connection => $connection ? $connection->{name} : '', direction => 'received', kind => $kind // 'unreadable',
        url => "$office->{url}/cxml", xml => $bytes, status => $code);
    return ($code, status_response($code, $text));
}

sub judge ($office, $bytes) {
    my $document = read_document($bytes) or return (406, 'This is no cXML request');
    my $kind = $document->{request};
    my ($connection) = grep { same($_->{buyer}, $document->{to}) && same($_->{supplier}, $document->{from}) } $office->connections;
    return (401, 'Unknown supplier, or wrong secret', undef, $kind)
        if !$connection || $document->{secret} ne $office->secret($connection);
    my $take = $TAKEN{$kind} or return (450, "$kind is not taken here", $connection, $kind);
    return ($take->($office, $connection, $document), $connection, $kind);
}

sub same ($a, $b) { return $b && lc $a->{domain} eq lc $b->{domain} && $a->{identity} eq $b->{identity} }

# The latest counts; the same document may come again after a lost answer.
sub take_confirmation ($office, $connection, $document) {
    my $element = $document->{element};
    my ($header) = $element->findnodes('ConfirmationHeader') or return (406, 'There is no ConfirmationHeader');
    my $number = $element->findvalue('OrderReference/@orderID');
    my $found = $office->store->locked('orders', sub {
        my $order = $office->store->get('orders', $number) or return 0;
        return 0 if $order->{connection} ne $connection->{name};
        $order->{confirmation} = {
            payload_id => $document->{payload_id}, time => time, type => $header->getAttribute('type'), test => $document->{test},
            comments => $header->findvalue('Comments'), items => [map { item($_) } $element->findnodes('ConfirmationItem')],
        };
        $office->store->put('orders', $number, $order);
        return 1;
    });
    return $found ? (200, 'Taken') : (417, "There is no order $number of this supplier");
}

# Beside each order that it names. A number that came in another document is refused, as Coupa does.
sub take_invoice ($office, $connection, $document) {
    my $element = $document->{element};
    my ($header) = $element->findnodes('InvoiceDetailRequestHeader') or return (406, 'There is no InvoiceDetailRequestHeader');
    my %invoice = (payload_id => $document->{payload_id}, time => time, number => $header->getAttribute('invoiceID'),
        purpose => $header->getAttribute('purpose'), currency => $element->findvalue('InvoiceDetailSummary/DueAmount/Money/@currency'),
        due => $element->findvalue('InvoiceDetailSummary/DueAmount/Money'), comments => $header->findvalue('Comments'));
    my %lines;
    for my $part ($element->findnodes('InvoiceDetailOrder')) {
        my $number = $part->findvalue('InvoiceDetailOrderInfo/OrderReference/@orderID');
        push @{ $lines{$number} }, map { invoice_line($_) } $part->findnodes('InvoiceDetailItem | InvoiceDetailServiceItem');
    }
    return $office->store->locked('orders', sub {
        my %order = map { $_ => $office->store->get('orders', $_) } keys %lines;
        for my $number (sort keys %order) {
            return (417, "There is no order $number of this supplier") if !$order{$number} || $order{$number}{connection} ne $connection->{name};
            my $before = $order{$number}{invoices}{ $invoice{number} };
            return (417, "Invoice number $invoice{number} has been used") if $before && $before->{payload_id} ne $invoice{payload_id};
        }
        for my $number (keys %order) {
            $order{$number}{invoices}{ $invoice{number} } = { %invoice, lines => $lines{$number} };
            $office->store->put('orders', $number, $order{$number});
        }
        return (200, 'Taken');
    });
}

sub invoice_line ($element) {
    my ($reference) = $element->findnodes('InvoiceDetailItemReference | InvoiceDetailServiceItemReference');
    return { line => $reference->getAttribute('lineNumber'), description => $reference->findvalue('Description'),
        quantity => $element->getAttribute('quantity'), unit => $element->findvalue('UnitOfMeasure'),
        price => $element->findvalue('UnitPrice/Money'), amount => $element->findvalue('SubtotalAmount/Money') };
}

sub item ($element) {
    return { line => $element->getAttribute('lineNumber'), type => $element->findvalue('ConfirmationStatus/@type'),
        comments => $element->findvalue('ConfirmationStatus/Comments') };
}

1;
