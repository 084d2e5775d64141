# marketplace.psgi - the shop behind httpd. It knows nothing of cXML: PunchOut-* request headers say who shops, a form posts to
# /punchout/request or the shop answers with a cart of its own, and the response header PunchOut-Account names the
# shopper's account (docs/directives.md). Who signs in here instead of coming from a procurement system requests drafts.
#
#   MARKETPLACE_CATALOG   the catalog's JSON file
#   MARKETPLACE_RUN       directory for what the fulfillment backend remembers
#   MARKETPLACE_URL       where browsers see the shop
#   MARKETPLACE_SECRET    file with PunchOutBackendSecret; unset: no invoices
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(decode_utf8 encode_utf8);
use File::Basename qw(dirname);
use File::Spec;
use lib File::Spec->rel2abs(dirname(__FILE__)) . "/lib";
use Plack::Request;
use URI::Escape qw(uri_escape_utf8);
use Demo::Page qw(escape page redirect text_answer json_answer status_chip);
use Marketplace::Account;
use Marketplace::Backend;
use Marketplace::Cart;
use Marketplace::Catalog;

my $catalog = Marketplace::Catalog->new($ENV{MARKETPLACE_CATALOG} // dirname(__FILE__) . "/catalog.json");
my $backend = Marketplace::Backend->new(
    dir => $ENV{MARKETPLACE_RUN} // '/tmp/marketplace',
    url => $ENV{MARKETPLACE_URL} // 'http://localhost:8080',
    secret => $ENV{MARKETPLACE_SECRET},
);
$backend->resume;
my $cart = Marketplace::Cart->new($ENV{MARKETPLACE_RUN} // '/tmp/marketplace');

my %PRICING = (
    contract => 'Contract', usage => 'Pay as you go', free => 'Free', byol => 'Bring your own licence', trial => 'Free trial',
);
my %BADGE = (free => 'good', trial => 'good');

# Who shops, as mod_punchout says it; undef outside of a session. A session for drafts is that of the account which has
# signed in here, and ends with it.
sub shopper ($req) {
    my %header = map { $_ => scalar $req->header("PunchOut-$_") }
        qw(Session Buyer Organization User Email Operation Request Mode PreApproved CSRF Drafts);
    return undef if !length($header{Session} // '');
    $_ = decode_utf8($_ // '') for values %header;
    if ($header{Operation} eq 'draft') {
        my $account = signed_in($req) or return undef;
        $header{Email} = $account->{email};
    }
    return \%header;
}

# The account that a cookie of the shop names: a demo asks for no password.
sub signed_in ($req) {
    return Marketplace::Account::of_address(decode_utf8($req->cookies->{account} // ''));
}

# PunchOut-Account, as a list for a response; mod_punchout keeps it to itself.
sub account_header ($req, $account = signed_in($req)) {
    my $operation = $req->header('PunchOut-Operation') // '';
    if (length $operation && $operation ne 'draft') {
        my $shopper = shopper($req);
        my $comes = $shopper && Marketplace::Account::of_address($shopper->{Email});
        return $comes ? ('PunchOut-Account' => Marketplace::Account::header($comes)) : ();
    }
    return 'PunchOut-Account' => Marketplace::Account::draft_header($account) if $account && $account->{buyer};
    return length $operation ? ('PunchOut-Account' => 'none') : ();
}

sub shop_page ($req, $status, $title, $body, $here = '') {
    my $shopper = shopper($req);
    return page($status, $title, $body,
        party   => 'Software Marketplace',
        place   => 'You are in the shop',
        accent  => '#0b6e69',
        nav     => [['Products', '/'], $shopper ? (['Cart', '/cart'], ['My requests', '/punchout/requests']) : ()],
        here    => $here,
        banner  => banner($shopper, signed_in($req)),
        headers => [account_header($req)]);
}

sub banner ($shopper, $account) {
    return $account ? account_banner($account) : '<div class="banner"><div class="wide muted"><span>You are looking '
        . 'around. To buy, come from your procurement system or <a href="/sign-in">sign in</a>.</span></div></div>'
        if !$shopper || $shopper->{Operation} eq 'draft';
    my $test = $shopper->{Mode} eq 'test';
    my ($who, $csrf) = map { escape($_) } $shopper->{Email} || $shopper->{User} || 'somebody', $shopper->{CSRF};
    return '<div class="banner' . ($test ? ' test' : '') . '"><div class="wide"><span>Shopping for <strong>'
        . escape($shopper->{Organization} || $shopper->{Buyer}) . "</strong> as $who</span>"
        . visit_note($shopper) . draft_note($shopper->{Drafts})
        . ($test ? '<span><strong>TEST</strong>: requests and orders flow, nothing is delivered</span>' : '')
        . '<span class="end"><form method="post" action="/punchout/cancel">'
        . qq{<input type="hidden" name="csrf" value="$csrf"><button class="link">}
        . (length $shopper->{Request} ? 'Return unchanged' : 'Return to procurement without a cart') . '</button>'
        . '</form></span></div></div>';
}

sub account_banner ($account) {
    my $what = $account->{buyer} ? 'what you request is kept as a draft, and you go on in your procurement system'
        : 'your company has not connected its procurement system, so nothing can be requested';
    return '<div class="banner"><div class="wide"><span>Signed in as <strong>' . escape($account->{email})
        . "</strong>: $what</span>" . '<span class="end"><form method="post" action="/sign-out">'
        . '<button class="link">Sign out</button></form></span></div></div>';
}

# What the same account has requested before it came from its procurement system.
sub draft_note ($count) {
    return '' if $count !~ /\A[1-9][0-9]*\z/;
    return '<span><a href="/punchout/requests">' . ($count == 1 ? 'A draft waits' : "$count drafts wait")
        . '</a> to go back to procurement</span>';
}

# Whoever came back with an earlier cart finds the way to it on every page.
sub visit_note ($shopper) {
    return '' if !length $shopper->{Request};
    my $cart = '<a href="/punchout/requests/' . escape($shopper->{Request}) . '">an earlier cart</a>';
    return $shopper->{Operation} eq 'edit' ? "<span>Changing $cart: what you request replaces it</span>" : "<span>Looking at $cart</span>";
}

sub chips ($product) {
    return '<div class="chips">'
        . join('', map { status_chip($PRICING{$_} // $_, $BADGE{$_} // 'plain') } Marketplace::Catalog::pricings($product))
        . '</div>';
}

sub picture ($product, $size) {
    return '<img src="' . escape($product->{image}) . qq{" width="$size" height="$size" alt="">};
}

# The first sentence, for a card.
sub summary ($text) {
    return $text =~ /\A(.{20,160}?[.!?])(?:\s|\z)/s ? $1 : length $text > 160 ? substr($text, 0, 157) . '...' : $text;
}

sub list ($req) {
    my $query = decode_utf8($req->parameters->{q} // '');
    my @found = $catalog->search($query);
    my $cards = join '', map {
        my ($id, $name, $seller, $text) = map { escape($_) } @$_{qw(id name seller)}, summary($_->{description});
        qq{<a class="card" href="/products/$id"><div class="head">} . picture($_, 52)
            . qq{<div><h3>$name</h3><div class="muted small">$seller</div></div></div>}
            . qq{<p class="small">$text</p>} . chips($_) . '</a>';
    } @found;
    my ($value, $count) = (escape($query), scalar @found);
    my $what = length $query ? "$count found for &ldquo;$value&rdquo;" : "$count products from independent sellers";
    return shop_page($req, 200, 'Products', <<"HTML", '/');
<h1>Software for your company</h1>
<p class="lead">$what</p>
<form class="search" action="/"><input type="search" name="q" value="$value" aria-label="Search products"
placeholder="Search by name, seller or subject"><button>Search</button></form>
@{[ $count ? qq{<div class="grid">$cards</div>} : '<div class="empty">Nothing matches. <a href="/">Show all products</a></div>' ]}
HTML
}

sub product_page ($req, $id) {
    my $product = $catalog->product($id) or return not_found($req);
    my ($name, $seller, $text) = map { escape($_) } @$product{qw(name seller description)};
    my $offers = join '', map { offer_card($req, $product, $_) } @{ $product->{offers} };
    return shop_page($req, 200, $product->{name}, <<"HTML");
<div class="product">@{[ picture($product, 96) ]}<div><h1>$name</h1><p class="muted">by $seller</p><p class="lead">$text</p></div></div>
<h2>Offers</h2>
<div class="stack">$offers</div>
@{[ fill_in(shopper($req)) ]}
HTML
}

# The forms of an edit start from what was requested, which mod_punchout tells the shopper's browser.
sub fill_in ($shopper) {
    return '' if !$shopper || $shopper->{Operation} ne 'edit';
    my $request = escape($shopper->{Request});
    return <<"HTML";
<script>
fetch('/punchout/requests/$request', {headers: {Accept: 'application/json'}}).then(r => r.json()).then(cart => {
  const card = document.getElementById(cart.offer);
  if (!card) return;
  card.classList.add('chosen');
  const quantity = card.querySelector('input[name=quantity]'), line = cart.charges.find(c => c.kind === 'contract');
  if (quantity && line) quantity.value = line.quantity;
}).catch(() => {});
</script>
HTML
}

sub offer_card ($req, $product, $offer) {
    my $shopper = shopper($req);
    my $id      = escape($offer->{id});
    return qq{<section class="card offer" id="$id"><div>} . offer_terms($offer)
        . qq{<p class="muted small">Offer $id</p></div><div>}
        . ($shopper ? request_form($shopper, $product, $offer) : buy_note($req)) . '</div></section>';
}

sub offer_terms ($offer) {
    my ($pricing, $currency) = ($offer->{pricing}, escape($offer->{currency} // ''));
    my $html = '<div class="chips">' . status_chip($PRICING{$pricing} // $pricing, $BADGE{$pricing} // 'plain')
        . ($offer->{usage} && $pricing ne 'usage' ? status_chip($PRICING{usage}) : '') . '</div>';
    my $term = escape(Marketplace::Catalog::term_text($offer->{term}));
    $html .= '<p class="price">' . (
          defined $offer->{price} ? escape($offer->{price}) . " $currency"
        : $pricing eq 'usage'     ? 'By use'
        :                           '0.00') . ($term ? " <small>for $term</small>" : '') . '</p>';
    return $html if !$offer->{usage};
    my $rows = join '', map {
        my ($what, $price, $unit) = map { escape($_) } @$_{qw(description price)}, Marketplace::Catalog::unit_text($_->{unit});
        "<tr><td>$what</td><td class=num>$price $currency</td><td>per $unit</td></tr>";
    } @{ $offer->{usage} };
    return $html . qq{<div class="scroll"><table>$rows</table></div><p></p>};
}

# Who has signed in but sees this comes first after a pause: mod_punchout opens a session with this very answer.
sub buy_note ($req) {
    my ($account, $here) = (signed_in($req), escape($req->path_info));
    my $what = !$account ? 'Start in your procurement system to ask for an approval, or '
            . qq{<a href="/sign-in?to=$here">sign in</a>.}
        : $account->{buyer} ? qq{You have been away for a while. <a href="$here">Look again</a> to request this.}
        : 'To ask for an approval your company has to connect its procurement system first.';
    return qq{<p><button disabled>Buy</button></p><p class="muted small">This demo has no till. $what</p>};
}

# Prices stay here: the form names an offer, mod_punchout takes its price from the catalog.
sub request_form ($shopper, $product, $offer) {
    return '<p class="muted small">You are looking at an earlier cart: nothing can be changed.</p>'
        if $shopper->{Operation} eq 'inspect';
    my ($id, $csrf) = (escape($offer->{id}), escape($shopper->{CSRF}));
    my $preapproved = grep { $_ eq $offer->{pricing} } split /[\s,]+/, $shopper->{PreApproved};
    my $editing = $shopper->{Operation} eq 'edit';
    return '<p class="muted small">Your company has approved this in advance, so it can\'t replace a cart. Request it in a new visit.</p>'
        if $editing && $preapproved;
    my $html = qq{<form method="post" action="/punchout/request"><input type="hidden" name="offer" value="$id">}
        . qq{<input type="hidden" name="csrf" value="$csrf">};
    $html .= '<label>Quantity<input type="number" name="quantity" value="1" min="1" step="1" required></label>'
        if $offer->{pricing} eq 'contract';
    $html .= '<label>Expected spending, ' . escape($offer->{currency})
        . '<input type="text" inputmode="decimal" name="budget" pattern="[0-9]+([.][0-9]+)?" placeholder="500.00"></label>'
        if $offer->{usage};
    if (my $terms = $product->{terms}) {
        my ($url, $version) = map { escape($_) } @$terms{qw(url version)};
        $html .= qq{<label class="check"><input type="checkbox" name="terms" value="$version" required><span>I accept the }
            . qq{<a href="$url">terms, version $version</a></span></label>};
    }
    return $html . '<button>' . ($preapproved ? 'Get it now' : $editing ? 'Replace my cart' : 'Request approval') . '</button>'
        . ' <button class="link" formaction="/cart/add">Add to cart</button>'
        . ($preapproved ? '<p class="muted small">Approved in advance by your company.</p>' : '') . '</form>';
}

# ---- signing in without a procurement system -------------------------------------------------------------------------

# The product that somebody has signed in for, else the first page.
sub after_sign_in ($req) {
    return ($req->parameters->{to} // '') =~ m{\A(/products/[\w.-]+)\z} ? $1 : '/';
}

sub sign_in_page ($req, $fault = '') {
    my $to = escape(after_sign_in($req));
    my $known = join '', map { qq{<option value="$_">} } qw(ines@acme.example tom@acme.example hank@globex.example);
    return shop_page($req, $fault ? 422 : 200, 'Sign in', <<"HTML");
<h1>Sign in</h1>
<p class="lead">With an account you can choose software before you go to your procurement system: what you request is
kept as a draft, which you return from there. This demo asks for no password.</p>
<div class="grid two"><section class="card"><form method="post" action="/sign-in">
<input type="hidden" name="to" value="$to"><label>Your mail address
<input type="email" name="email" maxlength="200" list="known" required autocomplete="off"></label>
<datalist id="known">$known</datalist>$fault<button>Sign in</button></form></section></div>
HTML
}

# The answer names the account at once, so that the page it leads to has the forms.
sub sign_in ($req) {
    my $email = decode_utf8($req->body_parameters->{email} // '') =~ s/\A\s+|\s+\z//gr;
    my $account = Marketplace::Account::of_address($email)
        or return sign_in_page($req, '<p class="note bad">This is no mail address: a name, @ and a domain.</p>');
    return with_account($req, after_sign_in($req), uri_escape_utf8($account->{email}), $account);
}

sub sign_out ($req) { return with_account($req, '/', '', undef) }

sub with_account ($req, $to, $cookie, $account) {
    my $answer = redirect($to);
    my $end = length $cookie ? '' : '; Max-Age=0';
    push @{ $answer->[1] }, 'Set-Cookie' => "account=$cookie; Path=/; HttpOnly; SameSite=Lax$end",
        account_header($req, $account);
    return $answer;
}

# ---- the shop's own cart: several products, one approval -------------------------------------------------------------------------

sub cart_row ($shopper, $line, $index) {
    my ($product, $offer) = $catalog->offer($line->{offer});
    my ($name, $id) = map { escape($_) } $product->{name}, $offer->{id};
    my $what = join ', ', map { escape($_) } $line->{quantity} // '1', $line->{budget} ? "expected spending $line->{budget}" : ();
    my $csrf = escape($shopper->{CSRF});
    return "<tr><td>$name<br><span class=\"muted small\">$id</span></td><td>$what</td><td class=num>"
        . (defined $offer->{price} ? escape("$offer->{price} $offer->{currency}") : $offer->{usage} ? 'by use' : '0.00')
        . qq{</td><td><form method="post" action="/cart/remove"><input type="hidden" name="csrf" value="$csrf">}
        . qq{<input type="hidden" name="line" value="$index"><button class="link">Remove</button></form></td></tr>};
}

sub cart_page ($req) {
    my $shopper = shopper($req) or return not_found($req);
    my @lines = $cart->lines($shopper->{Session});
    return shop_page($req, 200, 'Cart', '<h1>Cart</h1><div class="empty">Nothing yet. <a href="/">Show all products</a></div>', '/cart')
        if !@lines;
    my $rows = join '', map { cart_row($shopper, $lines[$_], $_) } 0 .. $#lines;
    my $csrf = escape($shopper->{CSRF});
    return shop_page($req, 200, 'Cart', <<"HTML", '/cart');
<h1>Cart</h1>
<p class="lead">Each line becomes a subscription. They go to your procurement system together, for one approval.</p>
<div class="scroll"><table><tr><th>Product</th><th>Quantity</th><th class=num>Price</th><th></th></tr>$rows</table></div>
<form method="post" action="/cart/checkout"><input type="hidden" name="csrf" value="$csrf"><p><button>Request approval for the cart</button></p></form>
HTML
}

# The session's cookie is sent across sites, so the shop looks for the token in its own forms.
sub change_cart ($req, $what) {
    my $shopper = shopper($req) or return text_answer(403, 'come from your procurement system');
    my $form = $req->body_parameters;
    return text_answer(403, 'this page belongs to another session') if ($form->{csrf} // '') ne $shopper->{CSRF};
    return $cart->answer($shopper->{Session}) if $what eq 'checkout';
    $cart->remove($shopper->{Session}, $form->{line}) if $what eq 'remove' && ($form->{line} // '') =~ /\A[0-9]{1,3}\z/;
    $cart->add($shopper->{Session}, map { $_ => decode_utf8($form->{$_} // '') } qw(offer quantity budget terms))
        if $what eq 'add' && $catalog->offer($form->{offer} // '');
    return redirect('/cart');
}

sub getting_started ($req, $id) {
    my $found = $backend->subscription($id) or return not_found($req);
    my $data = $found->{event}{data};
    my $name = ($catalog->product($data->{product}) // {})->{name} // $data->{product};
    my ($product, $offer, $request, $mode) = map { escape($_) } $name, @$data{qw(offer request mode)};
    return shop_page($req, 200, "Getting started with $name", <<"HTML");
<h1>Getting started with $product</h1>
<p class="lead">Your subscription is active.</p>
<div class="card"><dl><dt>Subscription</dt><dd>@{[ escape($id) ]}</dd><dt>Offer</dt><dd>$offer</dd><dt>Request</dt><dd>$request</dd>
<dt>Mode</dt><dd>$mode</dd></dl>
<p>In a real shop the seller's instructions stand here: how to sign in, where to download, whom to ask.</p></div>
HTML
}

sub terms_page ($req) {
    return shop_page($req, 200, 'Terms', '<h1>Terms</h1><p class="lead">In a real shop the seller\'s terms stand here, one page '
        . 'for each version. The version that a shopper accepts is kept with the request.</p>');
}

sub backend_page ($req) {
    my @events = $backend->events;
    my $rows = join '', map { event_card($_) } @events;
    return page(200, 'Events', '<h1>Fulfillment backend</h1><p class="lead">What the outbox of mod_punchout has delivered here, '
            . 'the newest first. This page is for the demo and is not reachable through httpd.</p><div class="stack">'
            . ($rows || '<div class="empty">No event yet. Approve a requisition in the procurement system.</div>') . '</div>',
        party => 'Software Marketplace', place => 'Fulfillment backend', accent => '#0b6e69', nav => []);
}

sub event_card ($seen) {
    my ($event, $answer) = @$seen{qw(event answer)};
    my %shown = (%$event, data => { %{ $event->{data} } });
    $shown{data}{callback} = { %{ $shown{data}{callback} }, token => '********' } if ref $shown{data}{callback} eq 'HASH';
    my $json = decode_utf8(JSON::PP->new->utf8->canonical->pretty->encode(\%shown));
    my $kind = $answer->{status} < 300 ? 'good' : $answer->{status} < 500 ? 'bad' : 'wait';
    my ($key, $type, $product, $body) = map { escape($_) } $seen->{key}, $event->{type}, $event->{data}{product},
        decode_utf8($answer->{body});
    return qq{<section class="card"><div class="row"><h3>$product</h3>} . status_chip("answered $answer->{status}", $kind)
        . status_chip($seen->{attempts} == 1 ? '1 delivery' : "$seen->{attempts} deliveries")
        . ($seen->{invoice} ? status_chip("invoice $seen->{invoice}") : '')
        . ($seen->{called_back} ? status_chip("callback answered $seen->{called_back}", 'good') : '')
        . "</div><dl><dt>Type</dt><dd>$type</dd><dt>Idempotency-Key</dt><dd>$key</dd><dt>Answer</dt><dd>$body</dd></dl>"
        . '<details><summary>The event</summary><pre>' . escape($json) . '</pre></details></section>';
}

sub not_found ($req) {
    return shop_page($req, 404, 'Not found', '<h1>Not found</h1><p>There is no such page. <a href="/">Show all products</a></p>');
}

sub picture_answer ($name) {
    my ($product) = grep { ($_->{image} // '') eq "/img/$name.svg" } $catalog->search('');
    return [200, ['Content-Type' => 'image/svg+xml; charset=utf-8', 'Cache-Control' => 'private, max-age=3600'],
        [encode_utf8(Marketplace::Catalog::image($product ? $product->{name} : $name))]];
}

my $app = sub {
    my $req  = Plack::Request->new(shift);
    my $path = $req->path_info;
    if ($req->method eq 'POST') {
        return sign_in($req)         if $path eq '/sign-in';
        return sign_out($req)        if $path eq '/sign-out';
        return change_cart($req, $1) if $path =~ m{\A/cart/(add|remove|checkout)\z};
        return text_answer(404, 'no such page') if $path ne '/subscriptions';
        my ($status, $type, $body) = $backend->receive(scalar $req->header('Idempotency-Key'), $req->content_type, $req->content);
        return json_answer($status, $body, $type);
    }
    return text_answer(405, 'GET or HEAD') if $req->method !~ /\A(?:GET|HEAD)\z/;
    return list($req)                      if $path eq '/';
    return sign_in_page($req)              if $path eq '/sign-in';
    return cart_page($req)                 if $path eq '/cart';
    return product_page($req, $1)          if $path =~ m{\A/products/([\w.-]+)\z};
    return picture_answer($1)              if $path =~ m{\A/img/([\w.-]+)\.svg\z};
    return getting_started($req, $1)       if $path =~ m{\A/getting-started/([\w-]+)\z};
    return terms_page($req)                if $path =~ m{\A/terms(?:/|\z)};
    return backend_page($req)              if $path eq '/backend';
    return not_found($req);
};
