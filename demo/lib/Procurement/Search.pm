# Procurement::Search - the pages by which somebody searches the supplier's catalog without punching out: the box on
# the first page, the hits, one item, and the requisition that is made of it.
package Procurement::Search;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(decode_utf8 encode_utf8);
use URI;
use Demo::Page qw(escape redirect);
use Procurement::Cxml qw(money);
use Procurement::Page qw(office_page reasons not_found person_text person_select);

sub new ($class, $office) { return bless { office => $office }, $class }

sub searchable ($self) { return grep { $_->{openbuy} } $self->{office}->connections }

sub box ($self, $who = '', $query = '') {
    my $people = person_select($who, $self->searchable);
    my $value  = escape($query);
    return <<"HTML";
<form class="search who" action="/search">$people
<input type="search" name="q" value="$value" maxlength="100" aria-label="Search the supplier's catalog" required
placeholder="What do you need?"><button>Search</button></form>
HTML
}

# (connection, person) that a form or a link names; nothing for somebody who can't search.
sub searcher ($self, $parameters) {
    my ($connection, $person) = $self->{office}->person($parameters->{who}) or return;
    return $connection->{openbuy} ? ($connection, $person) : ();
}

sub parameter ($parameters, $name) { return decode_utf8($parameters->{$name} // '') =~ s/\A\s+|\s+\z//gr }

sub link_to ($path, @query) {
    my $url = URI->new($path);
    $url->query_form(map { encode_utf8($_) } @query);
    return escape("$url");
}

sub price_text ($item) {
    my $price = $item->{price} // '';
    $price = money($price) if $price =~ /\A[0-9]+(?:\.[0-9]+)?\z/;
    my $unit = length($item->{uom} // '') ? ' <small>per ' . escape($item->{uom}) . '</small>' : '';
    return length $price ? '<p class="price">' . escape(join ' ', $price, $item->{currency} // '') . "$unit</p>" : '';
}

sub picture ($item, $size) {
    my $url = $item->{image_url} // '';
    return $url =~ m{\Ahttps?://}i ? '<img src="' . escape($url) . qq{" width="$size" height="$size" alt="">} : '';
}

# A punchout that begins at the product: what Open Buy can't sell is requested there.
sub shop_button ($who, $item) {
    my ($value, $part) = (escape($who), escape($item->{source_part_num}));
    return <<"HTML";
<form method="post" action="/punchout"><input type="hidden" name="who" value="$value">
<input type="hidden" name="selected" value="$part"><button class="quiet">Open in the shop</button></form>
HTML
}

# The box stays: other words, or the same ones later.
sub no_answer ($title, $box, $why) {
    return office_page(502, $title, "<h1>$title</h1>$box" . reasons('What the supplier answered:', $why), '/');
}

# ---- hits ------------------------------------------------------------------------------------------------------------

sub hits ($self, $req) {
    my $parameters = $req->query_parameters;
    my ($connection, $person) = $self->searcher($parameters) or return not_found();
    my ($who, $query) = ($parameters->{who}, parameter($parameters, 'q'));
    my ($page, $size) = map { ($parameters->{$_} // '') =~ /\A([1-9][0-9]{0,5})\z/ ? $1 : undef } qw(page size);
    $page //= 1;
    my $box = $self->box($who, $query);
    return office_page(422, 'Search', "<h1>Search the supplier's catalog</h1>$box"
        . '<div class="empty">Say what you need, in a word or two.</div>', '/') if !length $query;
    my ($found, $why) = $self->{office}->open_buy($connection, $person)->search($query, $page);
    return no_answer('No search', $box, $why) if !$found;
    my @items = @{ $found->{results} };
    my $cards = join '', map { card($who, $query, $_) } @items;
    my $shown = @items ? qq{<div class="grid two">$cards</div>} : nothing($who, $query, $page);
    my $company = escape($connection->{company});
    my $summary = summary($found->{total_count}, $query);
    return office_page(200, 'Search', <<"HTML", '/');
<h1>Search the supplier's catalog</h1>
$box<p class="lead">$summary, at the prices of $company.</p>
$shown
@{[ pager($who, $query, $page, $size, $found) ]}
HTML
}

# Behind the last page there may be hits before it.
sub nothing ($who, $query, $page) {
    my $first = link_to('/search', who => $who, q => $query);
    return '<div class="empty">' . ($page > 1 ? qq{Nothing on this page. <a href="$first">To the first one</a>.}
        : 'Nothing to show. Try other words, or <a href="/">punch out</a>.') . '</div>';
}

sub summary ($total, $query) {
    return escape($total) . ($total eq '1' ? ' item' : ' items') . ' for &ldquo;' . escape($query) . '&rdquo;';
}

sub card ($who, $query, $item) {
    my ($name, $seller) = map { escape($_) } $item->{name} // $item->{source_part_num}, $item->{manufacturer_name};
    my $details = link_to('/item', who => $who, part => $item->{source_part_num} // '', q => $query);
    my $form = shop_button($who, $item);
    return qq{<section class="card hit"><div class="head">} . picture($item, 52)
        . qq{<div><h3>$name</h3><div class="muted small">$seller</div></div></div>} . price_text($item)
        . qq{<div class="row"><a class="button" href="$details">Details</a>$form</div></section>};
}

# The supplier chooses how many items a page has. What the first page has goes along, since the last one has fewer.
sub pager ($who, $query, $page, $size, $found) {
    my ($shown, $total) = (scalar @{ $found->{results} }, $found->{total_count});
    return '' if !$shown || $total !~ /\A[0-9]+\z/;
    $size = $shown if !defined $size || $page == 1;
    my $before = ($page - 1) * $size;
    return '' if !$before && $shown >= $total;
    my $to = sub ($text, $other) {
        my $href = link_to('/search', who => $who, q => $query, page => $other, size => $size);
        return qq{<a class="button quiet" href="$href">$text</a>};
    };
    return '<div class="row pager">' . ($page > 1 ? $to->('Previous', $page - 1) : '')
        . '<span class="muted">' . ($before + 1) . ' to ' . ($before + $shown) . " of $total</span>"
        . ($before + $shown < $total ? $to->('Next', $page + 1) : '') . '</div>';
}

# ---- one item --------------------------------------------------------------------------------------------------------

my @FACTS = (
    [source_part_num => 'Part'], [manufacturer_part_number => "Seller's part"], [unspsc_code => 'UNSPSC'],
    [contract => 'Contract'], [savings_pct => 'Savings, %'], [lead_time => 'Lead time, days'],
    [minimum_order_quantity => 'Smallest quantity'],
);

sub item ($self, $req) {
    my $parameters = $req->query_parameters;
    my ($connection, $person) = $self->searcher($parameters) or return not_found();
    my $box = $self->box($parameters->{who}, parameter($parameters, 'q'));
    my ($item, $why) = $self->{office}->open_buy($connection, $person)->detail(parameter($parameters, 'part'));
    return no_answer('No details', $box, $why) if !$item;
    my ($name, $seller, $text) = map { escape($_) } $item->{name} // $item->{source_part_num},
        @$item{qw(manufacturer_name description)};
    my $facts = join '', map {
        my ($member, $label) = @$_;
        length($item->{$member} // '') ? "<dt>$label</dt><dd>" . escape($item->{$member}) . '</dd>' : '';
    } @FACTS;
    return office_page(200, $item->{name} // 'Item', <<"HTML", '/');
$box<div class="product">@{[ picture($item, 96) ]}<div><h1>$name</h1><p class="muted">$seller</p>
<p class="lead">$text</p></div></div>
<section class="card offer"><div>@{[ price_text($item) ]}<dl>$facts</dl></div>
<div>@{[ order_form($parameters->{who}, $person, $item) ]}</div></section>
HTML
}

sub order_form ($who, $person, $item) {
    my ($value, $part) = (escape($who), escape($item->{source_part_num}));
    my ($least) = ($item->{minimum_order_quantity} // '') =~ /\A([1-9][0-9]*)(?:\.0*)?\z/;
    $least //= 1;
    return <<"HTML";
<form method="post" action="/item"><input type="hidden" name="who" value="$value">
<input type="hidden" name="part" value="$part">
<label>Quantity<input type="number" name="quantity" value="$least" min="$least" max="999999" step="1" required></label>
<p><button>Add to requisition</button></p></form>
<p class="muted small">For @{[ person_text($person) ]}. The supplier checks the price once more.</p>
@{[ shop_button($who, $item) ]}
HTML
}

sub check_out ($self, $req) {
    my $form = $req->body_parameters;
    my ($connection, $person) = $self->searcher($form) or return not_found();
    my ($part, $quantity) = (parameter($form, 'part'), parameter($form, 'quantity'));
    return refused($form, 'The quantity must be a whole number from 1 to 999999.')
        if $quantity !~ /\A[1-9][0-9]{0,5}\z/;
    my $result = $self->{office}->check_out($connection, $person, $part, $quantity);
    return redirect("/requisitions/$result->{requisition}{id}") if $result->{requisition};
    return refused($form, @{ $result->{faults} });
}

# In the shop the same product may be had after all, with what only its page asks for.
sub refused ($form, @why) {
    my ($who, $part) = ($form->{who}, parameter($form, 'part'));
    my $details = link_to('/item', who => $who, part => $part);
    return office_page(422, 'Not added', '<h1>This can\'t be added</h1>' . reasons('For these reasons:', @why)
        . qq{<div class="row"><a class="button" href="$details">Details</a>}
        . shop_button($who, { source_part_num => $part }) . '</div>');
}

1;
