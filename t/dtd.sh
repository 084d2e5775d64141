#!/bin/sh
# Every document that we send is valid by the DTD version that it names.
dtd=${PUNCHOUT_SHARED:+$PUNCHOUT_SHARED/dtd}
xmllint=${XMLLINT:-xmllint}
if [ -z "$dtd" ] || [ ! -f "$dtd/cXML.dtd" ] || [ ! -f "$dtd/legacy/1.2.014-cXML.dtd" ]; then
    echo "skipped: PUNCHOUT_SHARED does not name a folder that holds dtd/"
    exit 77
fi
if ! command -v "$xmllint" >/dev/null; then
    echo "skipped: there is no xmllint"
    exit 77
fi
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
"${EMIT_DOCUMENTS:?names the program emit_documents}" "$out" || exit 1

bad=0 count=0
for file in "$out"/*.xml; do
    name=${file##*/}
    case $name in
    1.2.014-*) version=$dtd/legacy/1.2.014-cXML.dtd ;;
    1.2.071-*) version=$dtd/cXML.dtd ;;
    *) echo "$name: no DTD for it"; bad=1; continue ;;
    esac
    "$xmllint" --nonet --noout "$file" || { echo "$name is not well-formed"; bad=1; }
    # without its DOCTYPE, which xmllint would try to fetch as well
    sed '/^<!DOCTYPE/d' "$file" | "$xmllint" --nonet --noout --dtdvalid "$version" - || { echo "$name is not valid"; bad=1; }
    grep -q "^<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/${name%%-*}/cXML.dtd\">\$" "$file" \
        || { echo "$name names another DTD"; bad=1; }
    case $name in
    *ascii*) LC_ALL=C grep -q '[^ -~]' "$file" && { echo "$name is not ASCII"; bad=1; } ;;
    esac
    count=$((count + 1))
done
echo "$count documents"
[ "$count" -ge 20 ] || { echo "too few documents were written"; bad=1; }
exit $bad
