# Marketplace::Cart - what a shopper has put aside: one cart for each punchout session. At the end it becomes the answer that
# mod_punchout turns into requests (docs/integration.md, "The shop's own cart").
package Marketplace::Cart;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use JSON::PP ();
use Demo::Store;

sub new ($class, $dir) { return bless { store => Demo::Store->new($dir) }, $class }

sub lines ($self, $session) { return @{ ($self->{store}->get('cart', $session) // {})->{lines} // [] } }

# Two tabs may change the same cart in two processes.
sub change ($self, $session, $code) {
    return if $session !~ /\A[\w-]+\z/;
    $self->{store}->locked('cart', sub {
        $self->{store}->put('cart', $session, { lines => [$code->($self->lines($session))] });
    });
}

# line: offer, and quantity, budget and terms where they were given.
sub add ($self, $session, %line) {
    my @given = grep { length($line{$_} // '') } qw(offer quantity budget terms);
    $self->change($session, sub (@lines) { (@lines, { map { $_ => "$line{$_}" } @given }) });
}

sub remove ($self, $session, $index) {
    $self->change($session, sub (@lines) { @lines[grep { $_ != $index } 0 .. $#lines] });
}

# The cart stays: when the shopper presses the button twice the same answer gives the same document again.
sub answer ($self, $session) {
    return [200, ['Content-Type' => 'application/vnd.punchout.cart+json'],
        [JSON::PP->new->utf8->canonical->encode({ lines => [$self->lines($session)] })]];
}

1;
