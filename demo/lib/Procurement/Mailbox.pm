# Procurement::Mailbox - reads what mailsink.pl has kept.
package Procurement::Mailbox;
use v5.26;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use Encode qw(decode find_encoding);
use MIME::Base64 qw(decode_base64);
use MIME::QuotedPrint qw(decode_qp);

sub new ($class, $dir) { return bless { dir => $dir }, $class }

# The newest mails: {id, time, from, to, subject, text}.
sub newest ($self, $most = 100) {
    opendir my $dir, $self->{dir} or return;
    my @ids = sort { $b cmp $a } map { /\A([\d.-]+)\.eml\z/ ? $1 : () } readdir $dir;
    splice @ids, $most if @ids > $most;
    return map { $self->mail($_) // () } @ids;
}

sub mail ($self, $id) {
    return undef if $id !~ /\A[\d.-]+\z/;
    open my $file, '<:raw', "$self->{dir}/$id.eml" or return undef;
    my ($header, $body) = split_entity(do { local $/; <$file> });
    return {
        id      => $id,
        time    => int $id,
        from    => words($header->{from} // $header->{'x-envelope-from'}),
        to      => $header->{'x-envelope-to'} // '',
        subject => words($header->{subject}),
        text    => text_of($header, $body),
    };
}

sub split_entity ($bytes) {
    my ($head, $body) = split /\r?\n\r?\n/, $bytes, 2;
    $head =~ s/\r?\n[ \t]+/ /g;
    my %header;
    for (split /\r?\n/, $head) {
        $header{ lc $1 } //= $2 if /\A([!-9;-~]+):\s*(.*)\z/;
    }
    return \%header, $body // '';
}

sub words ($text) { return decode('MIME-Header', $text // '') }

# The text of a mail; of several parts the first that is plain text.
sub text_of ($header, $body) {
    my $type = $header->{'content-type'} // 'text/plain';
    if ($type =~ m{\Amultipart/.*?\bboundary="?([^";]+)}i) {
        for my $part (split /^--\Q$1\E(?:--)?[ \t]*\r?\n/m, $body) {
            my ($inner, $content) = split_entity($part);
            return text_of($inner, $content) if ($inner->{'content-type'} // '') =~ m{\A(?:text/plain|multipart/)}i;
        }
        return '';
    }
    my $coding = lc($header->{'content-transfer-encoding'} // '');
    $body = decode_base64($body) if $coding eq 'base64';
    $body = decode_qp($body)     if $coding eq 'quoted-printable';
    my ($charset) = $type =~ /\bcharset="?([\w.:-]+)/i;
    my $text = decode(find_encoding($charset // '') // 'UTF-8', $body);
    return $text =~ s/\r\n/\n/gr;
}

1;
