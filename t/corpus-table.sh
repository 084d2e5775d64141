#!/bin/sh
# Makes corpus-table.tsv: what each document of the corpus says, by XPath and without any
# code of this project. usage: PUNCHOUT_SHARED=DIR t/corpus-table.sh > t/corpus-table.tsv
: "${PUNCHOUT_SHARED:?names the folder that holds corpus/}"
: "${XMLLINT:=xmllint}"
cd "$PUNCHOUT_SHARED/corpus" || exit 1
tab=$(printf '\t')
upper=ABCDEFGHIJKLMNOPQRSTUVWXYZ
lower=abcdefghijklmnopqrstuvwxyz

# the value of one XPath expression in $file
value() { "$XMLLINT" --nonet --xpath "$1" "$file" 2>/dev/null; }
# the first of several node sets that says something
first() { for set in "$@"; do v=$(value "normalize-space(($set)[normalize-space()][1])"); [ -n "$v" ] && break; done; printf %s "$v"; }
# an Extrinsic of the setup, its name without case and blanks around it
extrinsic() { printf %s "$setup/Extrinsic[translate(normalize-space(@name), '$upper', '$lower') = '$1']"; }
cell() { line=$line$tab${1:--}; }
credentials() {
    i=1 n=$(value "count(/cXML/Header/$1/Credential)") list=
    while [ "$i" -le "$n" ]; do
        at="/cXML/Header/$1/Credential[$i]"
        list=${list:+$list|}$(value "concat(normalize-space($at/@domain), ':', normalize-space($at/Identity))")
        i=$((i + 1))
    done
    cell "$list"
}
# a number without needless zeros; as text, since XPath's own numbers are floats and make 9.289999999999999 of 9.29
number() { value "normalize-space($1)" | sed -e '/\./s/0*$//' -e 's/\.$//' -e 's/^0*\([0-9]\)/\1/'; }
lines() {
    i=1 n=$(value "count($1)") list=
    while [ "$i" -le "$n" ]; do
        at="$1[$i]" detail="$1[$i]/*[self::ItemDetail or self::BlanketItemDetail]"
        no=$(number "$at/@lineNumber")
        id=$(value "concat(normalize-space($at/ItemID/SupplierPartID), ':', normalize-space($at/ItemID/SupplierPartAuxiliaryID))")
        unit=$(value "concat($detail/UnitPrice/Money/@currency, ':', normalize-space($detail/UnitOfMeasure))")
        list=${list:+$list|}${no:-$i}:$id:$(number "$at/@quantity"):$(number "$detail/UnitPrice/Money"):$unit
        i=$((i + 1))
    done
    cell "$n"
    cell "$list"
}

row() {
    line=$file setup=/cXML/Request/PunchOutSetupRequest header=/cXML/Request/OrderRequest/OrderRequestHeader
    cart=/cXML/Message/PunchOutOrderMessage
    if ! "$XMLLINT" --nonet --noout "$file" 2>/dev/null; then
        cell 406
        for _ in kind payloadID from to sender; do cell; done
        cell 0
        for _ in operation cookie URL user email name selected id type version refers total currency; do cell; done
        cell 0
        for _ in lines orderType agreement; do cell; done
        echo "$line"
        return
    fi
    kind=$(value "name((/cXML/Request/* | /cXML/Message/* | /cXML/Response)[1])")
    if [ -n "$kind" ]; then cell ok; else cell 406; fi
    cell "$kind"
    cell "$(value 'string(/cXML/@payloadID)')"
    credentials From
    credentials To
    credentials Sender
    cell "$(value "number(/cXML/Request/@deploymentMode = 'test')")"
    cell "$(value "string($setup/@operation)")"
    cell "$(value "string(($setup | $cart)/BuyerCookie)")"
    cell "$(value "normalize-space($setup/BrowserFormPost/URL)")"
    cell "$(first "$(extrinsic user)" "$(extrinsic uniquename)" "$(extrinsic username)")"
    cell "$(first "$(extrinsic useremail)" "$(extrinsic email)" "$setup/Contact/Email" "$setup/ShipTo/Address/Email")"
    both=$(value "normalize-space(concat($(extrinsic firstname), ' ', $(extrinsic lastname)))")
    cell "${both:-$(first "$(extrinsic name)" "$(extrinsic userfullname)" "$(extrinsic userprintablename)" "$setup/Contact/Name")}"
    cell "$(value "normalize-space($setup/SelectedItem/ItemID/SupplierPartID)")"
    cell "$(value "string($header/@orderID)")"
    cell "$(value "string($header/@type)")"
    cell "$(value "string($header/@orderVersion)")"
    cell "$(value "string(($header | /cXML/Request/StatusUpdateRequest)/DocumentReference/@payloadID)")"
    total="($header | $cart/PunchOutOrderMessageHeader)/Total/Money"
    cell "$(number "$total")"
    cell "$(value "string($total/@currency)")"
    lines "/cXML/*/*/*[self::ItemOut or self::ItemIn]"
    cell "$(value "string($header/@orderType)")"
    cell "$(first "$header/@parentAgreementID" "$header/@agreementID")"
    echo "$line"
}

echo "file${tab}result${tab}kind${tab}payloadID${tab}from${tab}to${tab}sender${tab}test${tab}operation${tab}buyer cookie${tab}\
return URL${tab}user${tab}email${tab}name${tab}selected part${tab}order id${tab}order type${tab}version${tab}refers to${tab}\
total${tab}currency${tab}number of lines${tab}lines${tab}orderType${tab}agreement"
for file in posr-*.xml order-*.xml synthetic/*.xml synthetic/*.mime profile-request-*.xml status*.xml ship-notice-*.xml \
    invoice-*.xml poom-*.xml posresp-*.xml profile-response-*.xml response-*.xml getpending-*.xml index-*.xml; do
    row
done
