# Marketplace::Account - the shop's own accounts. Here everybody who gives an address has one: a real shop would ask
# its login.
package Marketplace::Account;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);

# By which PunchOutBuyer a company's accounts are connected to their procurement system.
my %BUYER = ('acme.example' => 'acme', 'globex.example' => 'globex');

# {id, email, buyer} of an address, the same in a punchout and out of it; undef for what is no address. buyer is undef
# for a company without a connection.
sub of_address ($text) {
    my $email = lc $text;
    my ($domain) = $email =~ /\A[^\s@;,]+@([^\s@;,]+)\z/ or return undef;
    my $id = 'acct-' . substr sha256_hex(encode_utf8($email)), 0, 12;
    return { id => $id, email => $email, buyer => $BUYER{$domain} };
}

# The response header PunchOut-Account for the shopper of a punchout, whose buyer mod_punchout knows.
sub header ($account) { return encode_utf8("$account->{id}; email=$account->{email}") }

# The same for somebody who has signed in here: what he requests is a draft for this buyer.
sub draft_header ($account) { return header($account) . "; buyer=$account->{buyer}" }

1;
