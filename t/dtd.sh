#!/bin/sh
# Every document that we send is valid by the DTD version that it names: as each profile wants it, and for each version.
dtd=${PUNCHOUT_SHARED:+$PUNCHOUT_SHARED/dtd}
xmllint=${XMLLINT:-xmllint}
perl=${PERL:-perl}
if [ -z "$dtd" ] || [ ! -f "$dtd/cXML.dtd" ] || [ ! -f "$dtd/legacy/1.1-cXML.dtd" ]; then
    echo "skipped: PUNCHOUT_SHARED does not name a folder that holds dtd/"
    exit 77
fi
if ! command -v "$xmllint" >/dev/null; then
    echo "skipped: there is no xmllint"
    exit 77
fi
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
mkdir "$out/sent" "$out/bare" "$out/Fulfill" "$out/InvoiceDetail"
"${EMIT_DOCUMENTS:?names the program emit_documents}" "$out/sent" || exit 1
bad=0

"$xmllint" --nonet --noout "$out"/sent/*.xml || { echo "not all documents are well-formed"; bad=1; }

# What is held against a DTD: without the DOCTYPE, which xmllint would try to fetch as well, and with an empty cookie,
# since a buyer may put markup into it that no DTD declares.
"$perl" -e '
    my $out = shift;
    my $bad = 0;
    for my $file (@ARGV) {
        my ($name, $version) = $file =~ m{(([^/+]+)\+[^/]*)\z} or die "$file: not a name of ours";
        open my $in, "<:raw", $file or die "$file: $!";
        my $text = do { local $/; <$in> };
        my $folder = $name =~ /\+confirmation/ ? "Fulfill" : $name =~ /\+invoice/ ? "InvoiceDetail" : "bare";
        my $dtd = $folder eq "bare" ? "cXML" : $folder;
        $text =~ s{^<!DOCTYPE cXML SYSTEM "http://xml\.cxml\.org/schemas/cXML/\Q$version\E/$dtd\.dtd">\n}{}m
            or $bad = print "$name names another DTD\n";
        $bad = print "$name is not ASCII\n" if $name =~ /-ascii\+/ && $text =~ /[^\x20-\x7e\s]/;
        $text =~ s{<BuyerCookie>.*</BuyerCookie>}{<BuyerCookie/>}s;
        open my $to, ">:raw", "$out/$folder/$name" or die "$out/$folder/$name: $!";
        print $to $text;
        close $to or die "$out/$folder/$name: $!";
    }
    exit $bad;
' "$out" "$out"/sent/*.xml || bad=1

# valid FILE-OF-DTD VERSION: all documents of that version
valid() {
    set -- "$1" "$2" "$out"/bare/"$2"+*.xml
    [ -f "$3" ] || { echo "there are no documents of $2"; bad=1; return; }
    file=$1 version=$2
    shift 2
    "$xmllint" --nonet --noout --dtdvalid "$file" "$@" || { echo "not all documents of $version are valid by $file"; bad=1; }
}
for version in $(ls "$out/bare" | sed 's/+.*//' | sort -u); do
    case $version in
    1.1.*) valid "$dtd/legacy/1.1-cXML.dtd" "$version" ;;
    1.2.014) valid "$dtd/legacy/1.2.014-cXML.dtd" "$version" ;;
    1.2.063) valid "$dtd/legacy/1.2.063-cXML.dtd" "$version" ;;
    1.2.071) valid "$dtd/cXML.dtd" "$version" ;;
    *)  # its own DTD isn't there: valid by the next one above, and by the one below but for what came between
        valid "$dtd/legacy/1.2.063-cXML.dtd" "$version"
        "$perl" -i -pe 's/ itemClassification="\w+"//g' "$out"/bare/"$version"+*.xml
        valid "$dtd/legacy/1.2.014-cXML.dtd" "$version" ;;
    esac
done

# confirmations: the versions that are not there had the same elements
"$xmllint" --nonet --noout --dtdvalid "$dtd/legacy/1.2.063-Fulfill.dtd" "$out"/Fulfill/*.xml \
    || { echo "not all confirmations are valid by Fulfill.dtd 1.2.063"; bad=1; }
"$xmllint" --nonet --noout --dtdvalid "$dtd/Fulfill.dtd" "$out"/Fulfill/*.xml \
    || { echo "not all confirmations are valid by Fulfill.dtd 1.2.071"; bad=1; }

# invoices: a version whose DTD is not there (1.2.050) is held against the current one
for version in $(ls "$out/InvoiceDetail" | sed 's/+.*//' | sort -u); do
    file=$dtd/legacy/$version-InvoiceDetail.dtd
    [ -f "$file" ] || file=$dtd/InvoiceDetail.dtd
    "$xmllint" --nonet --noout --dtdvalid "$file" "$out"/InvoiceDetail/"$version"+*.xml \
        || { echo "not all invoices of $version are valid by $file"; bad=1; }
done
[ -f "$dtd/legacy/1.2.020-InvoiceDetail.dtd" ] || { echo "the InvoiceDetail.dtd that most buyers want is missing"; bad=1; }

count=$(ls "$out/bare" | wc -l)
echo "$count documents"
[ "$count" -ge 400 ] || { echo "too few documents were written"; bad=1; }
exit $bad
