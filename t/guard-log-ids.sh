#!/bin/sh
# Every log message of the module has an id "PO0123:", and no id stands in two places.
src=${srcdir:-.}
ids=$(grep -ohE '"PO[0-9]{4}:' "$src"/mod_punchout.c "$src"/src/*/*.c | sort)
[ -n "$ids" ] || { echo "no log ids found below $src/src"; exit 1; }
twice=$(echo "$ids" | uniq -d)
[ -z "$twice" ] || { echo "ids used twice:"; for id in $twice; do grep -nF "$id" "$src"/src/*/*.c; done; exit 1; }
# a call without an id (src/config/report.c logs texts that begin with theirs): the message begins within the three lines of the call
missing=$(awk 'FNR==1 { call=0 }
    /ap_log_r?error\(/ { call=FNR; text=""; file=FILENAME }
    call && FNR-call<4 { text=text $0; if (/;[ \t]*$/) { if (text !~ /"PO[0-9][0-9][0-9][0-9]:|"%s", l->text/) print file ":" call; call=0 } }' "$src"/src/*/*.c)
[ -z "$missing" ] || { echo "log messages without an id:"; echo "$missing"; exit 1; }
