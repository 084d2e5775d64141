#!/bin/sh
# While a hostile document is read no file is opened and no socket made, whatever the document names.
program=${TEST_HOSTILE:-./t/unit/test_hostile}
if ! command -v strace >/dev/null; then
    echo "skipped: there is no strace"
    exit 77
fi
[ -x "$program" ] || { echo "$program is not built"; exit 1; }
trace=$(mktemp) || exit 1
trap 'rm -f "$trace"' EXIT
if ! strace -f -o "$trace" -e trace=%file,%network true; then
    echo "skipped: strace is not allowed to trace here"
    exit 77
fi
strace -f -o "$trace" -e trace=%file,%network "$program" >/dev/null 2>&1
status=$?

# the program marks each reading by access("/reading NAME"), and its end by access("/reading end")
awk '
    /access\("\/reading end"/ { if (name == "") { print "an end without a beginning"; bad = 1 } name = ""; next }
    /access\("\/reading / { name = $0; sub(/.*\/reading /, "", name); sub(/".*/, "", name); readings++; next }
    name != "" { print name ": " $0; bad = 1 }
    END {
        print readings + 0 " readings"
        if (readings < 300) { print "too few documents were read"; bad = 1 }
        exit bad
    }' "$trace" || exit 1
# what it measures is not true below strace, but it must have come to its end
[ "$status" -lt 2 ] || { echo "the program ended with $status"; exit 1; }
