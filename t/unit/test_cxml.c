/* test_cxml.c - what the reader understands of requests, what it refuses and how. */
#include "cxml_fixture.h"
#include "not_money.h"

static po_crypto *crypto;

static int start(void **state)
{
    return group_setup(state) || !(crypto = po_crypto_create());
}

static int stop(void **state)
{
    po_crypto_destroy(crypto);
    return group_teardown(state);
}

static po_cxml_item *item_at(int i)
{
    return &APR_ARRAY_IDX(doc.order->items, i, po_cxml_item);
}

/* text n times */
static const char *times(const char *text, int n)
{
    po_buffer b;

    po_buffer_init(&b, pool, 1024);
    while (n-- > 0)
        po_buffer_str(&b, text);
    return po_buffer_text(&b);
}

/* ---- understood ----------------------------------------------------------------------------------------------- */

static void identities_are_trimmed_and_urls_unescaped(void **state)
{
    reads(DOCUMENT("c", ""));
    assert_int_equal(doc.kind, PO_CXML_SETUP);
    assert_string_equal(doc.from.cred[0].identity, "buyer-1");
    assert_string_equal(doc.setup->return_url, "https://buyer.example/r?a=1&b=2");
    assert_string_equal(doc.shared_secret, "s3cret");
    assert_string_equal(doc.payload_id, "p-1");
    assert_false(doc.test);
}

static void ampersands_in_attributes_are_what_they_say(void **state)
{
    reads("<cXML payloadID=\"a&amp;b&#38;c&amp;#38;d&lt;&quot;\"><Request><ProfileRequest/></Request></cXML>");
    assert_string_equal(doc.payload_id, "a&b&c&#38;d<\"");
}

static void a_comment_or_cdata_does_not_split_a_secret(void **state)
{
    reads(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>se<!-- x -->cr"
          "<![CDATA[et]]></SharedSecret></Credential></Sender></Header>" SETUP("c", "") "</cXML>");
    assert_string_equal(doc.shared_secret, "secret");
}

static void every_credential_is_kept_in_order(void **state)
{
    reads(OPEN "<Header><From><Credential domain=\" NetworkID \"><Identity>AN1</Identity></Credential>"
          "<Credential domain=\"VendorID\" type=\"marketplace\"><Identity>100</Identity></Credential></From></Header>"
          SETUP("c", "") "</cXML>");
    assert_int_equal(doc.from.count, 2);
    assert_string_equal(doc.from.cred[0].domain, "NetworkID");
    assert_string_equal(doc.from.cred[1].domain, "VendorID");
    assert_string_equal(doc.from.cred[1].identity, "100");
    assert_null(doc.shared_secret);
}

static void only_the_senders_secret_counts(void **state)
{
    reads(OPEN "<Header><From><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>other</SharedSecret>"
          "</Credential></From></Header>" SETUP("c", "") "</cXML>");
    assert_null(doc.shared_secret);
}

static void elements_are_read_in_any_order(void **state)
{
    reads(OPEN "<Request deploymentMode=\"test\"><PunchOutSetupRequest operation=\"create\"><BrowserFormPost><URL>"
          "https://b/</URL></BrowserFormPost><Unknown><BuyerCookie>no</BuyerCookie></Unknown>"
          "<Contact role=\"endUser\"><Email>c@b.example</Email></Contact><BuyerCookie>bc</BuyerCookie>"
          "</PunchOutSetupRequest></Request>" HEADER "</cXML>");
    assert_string_equal(doc.setup->buyer_cookie, "bc");
    assert_string_equal(doc.setup->email, "c@b.example");
    assert_string_equal(doc.sender.cred[0].identity, "buyer-1");
    assert_true(doc.test);
}

/* What a procurement system means by "staging" can't be known; a real subscription must not come of it. */
static void an_unknown_deployment_mode_is_test(void **state)
{
    reads(OPEN "<Request deploymentMode=\"staging\"><ProfileRequest/></Request></cXML>");
    assert_true(doc.test);
    reads(OPEN "<Request deploymentMode=\" Production \"><ProfileRequest/></Request></cXML>");
    assert_true(doc.kind == PO_CXML_PROFILE && !doc.test);
}

static void the_shoppers_names_have_an_order(void **state)
{
    reads(DOCUMENT("c", "<Extrinsic name=\"UserName\">third</Extrinsic><Extrinsic name=\"UniqueName\">second"
                   "</Extrinsic><Extrinsic name=\"User\"> </Extrinsic><Extrinsic name=\"UserFullName\">Full"
                   "</Extrinsic>"));
    assert_string_equal(doc.setup->user, "second");
    assert_string_equal(doc.setup->user_name, "Full");
    reads(DOCUMENT("c", "<Contact role=\"buyer\"><Name xml:lang=\"en\">B</Name></Contact><Contact role=\"endUser\">"
                        "<Name xml:lang=\"en\">E</Name></Contact><ShipTo><Address><Email>s@b.example</Email></Address>"
                        "</ShipTo><Extrinsic name=\"LastName\">L</Extrinsic>"));
    assert_string_equal(doc.setup->user_name, "L");
    assert_string_equal(doc.setup->contact->name, "E");
    assert_string_equal(doc.setup->email, "s@b.example");
    reads(DOCUMENT("c", "<Contact><Name xml:lang=\"en\">N</Name></Contact>"));
    assert_string_equal(doc.setup->user_name, "N");
}

static void an_address_is_read_whole(void **state)
{
    const po_cxml_address *a;

    reads(DOCUMENT("c", "<ShipTo><Address addressID=\"A1\"><Name xml:lang=\"en\">Acme</Name><PostalAddress><DeliverTo>"
                        "J</DeliverTo><DeliverTo/><DeliverTo>M-5</DeliverTo><Street>1 St</Street><City>X</City><State>"
                        "CA</State><PostalCode>904</PostalCode><Country isoCountryCode=\"US\">States</Country>"
                        "</PostalAddress><Phone><TelephoneNumber><CountryCode isoCountryCode=\"DE\">1</CountryCode>"
                        "<Number>55</Number></TelephoneNumber></Phone><Fax><TelephoneNumber><Number>66</Number>"
                        "</TelephoneNumber></Fax></Address></ShipTo>"));
    a = doc.setup->ship_to;
    assert_string_equal(apr_pstrcat(pool, a->id, "|", a->name, "|", a->deliver_to, "|", a->street, "|", a->city, "|",
                                    a->state, "|", a->postal_code, "|", a->country, "|", a->phone, NULL),
                        "A1|Acme|J, M-5|1 St|X|CA|904|US|55");
}

static void the_shopper_is_found_in_extrinsics_of_any_case(void **state)
{
    reads(DOCUMENT("c", "<Extrinsic name=\"useremail \">i@b.example</Extrinsic><Extrinsic name=\"USER\">ines"
                   "</Extrinsic><Extrinsic name=\"FirstName\">Ines</Extrinsic><Extrinsic name=\"LastName\">Okafor"
                   "</Extrinsic>"));
    assert_string_equal(doc.setup->user, "ines");
    assert_string_equal(doc.setup->email, "i@b.example");
    assert_string_equal(doc.setup->user_name, "Ines Okafor");
}

static void a_line_without_number_counts_by_position(void **state)
{
    reads(ORDER("10.00", ITEM("1", "4.00") ITEM("2", "3.00")));
    assert_int_equal(doc.order->items->nelts, 2);
    assert_int_equal(APR_ARRAY_IDX(doc.order->items, 1, po_cxml_item).line, 2);
    assert_string_equal(doc.order->type, "new");
}

static void a_line_number_with_zeros_before_it_is_a_number(void **state)
{
    reads(ORDER("10.00", "<ItemOut quantity=\"1\" lineNumber=\"00010\"/>"
                "<ItemOut quantity=\"2.50\" lineNumber=\"x\"/>"));
    assert_int_equal(item_at(0)->line, 10);
    assert_int_equal(item_at(1)->line, 2);
    is_number(&item_at(1)->quantity, "2.5");
    assert_false(item_at(0)->has_price);
    assert_null(item_at(0)->part);
}

static void a_blanket_line_is_read_like_another(void **state)
{
    reads(ORDER("10.00", "<ItemOut quantity=\"1\"><BlanketItemDetail><Description xml:lang=\"en\">Usage</Description>"
                "<UnitPrice><Money currency=\"EUR\">0.0925</Money></UnitPrice><UnitOfMeasure>HUR</UnitOfMeasure>"
                "</BlanketItemDetail></ItemOut>"));
    assert_true(item_at(0)->has_price);
    is_number(&item_at(0)->unit_price, "0.0925");
    assert_string_equal(item_at(0)->currency, "EUR");
    assert_string_equal(item_at(0)->unit, "HUR");
    assert_string_equal(item_at(0)->description, "Usage");
}

static void a_short_name_counts_only_alone(void **state)
{
    reads(ORDER("1", "<ItemOut quantity=\"1\"><ItemDetail><Description xml:lang=\"en\">\n<ShortName>Short</ShortName>"
                " Long one\n</Description></ItemDetail></ItemOut><ItemOut quantity=\"1\"><ItemDetail>"
                "<Description xml:lang=\"en\"> <ShortName>Short</ShortName> </Description></ItemDetail></ItemOut>"));
    assert_string_equal(item_at(0)->description, "Long one");
    assert_string_equal(item_at(1)->description, "Short");
}

static void accounting_and_extrinsics_of_a_line_are_read(void **state)
{
    const po_cxml_extrinsic *x;

    reads(ORDER("1", "<ItemOut quantity=\"1\" requisitionID=\"R1\"><ItemDetail><Classification domain=\"custom\">0"
                     "</Classification><Classification domain=\"unspsc\">43232701</Classification>"
                     "<Extrinsic name=\"LineType\">S<b>er</b>vice</Extrinsic></ItemDetail><Distribution>"
                     "<Accounting name=\"a\"><Segment type=\"CC\" id=\"c50\"/><AccountingSegment id=\"400\">"
                     "<Name xml:lang=\"en\"> GL </Name><Description xml:lang=\"en\">ID</Description>"
                     "</AccountingSegment></Accounting></Distribution></ItemOut>"));
    assert_string_equal(item_at(0)->requisition, "R1");
    assert_string_equal(item_at(0)->unspsc, "43232701");
    x = &APR_ARRAY_IDX(item_at(0)->extrinsics, 0, po_cxml_extrinsic);
    assert_string_equal(join(x->name, "=", x->value), "LineType=Service");
    x = &APR_ARRAY_IDX(item_at(0)->accounting, 0, po_cxml_extrinsic);
    assert_string_equal(join(x[0].name, "=", x[0].value), "CC=c50");
    assert_string_equal(join(x[1].name, "=", x[1].value), "GL=400");
}

static void a_status_update_is_read(void **state)
{
    reads(OPEN HEADER "<Request><StatusUpdateRequest><DocumentReference payloadID=\"p-0\"/>"
          "<Status code=\"200\" text=\"OK\"> Accepted </Status></StatusUpdateRequest></Request></cXML>");
    assert_int_equal(doc.kind, PO_CXML_STATUS_UPDATE);
    assert_string_equal(doc.status_update->refers_to, "p-0");
    assert_string_equal(doc.status_update->code, "200");
    assert_string_equal(doc.status_update->text, "Accepted");
}

static void a_credential_of_the_marketplace_is_marked(void **state)
{
    reads(OPEN "<Header><From><Credential domain=\"NetworkID\"><Identity>AN1</Identity></Credential>"
          "<Credential domain=\"VendorID\" type=\"Marketplace\"><Identity>100</Identity></Credential></From></Header>"
          SETUP("c", "") "</cXML>");
    assert_false(doc.from.cred[0].marketplace);
    assert_true(doc.from.cred[1].marketplace);
}

#define MAC(value) \
    "<CredentialMac type=\"FromSenderCredentials\" algorithm=\"HMAC-SHA1-96\" " \
    "creationDate=\"2003-01-15T08:42:46-08:00\" expirationDate=\"2003-01-15T11:42:46-08:00\">" value "</CredentialMac>"

static void the_mac_of_the_sender_is_read_as_written(void **state)
{
    reads(OPEN "<Header><From><Credential domain=\"D\"><Identity>i</Identity>" MAC("other") "</Credential></From>"
          "<Sender>"
          "<Credential domain=\"A\"><Identity>i</Identity></Credential><Credential domain=\"B\"><Identity>i</Identity>"
          MAC(" cR6Jpz58nriXERDN\n") "</Credential></Sender></Header>" SETUP("c", "") "</cXML>");
    assert_string_equal(doc.mac->type, "FromSenderCredentials");
    assert_string_equal(doc.mac->algorithm, "HMAC-SHA1-96");
    assert_string_equal(doc.mac->created, "2003-01-15T08:42:46-08:00");
    assert_string_equal(doc.mac->expires, "2003-01-15T11:42:46-08:00");
    assert_string_equal(doc.mac->value, "cR6Jpz58nriXERDN");
    assert_int_equal(doc.mac->credential, 1);
    assert_null(doc.shared_secret);
    refuses(OPEN "<Header><Sender><Credential domain=\"A\">" MAC("x") MAC("x") "</Credential></Sender></Header>"
            SETUP("c", "") "</cXML>", 400);
}

static void what_hubs_add_to_the_header_is_ignored(void **state)
{
    reads(OPEN "<Header><From><Credential domain=\"D\"><Identity>i</Identity><DigitalSignature type=\"PK7\"><Identity>x"
          "</Identity></DigitalSignature></Credential><Correspondent><Contact><Name>n</Name></Contact></Correspondent>"
          "</From><Path><Node type=\"copy\"><Credential domain=\"D\"><Identity>y</Identity></Credential></Node></Path>"
          "<OriginalDocument payloadID=\"o-1\"/><Sender><Credential domain=\"D\"><Identity>s</Identity></Credential>"
          "<UserAgent>Hub <b>1</b></UserAgent></Sender></Header>" SETUP("c", "") "</cXML>");
    assert_int_equal(doc.from.count, 1);
    assert_string_equal(doc.from.cred[0].identity, "i");
    assert_string_equal(doc.sender.cred[0].identity, "s");
    assert_string_equal(doc.user_agent, "Hub 1");
    assert_string_equal(doc.payload_id, "p-1");
}

static const char *found(const char *const *user, const char *const *email, const char *const *name, const char *text)
{
    po_user_map map = { NULL, NULL, NULL };
    const char *const *lists[3] = { user, email, name };
    const apr_array_header_t **into[3] = { &map.user, &map.email, &map.name };
    int i, k;

    for (i = 0; i < 3; i++)
        if (lists[i]) {
            apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));

            for (k = 0; lists[i][k]; k++)
                APR_ARRAY_PUSH(list, const char *) = lists[i][k];
            *into[i] = list;
        }
    reads(text);
    po_cxml_find_user(doc.setup, &map, pool);
    return apr_pstrcat(pool, doc.setup->user ? doc.setup->user : "-", "|",
        doc.setup->email ? doc.setup->email : "-", "|",
                       doc.setup->user_name ? doc.setup->user_name : "-", NULL);
}

static void a_buyers_own_list_says_where_the_shopper_is_found(void **state)
{
    static const char *const user[] = { "Nothing", "employeeid", NULL }, *const email[] = { "Contact/Email", NULL };
    static const char *const name[] = { "Contact/Nothing", "shipto/deliverto", "Contact/Name", NULL };
    static const char *const ship[] = { "ShipTo/Name", "ShipTo/Email", NULL }, *const none[] = { "Nothing", NULL };
    static const char text[] = DOCUMENT("c", "<Extrinsic name=\" EmployeeID \">e7</Extrinsic><Extrinsic name=\"User\">u"
        "</Extrinsic><Extrinsic name=\"UserEmail \">x@b.example</Extrinsic><Contact><Name>N</Name><Email>c@b.example"
        "</Email></Contact><ShipTo><Address><Name>Dock</Name><PostalAddress><DeliverTo>Ines</DeliverTo></PostalAddress>"
        "</Address></ShipTo>");

    assert_string_equal(found(user, email, name, text), "e7|c@b.example|Ines");
    assert_string_equal(found(user, NULL, NULL, text), "e7|x@b.example|N");
    assert_string_equal(found(NULL, ship, ship, text), "u|Dock|Dock");
    assert_string_equal(found(none, none, none, text), "-|-|-");
    assert_string_equal(found(none, ship, email, DOCUMENT("c", "")), "-|-|-");
}

static void a_blanket_order_and_its_release_are_read(void **state)
{
    reads(OPEN "<Request><OrderRequest><OrderRequestHeader orderID=\"BPO-1\" orderType=\"blanket\" "
          "releaseRequired=\"yes\" agreementID=\"A-2\"/><ItemOut quantity=\"1\" isAdHoc=\"yes\">"
          "<ItemID><SupplierPartID>p</SupplierPartID></ItemID>"
          "<BlanketItemDetail><Description>d</Description><MaxAmount><Money currency=\"EUR\">5000.50</Money>"
          "</MaxAmount>"
          "<UnitPrice><Money currency=\"USD\">2</Money></UnitPrice></BlanketItemDetail></ItemOut>"
          "<ItemOut quantity=\"2\"/>"
          "</OrderRequest></Request></cXML>");
    assert_string_equal(doc.order->order_type, "blanket");
    assert_string_equal(doc.order->agreement, "A-2");
    assert_true(doc.order->release_required);
    assert_true(item_at(0)->has_detail && item_at(0)->ad_hoc && item_at(0)->has_max_amount && item_at(0)->has_price);
    is_number(&item_at(0)->max_amount, "5000.5");
    assert_string_equal(item_at(0)->max_currency, "EUR");
    assert_string_equal(item_at(0)->currency, "USD");
    assert_true(!item_at(1)->has_detail && !item_at(1)->ad_hoc && !item_at(1)->has_max_amount && item_at(1)->line == 2);
    reads(OPEN "<Request><OrderRequest><OrderRequestHeader orderID=\"R\" orderType=\"release\" "
          "parentAgreementID=\"BPO-1\" agreementID=\"A-2\"/><ItemOut quantity=\"1\"/></OrderRequest></Request></cXML>");
    assert_string_equal(doc.order->agreement, "BPO-1");
    assert_false(doc.order->release_required);
}

static void a_status_update_is_read_in_any_order(void **state)
{
    reads(OPEN HEADER "<Request><StatusUpdateRequest><DocumentStatus type=\"approved\">"
          "<DocumentReference payloadID=\"no\"/>"
          "</DocumentStatus><Status code=\"201\" text=\"Accepted\">a<b>b</b></Status><PaymentStatus/>"
          "<DocumentReference payloadID=\"p-0\"/><Extrinsic name=\"x\">y</Extrinsic></StatusUpdateRequest>"
          "</Request></cXML>");
    assert_string_equal(doc.status_update->refers_to, "p-0");
    assert_string_equal(doc.status_update->code, "201");
    assert_string_equal(doc.status_update->text, "ab");
}

/* Nowhere in what was understood. */
static void no_card(const char *text)
{
    po_buffer b;
    int i;

    reads(text);
    po_buffer_init(&b, pool, 256);
    for (i = 0; doc.order->extrinsics && i < doc.order->extrinsics->nelts; i++)
        po_buffer_str(&b, APR_ARRAY_IDX(doc.order->extrinsics, i, po_cxml_extrinsic).value);
    for (i = 0; item_at(0)->extrinsics && i < item_at(0)->extrinsics->nelts; i++)
        po_buffer_str(&b, APR_ARRAY_IDX(item_at(0)->extrinsics, i, po_cxml_extrinsic).value);
    po_buffer_str(&b, item_at(0)->description);
    if (doc.order->contact)
        po_buffer_str(&b, doc.order->contact->name);
    assert_null(strstr(po_buffer_text(&b), "4111"));
}

#define CARD(element) \
    "<" element " number=\"4111111111111111\"><Name>4111111111111111</Name><Extrinsic name=\"x\">4111111111111111" \
    "</Extrinsic>4111111111111111</" element ">"
#define CARDS CARD("PCard") CARD("Payment") CARD("PaymentToken") CARD("PaymentReference")

static void card_data_is_read_nowhere(void **state)
{
    no_card(OPEN HEADER "<Request><OrderRequest>" CARDS "<OrderRequestHeader orderID=\"PO-1\">" CARDS
            "<Contact>" CARDS "<Name>n</Name></Contact><Extrinsic name=\"a\">before" CARDS "behind</Extrinsic>"
            "</OrderRequestHeader>"
            "<ItemOut quantity=\"1\">" CARDS "<ItemDetail>" CARDS "<Description>d" CARDS "</Description>"
            "<Extrinsic name=\"b\">"
            CARDS "</Extrinsic></ItemDetail></ItemOut></OrderRequest></Request></cXML>");
    assert_string_equal(APR_ARRAY_IDX(doc.order->extrinsics, 0, po_cxml_extrinsic).value, "beforebehind");
    assert_string_equal(item_at(0)->description, "d");
    assert_string_equal(doc.order->contact->name, "n");
}

static void card_data_may_lie_as_deep_as_anything(void **state)
{
    reads(apr_pstrcat(pool, OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\">", times("<PCard>", 90),
                      times("</PCard>", 90), "<Extrinsic name=\"a\">b</Extrinsic></OrderRequestHeader>",
                      ITEM("1", "4.00") "</OrderRequest></Request></cXML>", NULL));
    assert_string_equal(APR_ARRAY_IDX(doc.order->extrinsics, 0, po_cxml_extrinsic).value, "b");
    assert_string_equal(item_at(0)->part, "off-1");
}

static void requests_that_are_not_carried_out_are_named(void **state)
{
    static const char *const names[] = { "GetPendingRequest", "SubscriptionListRequest", "ProviderSetupRequest",
                                         "CatalogUploadRequest", "x-new" };
    int i;

    for (i = 0; i < 5; i++) {
        reads(apr_pstrcat(pool, OPEN HEADER "<Request><", names[i], "><BuyerCookie>c</BuyerCookie><ItemOut/></",
              names[i],
                          "></Request></cXML>", NULL));
        assert_int_equal(doc.kind, PO_CXML_OTHER);
        assert_string_equal(doc.request, names[i]);
    }
    reads(OPEN HEADER "<Message><SubscriptionChangeMessage/></Message></cXML>");
    assert_int_equal(doc.kind, PO_CXML_OTHER);
    assert_null(doc.order_message);
}

static void elements_that_nobody_knows_are_ignored_wherever_they_stand(void **state)
{
    reads(OPEN "<x:y xmlns:x=\"u\"><Request/></x:y>" HEADER "<Zz/><Request>"
          "<PunchOutSetupRequest operation=\"create\"><Zz><Contact>"
          "<Email>no</Email></Contact></Zz><BuyerCookie>bc</BuyerCookie><Contact><Zz><Email>no</Email></Zz><Email>c@b"
          "<Zz/>.example</Email></Contact><BrowserFormPost><Zz/><URL>https://b.example/</URL></BrowserFormPost>"
          "<ItemOut "
          "quantity=\"1\"><Zz><ItemID><SupplierPartID>no</SupplierPartID></ItemID></Zz><ItemID><Zz/><SupplierPartID>p"
          "</SupplierPartID></ItemID></ItemOut></PunchOutSetupRequest></Request><Zz/></cXML>");
    assert_string_equal(doc.setup->email, "c@b.example");
    assert_string_equal(APR_ARRAY_IDX(doc.setup->items, 0, po_cxml_item).part, "p");
}

static void names_that_mean_nothing_are_counted_when_asked(void **state)
{
    apr_hash_t *names = apr_hash_make(pool);

    po_cxml_reader_note_ignored(reader, names);
    reads(DOCUMENT("<In/>", "<Zz/><Zz><Yy/></Zz>"));
    po_cxml_reader_note_ignored(reader, NULL);
    assert_int_equal(apr_hash_count(names), 2);
    assert_int_equal(*(int *)apr_hash_get(names, "Zz", APR_HASH_KEY_STRING), 2);
}

static void an_answer_to_a_document_of_ours_is_read(void **state)
{
    reads("<cXML payloadID=\"r\"><Response><Status code=\"417\" text=\"Expectation Failed\">Unknown <b>PO</b></Status>"
          "<GetPendingResponse><cXML><Response><Status code=\"200\"/></Response></cXML></GetPendingResponse>"
          "</Response></cXML>");
    assert_int_equal(doc.kind, PO_CXML_RESPONSE);
    assert_string_equal(doc.response->code, "417");
    assert_string_equal(doc.response->text, "Expectation Failed");
    assert_string_equal(doc.response->detail, "Unknown PO");
    refuses("<cXML><Response><Status code=\"200\"/><Status code=\"500\"/></Response></cXML>", 400);
    refuses("<cXML><Response><Status code=\"200\"/></Response><Response><Status code=\"500\"/></Response></cXML>", 400);
    refuses(OPEN HEADER SETUP("c", "") "<Message><PunchOutOrderMessage/></Message></cXML>", 400);
    refuses(OPEN "<Message><PunchOutOrderMessage/><PunchOutOrderMessage/></Message></cXML>", 400);
}

/* ---- refused -------------------------------------------------------------------------------------------------- */

static void what_is_no_whole_document_is_not_acceptable(void **state)
{
    static const char nul[] = DOCUMENT("c", "") "\0x";

    refuses("", 406);
    refuses(" \n", 406);
    refuses("hello", 406);
    refuses("<html/>", 406);
    refuses(OPEN HEADER, 406);
    refuses(DOCUMENT("c", "") "x", 406);
    refuses("<!DOCTYPE cXML SYSTEM \"cXML.dtd\">" OPEN "<a></b></cXML>", 406);
    assert_int_not_equal(read_bytes(nul, sizeof(nul) - 1), APR_SUCCESS);
    assert_int_equal(doc.status, 406);
}

static void entities_and_declarations_are_not_acceptable(void **state)
{
    refuses("<!DOCTYPE cXML [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" DOCUMENT("&x;", ""), 406);
    refuses("<!DOCTYPE cXML [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/\"> %x;]>" DOCUMENT("c", ""), 406);
    refuses("<!DOCTYPE cXML [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" DOCUMENT("&b;", ""), 406);
    refuses("<!DOCTYPE cXML [<!ATTLIST cXML x CDATA \"y\">]>" DOCUMENT("c", ""), 406);
    refuses("<!DOCTYPE cXML SYSTEM \"cXML.dtd\">" DOCUMENT("&nothing;", ""), 406);
    reads("<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd\">" DOCUMENT("c", ""));
}

static void an_entity_in_an_attribute_is_not_acceptable(void **state)
{
    refuses("<!DOCTYPE cXML SYSTEM \"x.dtd\"><cXML payloadID=\"a&nothing;b\">" SETUP("c", "") "</cXML>", 406);
    assert_non_null(strstr(doc.why, "entities"));
}

static void a_billion_laughs_end_at_the_first_declaration(void **state)
{
    refuses("<!DOCTYPE cXML [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
            "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
            "]>\n" DOCUMENT("&d;", ""), 406);
    assert_non_null(strstr(doc.why, "line 1:"));
    refuses("<!DOCTYPE cXML [<!NOTATION n SYSTEM \"x\">]>" DOCUMENT("c", ""), 406);
    refuses("<!DOCTYPE cXML [<!ELEMENT cXML ANY>]>" DOCUMENT("c", ""), 406);
}

static void every_truncation_is_not_acceptable(void **state)
{
    static const char text[] = DOCUMENT("c&amp;<i a=\"1\"/>", "");
    apr_size_t len;

    for (len = 0; len < sizeof(text) - 1; len++) {
        assert_int_not_equal(read_bytes(text, len), APR_SUCCESS);
        assert_int_equal(doc.status, 406);
    }
}

static void what_comes_twice_is_not_merged(void **state)
{
    refuses(OPEN HEADER HEADER SETUP("c", "") "</cXML>", 400);
    refuses(OPEN "<Header><From><Credential domain=\"D\"><Identity>a</Identity></Credential></From><From>"
            "<Credential domain=\"D\"><Identity>b</Identity></Credential></From>"
            "</Header>" SETUP("c", "") "</cXML>", 400);
    refuses(DOCUMENT("c", "<BuyerCookie>d</BuyerCookie>"), 400);
    refuses(DOCUMENT("c", "<BrowserFormPost><URL>https://other.example/</URL></BrowserFormPost>"), 400);
    refuses(ORDER("1", "<OrderRequestHeader orderID=\"PO-2\"/>" ITEM("1", "1")), 400);
    refuses(ORDER("1</Money><Money currency=\"USD\">2", ITEM("1", "1")), 400);
}

static void markup_in_a_text_is_a_bad_request(void **state)
{
    refuses(OPEN "<Header><From><Credential domain=\"D\"><Identity>a<b>c</b></Identity></Credential></From></Header>"
            "</cXML>", 400);
    assert_non_null(strstr(doc.why, "Identity"));
    refuses(ORDER("<b>1</b>", ITEM("1", "1")), 400);
    refuses(DOCUMENT("c", "<SelectedItem><ItemID><SupplierPartID>a<b/></SupplierPartID></ItemID></SelectedItem>"), 400);
}

static void a_refusal_names_element_and_line(void **state)
{
    refuses(ORDER("1", "\n\n" ITEM("1", "4,00")), 400);
    assert_string_equal(doc.why, "line 4: the Money of UnitPrice is not a plain decimal number");
    refuses(ORDER("1", "\n" ITEM("1e3", "4")), 400);
    assert_string_equal(doc.why, "line 3: the quantity of ItemOut is missing or not a plain decimal number");
    assert_string_equal(doc.payload_id, "p-1");         /* what was understood stays, for the log */
    assert_string_equal(doc.sender.cred[0].identity, "buyer-1");
    refuses(ORDER("1", "<ItemOut/>"), 400);
    refuses(ORDER("1", "<ItemOut quantity=\"1\"><ItemDetail><UnitPrice><Money>1</Money></UnitPrice></ItemDetail>"
                  "</ItemOut>"), 400);
    refuses("<cXML>\n<a>\n</cXML>", 406);
    assert_string_equal(doc.why, "line 3: the document is not well-formed XML");
}

static void credentials_are_counted(void **state)
{
    const char *one = "<Credential domain=\"D\"><Identity>i</Identity></Credential>";

    reads(join(OPEN "<Header><From>", times(one, PO_PARTY_MAX), "</From></Header>" SETUP("c", "") "</cXML>"));
    assert_int_equal(doc.from.count, PO_PARTY_MAX);
    refuses(join(OPEN "<Header><From>", times(one, PO_PARTY_MAX + 1), "</From></Header>" SETUP("c", "") "</cXML>"),
                 400);
}

static void elements_and_depth_have_a_limit(void **state)
{
    reads(join(OPEN HEADER "<Request><ProfileRequest/></Request>", times("<a/>", 40000), "</cXML>"));
    refuses(join(OPEN HEADER "<Request><ProfileRequest/></Request>", times("<a/>", 50000), "</cXML>"), 400);
    reads(join(OPEN "<Request><ProfileRequest>", join(times("<a>", 97), times("</a>", 97), ""),
               "</ProfileRequest></Request></cXML>"));
    refuses(join(OPEN "<Request><ProfileRequest>", join(times("<a>", 98), times("</a>", 98), ""),
                 "</ProfileRequest></Request></cXML>"), 400);
    refuses(join(OPEN "<Request><PunchOutSetupRequest><BuyerCookie>", times("<a>", 200), ""), 400);
}

static void texts_have_a_limit(void **state)
{
    reads(join(OPEN HEADER "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie>",
               times("0123456789abcdef", 1024),
               "</BuyerCookie></PunchOutSetupRequest></Request></cXML>"));
    assert_int_equal(strlen(doc.setup->buyer_cookie), 16384);
    refuses(join(OPEN HEADER "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie>x",
                 times("0123456789abcdef", 1024),
                 "</BuyerCookie></PunchOutSetupRequest></Request></cXML>"), 400);
    assert_non_null(strstr(doc.why, "BuyerCookie"));
    refuses(join(OPEN HEADER "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie><i a=\"", times("x",
                 20000),
                 "\"/></BuyerCookie></PunchOutSetupRequest></Request></cXML>"), 400);
    refuses(join(OPEN "<Header><Sender><Credential domain=\"D\"><SharedSecret>", times("x", 65537),
                 "</SharedSecret></Credential></Sender></Header></cXML>"), 400);
    refuses(join("<cXML payloadID=\"", times("x", 4097), "\"/>"), 400);
}

static void invented_names_and_refusals_leave_the_reader_as_it_was(void **state)
{
    po_buffer b;
    int i, round;

    for (round = 0; round < 3; round++) {
        po_buffer_init(&b, pool, 1024);
        po_buffer_lit(&b, OPEN);
        for (i = 0; i < 5000; i++)
            po_buffer_str(&b, apr_psprintf(pool, "<n%d-%d/>", round, i));
        po_buffer_lit(&b, "</cXML>");
        refuses(po_buffer_text(&b), 400);
        reads(DOCUMENT("c", ""));
        assert_string_equal(doc.setup->buyer_cookie, "c");
        refuses(DOCUMENT("<a>", ""), 406);
    }
}

static void long_names_leave_room_for_those_of_the_next_document(void **state)
{
    const char *tail = times("x", 100);
    po_buffer b;
    int i, round;

    for (round = 0; round < 8; round++) {
        po_buffer_init(&b, pool, 1024);
        po_buffer_lit(&b, OPEN);
        for (i = 0; i < 200; i++)
            po_buffer_str(&b, apr_psprintf(pool, "<n%d-%d%s/>", round, i, tail));
        po_buffer_lit(&b, "</cXML>");
        refuses(po_buffer_text(&b), 400);
        po_buffer_init(&b, pool, 1024);
        for (i = 0; i < 200; i++)
            po_buffer_str(&b, apr_psprintf(pool, "<Custom%d-%d/>", round, i));
        reads(join(OPEN HEADER SETUP("c", ""), po_buffer_text(&b), "</cXML>"));
    }
}

static void an_address_of_many_lines_has_a_limit(void **state)
{
    reads(DOCUMENT("c", "<ShipTo><Address><PostalAddress><Street>1</Street><Street>2</Street></PostalAddress></Address>"
                        "</ShipTo>"));
    refuses(apr_pstrcat(pool, OPEN HEADER "<Request><PunchOutSetupRequest operation=\"source\"><ShipTo><Address>"
                        "<PostalAddress>", times("<Street>0123456789</Street>", 2000), "</PostalAddress></Address></ShipTo>"
                        "</PunchOutSetupRequest></Request></cXML>", NULL), 400);
    assert_non_null(strstr(doc.why, "Street"));
}

static void two_of_what_must_be_one_is_a_bad_request(void **state)
{
    refuses(OPEN HEADER SETUP("c", "") SETUP("c", "") "</cXML>", 400);
    refuses(OPEN HEADER "<Request><ProfileRequest/><ProfileRequest/></Request></cXML>", 400);
    refuses(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>s3cret</SharedSecret>"
            "<SharedSecret>other</SharedSecret></Credential></Sender></Header>" SETUP("c", "") "</cXML>", 400);
    refuses(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>s3cret<x/>"
            "</SharedSecret></Credential></Sender></Header>" SETUP("c", "") "</cXML>", 400);
}

static void what_lacks_its_parts_is_a_bad_request(void **state)
{
    refuses(OPEN HEADER "<Request><PunchOutSetupRequest operation=\"create\"/></Request></cXML>", 400);
    refuses(OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"x\"/></OrderRequest></Request>"
            "</cXML>", 400);
    refuses(OPEN HEADER "<Request/></cXML>", 400);
    refuses(OPEN HEADER "</cXML>", 400);
    refuses(OPEN "<Response/></cXML>", 400);
    refuses(OPEN "<Response><Status text=\"OK\"/></Response></cXML>", 400);
    refuses(OPEN HEADER "<Message/></cXML>", 400);
}

static const char *order_of(const char *total, const char *quantity, const char *price)
{
    return apr_psprintf(pool, ORDER("%s", ITEM("%s", "%s")), total, quantity, price);
}

static void money_that_is_no_plain_decimal_is_a_bad_request(void **state)
{
    int i;

    for (i = 0; i < NOT_MONEY; i++) {
        refuses(order_of(not_money[i], "1", "4.00"), 400);
        refuses(order_of("4.00", not_money[i], "4.00"), 400);
        refuses(order_of("4.00", "1", not_money[i]), 400);
    }
    refuses(ORDER("4.00", ITEM("-1", "4.00")), 400);
    refuses(ORDER("4.00", ITEM("1", "-4.00")), 400);
}

/* ---- digest --------------------------------------------------------------------------------------------------- */

static void digest_of(const char *text, int test, unsigned char out[PO_DIGEST])
{
    reads(text);
    po_cxml_order_digest(crypto, doc.order, test, out);
}

static void a_digest_follows_the_contents_not_the_bytes(void **state)
{
    unsigned char a[PO_DIGEST], b[PO_DIGEST];

    digest_of(ORDER("4.00", ITEM("1", "4.00")), 0, a);
    digest_of(ORDER(" 4.0000 ", ITEM("1.0", "4") "<!-- x -->"), 0, b);
    assert_memory_equal(a, b, PO_DIGEST);
    digest_of(ORDER("4.00", ITEM("2", "4.00")), 0, b);
    assert_memory_not_equal(a, b, PO_DIGEST);
    digest_of(ORDER("4.00", ITEM("1", "4.00")), 1, b);
    assert_memory_not_equal(a, b, PO_DIGEST);
}

static void a_digest_leaves_no_two_orders_the_same(void **state)
{
    static const char open_order[] = OPEN "<Request><OrderRequest>"
        "<OrderRequestHeader orderDate=\"d\" orderID=\"PO-1\">";
    static const char close_order[] = "</OrderRequestHeader>" ITEM("1", "4.00") "</OrderRequest></Request></cXML>";
    static const char *const headers[] = {
        "", "<ShipTo><Address/></ShipTo>", "<BillTo><Address/></BillTo>", "<Contact/>",
        "<Extrinsic name=\"a\">b</Extrinsic>",
        "<Extrinsic name=\"ab\"></Extrinsic>", "<Extrinsic name=\"\">ab</Extrinsic>",
        "<DocumentReference payloadID=\"a\"/>",
        "<ShipTo><Address><Name>a</Name></Address></ShipTo>", "<ShipTo><Address addressID=\"a\"/></ShipTo>",
        "<ShipTo><Address><Email>a</Email></Address></ShipTo>", "<Total><Money currency=\"USD\">0</Money></Total>"
    };
    enum { COUNT = sizeof(headers) / sizeof(headers[0]) };
    unsigned char digests[COUNT][PO_DIGEST];
    int i, k;

    for (i = 0; i < COUNT; i++) {
        digest_of(join(open_order, headers[i], close_order), 0, digests[i]);
        for (k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], PO_DIGEST);
    }
}

static void a_digest_covers_agreements_and_what_a_line_is(void **state)
{
    static const char *const orders[] = {
        " ", " agreementID=\"A\"", " releaseRequired=\"yes\"", "><ItemOut quantity=\"1\" isAdHoc=\"yes\"/",
        "><ItemOut quantity=\"1\"><ItemDetail/></ItemOut",
        "><ItemOut quantity=\"1\"><BlanketItemDetail><MaxAmount><Money currency=\"USD\">1</Money></MaxAmount>"
        "</BlanketItemDetail></ItemOut",
        "><ItemOut quantity=\"1\"><BlanketItemDetail><MaxAmount><Money currency=\"USD\">2</Money></MaxAmount>"
        "</BlanketItemDetail></ItemOut"
    };
    enum { COUNT = sizeof(orders) / sizeof(orders[0]) };
    unsigned char digests[COUNT][PO_DIGEST];
    int i, k;

    for (i = 0; i < COUNT; i++) {
        int own = *orders[i] == '>';

        digest_of(apr_pstrcat(pool, OPEN "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\"",
                  own ? "/" : orders[i],
                              own ? orders[i] : "/", own ? "" : "><ItemOut quantity=\"1\"/",
                              "></OrderRequest></Request></cXML>", NULL), 0, digests[i]);
        for (k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], PO_DIGEST);
    }
}

static void the_envelope_is_not_in_the_digest(void **state)
{
    unsigned char a[PO_DIGEST], b[PO_DIGEST];
    const char *rest = "<Request><OrderRequest><OrderRequestHeader type=\"new\" orderID=\"PO-1\"/>" ITEM("1", "4.00")
                       "</OrderRequest></Request></cXML>";

    digest_of(join("<cXML payloadID=\"1\" timestamp=\"2026\">", HEADER, rest), 0, a);
    rest = "<Request><OrderRequest>\n<OrderRequestHeader  orderID='PO-1'\ttype='new'></OrderRequestHeader>"
        "\n" ITEM("1", "4.00")
           "</OrderRequest></Request></cXML>";
    digest_of(join("<cXML timestamp=\"2027\" payloadID=\"2\">", "", rest), 0, b);
    assert_memory_equal(a, b, PO_DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_trimmed_and_urls_unescaped),
        cmocka_unit_test(ampersands_in_attributes_are_what_they_say),
        cmocka_unit_test(a_comment_or_cdata_does_not_split_a_secret),
        cmocka_unit_test(every_credential_is_kept_in_order), cmocka_unit_test(only_the_senders_secret_counts),
        cmocka_unit_test(elements_are_read_in_any_order), cmocka_unit_test(an_unknown_deployment_mode_is_test),
        cmocka_unit_test(the_shoppers_names_have_an_order), cmocka_unit_test(an_address_is_read_whole),
        cmocka_unit_test(the_shopper_is_found_in_extrinsics_of_any_case),
        cmocka_unit_test(a_line_without_number_counts_by_position),
        cmocka_unit_test(a_line_number_with_zeros_before_it_is_a_number),
        cmocka_unit_test(a_blanket_line_is_read_like_another), cmocka_unit_test(a_short_name_counts_only_alone),
        cmocka_unit_test(accounting_and_extrinsics_of_a_line_are_read), cmocka_unit_test(a_status_update_is_read),
        cmocka_unit_test(a_credential_of_the_marketplace_is_marked),
        cmocka_unit_test(the_mac_of_the_sender_is_read_as_written),
        cmocka_unit_test(what_hubs_add_to_the_header_is_ignored),
        cmocka_unit_test(a_buyers_own_list_says_where_the_shopper_is_found),
        cmocka_unit_test(a_blanket_order_and_its_release_are_read),
        cmocka_unit_test(a_status_update_is_read_in_any_order), cmocka_unit_test(card_data_is_read_nowhere),
        cmocka_unit_test(card_data_may_lie_as_deep_as_anything),
        cmocka_unit_test(requests_that_are_not_carried_out_are_named),
        cmocka_unit_test(elements_that_nobody_knows_are_ignored_wherever_they_stand),
        cmocka_unit_test(names_that_mean_nothing_are_counted_when_asked),
        cmocka_unit_test(an_answer_to_a_document_of_ours_is_read),
        cmocka_unit_test(what_is_no_whole_document_is_not_acceptable),
        cmocka_unit_test(entities_and_declarations_are_not_acceptable),
        cmocka_unit_test(an_entity_in_an_attribute_is_not_acceptable),
        cmocka_unit_test(a_billion_laughs_end_at_the_first_declaration),
        cmocka_unit_test(every_truncation_is_not_acceptable), cmocka_unit_test(what_comes_twice_is_not_merged),
        cmocka_unit_test(markup_in_a_text_is_a_bad_request), cmocka_unit_test(a_refusal_names_element_and_line),
        cmocka_unit_test(credentials_are_counted), cmocka_unit_test(elements_and_depth_have_a_limit),
        cmocka_unit_test(texts_have_a_limit),
        cmocka_unit_test(invented_names_and_refusals_leave_the_reader_as_it_was),
        cmocka_unit_test(long_names_leave_room_for_those_of_the_next_document),
        cmocka_unit_test(an_address_of_many_lines_has_a_limit),
        cmocka_unit_test(two_of_what_must_be_one_is_a_bad_request),
        cmocka_unit_test(what_lacks_its_parts_is_a_bad_request),
        cmocka_unit_test(money_that_is_no_plain_decimal_is_a_bad_request),
        cmocka_unit_test(a_digest_follows_the_contents_not_the_bytes),
        cmocka_unit_test(a_digest_leaves_no_two_orders_the_same),
        cmocka_unit_test(a_digest_covers_agreements_and_what_a_line_is),
        cmocka_unit_test(the_envelope_is_not_in_the_digest)
    };

    return cmocka_run_group_tests(tests, start, stop);
}
