# Open Buy as a client sees it that shares nothing with the module: the demo's, which was written from Coupa's
# reference alone. Authenticate, search, detail, checkout; the order for what the checkout answered is fulfilled; a
# hit opens its product's page.
use strict;
use warnings FATAL => 'all';
use Apache::Test qw(-withtestmore);
use FindBin;
use lib "$FindBin::Bin/lib";
# in a build folder of its own the demo stands with the sources
use lib grep { -d } "$FindBin::Bin/../demo/lib", ($ENV{PUNCHOUT_SRCDIR} || '.') . '/demo/lib';
use Procurement::OpenBuy;
use PunchoutTest;

my %fields = (source_part_num => 'item_number', supp_aux_part_num => 'cart_line', price => 'unit_cost', uom => 'unit',
    quantity => 'amount');
my $email = 'ines@buyer.example';

sub client {
    my ($buyer, $vhost, %o) = @_;
    return Procurement::OpenBuy->new(base => base_url($vhost) . '/punchout/openbuy', email => $email,
        credentials => "$buyer:" . buyer($buyer)->{secret}, %o);
}

# An item as a line of order_document().
sub order_line {
    my $item = shift;
    my %line = (quantity => $item->{quantity});
    @line{qw(part auxiliary price currency unit)} = @$item{qw(source_part_num supp_aux_part_num price currency uom)};
    return \%line;
}

sub lands_on {
    my ($part, %o) = @_;
    my $selected = "<SelectedItem><ItemID><SupplierPartID>$part</SupplierPartID></ItemID></SelectedItem>";
    my $setup = post_cxml(base_url($o{vhost}) . '/punchout/setup', setup_document(%o, more => $selected));
    return browser()->get(start_page_of($setup))->header('Location');
}

sub finds_and_orders {
    my ($who, $client, %o) = @_;
    my ($token, $why) = $client->authenticate;
    ok $token, "$who: authenticates" or diag $why;
    (my $found, $why) = $client->search('log');
    is $why, undef, "$who: searches";
    is $found->{total_count}, $found->{count}, "$who: all hits are on the first page";
    my ($hit) = grep { $_->{source_part_num} eq 'off-year' } @{ $found->{results} };
    is_deeply [@$hit{qw(name currency uom manufacturer_name)}], ['Log Keeper', 'USD', 'EA', 'Keeper Ltd'],
        "$who: finds an offer";
    cmp_ok $hit->{price}, '==', 1200, "$who: at its price";
    (my $item, $why) = $client->detail($hit->{source_part_num});
    is_deeply [@$item{qw(source_part_num name price)}], [@$hit{qw(source_part_num name price)}],
        "$who: its detail is the same item" or diag $why;
    like $item->{description}, qr/Keeps and searches logs/, "$who: and describes it";
    (my $items, $why) = $client->checkout($hit->{source_part_num}, 3);
    is $why, undef, "$who: checks out" or return;
    my $line = order_line($items->[0]);
    is_deeply [@$line{qw(part quantity currency unit)}], [qw(off-year 3 USD EA)],
        "$who: what the order needs is in the answer";
    my ($request) = $line->{auxiliary} =~ /^(req-\w+)/;
    ok $request, "$who: under an auxiliary id that names a request" or return;
    my $reply = order_reply(order_document(lines => [$line], %o), vhost => $o{vhost});
    is status_of($reply), 200, "$who: the order is taken" or diag $reply->content;
    my ($event) = wait_for(20, sub { events($request) });
    is $event->{body}{type}, 'marketplace.subscription.approved', "$who: the backend is told";
    is $event->{body}{data}{offer}, 'off-year', "$who: of the offer";
    is $event->{body}{data}{charges}[0]{quantity}, 3, "$who: in the quantity";
    is $event->{body}{data}{requester}{email}, $email, "$who: for the requester";
    ok wait_for(20, sub { active($request) }), "$who: the request is active";
    is lands_on($hit->{source_part_num}, %o), base_url($o{vhost}) . '/shop/products/prod-ab12',
        "$who: the hit opens its product's page";
    return;
}

# As the operator sees it: no account is bound to a request of Open Buy.
sub active { my $request = shift; return ledger("SELECT state FROM request WHERE id='$request'") eq '5' }

# ---- with our names, by each way that the reference leaves open ------------------------------------------------------
finds_and_orders('our names', client('acme', 'shop'), buyer => 'acme', vhost => 'shop');
finds_and_orders('paths without a version', client('acme', 'shop', version => ''), buyer => 'acme', vhost => 'shop');
finds_and_orders('the token in the body', client('acme', 'shop', token_in => 'body'), buyer => 'acme', vhost => 'shop');
finds_and_orders('client credentials', client('acme', 'shop', oauth => 1), buyer => 'acme', vhost => 'shop');

# ---- with the buyer's own names --------------------------------------------------------------------------------------
finds_and_orders('names of its own', client('globex', 'searching', fields => \%fields), buyer => 'globex',
    vhost => 'searching');

# ---- what a client must get along with -------------------------------------------------------------------------------
my $client = client('acme', 'shop');
my ($found, $why) = $client->search('nothing is called like that');
is_deeply [@$found{qw(count total_count)}, scalar @{ $found->{results} }], [0, 0, 0],
    'no hit is an answer without items' or diag $why;
my %auxiliary = map { ($client->checkout('off-year', 1))[0][0]{supp_aux_part_num} => 1 } 1, 2;
is scalar(keys %auxiliary), 2, 'two checkouts in a row are two purchases, each with an authentication';
($found, $why) = $client->detail('nothing-of-ours');
is $found, undef, 'a part that is not sold has no detail';
unlike $why, qr/^\d{3} /, 'and the supplier says so in words';
($found, $why) = Procurement::OpenBuy->new(base => base_url('shop') . '/punchout/openbuy', email => $email,
    credentials => 'acme:wrong')->search('log');
is $found, undef, 'wrong credentials find nothing';
unlike $why, qr/^\d{3} |acme:wrong/, 'and the supplier says so in words, which do not repeat them';

done_testing;
