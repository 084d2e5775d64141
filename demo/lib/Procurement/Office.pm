# Procurement::Office - the work of the procurement system without its pages: punching out, taking carts, approving them into
# purchase orders, sending these, and keeping every document. Records are JSON files (Demo::Store):
#   sessions      a punchout: connection, person, operation, cookie, state open|done
#   requisitions  a cart that came back: lines, total, state pending|approved|rejected
#   orders        a purchase order: what was sent (the same payloadID each time) and what was answered
#   documents     every cXML document sent or received, secrets covered
package Procurement::Office;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(encode_utf8);
use JSON::PP ();
use LWP::UserAgent;
use MIME::Base64 qw(decode_base64);
use Demo::Store;
use Procurement::Cxml qw(setup_request order_request read_answer read_cart cart_faults line_faults total_faults mask
    product sum money);
use Procurement::OpenBuy;

my $SETUP_SECONDS = 20;
my $ORDER_SECONDS = 60;     # Coupa waits that long

# run: directory; connections: JSON file; secrets: directory with one file per connection; supplier: URL of its punchout doors;
# url: where browsers see this system.
sub new ($class, %arg) {
    my $connections = JSON::PP->new->utf8->decode(Demo::Store::read_file($arg{connections}) // die "can't read $arg{connections}\n");
    return bless { %arg, store => Demo::Store->new($arg{run}), connections => $connections }, $class;
}

sub store ($self) { return $self->{store} }

sub connections ($self) { return @{ $self->{connections} } }

sub connection ($self, $name) {
    my ($found) = grep { $_->{name} eq ($name // '') } @{ $self->{connections} };
    return $found;
}

# (connection, person) of "CONNECTION/LOGIN", or nothing.
sub person ($self, $who) {
    my ($name, $login) = split m{/}, $who // '', 2;
    my $connection = $self->connection($name) or return;
    my ($person) = grep { $_->{login} eq ($login // '') } @{ $connection->{people} };
    return $person ? ($connection, $person) : ();
}

sub secret ($self, $connection) {
    my $file = "$self->{secrets}/$connection->{name}";
    my $secret = Demo::Store::read_file($file) // die "can't read $file\n";
    return $secret =~ s/\s+\z//r;
}

sub random_hex ($bytes) {
    open my $random, '<:raw', '/dev/urandom' or die "can't read /dev/urandom: $!\n";
    my $data;
    read $random, $data, $bytes;
    return unpack 'H*', $data;
}

sub payload_id ($connection) { return time . ".$$." . random_hex(6) . "\@$connection->{name}.example" }

# ---- documents -------------------------------------------------------------------------------------------------------------

sub keep_document ($self, %document) {
    my $id = $self->{store}->next_number('documents');
    $document{xml} = Encode::decode('UTF-8', mask($document{xml}));
    return $self->{store}->put('documents', $id, { id => $id, time => time, %document });
}

# Posts a document and keeps both sides. Gives {http, code, text, detail, start_page}.
sub post ($self, $connection, $kind, $url, $xml, $seconds) {
    my $bytes = encode_utf8($xml);
    my %about = (connection => $connection->{name}, url => $url);
    $self->keep_document(%about, direction => 'sent', kind => $kind, xml => $bytes);
    my $agent = LWP::UserAgent->new(agent => $connection->{user_agent}, timeout => $seconds);
    my $reply = $agent->post($url, 'Content-Type' => 'text/xml; charset=UTF-8', Content => $bytes);
    my $body  = $reply->decoded_content(charset => 'none') // '';
    my $answer = read_answer($body);
    $answer->{http} = $reply->code;
    $answer->{code} //= 0;
    if (($reply->header('Client-Warning') // '') eq 'Internal response') {
        @$answer{qw(http detail)} = (0, "no answer: " . $reply->message);
    } else {
        $answer->{detail} //= 'the answer is no cXML document';
        $self->keep_document(%about, direction => 'received', kind => 'Response', xml => $body, http => $reply->code,
            status => $answer->{code});
    }
    return $answer;
}

# ---- punching out ----------------------------------------------------------------------------------------------------------

# %visit: person, operation, selected, requisition (the one to edit or to look at). Gives (answer, session).
sub punch_out ($self, $connection, %visit) {
    my $id = $self->{store}->next_number('sessions');
    my $session = {
        id => $id, connection => $connection->{name}, person => $visit{person}, operation => $visit{operation}, state => 'open',
        requisition => $visit{requisition} && $visit{requisition}{id}, supplier => $connection->{supplier}, time => time,
        cookie => $connection->{cookie_prefix} . random_hex(16),
    };
    $self->{store}->put('sessions', $id, $session);
    my $url = "$self->{supplier}/setup";
    my $xml = setup_request($connection, $self->secret($connection),
        payload_id => payload_id($connection), time => time, deployment => $connection->{deployment},
        operation => $visit{operation}, cookie => $session->{cookie}, person => $visit{person}, setup_url => $url,
        return_url => "$self->{url}/punchout/checkout?id=$id", selected => $visit{selected},
        lines => $visit{requisition} && $visit{requisition}{lines});
    my $answer = $self->post($connection, 'PunchOutSetupRequest', $url, $xml, $SETUP_SECONDS);
    return $answer, $session;
}

# The document in a returned form: (bytes, undef) or (undef, why not).
sub returned_document ($connection, $form) {
    my $wanted = $connection->{cart_field};
    my ($name) = grep { lc $_ eq $wanted } keys %$form;
    return undef, "The form has no field $wanted, which this connection expects." if !defined $name;
    my $value = $form->{$name};
    return decode_base64($value), undef if $wanted eq 'cxml-base64' && $value =~ m{\A[A-Za-z0-9+/=\s]+\z};
    return undef, 'The field cxml-base64 holds something else than Base64.' if $wanted eq 'cxml-base64';
    return undef, 'The field cxml-urlencoded holds bytes above 127: it must be plain ASCII.' if $value =~ /[^\x00-\x7f]/;
    return $value, undef;
}

# Takes what the browser brought back. Gives {faults => [...]}, {requisition => ...} or {unchanged => sentence}.
sub take_cart ($self, $session, $form) {
    my $connection = $self->connection($session->{connection});
    my ($bytes, $why) = returned_document($connection, $form);
    return { faults => [$why] } if defined $why;
    $self->keep_document(connection => $connection->{name}, direction => 'received', kind => 'PunchOutOrderMessage', xml => $bytes,
        url => "$self->{url}/punchout/checkout?id=$session->{id}");
    my $cart = read_cart($bytes) or return { faults => ['The field holds no PunchOutOrderMessage.'] };
    return $self->{store}->locked('requisitions', sub {
        $session = $self->{store}->get('sessions', $session->{id});
        if ($session->{state} ne 'open') {
            return { requisition => $self->{store}->get('requisitions', $session->{requisition}) }
                if $session->{requisition} && ($session->{cart} // '') eq $cart->{payload_id};
            return { faults => ['This session has ended: its cart came back already. Punch out again.'] };
        }
        my @faults = cart_faults($cart, $session);
        return { faults => \@faults } if @faults;
        return $self->close_session($session, $cart);
    });
}

sub close_session ($self, $session, $cart) {
    @$session{qw(state cart)} = ('done', $cart->{payload_id});
    my $result;
    if ($session->{operation} eq 'inspect') {
        $result = { unchanged => 'You have looked at the cart; nothing has changed.' };
    } elsif ($cart->{status} != 200 || !@{ $cart->{lines} }) {
        $result = { unchanged => $session->{operation} eq 'edit'
            ? 'You have come back without a change: the requisition stays as it was.' : 'You have come back without a cart.' };
    } else {
        $result = $self->keep_requisition($session, $cart);
    }
    $self->{store}->put('sessions', $session->{id}, $session);
    return $result;
}

sub keep_requisition ($self, $session, $cart) {
    my $store = $self->{store};
    my $old   = $session->{requisition} && $store->get('requisitions', $session->{requisition});
    return { faults => ["The requisition $old->{id} is $old->{state} meanwhile and can't be changed."] }
        if $old && $old->{state} ne 'pending';
    my $id = $session->{requisition} = $old ? $old->{id} : $self->requisition_id;
    return { requisition => $self->put_requisition($id, @$session{qw(connection person)}, $cart) };
}

sub requisition_id ($self) { return 'REQ-' . $self->{store}->next_number('requisition') }

sub put_requisition ($self, $id, $connection, $person, $cart) {
    return $self->{store}->put('requisitions', $id, {
        id => $id, time => time, state => 'pending', connection => $connection, person => $person,
        map { $_ => $cart->{$_} } qw(lines total currency allowed),
    });
}

# ---- searching without a punchout ------------------------------------------------------------------------------------

# A person's client of the supplier's Open Buy; undef for a connection without. It is kept as long as this process
# lives, for its token.
sub open_buy ($self, $connection, $person) {
    my %own = %{ $connection->{openbuy} // return undef };
    my $user = delete $own{user};
    return $self->{open_buy}{"$connection->{name}/$person->{login}"} //= Procurement::OpenBuy->new(%own,
        base => "$self->{supplier}/openbuy", credentials => "$user:" . $self->secret($connection),
        email => $person->{email}, user_agent => $connection->{user_agent});
}

# Checks out and makes a requisition of the answer: {faults => [...]} or {requisition => ...}. It can't be edited in the
# shop, since no punchout made it.
sub check_out ($self, $connection, $person, $part, $quantity) {
    my ($items, $why) = $self->open_buy($connection, $person)->checkout($part, $quantity);
    return { faults => [$why] } if !$items;
    my $number = 0;
    my %cart = (allowed => 'create', currency => $items->[0]{currency} // '',
        lines => [map { cart_line(++$number, $_, $quantity) } @$items]);
    my @faults = map { line_faults($_) } @{ $cart{lines} };
    return { faults => \@faults } if @faults;
    $cart{total} = money(sum(map { product(@$_{qw(quantity unit_price)}) } @{ $cart{lines} }));
    @faults = total_faults(\%cart);
    return { faults => \@faults } if @faults;
    return { requisition => $self->put_requisition($self->requisition_id, $connection->{name}, $person, \%cart) };
}

# An item of Open Buy as a line of a cart. The supplier may sell in another quantity, as so many hundredths of a dollar.
sub cart_line ($number, $item, $quantity) {
    my %line = (number => $number, quantity => $item->{quantity} // $quantity, extrinsics => []);
    @line{qw(part auxiliary short_name description unit_price currency unit unspsc manufacturer_part manufacturer)} =
        map { $_ // '' } @$item{qw(source_part_num supp_aux_part_num name description price currency uom unspsc_code
            manufacturer_part_number manufacturer_name)};
    $line{description} = $line{short_name} if !length $line{description};
    # a number in JSON has lost its zeros
    $line{unit_price} = money($line{unit_price}) if $line{unit_price} =~ /\A[0-9]+(?:\.[0-9]+)?\z/;
    return \%line;
}

# ---- approving and ordering ------------------------------------------------------------------------------------------------

# Only a pending requisition changes; undef for any other. The code gets it, locked, and gives what is to be returned.
sub decide ($self, $id, $code) {
    return $self->{store}->locked('requisitions', sub {
        my $requisition = $self->{store}->get('requisitions', $id) or return undef;
        return undef if $requisition->{state} ne 'pending';
        my $result = $code->($requisition);
        $self->{store}->put('requisitions', $id, $requisition);
        return $result;
    });
}

sub reject ($self, $id) { return $self->decide($id, sub ($requisition) { $requisition->{state} = 'rejected'; return 1 }) }

# Makes the purchase order and sends it. Gives the order, or undef.
sub approve ($self, $id, $comment) {
    my $order = $self->decide($id, sub ($requisition) {
        my $connection = $self->connection($requisition->{connection});
        my $number     = 'PO-' . $self->{store}->next_number('order');
        my $line       = 0;
        @$requisition{qw(state order)} = ('approved', $number);
        return $self->{store}->put('orders', $number, {
            id => $number, number => $number, payload_id => payload_id($connection), time => time, requisition => $id,
            connection => $requisition->{connection}, person => $requisition->{person}, comment => $comment, attempts => [],
            lines => [map { +{ %$_, number => ++$line } } @{ $requisition->{lines} }],
            currency => $requisition->{currency},
            total => money(sum(map { product(@$_{qw(quantity unit_price)}) } @{ $requisition->{lines} })),
        });
    });
    return $order && $self->send_order($order->{number});
}

# Sends an order, each time with the same bytes.
sub send_order ($self, $number) {
    my $order      = $self->{store}->get('orders', $number) or return undef;
    my $connection = $self->connection($order->{connection});
    my $xml        = order_request($connection, $self->secret($connection), $order);
    my $answer     = $self->post($connection, 'OrderRequest', "$self->{supplier}/order", $xml, $ORDER_SECONDS);
    return $self->{store}->locked('orders', sub {
        my $now = $self->{store}->get('orders', $number);
        push @{ $now->{attempts} }, { time => time, map { $_ => $answer->{$_} } qw(http code text detail) };
        return $self->{store}->put('orders', $number, $now);
    });
}

# delivered, refused, or waiting (nobody knows: send again), as the last answer says.
sub order_state ($order) {
    my $last = $order->{attempts}[-1] or return 'waiting';
    return $last->{code} =~ /\A2/ ? 'delivered' : $last->{code} =~ /\A4/ ? 'refused' : 'waiting';
}

1;
