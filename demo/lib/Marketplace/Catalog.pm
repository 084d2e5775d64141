# Marketplace::Catalog - the products on sale: the same JSON file that PunchOutCatalog names (docs/directives.md).
package Marketplace::Catalog;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Digest::SHA qw(sha256);
use Encode qw(encode_utf8);
use JSON::PP ();

my %UNIT = (HUR => 'hour', MON => 'month', ANN => 'year', DAY => 'day', EA => 'each', E34 => 'GB', E35 => 'TB', '4L' => 'MB');
my %TERM_UNIT = (D => 'day', W => 'week', M => 'month', Y => 'year');

sub new ($class, $file) {
    open my $in, '<', $file or die "can't read $file: $!\n";
    my $text = do { local $/; <$in> };
    my $catalog = JSON::PP->new->utf8->decode($text);
    my $self = bless { products => $catalog->{products}, by_id => {} }, $class;
    $self->{by_id}{ $_->{id} } = $_ for @{ $self->{products} };
    return $self;
}

sub product ($self, $id) { return $self->{by_id}{$id} }

# (product, offer) of an offer's id, or nothing.
sub offer ($self, $id) {
    for my $product (@{ $self->{products} }) {
        for my $offer (@{ $product->{offers} }) { return ($product, $offer) if $offer->{id} eq $id }
    }
    return;
}

# Products in which every word of the query occurs, in the order of the file.
sub search ($self, $query) {
    my @words = split ' ', lc $query;
    return grep {
        my $text = lc join ' ', @$_{qw(name description seller)}, @{ $_->{keywords} // [] };
        !grep { index($text, $_) < 0 } @words;
    } @{ $self->{products} };
}

# What kinds of pricing a product has, each once: contract usage free byol trial.
sub pricings ($product) {
    my %seen;
    return grep { !$seen{$_}++ } map { ($_->{pricing}, $_->{usage} ? 'usage' : ()) } @{ $product->{offers} };
}

# "P12M" -> "12 months"
sub term_text ($term) {
    my ($count, $unit) = ($term // '') =~ /\AP(\d+)([DWMY])\z/ or return $term // '';
    return "$count $TERM_UNIT{$unit}" . ($count == 1 ? '' : 's');
}

sub unit_text ($unit) { return $UNIT{ $unit // 'EA' } // $unit }

# A picture for each product, drawn from its name alone: a colour, one of three patterns, its initials.
sub image ($name) {
    my ($hue, $pattern, $turn) = unpack 'nCC', sha256(encode_utf8($name));
    $hue %= 360;
    $turn %= 90;
    my $initials = join '', map { uc substr $_, 0, 1 } grep { /\w/ } (split /[\s_-]+/, $name)[0, 1];
    my $shapes = (
        '<circle cx="30" cy="32" r="34"/><circle cx="98" cy="100" r="46"/>',
        '<path d="M-20 96 64 12l84 84v60H-20z"/><path d="M20 150 100 70l60 60z"/>',
        '<rect x="-10" y="70" width="70" height="70" rx="14"/><rect x="64" y="8" width="80" height="80" rx="14"/>',
    )[$pattern % 3];
    return <<"SVG";
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" width="128" height="128">
<rect width="128" height="128" fill="hsl($hue 45% 42%)"/>
<g fill="hsl($hue 55% 58%)" opacity=".55" transform="rotate($turn 64 64)">$shapes</g>
<text x="64" y="80" text-anchor="middle" font-family="system-ui,sans-serif" font-size="44" font-weight="650" fill="#fff">$initials</text>
</svg>
SVG
}

1;
