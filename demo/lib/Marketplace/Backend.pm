# Marketplace::Backend - the fulfillment backend: takes events, activates subscriptions, remembers every idempotency key.
#
# One JSON line per attempt in DIR/events.jsonl; the first line of a key that got a final answer holds it, and every later
# attempt with that key gets the same one. To see how a shop copes, the id of a product or offer may ask for trouble:
#   slow-start   202; five seconds later the event's callback says that the subscription is active
#   busy         503 for the first two attempts, so that the outbox tries again
#   sold-out     422 with a reason: the request fails for good
# Some seconds after a subscription became active the invoice for it is handed over (Marketplace::Billing).
package Marketplace::Backend;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock SEEK_SET SEEK_END);
use File::Path qw(make_path);
use IO::Handle;
use JSON::PP ();
use POSIX ();
use Marketplace::Billing qw(invoice_of hand_over);

my $JSON       = JSON::PP->new->utf8->canonical;
my $SLOW_START = 5;
my $BILLED     = 5;

# url: where the shop is seen by browsers; secret: file with what `invoices` wants to see, undef: no invoices.
sub new ($class, %arg) {
    make_path($arg{dir});
    return bless { file => "$arg{dir}/events.jsonl", url => $arg{url}, secret => $arg{secret}, read => 0, attempts => [], answer => {} }, $class;
}

# The answer to POST /subscriptions: (status, content type, body).
sub receive ($self, $key, $type, $body) {
    return problem(400, 'an Idempotency-Key header is required') if !length($key // '');
    return problem(415, 'the event must come as application/cloudevents+json')
        if ($type // '') !~ m{\Aapplication/cloudevents\+json\s*(?:;|\z)};
    my $event = eval { $JSON->decode($body) };
    return problem(400, 'the body is no CloudEvent')
        if ref $event ne 'HASH' || ref $event->{data} ne 'HASH' || ($event->{specversion} // '') ne '1.0';
    return problem(400, 'Idempotency-Key and the id of the event differ') if ($event->{id} // '') ne $key;

    open my $file, '+>>', $self->{file} or die "can't open $self->{file}: $!\n";
    flock $file, LOCK_EX or die "can't lock $self->{file}: $!\n";
    $self->catch_up($file);
    my $answer = $self->{answer}{$key} // $self->decide($key, $event);
    my %attempt = (time => time, key => $key, answer => $answer);
    $attempt{event} = $event if !$self->{answer}{$key};
    $self->append($file, \%attempt);
    close $file;
    $self->later(call_back => $key) if $answer->{status} == 202 && $attempt{event};
    $self->later(bill => $key) if $answer->{status} == 200 && $attempt{event} && $self->{secret};
    return @$answer{qw(status type body)};
}

# What arrived, the newest first: {key, event, answer, attempts, time, called_back, invoice}.
sub events ($self) {
    open my $file, '<', $self->{file} or return;
    flock $file, LOCK_SH;
    $self->catch_up($file);
    my (%by_key, @order);
    for my $line (@{ $self->{attempts} }) {
        my $seen = $by_key{ $line->{key} } //= do { push @order, $line->{key}; { key => $line->{key}, attempts => 0 } };
        $seen->{called_back} = $line->{called_back}, next if $line->{called_back};
        $seen->{invoice} = $line->{invoice}, next if $line->{invoice};
        $seen->{attempts}++;
        @$seen{qw(time answer)} = @$line{qw(time answer)};
        $seen->{event} = $line->{event} if $line->{event};
    }
    return map { $by_key{$_} } reverse @order;
}

# The event that made this subscription, or undef.
sub subscription ($self, $id) {
    my ($found) = grep { subscription_id($_->{key}) eq $id && $_->{answer}{status} < 300 } $self->events;
    return $found;
}

sub subscription_id ($key) { return 'sub-' . substr sha256_hex($key), 0, 12 }

# Starts again what a stop of the demo has cut off. Before the server forks.
sub resume ($self) {
    $self->later(call_back => $_->{key}) for grep { $_->{answer}{status} == 202 && !$_->{called_back} } $self->events;
    return;
}

sub decide ($self, $key, $event) {
    my $what  = join ' ', map { $event->{data}{$_} // '' } qw(product offer);
    my $tries = grep { $_->{key} eq $key } @{ $self->{attempts} };
    return answer(202, {}) if $what =~ /slow-start/;
    return answer(problem(503, 'busy, come again')) if $what =~ /busy/ && $tries < 2;
    return answer(problem(422, 'this offer is sold out; choose another one')) if $what =~ /sold-out/;
    return answer(200, $self->activated($key, $event));
}

sub activated ($self, $key, $event) {
    my $id = $event->{data}{subscription} // subscription_id($key);
    return { subscription => $id, url => "$self->{url}/getting-started/" . subscription_id($key) };
}

sub answer ($status, @rest) {
    return { status => $status, type => $rest[0], body => $rest[1] } if @rest == 2;
    return { status => $status, type => 'application/json', body => $JSON->encode($rest[0]) };
}

sub problem ($status, $detail) {
    return $status, 'application/problem+json', $JSON->encode({ status => $status, detail => $detail });
}

# Reads the lines that other workers have added since. An answer that asks to come again is no answer to repeat.
sub catch_up ($self, $file) {
    seek $file, $self->{read}, SEEK_SET;
    while (my $line = <$file>) {
        last if $line !~ /\n\z/;
        $self->{read} += length $line;
        my $attempt = eval { $JSON->decode($line) } or next;
        push @{ $self->{attempts} }, $attempt;
        $self->{answer}{ $attempt->{key} } //= $attempt->{answer}
            if $attempt->{answer} && $attempt->{answer}{status} != 503;
    }
    return;
}

# On the disk before anybody is told so.
sub append ($self, $file, $line) {
    seek $file, 0, SEEK_END;
    print {$file} $JSON->encode($line), "\n";
    $file->flush && $file->sync or die "can't write $self->{file}: $!\n";
    return;
}

# A process of its own, so that the worker is free at once. It finds the token in the file, not on its command line.
sub later ($self, $what, $key) {
    my $pid = fork // return;
    if ($pid) { waitpid $pid, 0; return }
    if (!fork) {
        POSIX::setsid();
        my $code = 'my ($dir, $url, $secret, $what, $key) = @ARGV; '
            . 'Marketplace::Backend->new(dir => $dir, url => $url, secret => $secret)->$what($key)';
        my $dir  = $self->{file} =~ s{/[^/]*\z}{}r;
        exec $^X, (map { "-I$_" } grep { !ref } @INC), '-MMarketplace::Backend', '-e', $code, $dir, $self->{url}, $self->{secret} // '', $what, $key;
    }
    POSIX::_exit(0);
}

sub call_back ($self, $key) {
    require LWP::UserAgent;
    sleep $SLOW_START;
    my ($seen) = grep { $_->{key} eq $key } $self->events;
    my $callback = $seen->{event}{data}{callback} or return;
    my $body = $JSON->encode({ status => 'active', %{ $self->activated($key, $seen->{event}) } });
    for my $pause (1, 2, 4, 8, 16, 0) {
        my $said = LWP::UserAgent->new(timeout => 20)->post($callback->{url}, Content => $body,
            'Content-Type' => 'application/json', Authorization => "Bearer $callback->{token}");
        if ($said->code < 500) {
            open my $file, '+>>', $self->{file} or die "can't open $self->{file}: $!\n";
            flock $file, LOCK_EX;
            $self->append($file, { time => time, key => $key, called_back => $said->code });
            close $file;
            return $self->{secret} ? $self->bill($key) : ();
        }
        sleep $pause;
    }
    return;
}

sub bill ($self, $key) {
    sleep $BILLED;
    my ($seen) = grep { $_->{key} eq $key } $self->events;
    my $door    = ($seen->{event}{data}{callback}{url} // '') =~ s{/fulfilled/[^/]*\z}{}r or return;
    my $invoice = invoice_of($seen->{event}) or return;
    open my $in, '<', $self->{secret} or die "can't read $self->{secret}: $!\n";
    my $secret = <$in> =~ s/\s+\z//r;
    my $status = hand_over($invoice, "$door/invoices", $secret);
    open my $file, '+>>', $self->{file} or die "can't open $self->{file}: $!\n";
    flock $file, LOCK_EX;
    $self->append($file, { time => time, key => $key, invoice => "$invoice->{number} answered $status" });
    return;
}

1;
