# The same document as other systems would have sent it: what a change of these alters means nothing.
package PunchoutTest::Variants;
use strict;
use warnings;
use Encode qw(decode encode);
use Exporter 'import';
use XML::LibXML;

our @EXPORT_OK = qw(@CHANGES variant parts);

my %time = (
    'time-z'       => '2026-11-23T10:15:00Z',
    'time-offset'  => '2026-11-23T10:15:00-0500',
    'time-local'   => '2026-11-23T10:15:00',
    'time-blank'   => '2026-11-23 10:15:00+00:00',
    'time-words'   => 'Mon May 19 18:29:48 +0000 2008',
    'time-text'    => 'some day last week',
);
my %change = (
    'as-is'        => sub { $_[0] },
    'no-doctype'   => sub { my $d = shift; $d =~ s/<!DOCTYPE[^>\[]*>\s*//; $d },
    'other-dtd'    => \&other_dtd,
    'crlf'         => \&other_line_ends,
    'bom'          => sub { "\xef\xbb\xbf$_[0]" },
    'utf-16'       => sub { "\xff\xfe" . encode('UTF-16LE', declared(decode('UTF-8', $_[0]), 'UTF-16')) },
    'latin-1'      => sub { encode('ISO-8859-1', declared(decode('UTF-8', $_[0]), 'ISO-8859-1'), Encode::FB_XMLCREF) },
    'attributes'   => sub { tree($_[0], \&reverse_attributes) },
    'children'     => sub { tree($_[0], \&sort_children) },
    'no-agent'     => sub { my $d = shift; $d =~ s{<UserAgent\b(?:[^>]*/>|[^>]*>[^<]*</UserAgent\s*>)}{}g; $d },
    'no-type'      => sub { $_[0] },    # nothing in the document: it is posted without a Content-Type
    map { my $value = $time{$_}; ($_ => sub { timestamp($_[0], $value) }) } keys %time
);
our @CHANGES = qw(as-is no-doctype other-dtd crlf bom utf-16 latin-1 attributes children no-agent no-type
    time-z time-offset time-local time-blank time-words time-text);

my %charset = ('utf-16' => 'UTF-16', 'latin-1' => 'ISO-8859-1');

# What stands before the cXML document, the document, what stands behind it: in a MIME message that is something.
sub parts {
    my $message = shift;
    return $message =~ /^(Content-Type:.*?)(<\?xml.*?<\/cXML>(?:\r?\n(?=\r?\n--))?)(.*)$/s ? ($1, $2, $3) : ('', $message, '');
}

# The changed document, or the message with it; undef where there is nothing to change.
sub variant {
    my ($message, $name) = @_;
    my ($before, $document, $after) = parts($message);
    my $changed = $change{$name}->($document);
    return undef if $changed eq $document && $name !~ /^(?:as-is|no-type)$/;
    $before =~ s/charset=UTF-8/charset=$charset{$name}/ if $charset{$name};
    return $before . $changed . $after;
}

# ---- text ----------------------------------------------------------------------------------------------------------

my $declaration = qr/^<\?xml\b[^>]*\?>/;

sub declared {
    my ($document, $encoding) = @_;
    my $d = qq(<?xml version="1.0" encoding="$encoding"?>);
    return $document =~ s/$declaration/$d/ ? $document : "$d\n$document";
}

# CRLF, and LF in a document that has CRLF already
sub other_line_ends {
    my $document = shift;
    (my $crlf = $document) =~ s/\r?\n/\r\n/g;
    return $crlf eq $document ? $document =~ s/\r\n/\n/gr : $crlf;
}

sub other_dtd {
    my $document = shift;
    my ($root) = root_tag($document) =~ /^<([\w:]+)/;
    my ($version) = $document =~ m{<!DOCTYPE[^>]*/cXML/([\d.]+)/};
    my $other = ($version || '') eq '1.2.063' ? '1.1.010' : '1.2.063';
    return $document if $document =~ s{(<!DOCTYPE[^>]*/cXML/)[\d.]+/}{$1$other/};
    $document =~ s{($declaration)}{$1\n<!DOCTYPE $root SYSTEM "http://xml.cxml.org/schemas/cXML/$other/cXML.dtd">}
        or die 'a document without a declaration has no place for a DOCTYPE';
    return $document;
}

# The tag that opens the root element, as it stands: behind the declaration, a DOCTYPE and comments.
sub root_tag {
    my $document = shift;
    $document =~ s/<!--.*?-->//gs;
    my ($tag) = $document =~ /(<[A-Za-z][^>]*>)/ or die 'no root element';
    return $tag;
}

sub timestamp {
    my ($document, $value) = @_;
    my $tag = root_tag($document);
    (my $changed = $tag) =~ s/(\stimestamp=)(?:"[^"]*"|'[^']*')/$1"$value"/;
    $document =~ s/\Q$tag\E/$changed/;
    return $document;
}

# ---- the tree ------------------------------------------------------------------------------------------------------

sub tree {
    my ($document, $change) = @_;
    my $xml = XML::LibXML->new(load_ext_dtd => 0, no_network => 1)->parse_string($document);
    my $before = $xml->toString;
    $change->($xml->documentElement);
    my $after = $xml->toString;
    return $after eq $before ? $document : $after;
}

sub child_elements { my $e = shift; return grep { $_->nodeType == XML_ELEMENT_NODE } $e->childNodes }

sub reverse_attributes {
    my $e = shift;
    my @attributes = grep { $_->nodeType == XML_ATTRIBUTE_NODE } $e->attributes;
    $e->removeAttributeNode($_) for @attributes;
    $e->setAttributeNode($_) for reverse @attributes;
    reverse_attributes($_) for child_elements($e);
}

# By name in descending order, those of one name as they were; blanks and comments stay where they are. Not where text and
# elements are mixed, and not in a BuyerCookie: there the order means something.
sub sort_children {
    my $e = shift;
    return if $e->nodeName eq 'BuyerCookie';
    return if grep { $_->nodeType == XML_TEXT_NODE && $_->data =~ /\S/ || $_->nodeType == XML_CDATA_SECTION_NODE }
        $e->childNodes;
    my @children = child_elements($e);
    my @sorted = map { $children[$_] }
        sort { $children[$b]->nodeName cmp $children[$a]->nodeName || $a <=> $b } 0 .. $#children;
    my @places = map { my $place = $e->ownerDocument->createComment(''); $e->replaceChild($place, $_); $place }
        @children;
    $e->replaceChild($sorted[$_], $places[$_]) for 0 .. $#sorted;
    sort_children($_) for @sorted;
}

1;
