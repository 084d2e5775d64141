/* hostile_documents.c - a good setup request, and what attackers make of it. */
#include "hostile_documents.h"

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEGABYTE 1000000
#define CUTS 50
#define HUNDRED "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define DTD "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd"
#define DOCTYPE "<!DOCTYPE cXML SYSTEM \"" DTD "\">\n"
#define SUBSET(declarations) DECLARATION "<!DOCTYPE cXML SYSTEM \"" DTD "\" [" declarations "]>\n"
#define SECRET "<SharedSecret>acme-secret</SharedSecret>"
#define PARTY(name, identity, more) "<" name "><Credential domain=\"DUNS\"><Identity>" identity "</Identity>" more \
    "</Credential></" name ">"
#define HEADER(secret) "<Header>" PARTY("From", "buyer-1", "") PARTY("To", "market-1", "") \
    PARTY("Sender", "buyer-1", secret) "</Header>"
#define SETUP "<PunchOutSetupRequest operation=\"create\"><BuyerCookie>bc-1</BuyerCookie><BrowserFormPost>" \
    "<URL>https://buyer.example/return</URL></BrowserFormPost></PunchOutSetupRequest>"
#define ENTITY_USER "<Extrinsic name=\"User\">&x;</Extrinsic>"

/* Parts of the good document that are replaced; NULL: as it is. In any of them '\1' stands for the repeated part, and
 * '\2' for a NUL byte. */
typedef struct {
    const char *name;
    const char *prolog;                 /* before the root element */
    const char *root;                   /* attributes of cXML */
    const char *secret;                 /* in Sender's Credential, behind the Identity */
    const char *header, *request;       /* the whole elements */
    const char *more;                   /* in PunchOutSetupRequest, behind BrowserFormPost */
    const char *behind;                 /* after the root element */
    const char *unit;                   /* is repeated so many times; '\3' in it: the number of the repetition */
    size_t times;
    const char *end;                    /* then this is, as many times */
    const char *encoding;               /* of the bytes; NULL: UTF-8 */
    size_t short_by;                    /* bytes that lack at the end */
    int variants;                       /* so many truncations, of 0/n, 1/n... of the bytes */
} recipe;

static const recipe recipes[] = {
    { "good" },
    { "doctype-external", .prolog = DECLARATION "<!DOCTYPE cXML SYSTEM \"file:///etc/passwd\">" },
    { "doctype-http", .prolog = DECLARATION "<!DOCTYPE cXML SYSTEM \"http://127.0.0.1:1/cXML.dtd\">" },
    { "doctype-public", .prolog = DECLARATION "<!DOCTYPE cXML PUBLIC \"-//x//y\" \"http://127.0.0.1:1/cXML.dtd\">" },
    { "doctype-empty-subset", .prolog = SUBSET(" \n") },
    { "doctype-comment-in-subset", .prolog = SUBSET("<!-- -->") },
    { "doctype-pi-in-subset", .prolog = SUBSET("<?x y?>") },
    { "doctype-unclosed", .prolog = DECLARATION "<!DOCTYPE cXML [ " },
    { "xxe-file", .prolog = SUBSET("<!ENTITY x SYSTEM \"file:///etc/passwd\">"), .more = ENTITY_USER },
    { "xxe-http", .prolog = SUBSET("<!ENTITY x SYSTEM \"http://127.0.0.1:1/\">"), .more = ENTITY_USER },
    { "xxe-relative", .prolog = SUBSET("<!ENTITY x SYSTEM \"conf/secret\">"), .more = ENTITY_USER },
    { "xxe-public", .prolog = SUBSET("<!ENTITY x PUBLIC \"-//x//y\" \"file:///etc/passwd\">"), .more = ENTITY_USER },
    { "xxe-parameter", .prolog = SUBSET("<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;") },
    { "xxe-parameter-http", .prolog = SUBSET("<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x.dtd\"> %p;") },
    { "xxe-parameter-nested", .prolog = SUBSET("<!ENTITY % a \"<!ENTITY x SYSTEM 'file:///etc/passwd'>\"> %a;"),
      .more = ENTITY_USER },
    { "parameter-undeclared", .prolog = SUBSET("%p;") },
    { "entity-internal", .prolog = SUBSET("<!ENTITY x \"ines\">"), .more = ENTITY_USER },
    { "entity-in-attribute", .prolog = SUBSET("<!ENTITY x \"new\">"), .more = "<Extrinsic name=\"&x;\">v</Extrinsic>" },
    { "entity-in-secret", .prolog = SUBSET("<!ENTITY x \"acme-secret\">"),
      .secret = "<SharedSecret>&x;</SharedSecret>" },
    { "entity-undeclared", .more = ENTITY_USER },
    { "entity-undeclared-in-attribute", .more = "<Extrinsic name=\"&x;\">v</Extrinsic>" },
    { "entity-unparsed", .prolog = SUBSET("<!NOTATION n SYSTEM \"file:///bin/sh\">"
                                          "<!ENTITY x SYSTEM \"file:///etc/passwd\" NDATA n>") },
    { "declaration-attlist", .prolog = SUBSET("<!ATTLIST PunchOutSetupRequest operation CDATA \"edit\">") },
    { "declaration-attlist-enumeration", .prolog = SUBSET("<!ATTLIST a b (c\1) #IMPLIED>"), .unit = "|c\3",
      .times = 400000 },
    { "declaration-attlist-short", .prolog = SUBSET("<!ATTLIST a b (c\1) #IMPLIED>"), .unit = "|c\3", .times = 20000 },
    { "declaration-element", .prolog = SUBSET("<!ELEMENT cXML ANY>") },
    { "declaration-element-model", .prolog = SUBSET("<!ELEMENT a (b\1)>"), .unit = "|b", .times = 2000000 },
    { "declaration-element-model-short", .prolog = SUBSET("<!ELEMENT a (b\1)>"), .unit = "|b", .times = 100000 },
    { "declaration-notation", .prolog = SUBSET("<!NOTATION n SYSTEM \"file:///bin/sh\">") },
    { "billion-laughs", .prolog = SUBSET("<!ENTITY l0 \"lol\">"
          "<!ENTITY l1 \"&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;\">"
          "<!ENTITY l2 \"&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;\">"
          "<!ENTITY l3 \"&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;\">"
          "<!ENTITY l4 \"&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;\">"
          "<!ENTITY x \"&l4;&l4;&l4;&l4;&l4;&l4;&l4;&l4;&l4;&l4;\">"), .more = ENTITY_USER },
    { "quadratic-blow-up", .prolog = SUBSET("<!ENTITY x \"\1\">"), .more = "<Extrinsic name=\"User\">\1</Extrinsic>",
      .unit = "&x;", .times = 40000 },
    { "xinclude",
      .more = "<Extrinsic name=\"User\"><xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" parse=\"text\" "
      "href=\"file:///etc/passwd\"/></Extrinsic>" },
    { "schema-location", .root = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:noNamespaceSchemaLocation=\"http://127.0.0.1:1/x.xsd\" xsi:schemaLocation=\"x file:///etc/passwd\"" },
    { "xml-base", .root = "xml:base=\"file:///etc/\"" },
    { "pi-stylesheet",
      .prolog = DECLARATION "<?xml-stylesheet type=\"text/xsl\" href=\"file:///etc/passwd\"?>" DOCTYPE },
    { "pi-in-secret", .secret = "<SharedSecret>acme-<?x secret?>secret</SharedSecret>" },
    { "pi-named-xml", .more = "<?xml version=\"1.0\"?>" },

    { "deep", .more = "\1", .unit = "<a>", .times = 10000, .end = "</a>" },
    { "deep-in-text", .more = "<Extrinsic name=\"x\">\1</Extrinsic>", .unit = "<a>", .times = 10000, .end = "</a>" },
    { "deep-in-header", .header = "<Header>\1</Header>", .unit = "<a>", .times = 10000, .end = "</a>" },
    { "many-elements", .more = "\1", .unit = "<a/>", .times = MEGABYTE },
    { "many-elements-in-text", .more = "<Extrinsic name=\"x\">\1</Extrinsic>", .unit = "<a/>", .times = MEGABYTE },
    { "many-elements-in-cookie",
      .request = "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>\1</BuyerCookie>"
      "</PunchOutSetupRequest></Request>", .unit = "<a/>", .times = MEGABYTE },
    { "many-extrinsics", .more = "\1", .unit = "<Extrinsic name=\"a\">b</Extrinsic>", .times = 120000 },
    { "many-lines", .more = "\1", .unit = "<ItemOut quantity=\"1\"/>", .times = 49900 },
    { "many-lines-of-an-address", .more = "<ShipTo><Address><PostalAddress>\1</PostalAddress></Address></ShipTo>",
      .unit = "<Street>0123456789</Street>", .times = 49900 },
    { "card-data-inside-itself", .more = "\1", .unit = "<PCard>", .times = 90, .end = "</PCard>" },
    { "many-names", .more = "\1", .unit = "<a\3/>", .times = 400000 },
    { "many-attribute-names", .more = "\1", .unit = "<a a\3='' b\3='' c\3='' d\3='' e\3='' f\3='' g\3='' h\3=''/>",
      .times = 40000 },
    { "many-attributes", .more = "<Extrinsic name=\"x\" \1/>", .unit = " a\3=''", .times = MEGABYTE },
    { "many-attributes-that-fit", .more = "<Extrinsic name=\"x\" \1/>", .unit = " a\3=''", .times = 350000 },
    { "many-attributes-of-a-short-tag", .more = "<Extrinsic name=\"x\" \1/>", .unit = " a\3=''", .times = 20000 },
    { "many-attributes-of-a-short-document", .more = "<Extrinsic name=\"x\" \1/>", .unit = " a\3=''", .times = 1500 },
    { "many-attributes-of-cXML", .root = "\1", .unit = " a\3=''", .times = 350000 },
    { "many-attributes-the-same", .more = "<Extrinsic name=\"x\" \1/>", .unit = " a=''", .times = 800000 },
    { "many-attributes-behind-an-error", .root = "a=\"<\"", .more = "<a \1/>", .unit = " a\3=''", .times = 350000 },
    { "many-namespaces", .more = "<a \1/>", .unit = " xmlns:a\3='u'", .times = 200000 },
    { "many-namespaces-inside-each-other", .more = "\1", .unit = "<a xmlns:a\3='u' xmlns:b\3='u' xmlns:c\3='u'>",
      .times = 90,
      .end = "<a1:b/></a>" },
    { "namespaces-looked-up", .more =
      "<a xmlns:z='u'>"
      "<a xmlns:a='u' xmlns:b='u' xmlns:c='u' xmlns:d='u' xmlns:e='u' xmlns:f='u' xmlns:g='u' xmlns:h='u' "
      "xmlns:i='u' xmlns:j='u' xmlns:k='u' xmlns:l='u' xmlns:m='u' xmlns:n='u' xmlns:o='u' xmlns:p='u' xmlns:q='u' "
      "xmlns:r='u' xmlns:s='u' xmlns:t='u' xmlns:u='u' xmlns:v='u' xmlns:w='u' xmlns:x='u' xmlns:y='u'>\1</a></a>",
      .unit = "<z:a z:b='' z:c='' z:d=''/>", .times = 140000 },
    { "namespaces-looked-up-behind-an-error", .root = "a=\"<\"", .more = "<a xmlns:z='u'>\1</a>",
      .unit = "<a xmlns:a='u' xmlns:b='u' xmlns:c='u' xmlns:d='u' xmlns:e='u' xmlns:f='u' xmlns:g='u' xmlns:h='u' "
      "xmlns:i='u' xmlns:j='u' xmlns:k='u' xmlns:l='u' xmlns:m='u' xmlns:n='u' xmlns:o='u' xmlns:p='u' xmlns:q='u' "
      "xmlns:r='u' xmlns:s='u' xmlns:t='u' xmlns:u='u' xmlns:v='u' xmlns:w='u' xmlns:x='u' xmlns:y='u'>", .times = 240,
      .end = "<z:a z:b='' z:c='' z:d=''/><z:a z:b='' z:c='' z:d=''/><z:a z:b='' z:c='' z:d=''/></a>" },
    { "big-text", .more = "<Extrinsic name=\"x\">\1</Extrinsic>", .unit = "xxxxxxxx", .times = MEGABYTE / 2 },
    { "big-text-short", .more = "<Extrinsic name=\"x\">\1</Extrinsic>", .unit = "x", .times = 100000 },
    { "big-text-nobody-reads", .more = "<Comments>\1</Comments>", .unit = "xxxxxxxx", .times = MEGABYTE / 2 },
    { "big-text-of-references", .more = "<Comments>\1</Comments>", .unit = "&#65;", .times = 800000 },
    { "big-text-not-ascii", .more = "<Comments>\1</Comments>", .unit = "\xe2\x82\xac", .times = 1300000 },
    { "big-cdata", .more = "<Comments><![CDATA[\1]]></Comments>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-cdata-not-ascii", .more = "<Comments><![CDATA[\1]]></Comments>", .unit = "\xc3\xa9", .times = 2 * MEGABYTE },
    { "big-secret", .secret = "<SharedSecret>\1</SharedSecret>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-cookie", .request = "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>\1</BuyerCookie>"
      "</PunchOutSetupRequest></Request>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-attribute", .more = "<Extrinsic name=\"\1\">v</Extrinsic>", .unit = "x", .times = 3 * MEGABYTE },
    { "big-attribute-short", .more = "<Extrinsic name=\"\1\">v</Extrinsic>", .unit = "x", .times = 5000 },
    { "big-attribute-of-references", .more = "<Extrinsic name=\"\1\">v</Extrinsic>", .unit = "&amp;", .times = 800000 },
    { "big-attribute-nobody-reads", .more = "<a b=\"\1\"/>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-attribute-behind-a-reference", .more = "<a b=\"&#65;\1\"/>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-payload-id", .prolog = DECLARATION DOCTYPE "<cXML payloadID=\"\1\">", .unit = "x", .times = 3 * MEGABYTE },
    { "big-element-name", .more = "<\1/>", .unit = "x", .times = MEGABYTE },
    { "big-element-name-short", .more = "<\1/>", .unit = "x", .times = 60000 },
    { "big-request-name", .request = "<Request><\1/></Request>", .unit = "x", .times = 40000 },
    { "big-cdata-of-tags", .more = "<Comments><![CDATA[\1]]></Comments>", .unit = "<x", .times = 2 * MEGABYTE },
    { "big-cdatas", .more = "<Comments>\1</Comments>", .unit = "<![CDATA[" THOUSAND THOUSAND THOUSAND THOUSAND "]]>",
      .times = 1000 },
    { "big-attributes", .more = "\1", .unit = "<a b=\"&amp;" THOUSAND THOUSAND THOUSAND THOUSAND "\"/>",
      .times = 1000 },
    { "big-comments-of-comments", .more = "\1-->", .unit = "<!--", .times = MEGABYTE },
    { "big-comment", .more = "<!--\1-->", .unit = "x", .times = 4 * MEGABYTE },
    { "big-comment-not-ascii", .more = "<!--\1-->", .unit = "\xc3\xa9", .times = 2 * MEGABYTE },
    { "big-pi", .more = "<?x \1?>", .unit = "x", .times = 4 * MEGABYTE },
    { "big-blank", .behind = "\1", .unit = " \n", .times = 2 * MEGABYTE },
    { "many-comments", .more = "\1", .unit = "<!---->", .times = 590000 },
    { "many-cdata", .more = "<Extrinsic name=\"x\">\1</Extrinsic>", .unit = "<![CDATA[]]>", .times = 340000 },
    { "many-credentials", .header = "<Header><From>\1</From></Header>",
      .unit = "<Credential domain=\"D\"><Identity>i</Identity></Credential>", .times = 70000 },

    { "two-requests", .request = "<Request>" SETUP "</Request><Request>" SETUP "</Request>" },
    { "two-headers", .header = HEADER(SECRET) HEADER(SECRET) },
    { "two-payloads", .request = "<Request>" SETUP SETUP "</Request>" },
    { "two-payloads-that-differ", .request = "<Request><ProfileRequest/>" SETUP "</Request>" },
    { "two-senders", .header = "<Header>" PARTY("From", "buyer-1", "") PARTY("To", "market-1", "")
      PARTY("Sender", "buyer-1", SECRET) PARTY("Sender", "buyer-1", SECRET) "</Header>" },
    { "two-secrets-the-same", .secret = SECRET SECRET },
    { "two-secrets-that-differ", .secret = "<SharedSecret>guess</SharedSecret>" SECRET },
    { "two-cookies", .request = "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>a</BuyerCookie>"
      "<BuyerCookie>b</BuyerCookie></PunchOutSetupRequest></Request>" },
    { "two-return-urls", .more = "<BrowserFormPost><URL>https://evil.example/</URL></BrowserFormPost>" },
    { "two-roots", .behind = "<cXML/>" },
    { "text-behind", .behind = "x" },
    { "cdata-behind", .behind = "<![CDATA[x]]>" },
    { "doctype-behind", .behind = DOCTYPE },
    { "comment-behind", .behind = "<!-- x -->\n" },
    { "request-in-extrinsic", .more = "<Extrinsic name=\"x\"><Request>" SETUP "</Request></Extrinsic>" },
    { "secret-in-request", .secret = "",
      .more = "<Sender><Credential domain=\"DUNS\">" SECRET "</Credential></Sender>" },
    { "secret-of-from", .header = "<Header>" PARTY("From", "buyer-1", SECRET) PARTY("To", "market-1", "")
      PARTY("Sender", "buyer-1", "") "</Header>" },
    { "secret-attribute", .secret = "<SharedSecret value=\"acme-secret\"/>" },
    { "secret-in-another-namespace", .secret = "<x:SharedSecret xmlns:x=\"u\">acme-secret</x:SharedSecret>" },

    { "secret-comment", .secret = "<SharedSecret>acme-<!-- -->secret</SharedSecret>" },
    { "secret-comment-truncates", .secret = "<SharedSecret>acme-secret<!-- -->more</SharedSecret>" },
    { "secret-comment-before", .secret = "<SharedSecret>more<!-- -->acme-secret</SharedSecret>" },
    { "secret-cdata", .secret = "<SharedSecret><![CDATA[acme-]]>secret</SharedSecret>" },
    { "secret-cdata-truncates", .secret = "<SharedSecret>acme-secret<![CDATA[more]]></SharedSecret>" },
    { "secret-references", .secret = "<SharedSecret>&#97;cme&#x2d;secret</SharedSecret>" },
    { "secret-nul-reference", .secret = "<SharedSecret>acme-secret&#0;more</SharedSecret>" },
    { "secret-nul", .secret = "<SharedSecret>acme-secret\2more</SharedSecret>" },
    { "secret-element", .secret = "<SharedSecret>acme-secret<x/></SharedSecret>" },
    { "secret-element-around", .secret = "<SharedSecret><x>acme-secret</x></SharedSecret>" },
    { "secret-empty", .secret = "<SharedSecret></SharedSecret>" },
    { "secret-only-comment", .secret = "<SharedSecret><!-- acme-secret --></SharedSecret>" },
    { "identity-element", .header = "<Header>" PARTY("From", "buyer-1<x/>", "") PARTY("To", "market-1", "")
      PARTY("Sender", "buyer-1", SECRET) "</Header>" },
    { "identity-comment", .header = "<Header>" PARTY("From", "buyer-1<!-- -->2", "") PARTY("To", "market-1", "")
      PARTY("Sender", "buyer-1", SECRET) "</Header>" },

    { "nul-in-text", .more = "<Extrinsic name=\"User\">a\2b</Extrinsic>" },
    { "nul-between-tags", .more = "\2" },
    { "nul-in-attribute", .more = "<Extrinsic name=\"a\2b\">c</Extrinsic>" },
    { "nul-at-the-end", .behind = "\2" },
    { "nul-then-another-document", .behind = "\2<cXML/>" },
    { "nul-first", .prolog = "\2" DECLARATION DOCTYPE },
    { "control-character", .more = "<Extrinsic name=\"User\">a\033b</Extrinsic>" },
    { "control-reference", .more = "<Extrinsic name=\"User\">a&#27;b</Extrinsic>" },
    { "truncated", .variants = CUTS },
    { "utf-7", .encoding = "UTF-7" },
    { "utf-7-declared", .prolog = "<?xml version=\"1.0\" encoding=\"UTF-7\"?>\n" DOCTYPE,
      .more = "+ADw-Extrinsic name=+ACI-User+ACIAPg-x+ADw-/Extrinsic+AD4-" },
    { "utf-16le-no-mark", .prolog = DOCTYPE, .encoding = "UTF-16LE" },
    { "utf-16be-no-mark", .prolog = DOCTYPE, .encoding = "UTF-16BE" },
    { "utf-16-cut", .prolog = DOCTYPE, .encoding = "UTF-16LE", .short_by = 1 },
    { "utf-16-declared-only", .prolog = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n" DOCTYPE },
    { "utf-16-many-attributes", .prolog = DOCTYPE, .more = "<a \1/>", .unit = " a\3=''", .times = 60000,
      .encoding = "UTF-16LE" },
    { "utf-16-big", .prolog = DOCTYPE, .more = "<Comments>\1</Comments>", .unit = "x", .times = 2 * MEGABYTE,
      .encoding = "UTF-16LE" },
    { "utf-16-subset", .prolog = "<!DOCTYPE cXML [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>", .more = ENTITY_USER,
      .encoding = "UTF-16LE" },
    { "utf-32", .encoding = "UTF-32LE" },
    { "ucs-4-declared", .prolog = "<?xml version=\"1.0\" encoding=\"UCS-4\"?>\n" DOCTYPE },
    { "ebcdic", .encoding = "IBM037" },
    { "ebcdic-declared", .prolog = "<?xml version=\"1.0\" encoding=\"IBM037\"?>\n" DOCTYPE },
    { "encoding-unknown", .prolog = "<?xml version=\"1.0\" encoding=\"x-hostile\"?>\n" DOCTYPE },
    { "encoding-hz", .prolog = "<?xml version=\"1.0\" encoding=\"HZ-GB-2312\"?>\n" DOCTYPE },
    { "encoding-latin-1", .prolog = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n" DOCTYPE,
      .more = "<Comments>\xe9</Comments>" },
    { "big-latin-1", .prolog = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n" DOCTYPE,
      .more = "<Comments>\1</Comments>", .unit = "\xe9", .times = 4 * MEGABYTE },
    { "latin-1-undeclared", .more = "<Comments>\xe9</Comments>" },
    { "declaration-twice", .prolog = DECLARATION DECLARATION DOCTYPE },
    { "declaration-late", .prolog = "\n" DECLARATION DOCTYPE },
    { "version-2", .prolog = "<?xml version=\"2.0\" encoding=\"UTF-8\"?>\n" DOCTYPE },
    { "standalone-wrong", .prolog = "<?xml version=\"1.0\" standalone=\"maybe\"?>\n" DOCTYPE },
    { "overlong-slash", .more = "<Extrinsic name=\"User\">\xc0\xaf</Extrinsic>" },
    { "overlong-lt", .more = "\xc0\xbc" "Extrinsic name=\"User\">x</Extrinsic>" },
    { "overlong-nul", .secret = "<SharedSecret>acme-secret\xc0\x80</SharedSecret>" },
    { "overlong-three", .more = "<Extrinsic name=\"User\">\xe0\x80\xaf</Extrinsic>" },
    { "overlong-four", .more = "<Extrinsic name=\"User\">\xf0\x80\x80\xaf</Extrinsic>" },
    { "beyond-unicode", .more = "<Extrinsic name=\"User\">\xf4\x90\x80\x80</Extrinsic>" },
    { "five-bytes", .more = "<Extrinsic name=\"User\">\xf8\x88\x80\x80\x80</Extrinsic>" },
    { "surrogate", .more = "<Extrinsic name=\"User\">\xed\xa0\x80</Extrinsic>" },
    { "surrogate-pair", .more = "<Extrinsic name=\"User\">\xed\xa0\xbd\xed\xb8\x80</Extrinsic>" },
    { "surrogate-reference", .more = "<Extrinsic name=\"User\">&#xD800;</Extrinsic>" },
    { "u-fffe", .more = "<Extrinsic name=\"User\">\xef\xbf\xbe</Extrinsic>" },
    { "u-ffff-reference", .more = "<Extrinsic name=\"User\">&#xFFFF;</Extrinsic>" },
    { "utf-8-cut", .more = "<Extrinsic name=\"User\">\xe2\x82</Extrinsic>" },
    { "error-then-nothing-else", .more = "</x>" },
    { "not-xml", .prolog = "GIF89a" },
    { "empty-root", .header = "", .request = "" },
};

#define RECIPES ((int)(sizeof(recipes) / sizeof(*recipes)))

/* ---- bytes ---------------------------------------------------------------------------------------------------- */

typedef struct {
    hostile_document d;
    size_t room;
} builder;

static void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void add(builder *b, const char *bytes, size_t n)
{
    if (b->d.len + n + 1 > b->room) {
        b->room = 2 * (b->d.len + n + 1);
        b->d.data = must(realloc(b->d.data, b->room));
    }
    memcpy(b->d.data + b->d.len, bytes, n);
    b->d.len += n;
    b->d.data[b->d.len] = '\0';
}

static void add_unit(builder *b, const char *unit, size_t number)
{
    char text[24];
    const char *mark;

    for (; (mark = strchr(unit, '\3')); unit = mark + 1) {
        add(b, unit, (size_t)(mark - unit));
        add(b, text, (size_t)snprintf(text, sizeof(text), "%zu", number));
    }
    add(b, unit, strlen(unit));
}

static void add_repeated(builder *b, const recipe *r)
{
    size_t i;

    for (i = 0; i < r->times; i++)
        add_unit(b, r->unit, i);
    for (i = 0; r->end && i < r->times; i++)
        add(b, r->end, strlen(r->end));
}

static void add_part(builder *b, const recipe *r, const char *part)
{
    const char *from;

    for (from = part; *part; part++) {
        if (*part != '\1' && *part != '\2')
            continue;
        add(b, from, (size_t)(part - from));
        if (*part == '\1')
            add_repeated(b, r);
        else
            add(b, "", 1);
        from = part + 1;
    }
    add(b, from, (size_t)(part - from));
}

/* ---- documents ------------------------------------------------------------------------------------------------ */

static const char *or_else(const char *part, const char *otherwise)
{
    return part ? part : otherwise;
}

static void add_header(builder *b, const recipe *r)
{
    if (r->header) {
        add_part(b, r, r->header);
        return;
    }
    add_part(b, r, "<Header>" PARTY("From", "buyer-1", "") PARTY("To", "market-1", "")
             "<Sender><Credential domain=\"DUNS\"><Identity>buyer-1</Identity>");
    add_part(b, r, or_else(r->secret, SECRET));
    add_part(b, r, "</Credential><UserAgent>Test 1.0</UserAgent></Sender></Header>");
}

static void add_request(builder *b, const recipe *r)
{
    if (r->request) {
        add_part(b, r, r->request);
        return;
    }
    add_part(b, r, "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>bc-1</BuyerCookie>"
             "<BrowserFormPost><URL>https://buyer.example/return</URL></BrowserFormPost>");
    add_part(b, r, or_else(r->more, ""));
    add_part(b, r, "</PunchOutSetupRequest></Request>");
}

static void convert(builder *b, const char *encoding)
{
    iconv_t to = iconv_open(encoding, "UTF-8");
    size_t room = 4 * b->d.len + 8, left = room, len = b->d.len;
    char *in = b->d.data, *out = must(malloc(room + 1)), *at = out;

    if (to == (iconv_t)-1 || iconv(to, &in, &len, &at, &left) == (size_t)-1) {
        fprintf(stderr, "iconv can't write %s\n", encoding);
        exit(1);
    }
    iconv(to, NULL, NULL, &at, &left);
    iconv_close(to);
    free(b->d.data);
    b->d.data = out;
    b->d.len = room - left;
    out[b->d.len] = '\0';
}

static void make(const recipe *r, int variant, hostile_document *out)
{
    builder b = { { NULL, 0 }, 0 };

    add_part(&b, r, or_else(r->prolog, DECLARATION DOCTYPE));
    add_part(&b, r, "<cXML payloadID=\"1.2.3@buyer.example\" timestamp=\"2026-11-23T10:00:00+00:00\" ");
    add_part(&b, r, or_else(r->root, ""));
    add_part(&b, r, ">");
    add_header(&b, r);
    add_request(&b, r);
    add_part(&b, r, "</cXML>");
    add_part(&b, r, or_else(r->behind, ""));
    if (r->encoding)
        convert(&b, r->encoding);
    b.d.len -= r->short_by;
    if (r->variants)
        b.d.len = b.d.len * (size_t)variant / (size_t)r->variants;
    b.d.data[b.d.len] = '\0';
    *out = b.d;
}

void hostile_good(hostile_document *out)
{
    make(&recipes[0], 0, out);
}

const char *hostile_name(int at, int *variants)
{
    if (at >= RECIPES)
        return NULL;
    *variants = recipes[at].variants ? recipes[at].variants : 1;
    return recipes[at].name;
}

int hostile_make(const char *name, int variant, hostile_document *out)
{
    int i;

    for (i = 0; i < RECIPES; i++)
        if (!strcmp(recipes[i].name, name)) {
            make(&recipes[i], variant, out);
            return 1;
        }
    return 0;
}
