# procurement.psgi - a procurement system to play with: searches the supplier's catalog, punches out, takes carts (and
# refuses what a real one refuses), approves them into purchase orders and sends these. It knows mod_punchout by cXML
# and Open Buy over HTTP alone.
#
#   PROCUREMENT_RUN        directory for its records
#   PROCUREMENT_SECRETS    directory with one file per connection: the shared secret
#   PROCUREMENT_SUPPLIER   URL of the supplier's punchout doors (.../punchout)
#   PROCUREMENT_URL        where browsers see this system
#   PROCUREMENT_MAIL       directory of mailsink.pl
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(decode_utf8);
use File::Basename qw(dirname);
use File::Spec;
use lib File::Spec->rel2abs(dirname(__FILE__)) . '/lib';
use Plack::Request;
use POSIX qw(strftime);
use Demo::Page qw(escape redirect text_answer status_chip);
use Procurement::Cxml qw(pretty product money);
use Procurement::Incoming qw(take_document);
use Procurement::Mailbox;
use Procurement::Office;
use Procurement::Page qw(office_page table reasons not_found person_text person_select);
use Procurement::Search;

my $office = Procurement::Office->new(
    connections => dirname(__FILE__) . '/connections.json',
    run         => $ENV{PROCUREMENT_RUN} // '/tmp/procurement',
    secrets     => $ENV{PROCUREMENT_SECRETS} // '/tmp/procurement/secrets',
    supplier    => $ENV{PROCUREMENT_SUPPLIER} // 'http://localhost:8080/punchout',
    url         => $ENV{PROCUREMENT_URL} // 'http://localhost:8081',
);
my $search = Procurement::Search->new($office);
my $mailbox = Procurement::Mailbox->new($ENV{PROCUREMENT_MAIL} // '/tmp/mail');

my %STATE = (
    pending => ['waits for approval', 'wait'], approved => ['approved', 'good'], rejected => ['rejected', 'bad'],
    accept => ['ready', 'good'], reject => ['rejected by the supplier', 'bad'], except => ['ready with exceptions', 'wait'],
    delivered => ['delivered', 'good'], refused => ['refused', 'bad'], waiting => ['not delivered', 'wait'],
);

# ---- parts of pages --------------------------------------------------------------------------------------------------------

sub when_text ($time) { return strftime('%Y-%m-%d %H:%M:%S', localtime $time) }

sub state_chip ($state) { return status_chip(@{ $STATE{$state} }) }

sub lines_table ($record) {
    my @rows = map {
        my ($part, $auxiliary, $quantity, $unit, $price, $unspsc) =
            map { escape($_) } @$_{qw(part auxiliary quantity unit unit_price unspsc)};
        my $name = escape(length $_->{short_name} ? $_->{short_name} : $_->{description});
        my $long = length $_->{short_name} && $_->{short_name} ne $_->{description}
            ? '<br><span class="muted small">' . escape($_->{description}) . '</span>' : '';
        ["$name$long", "$part<br><span class='muted small'>$auxiliary</span>", $unspsc, "$quantity $unit", $price,
            money(product(@$_{qw(quantity unit_price)}))];
    } @{ $record->{lines} };
    return table([['Description'], ['Part', 'id'], ['UNSPSC'], ['Quantity', 'num'], ['Price', 'num'], ['Sum', 'num']], @rows)
        . '<p></p><p class="price">' . escape("$record->{total} $record->{currency}") . ' <small>in total</small></p>';
}

# ---- catalog and punchout --------------------------------------------------------------------------------------------------

sub catalog ($req) {
    my $tiles = join '', map { tile($_) } $office->connections;
    return office_page(200, 'Catalog', <<"HTML", '/');
<h1>Shop online</h1>
<p class="lead">One supplier, two companies that are connected to it. Search his catalog from here, or choose who you
are and punch out: you land in the supplier's shop, and what you request there comes back as a requisition.</p>
@{[ $search->box ]}
<h2>Punch out</h2>
<div class="grid two">$tiles</div>
HTML
}

sub tile ($connection) {
    my ($company, $about) = map { escape($_) } @$connection{qw(company about)};
    return <<"HTML";
<section class="card"><h3>Software Marketplace</h3><p><strong>$company</strong><br><span class="muted">$about</span></p>
<form method="post" action="/punchout"><label>Who are you?@{[ person_select('', $connection) ]}</label>
<label>Open one product directly (its part number, optional)<input type="text" name="selected" maxlength="100" autocomplete="off"></label>
<button>Punch out</button></form></section>
HTML
}

# Where the supplier sends whoever has requested something in his shop without coming from here. What Coupa shows there
# is not documented: this page does no more than to let the person punch out, where the shop offers to return the draft.
sub marketplace ($req) {
    my $people = person_select('', $office->connections);
    return office_page(200, 'A request waits', <<"HTML", '/');
<h1>A request waits in the marketplace</h1>
<p class="lead">You have begun it there, so it is a draft and nobody approves it yet. Punch out as the person who has
signed in there: the marketplace then offers to return it here, as a requisition.</p>
<div class="grid two"><section class="card"><form method="post" action="/punchout"><label>Who are you?$people</label>
<button>Punch out</button></form></section></div>
HTML
}

sub punch_out ($req) {
    my $form = $req->body_parameters;
    my ($connection, $person) = $office->person($form->{who}) or return not_found();
    my $selected = decode_utf8($form->{selected} // '') =~ s/\A\s+|\s+\z//gr;
    return go_shopping($connection, operation => 'create', person => $person,
        selected => length $selected ? $selected : undef);
}

sub revisit ($id, $operation) {
    my $requisition = $office->store->get('requisitions', $id) or return not_found();
    return go_shopping($office->connection($requisition->{connection}), operation => $operation, requisition => $requisition,
        person => $requisition->{person});
}

sub go_shopping ($connection, %visit) {
    my ($answer) = $office->punch_out($connection, %visit);
    return redirect($answer->{start_page}) if $answer->{code} eq '200' && $answer->{start_page} =~ m{\Ahttps?://}i;
    my $why  = answer_text($answer);
    my $id   = escape($visit{requisition} && $visit{requisition}{id});
    my $back = length $id ? qq{<p><a class="button" href="/requisitions/$id">Requisition $id</a></p>} : '';
    return office_page(502, 'No punchout', '<h1>The supplier does not open</h1>' . reasons('Its answer', $why)
        . $back . '<p><a href="/">Try again</a>. <a href="/documents">The documents</a> show what was sent and what came '
        . 'back.</p>');
}

sub answer_text ($answer) {
    return $answer->{detail} if !$answer->{code};
    return join ' ', grep { length } $answer->{code}, $answer->{text}, length($answer->{detail} // '') ? "- $answer->{detail}" : '';
}

sub checkout ($req) {
    my $session = $office->store->get('sessions', $req->query_parameters->{id})
        or return office_page(404, 'Unknown session', '<h1>Unknown session</h1><p>No punchout of this system has that number.</p>');
    return office_page(405, 'Nothing to take', '<h1>Nothing to take</h1><p>A cart comes by POST.</p>') if $req->method ne 'POST';
    my $result = $office->take_cart($session, $req->body_parameters);
    return redirect("/requisitions/$result->{requisition}{id}") if $result->{requisition};
    return welcome_back($session, $result->{unchanged}) if $result->{unchanged};
    return office_page(422, 'Cart refused', '<h1>This cart can\'t be taken</h1>'
        . reasons('A real procurement system would refuse it for these reasons:', @{ $result->{faults} })
        . '<p><a href="/documents">The documents</a> show what came.</p>');
}

sub welcome_back ($session, $unchanged) {
    my $id = escape($session->{requisition});
    return office_page(200, 'Back', '<h1>Welcome back</h1><p class="lead">' . escape($unchanged) . '</p>' . (length $id
        ? qq{<a class="button" href="/requisitions/$id">Requisition $id</a>} : '<a class="button" href="/">Catalog</a>'));
}

# ---- requisitions ----------------------------------------------------------------------------------------------------------

sub requisitions ($req) {
    my @rows = map {
        my ($id, $connection, $total) = map { escape($_) } $_->{id}, $_->{connection}, "$_->{total} $_->{currency}";
        [qq{<a href="/requisitions/$id">$id</a>}, when_text($_->{time}), $connection, person_text($_->{person}), $total,
            state_chip($_->{state})];
    } $office->store->newest('requisitions');
    return office_page(200, 'Requisitions', '<h1>Requisitions</h1><p class="lead">Carts that came back and '
        . 'items found by the search, and what became of them.</p>'
        . (@rows ? table([['Number'], ['Time', 'when'], ['Company'], ['Requester'], ['Total', 'num'], ['State']], @rows)
            : '<div class="empty">None yet. <a href="/">Search, or punch out</a>, and request something.</div>'), '/requisitions');
}

sub requisition ($id) {
    my $found = $office->store->get('requisitions', $id) or return not_found();
    my ($company, $time) = (escape($office->connection($found->{connection})->{company}), when_text($found->{time}));
    my $order = $found->{order} ? qq{ as <a href="/orders/$found->{order}">$found->{order}</a>} : '';
    my $actions = $found->{state} eq 'pending' ? pending_actions($found) : '';
    return office_page(200, $id, <<"HTML", '/requisitions');
<h1>Requisition $id</h1>
<div class="row"><p>@{[ state_chip($found->{state}) ]}$order</p></div>
<dl><dt>Company</dt><dd>$company</dd><dt>Requester</dt><dd>@{[ person_text($found->{person}) ]}</dd><dt>Made</dt><dd>$time</dd></dl>
@{[ lines_table($found) ]}
$actions
HTML
}

sub pending_actions ($requisition) {
    my $at      = "/requisitions/$requisition->{id}";
    my $allowed = $requisition->{allowed};
    my $again   = join '', map { qq{<form method="post" action="$at/$_->[0]"><button class="quiet">$_->[1]</button></form>} }
        $allowed eq 'edit' ? ['edit', 'Edit in the shop'] : (), $allowed =~ /edit|inspect/ ? ['inspect', 'View in the shop'] : ();
    return <<"HTML";
<h2>Decide</h2>
<div class="card"><form method="post" action="$at/approve"><label>Comment for the supplier (optional)
<input type="text" name="comment" maxlength="500"></label><button>Approve and order</button></form>
<p></p><div class="row"><form method="post" action="$at/reject"><button class="quiet">Reject</button></form>$again</div></div>
HTML
}

sub approve ($req, $id) {
    my $comment = decode_utf8($req->body_parameters->{comment} // '') =~ s/\A\s+|\s+\z//gr;
    my $order = $office->approve($id, $comment) or return redirect("/requisitions/$id");
    return redirect("/orders/$order->{number}");
}

# ---- orders ----------------------------------------------------------------------------------------------------------------

sub orders ($req) {
    my @rows = map {
        my ($number, $connection, $total) = map { escape($_) } $_->{number}, $_->{connection}, "$_->{total} $_->{currency}";
        my $last = $_->{attempts}[-1];
        [qq{<a href="/orders/$number">$number</a>}, when_text($_->{time}), $connection, $total,
            state_chip(state_of_order($_)), $last ? escape(answer_text($last)) : ''];
    } $office->store->newest('orders');
    return office_page(200, 'Orders', '<h1>Purchase orders</h1><p class="lead">What was ordered and what the supplier said.</p>'
        . (@rows ? table([['Number'], ['Time', 'when'], ['Company'], ['Total', 'num'], ['State'], ['Answer']], @rows)
            : '<div class="empty">None yet. Approve a <a href="/requisitions">requisition</a>.</div>'), '/orders');
}

# What the supplier has confirmed counts more than that he got the order.
sub state_of_order ($order) {
    my $type = $order->{confirmation} ? $order->{confirmation}{type} : '';
    return $STATE{$type} ? $type : Procurement::Office::order_state($order);
}

sub confirmation ($order) {
    my $found = $order->{confirmation} or return awaited($order);
    my $test = $found->{test} ? ' This was a test: nothing is delivered.' : '';
    my $text = { accept => 'The supplier has accepted the order as a whole: what was ordered is ready to use.',
        reject => 'The supplier has rejected the order.', except => 'The supplier has accepted the order with these exceptions.' }->{ $found->{type} }
        // 'The supplier has said something about the order.';
    my $why = length $found->{comments} ? '<p>' . escape($found->{comments}) . '</p>' : '';
    my @rows = map { [escape($_->{line}), escape($_->{type}), escape($_->{comments})] } @{ $found->{items} };
    return '<p class="muted small">' . when_text($found->{time}) . "</p><p><strong>$text$test</strong></p>$why"
        . (@rows ? table([['Line', 'num'], ['Status'], ['Comment']], @rows) : '');
}

sub awaited ($order) {
    return '<p>None: the supplier has not taken the order.</p>' if Procurement::Office::order_state($order) ne 'delivered';
    return '<p>None yet. This page looks again by itself.</p>';
}

sub invoices ($order) {
    my @found = sort { $a->{time} <=> $b->{time} } values %{ $order->{invoices} // {} } or return '';
    return '<h2>Invoices</h2>' . join '', map {
        my ($number, $due, $comments) = map { escape($_) } $_->{number}, "$_->{due} $_->{currency}", $_->{comments};
        my @rows = map {
            [escape($_->{line}), escape($_->{description}), escape("$_->{quantity} $_->{unit}"), escape($_->{price}), escape($_->{amount})]
        } @{ $_->{lines} };
        '<h3>' . ($_->{purpose} eq 'standard' ? 'Invoice' : 'Credit memo') . " $number</h3><p class=\"muted small\">" . when_text($_->{time})
            . ($comments ? " &middot; $comments" : '') . '</p>'
            . table([['Order line', 'num'], ['Description'], ['Quantity', 'num'], ['Price', 'num'], ['Sum', 'num']], @rows)
            . "<p class=\"price\">$due <small>due</small></p>";
    } @found;
}

# Something may come within seconds: the confirmation, then the invoice.
sub awaits_more ($order) {
    my $confirmed = $order->{confirmation} or return Procurement::Office::order_state($order) eq 'delivered' && time - $order->{time} < 600;
    return !$order->{invoices} && !$confirmed->{test} && $confirmed->{type} ne 'reject' && time - $confirmed->{time} < 20;
}

sub order ($number) {
    my $found = $office->store->get('orders', $number) or return not_found();
    my ($requisition, $payload, $comment) = map { escape($_) } @$found{qw(requisition payload_id comment)};
    my @attempts = map { [when_text($_->{time}), $_->{http} || '-', escape(answer_text($_))] } reverse @{ $found->{attempts} };
    my $waits = awaits_more($found);
    my $remark = length $comment ? "<dt>Comment</dt><dd>$comment</dd>" : '';
    return office_page(200, $number, <<"HTML", '/orders', headers => [$waits ? (Refresh => 2) : ()]);
<h1>Purchase order $number</h1>
<p>@{[ state_chip(state_of_order($found)) ]}</p>
<dl><dt>Requisition</dt><dd><a href="/requisitions/$requisition">$requisition</a></dd><dt>payloadID</dt><dd>$payload</dd>
<dt>Requester</dt><dd>@{[ person_text($found->{person}) ]}</dd>$remark</dl>
@{[ lines_table($found) ]}
<h2>Confirmation</h2>
@{[ confirmation($found) ]}
@{[ invoices($found) ]}
<h2>Sent</h2>
@{[ @attempts ? table([['Time', 'when'], ['HTTP', 'num'], ['Answer']], @attempts) : '<p>Not yet.</p>' ]}
<p></p><form method="post" action="/orders/$number/send"><button class="quiet">Send again</button></form>
<p class="muted small">The same document with the same payloadID, as after a lost answer: the supplier must answer the same and do
nothing twice.</p>
HTML
}

# ---- documents and mail ----------------------------------------------------------------------------------------------------

sub documents ($req) {
    my @rows = map {
        my ($id, $kind, $connection) = map { escape($_) } @$_{qw(id kind connection)};
        [when_text($_->{time}), $_->{direction} eq 'sent' ? 'sent &rarr;' : '&larr; received', qq{<a href="/documents/$id">$kind</a>},
            $connection, $_->{status} ? escape($_->{status}) : ''];
    } $office->store->newest('documents');
    return office_page(200, 'Documents', '<h1>Documents</h1><p class="lead">Every cXML document sent and received, the newest first. '
        . 'Shared secrets are covered.</p>' . (@rows ? table([['Time', 'when'], ['Way'], ['Document'], ['Company'], ['Status']], @rows)
            : '<div class="empty">None yet. <a href="/">Punch out</a> to send the first.</div>'), '/documents');
}

sub document ($id) {
    my $found = $office->store->get('documents', $id) or return not_found();
    my ($kind, $url, $direction) = map { escape($_) } @$found{qw(kind url direction)};
    my $http = $found->{http} ? '<dt>HTTP</dt><dd>' . escape($found->{http}) . '</dd>' : '';
    return office_page(200, $found->{kind}, "<h1>$kind</h1><dl><dt>\u$direction</dt><dd>" . when_text($found->{time})
        . "</dd><dt>URL</dt><dd>$url</dd>$http</dl><pre>" . escape(pretty(Encode::encode_utf8($found->{xml}))) . '</pre>', '/documents');
}

sub mails ($req) {
    my @rows = map {
        my ($id, $to, $subject) = map { escape($_) } @$_{qw(id to subject)};
        [when_text($_->{time}), $to, qq{<a href="/mailbox/$id">} . (length $subject ? $subject : '(no subject)') . '</a>'];
    } $mailbox->newest;
    return office_page(200, 'Mailbox', '<h1>Mailbox</h1><p class="lead">What the supplier has mailed to anybody. Nothing leaves this '
        . 'machine.</p>' . (@rows ? table([['Time', 'when'], ['To', 'id'], ['Subject']], @rows)
            : '<div class="empty">No mail yet. It comes when a subscription is ready.</div>'), '/mailbox');
}

sub mail ($id) {
    my $found = $mailbox->mail($id) or return not_found();
    my ($from, $to, $subject, $text) = map { escape($_) } @$found{qw(from to subject text)};
    $text =~ s{(https?://[^\s<]+?)(?=[.,;)]*(?:\s|\z))}{<a href="$1">$1</a>}g;
    return office_page(200, $found->{subject}, "<h1>$subject</h1><dl><dt>From</dt><dd>$from</dd><dt>To</dt><dd>$to</dd><dt>Time</dt><dd>"
        . when_text($found->{time}) . qq{</dd></dl><pre class="text">$text</pre>}, '/mailbox');
}

# ---- routes ----------------------------------------------------------------------------------------------------------------

sub get ($req, $path) {
    return catalog($req)      if $path eq '/';
    return marketplace($req)  if $path eq '/marketplace';
    return $search->hits($req) if $path eq '/search';
    return $search->item($req) if $path eq '/item';
    return requisitions($req) if $path eq '/requisitions';
    return orders($req)       if $path eq '/orders';
    return documents($req)    if $path eq '/documents';
    return mails($req)        if $path eq '/mailbox';
    return not_found()        if $path !~ m{\A/(requisitions|orders|documents|mailbox)/([\w.-]+)\z};
    return { requisitions => \&requisition, orders => \&order, documents => \&document, mailbox => \&mail }->{$1}->($2);
}

sub post ($req, $path) {
    return punch_out($req) if $path eq '/punchout';
    return $search->check_out($req) if $path eq '/item';
    if ($path =~ m{\A/orders/([\w-]+)/send\z}) { $office->send_order($1); return redirect("/orders/$1") }
    $path =~ m{\A/requisitions/([\w-]+)/(approve|reject|edit|inspect)\z} or return not_found();
    my ($id, $what) = ($1, $2);
    return approve($req, $id) if $what eq 'approve';
    return revisit($id, $what) if $what ne 'reject';
    $office->reject($id);
    return redirect("/requisitions/$id");
}

# The supplier's own documents: who sent them is proved inside.
sub cxml ($req) {
    my ($status, $xml) = take_document($office, $req->raw_body);
    return [$status, ['Content-Type' => 'text/xml; charset=UTF-8'], [Encode::encode_utf8($xml)]];
}

# Only the supplier's cart may come from a page of another origin.
sub foreign ($req) {
    my $origin = $req->header('Origin') // return 0;
    return $origin ne $req->scheme . '://' . ($req->header('Host') // '');
}

my $app = sub {
    my $req  = Plack::Request->new(shift);
    my $path = $req->path_info;
    return checkout($req)    if $path eq '/punchout/checkout';
    return cxml($req)        if $path eq '/cxml' && $req->method eq 'POST';
    return get($req, $path)  if $req->method =~ /\A(?:GET|HEAD)\z/;
    return text_answer(405, 'GET, HEAD or POST') if $req->method ne 'POST';
    return text_answer(403, 'not from this site') if foreign($req);
    return post($req, $path);
};
