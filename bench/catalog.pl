#!/usr/bin/perl
# Writes a catalog.json of as many products as asked for, the same one at each run.
#   bench/catalog.pl PRODUCTS >catalog.json
# Words are as common as in written language (Zipf-Mandelbrot): the commonest stand in a third of all products, most in
# a few. Every pricing occurs, and one product in fifty is for some organizations alone.
use strict;
use warnings;

my $products = shift || 0;
die "usage: catalog.pl PRODUCTS >catalog.json\n" unless $products =~ /^[1-9][0-9]*$/;
my ($vocabulary, $flat, $draws) = (20_000, 15, 1 << 18);
srand 1;

my @word = qw(
    cloud data management security analytics service platform backup monitoring server network storage software
    enterprise support integration automation container database application compliance reporting access control
    mobile customer business team workflow document search email identity threat protection recovery migration
    compute virtual machine learning language payment invoice contract procurement inventory logistics shipping
    warehouse accounting payroll recruiting training video meeting calendar project planning design testing
    deployment pipeline repository firewall gateway proxy cache queue stream event metric trace log alert
    dashboard report chart map geography sensor device robot printer scanner camera audio image translation
    speech text form survey campaign marketing sales quote order subscription license tax currency bank
    insurance health clinic patient laboratory genome chemistry energy water climate farm retail store
    restaurant hotel travel vehicle fleet fuel battery charger building elevator lighting cleaning furniture
    office school course library museum ticket stadium game kubernetes terraform postgresql linux windows oracle
    salesforce);
my @offer = (                           # N: a number
    ['contract', ',"price":"N.00","currency":"USD","term":"P12M","unit":"EA"'],
    ['contract', ',"price":"N.50","currency":"EUR","term":"P1M","unit":"EA"'],
    ['usage', ',"currency":"USD","usage":[{"dimension":"hour","description":"hour","price":"0.0N","unit":"HUR"}]'],
    ['contract', ',"price":"N.00","currency":"USD","term":"P12M","unit":"EA",'
        . '"usage":[{"dimension":"gb","description":"GB ingested","price":"0.25","unit":"E34"}]'],
    ['free', ''], ['byol', ''], ['trial', ',"term":"P14D"']);

# Words that no dictionary has, of two to four syllables.
sub fill_vocabulary {
    my @onset = qw(b d f g k l m n p r s t v z st tr);
    my @syllable = map { my $c = $_; map { "$c$_" } qw(a e i o u an el is or um) } @onset;
    my %seen = map { $_ => 1 } @word;
    while (@word < $vocabulary) {
        my $w = join '', map { $syllable[rand @syllable] } 1 .. 2 + rand 3;
        push @word, $w unless $seen{$w}++;
    }
}

# Where a draw lands: the words in their order, each as often as its rank says.
sub fill_draws {
    my ($total, $sum, @draw) = (0, 0);
    $total += 1 / ($_ + $flat) for 1 .. @word;
    for my $rank (1 .. @word) {
        $sum += 1 / ($rank + $flat);
        push @draw, $word[$rank - 1] while @draw < $sum / $total * $draws;
    }
    return \@draw;
}

fill_vocabulary();
my $draw = fill_draws();
sub words { return map { $draw->[rand @$draw] } 1 .. shift }
sub one_of { return $_[rand @_] }

sub seller { return join ' ', (map { ucfirst } words(1 + rand 2)), one_of(qw(Ltd AG Inc GmbH)), shift }
my @seller = map { seller($_) } 1 .. 300;

sub offers {
    my ($n) = @_;
    return join ',', map {
        my ($pricing, $more) = @{ $offer[rand @offer] };
        my $price = 1 + int rand 9999;
        my $private = rand() < 0.01 ? ',"organizations":["acme"]' : '';
        qq({"id":"off-$n-$_","pricing":"$pricing") . $more =~ s/N/$price/r . "$private}";
    } 1 .. 1 + rand 3;
}

sub audience {
    my $of = rand;
    return $of < 0.01 ? ',"allowedOrganizations":["acme","globex"]'
        : $of < 0.02 ? ',"deniedOrganizations":["acme"]' : '';
}

print '{"products":[';
for my $n (1 .. $products) {
    my $name = join ' ', map { ucfirst } words(2 + rand 4);
    my $description = join ' ', words(20 + rand 40);
    my $keywords = join ',', map { qq("$_") } words(rand 5);
    print $n > 1 ? ",\n" : "\n", qq({"id":"prod-$n","name":"$name","description":"$description.","seller":"),
        one_of(@seller), qq(","keywords":[$keywords]), audience(), qq(,"offers":[), offers($n), ']}';
}
print "\n]}\n";
