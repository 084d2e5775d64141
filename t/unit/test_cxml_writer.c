/* test_cxml_writer.c - what we send: said as the DTD of its version wants it, and read again by our own reader. */
#include "cxml_fixture.h"
#include "sample_documents.h"

#define VERSIONS 5
static const char *const versions[VERSIONS] = { "1.1.010", "1.2.014", "1.2.037", "1.2.050", "1.2.071" };
static const po_cxml_envelope envelope = { "p-9@market.example", "2026-11-23T10:15:00+00:00", "1.2.014", 0 };

static const char *cart_text(const po_cxml_envelope *e, const po_cxml_cart *cart)
{
    po_buffer b;

    po_buffer_init(&b, pool, 64);
    po_cxml_write_cart(&b, e, cart);
    return po_buffer_text(&b);
}

static const po_cxml_cart *sample(const char *name)
{
    const apr_array_header_t *list = sample_carts(pool);
    int i;

    for (i = 0; i < list->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(list, i, sample_cart).name, name))
            return &APR_ARRAY_IDX(list, i, sample_cart).cart;
    fail_msg("there is no sample called %s", name);
    return NULL;
}

/* ---- read again ----------------------------------------------------------------------------------------------- */

static void is_number_text(const po_decimal *d, const char *want)
{
    po_decimal other;

    assert_int_equal(po_decimal_parse(&other, want, -1), APR_SUCCESS);
    assert_int_equal(po_decimal_compare(d, &other), 0);
}

static void same_text(const char *found, const char *want)
{
    if (want)
        assert_string_equal(found ? found : "(none)", want);
    else
        assert_null(found);
}

static const char *extrinsic(const po_cxml_item *item, const char *name)
{
    int i;

    for (i = 0; item->extrinsics && i < item->extrinsics->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(item->extrinsics, i, po_cxml_extrinsic).name, name))
            return APR_ARRAY_IDX(item->extrinsics, i, po_cxml_extrinsic).value;
    return NULL;
}

static void same_item(const po_cxml_item *found, const po_cxml_cart_item *sent)
{
    assert_int_equal(found->line, sent->line);
    assert_true(found->has_detail && found->has_price && !found->ad_hoc);
    same_text(found->part, sent->part);
    same_text(found->auxiliary, sent->auxiliary);
    is_number_text(&found->quantity, sent->quantity);
    is_number_text(&found->unit_price, sent->unit_price);
    same_text(found->currency, sent->currency);
    same_text(found->description, sent->description);
    same_text(found->unit, sent->unit);
    same_text(found->unspsc, sent->unspsc);
    same_text(extrinsic(found, "LineType"), sent->line_type);
    same_text(extrinsic(found, "Term"), sent->term);
    same_text(extrinsic(found, "Pricing"), sent->pricing);
    same_text(extrinsic(found, "Dimension"), sent->dimension);
    same_text(extrinsic(found, "Seller"), sent->seller);
}

static void same_items(const apr_array_header_t *found, const apr_array_header_t *sent)
{
    int i;

    assert_int_equal(found ? found->nelts : 0, sent ? sent->nelts : 0);
    for (i = 0; found && i < found->nelts; i++)
        same_item(&APR_ARRAY_IDX(found, i, po_cxml_item), &APR_ARRAY_IDX(sent, i, po_cxml_cart_item));
}

static void cart_reads_back(const po_cxml_envelope *e, const po_cxml_cart *sent)
{
    const po_cxml_order_message *m;

    reads(cart_text(e, sent));
    assert_int_equal(doc.kind, PO_CXML_CART);
    assert_string_equal(doc.request, "PunchOutOrderMessage");
    assert_string_equal(doc.payload_id, e->payload_id);
    assert_string_equal(doc.from.cred[0].identity, sent->from.identity);
    assert_string_equal(doc.sender.cred[0].identity, sent->from.identity);
    assert_string_equal(doc.to.cred[0].domain, sent->to.domain);
    assert_string_equal(doc.to.cred[0].identity, sent->to.identity);
    assert_string_equal(doc.user_agent, sent->user_agent);
    assert_true(!doc.shared_secret && !doc.mac);
    assert_int_equal(doc.test, sent->test);
    m = doc.order_message;
    same_text(m->operation_allowed, sent->operation_allowed);
    same_text(m->code, sent->items && sent->items->nelts ? NULL : "204");
    is_number_text(&m->total, sent->total);
    same_text(m->currency, sent->currency);
    same_items(m->items, sent->items);
    if (!e->ascii)
        assert_string_equal(m->buyer_cookie, sent->buyer_cookie);
}

static void every_cart_reads_back_in_every_version(void **state)
{
    const apr_array_header_t *list = sample_carts(pool);
    po_cxml_envelope e = envelope;
    int i, k;

    for (k = 0; k < 2 * VERSIONS; k++) {
        e.dtd = versions[k / 2];
        e.ascii = k % 2;
        for (i = 0; i < list->nelts; i++)
            cart_reads_back(&e, &APR_ARRAY_IDX(list, i, sample_cart).cart);
    }
}

/* Text and values of attributes as XPath sees them, comments and processing instructions left out. */
static void add_meaning(po_buffer *b, const xmlNode *node)
{
    const xmlAttr *a;

    for (; node; node = node->next) {
        if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
            po_buffer_str(b, (const char *)node->content);
        if (node->type != XML_ELEMENT_NODE)
            continue;
        po_buffer_str(b, (const char *)node->name);
        for (a = node->properties; a; a = a->next)
            add_meaning(b, a->children);
        add_meaning(b, node->children);
    }
}

static const char *meaning(const char *markup)
{
    const char *text = join("<m>", markup, "</m>");
    xmlDocPtr tree = xmlReadMemory(text, (int)strlen(text), NULL, "UTF-8", XML_PARSE_NONET);
    po_buffer b;

    assert_non_null(tree);
    po_buffer_init(&b, pool, 256);
    add_meaning(&b, xmlDocGetRootElement(tree));
    xmlFreeDoc(tree);
    return po_buffer_text(&b);
}

static void a_cookie_means_the_same_in_ascii(void **state)
{
    po_cxml_envelope e = envelope;
    po_cxml_cart cart = *sample("cart-unchanged");
    int i;

    e.ascii = 1;
    for (i = 0; i < SAMPLE_COOKIES; i++) {
        cart.buyer_cookie = sample_cookies[i];
        reads(cart_text(&e, &cart));
        assert_string_equal(meaning(doc.order_message->buyer_cookie), meaning(sample_cookies[i]));
    }
}

static void a_cookie_in_ascii_stays_well_formed(void **state)
{
    static const struct {
        const char *cookie, *ascii;
    } pairs[] = {
        { "\xc3\xa4&lt;<i a=\"\xe2\x82\xac&gt;\"><\xc3\xa9></\xc3\xa9></i>",
          "&#228;&lt;<i a=\"&#8364;&gt;\"><\xc3\xa9></\xc3\xa9></i>" },
        { "<![CDATA[a\xc3\xa4\xc3\xa4<]]>", "<![CDATA[a]]>&#228;&#228;<![CDATA[<]]>" },
        { "<!--\xc3\xa4\xf0\x9f\x94\x92x-->", "<!--__x-->" }, { "<?p \xe2\x82\xac?>", "<?p _?>" },
        { "<?p \xe2\x82\xac><b>?>", "<?p _><b>?>" }, { "<?\xc3\xa9t\xc3\xa9 x?>", "<?_t_ x?>" },
        { "<a b='\xc3\xa4\">\xc3\xa4'>\xc3\xa4</a>", "<a b='&#228;\">&#228;'>&#228;</a>" }
    };
    po_cxml_envelope e = envelope;
    po_cxml_cart cart = *sample("cart-unchanged");
    apr_size_t i;

    e.ascii = 1;
    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        cart.buyer_cookie = pairs[i].cookie;
        assert_string_equal(between(cart_text(&e, &cart), "<BuyerCookie>", "</BuyerCookie>"), pairs[i].ascii);
        reads(cart_text(&e, &cart));
    }
}

/* What no reader of ours lets in must not run away either. */
static void markup_that_breaks_off_is_written_to_its_end(void **state)
{
    static const char *const broken[] = { "<![CDATA[\xc3\xa4", "<!-- \xc3\xa4", "<?p", "<a b='\xc3\xa4", "<a",
        "<", "<!", NULL };
    po_buffer b;
    int i;

    for (i = 0; broken[i]; i++) {
        po_buffer_init(&b, pool, 1);
        b.ascii = 1;
        po_buffer_markup(&b, broken[i]);
        assert_null(strchr(po_buffer_text(&b), '\xc3'));
    }
    po_buffer_init(&b, pool, 1);
    po_buffer_markup(&b, NULL);
    assert_string_equal(po_buffer_text(&b), "");
}

/* A procurement system copies ItemIn into ItemOut: ours comes back as it was. */
static void a_cart_line_comes_back_in_an_order(void **state)
{
    const po_cxml_cart *cart = sample("cart");
    po_cxml_envelope e = envelope;
    int i;

    for (i = 0; i < 2 * VERSIONS; i++) {
        const char *line;

        e.ascii = i % 2;
        e.dtd = versions[i / 2];
        line = between(cart_text(&e, cart), "<ItemIn", "</ItemIn>");
        reads(join(OPEN "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\"/><ItemOut", line,
                   "</ItemOut></OrderRequest></Request></cXML>"));
        same_item(&APR_ARRAY_IDX(doc.order->items, 0, po_cxml_item), &APR_ARRAY_IDX(cart->items, 0, po_cxml_cart_item));
    }
}

/* ---- what only some versions know ----------------------------------------------------------------------------- */

static void a_version_gets_only_what_its_dtd_knows(void **state)
{
    po_cxml_envelope e = envelope;
    int i;

    for (i = 0; i < VERSIONS; i++) {
        const char *text;

        e.dtd = versions[i];
        text = cart_text(&e, sample("cart"));
        assert_int_equal(strstr(text, "<LeadTime>0</LeadTime>") != NULL, i >= 1);
        assert_int_equal(strstr(text, "itemClassification=\"service\"") != NULL, i >= 2);
        assert_int_equal(strstr(text, "itemClassification=\"material\"") != NULL, i >= 2);
        assert_non_null(strstr(text, "<URL>https://market.example/products/prod-ab12?a=1&amp;b=2</URL>"));
    }
}

static void a_cart_says_who_it_is_for_and_carries_no_secret(void **state)
{
    const char *text = cart_text(&envelope, sample("cart"));

    assert_non_null(strstr(text, "<From><Credential domain=\"DUNS\"><Identity>111111111</Identity></Credential>"
                    "</From>"));
    assert_non_null(strstr(text, "<Identity>AN01 &amp; &lt;AN02&gt;</Identity></Credential></To>"));
    assert_null(strstr(text, "SharedSecret"));
    assert_null(strstr(text, "<Status"));
}

/* Some buyers take a cart without lines for the order to delete their own. */
static void a_cart_without_lines_changes_nothing(void **state)
{
    static const char *const names[] = { "cart-unchanged", "cart-empty" };
    int i;

    for (i = 0; i < 2; i++) {
        const char *text = cart_text(&envelope, sample(names[i]));

        assert_non_null(strstr(text, "<Message><Status code=\"204\""));
        assert_null(strstr(text, "ItemIn"));
    }
}

/* ---- responses ------------------------------------------------------------------------------------------------ */

static void a_status_reads_back(void **state)
{
    po_cxml_envelope e = envelope;
    po_buffer b;
    int i;

    for (i = 0; i < 2 * SAMPLE_STATUSES; i++) {
        const sample_status *s = &sample_statuses[i / 2];

        e.ascii = i % 2;
        po_buffer_init(&b, pool, 1);
        po_cxml_write_status(&b, &e, s->code, s->detail);
        reads(po_buffer_text(&b));
        assert_int_equal(doc.kind, PO_CXML_RESPONSE);
        assert_string_equal(doc.response->code, apr_itoa(pool, s->code));
        assert_string_equal(doc.response->text, po_cxml_status_text(s->code));
        assert_string_equal(doc.response->detail, s->detail ? s->detail : "");
        assert_null(doc.response->start_page);
    }
}

static void a_setup_response_reads_back(void **state)
{
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_cxml_write_setup_response(&b, &envelope, "https://m.example/punchout/start/", "TOKEN");
    reads(po_buffer_text(&b));
    assert_string_equal(doc.response->start_page, "https://m.example/punchout/start/TOKEN");
    assert_string_equal(doc.response->code, "200");
    assert_string_equal(doc.request, "Response");
}

static void a_profile_names_absolute_urls_and_what_orders_may_hold(void **state)
{
    const char *text, *order;
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_cxml_write_profile_response(&b, &envelope, "https://m.example/punchout", 0);
    reads(text = po_buffer_text(&b));
    assert_string_equal(doc.response->code, "200");
    assert_null(doc.response->start_page);
    order = between(text, "<Transaction requestName=\"OrderRequest\">", "</Transaction>");
    assert_string_equal(order, "<URL>https://m.example/punchout/order</URL><Option name=\"attachments\">Yes</Option>"
                               "<Option name=\"changes\">Yes</Option>");
    assert_string_equal(between(text, "requestName=\"PunchOutSetupRequest\"><URL>", "</URL>"),
                        "https://m.example/punchout/setup");
    assert_non_null(strstr(text, "effectiveDate=\"1970-01-01T00:00:00+00:00\"><Option name=\"Locale\">en_US</Option>"));
}

static void an_unknown_status_has_the_text_of_its_hundred(void **state)
{
    assert_string_equal(po_cxml_status_text(560), "Temporary server error");
    assert_string_equal(po_cxml_status_text(299), "OK");
    assert_string_equal(po_cxml_status_text(499), "Bad Request");
    assert_string_equal(po_cxml_status_text(599), "Internal Server Error");
}

static void text_is_escaped_and_ascii_when_asked(void **state)
{
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_buffer_xml(&b, "<a & \"b\" 'c'>\r\x01\xff \xc3\xa4\xe2\x82\xac");
    assert_string_equal(po_buffer_text(&b),
                        "&lt;a &amp; &quot;b&quot; &#39;c&#39;&gt;&#13;&#65533;\xef\xbf\xbd \xc3\xa4\xe2\x82\xac");
    po_buffer_init(&b, pool, 1);
    b.ascii = 1;
    po_buffer_xml(&b, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(po_buffer_text(&b), "&#228;&#8364;&#128512;");
}

/* ---- requests of our own ---------------------------------------------------------------------------------------- */

static void a_confirmation_names_its_order_and_is_well_formed_in_every_version(void **state)
{
    po_cxml_header header = { { "DUNS", "111111111" }, { "NetworkID", "AN01" }, { "DUNS", "111111111" }, "ua", 1, 1 };
    const apr_array_header_t *list = sample_confirmations(&header, pool);
    po_cxml_envelope e = envelope;
    int i, n;

    for (i = 0; i < list->nelts; i++)
        for (n = 0; n < VERSIONS; n++) {
            po_buffer b;

            e.dtd = versions[n];
            e.ascii = n & 1;
            po_buffer_init(&b, pool, 1);
            po_cxml_write_confirmation(&b, &e, &APR_ARRAY_IDX(list, i, sample_confirmation).confirmation);
            reads(po_buffer_text(&b));
            assert_string_equal(doc.request, "ConfirmationRequest");
            assert_string_equal(doc.payload_id, envelope.payload_id);
            assert_true(doc.test);
        }
}

static void a_confirmation_that_replaces_another_refers_to_it(void **state)
{
    po_cxml_header header = { { "D", "a" }, { "D", "b" }, { "D", "a" }, "ua" };
    const apr_array_header_t *list = sample_confirmations(&header, pool);
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_cxml_write_confirmation(&b, &envelope, sample_confirmation_at(list, 3));
    assert_non_null(strstr(po_buffer_text(&b), "<ConfirmationHeader type=\"accept\" confirmID=\"cnf-1\" operation=\"update\" "
                           "noticeDate=\"2026-11-23T10:15:00+00:00\"><DocumentReference payloadID=\"p-8@market.example\"/>"
                           "</ConfirmationHeader><OrderReference orderID="));
    assert_null(strstr(po_buffer_text(&b), "SharedSecret"));
}

static void a_secret_takes_its_place_when_a_document_is_sent(void **state)
{
    po_cxml_header header = { { "D", "a" }, { "D", "b" }, { "D", "a" }, "ua", 1 };
    const apr_array_header_t *list = sample_confirmations(&header, pool);
    const char *document;
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_cxml_write_confirmation(&b, &envelope, sample_confirmation_at(list, 0));
    document = po_cxml_with_secret(po_buffer_text(&b), "s<\xc3\xa4", pool);
    reads(document);
    assert_string_equal(doc.shared_secret, "s<\xc3\xa4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cart_reads_back_in_every_version), cmocka_unit_test(a_cookie_means_the_same_in_ascii),
        cmocka_unit_test(a_cookie_in_ascii_stays_well_formed),
        cmocka_unit_test(markup_that_breaks_off_is_written_to_its_end),
        cmocka_unit_test(a_cart_line_comes_back_in_an_order),
        cmocka_unit_test(a_version_gets_only_what_its_dtd_knows),
        cmocka_unit_test(a_cart_says_who_it_is_for_and_carries_no_secret),
        cmocka_unit_test(a_cart_without_lines_changes_nothing), cmocka_unit_test(a_status_reads_back),
        cmocka_unit_test(a_setup_response_reads_back),
        cmocka_unit_test(a_profile_names_absolute_urls_and_what_orders_may_hold),
        cmocka_unit_test(an_unknown_status_has_the_text_of_its_hundred),
        cmocka_unit_test(text_is_escaped_and_ascii_when_asked),
        cmocka_unit_test(a_confirmation_names_its_order_and_is_well_formed_in_every_version),
        cmocka_unit_test(a_confirmation_that_replaces_another_refers_to_it),
        cmocka_unit_test(a_secret_takes_its_place_when_a_document_is_sent)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
