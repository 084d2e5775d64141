#!/bin/sh
# Each room includes those above it only, and the pure ones know no httpd (docs/architecture.md).
src=${srcdir:-.}/src
rooms="core cxml market ledger config session delivery handlers"
bad=0
for room in core cxml market ledger; do
    grep -nE '#include[[:space:]]*[<"](httpd|http_[a-z]+|ap_[a-z_]+|mod_[a-z_]+|util_[a-z_]+|unixd)\.h' "$src/$room"/*.[ch] && bad=1
done
above=""
for room in $rooms; do
    above="$above $room"
    for other in $rooms; do
        case " $above " in *" $other "*) continue ;; esac
        grep -nE "#include[[:space:]]*\"$other/" "$src/$room"/*.[ch] && bad=1
    done
    # what a room offers is its one header; a private one stays inside
    grep -lE "#include[[:space:]]*\"$room/" -r "$src" --include='*.[ch]' | grep -v "^$src/$room/" | while read -r file; do
        grep -nE "#include[[:space:]]*\"$room/" "$file" | grep -vE "\"$room/$room\.h\"" | sed "s|^|$file:|"
    done | grep . && bad=1
done
# tools link libpunchout.la alone
grep -nE '#include[[:space:]]*[<"]((httpd|http_[a-z]+|ap_[a-z_]+|mod_[a-z_]+|util_[a-z_]+|unixd)\.h|(config|session|delivery|handlers)/)' \
    "$src"/../tools/*.[ch] && bad=1
[ $bad = 0 ] || echo "the includes above go against the order of the rooms"
exit $bad
