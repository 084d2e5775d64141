#!/bin/sh
# punchoutctl explain says of each document in t/explain what stands beside it in NAME.txt, whose first line is the exit status.
# After a change on purpose: REWRITE=1 t/punchoutctl.sh, then read the difference.
here=$(cd "${srcdir:-.}/t/explain" && pwd) || exit 1
tool=${PUNCHOUTCTL:?names the program punchoutctl}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cd "$out" || exit 1
cp "$here/config.json" . || exit 1
echo explain-secret > secret
"${MAKE_LEDGER:?names the program make_ledger}" ledger.db https://market.example direct || exit 1
before=$(cksum < ledger.db)

bad=0 count=0
for file in "$here"/*.xml "$here"/*.http; do
    name=${file##*/}
    name=${name%.*}
    "$tool" explain --config config.json --now 2026-11-24T00:00:00+00:00 "$file" > said 2>&1
    { echo "exit status $?"; cat said; } > "$name.txt"
    [ -z "$REWRITE" ] || cp "$name.txt" "$here"
    diff "$here/$name.txt" "$name.txt" || { echo "$name: the above differs"; bad=1; }
    grep -E 'explain-secret|guess-99|token=7|session=9' "$name.txt" && { echo "$name: a secret is shown"; bad=1; }
    count=$((count + 1))
done
echo "$count documents"
[ "$count" -ge 15 ] || { echo "too few documents"; bad=1; }
[ "$before" = "$(cksum < ledger.db)" ] || { echo "the ledger was written"; bad=1; }

# usage: expect STATUS ARGUMENT...
expect() {
    want=$1
    shift
    "$tool" "$@" > said 2>&1
    got=$?
    [ "$got" = "$want" ] || { echo "punchoutctl $*: exit status $got instead of $want"; cat said; bad=1; }
}
setup=$here/setup.xml
expect 0 --help
expect 0 explain --help
expect 2
expect 2 nothing
expect 2 explain
expect 2 explain --config config.json
expect 2 explain --config config.json --now yesterday "$setup"
expect 2 explain --config config.json none.xml
expect 2 explain --config none.json "$setup"
expect 2 explain --config "$setup" "$setup"
expect 2 explain --config config.json --site https://other.example "$setup"
expect 0 explain --config config.json --site https://market.example "$setup"
PUNCHOUT_HTTPD_COMMAND='cat config.json; :' expect 0 explain "$setup"
PUNCHOUT_HTTPD_COMMAND=false expect 2 explain "$setup"
"$tool" explain --config - "$setup" < config.json > said || { echo "a configuration from standard input is not taken"; bad=1; }
"$tool" explain --config config.json - < "$setup" > said || { echo "a document from standard input is not taken"; bad=1; }

# ---- orders, requests, outbox: without httpd -------------------------------------------------------------------------
ctl='--ledger ledger.db --site https://market.example'
expect 0 orders --help
for words in '' 'list extra' 'show' 'release' 'find PO-1' 'list --parked' 'list --wait 1' 'list --nothing' 'refuse PO-1 --reason'; do
    expect 2 orders $words $ctl
done
expect 2 orders list --ledger ledger.db
expect 2 orders list --ledger none.db --site https://market.example
expect 2 orders list --ledger ledger.db --site https://market.example --config config.json
expect 2 requests cancel req-explain000000001 --wait soon $ctl
expect 2 requests show req-explain000000001 --buyer direct $ctl
expect 2 outbox retry $ctl
expect 0 orders list --config config.json --site https://market.example
grep -q '^there is no order$' said || { echo "an empty list is not told"; bad=1; }
expect 0 requests list $ctl --json
expect 0 requests show req-explain000000001 $ctl
grep -q '^charges  *line 1, part off-year, quantity 1, unitPrice 1200.00' said || { echo "a charge is not shown"; cat said; bad=1; }
expect 1 requests show req-none $ctl
expect 1 orders show PO-none $ctl
expect 1 orders release PO-none $ctl
expect 1 outbox drop evt-none $ctl
expect 2 requests cancel req-explain000000001 --wait 0 $ctl
grep -q 'will be carried out as soon as httpd runs' said || { echo "a decision that waits is not told"; cat said; bad=1; }
expect 0 requests show req-explain000000001 $ctl
grep -q '^decisions  *decision 1, what cancel, id req-explain000000001, by [^ ,]*@' said || { echo "it is not kept"; cat said; bad=1; }

mv ledger.db away
expect 0 explain --config config.json "$setup"
grep -q 'ledger.db is not there' said || { echo "a missing ledger is not told"; bad=1; }
[ ! -e ledger.db ] || { echo "a ledger was made"; bad=1; }
exit $bad
