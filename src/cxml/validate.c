/* validate.c - documents of ours against local DTDs, for PunchOutValidate and for tests.
 *
 * A DTD is read from its one file: what a declaration inside it names is never opened. Loaded before the fork with
 * every content model built, since libxml2 would build them while it validates; from then on nothing writes to it, and
 * threads may share it.
 */
#include "cxml/cxml.h"

#include "apr_file_io.h"
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/valid.h>
#include <libxml/xmlerror.h>
#include <string.h>

#define DTD_BYTES_MAX (8 * 1024 * 1024)         /* the largest official one has 452,473 */
#define READ_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

struct po_cxml_validator {
    apr_pool_t *pool;
    const char *dir;
    apr_hash_t *dtds;                   /* "1.2.014/cXML.dtd" -> xmlDtdPtr */
};

/* ---- loading -------------------------------------------------------------------------------------------------- */

static void quiet(void *data, xmlErrorPtr error)
{
}

/* A parameter entity of another file stays undeclared, so that nothing opens it; to use it is an error. */
static void on_entity(void *data, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                      xmlChar *content)
{
    if (type != XML_EXTERNAL_PARAMETER_ENTITY)
        xmlSAX2EntityDecl(data, name, type, public_id, system_id, content);
}

static xmlParserInputPtr no_entity(void *data, const xmlChar *public_id, const xmlChar *system_id)
{
    return NULL;
}

static apr_status_t free_dtd(void *dtd)
{
    xmlFreeDtd(dtd);
    return APR_SUCCESS;
}

static const char *read_file(const char *path, char **bytes, apr_size_t *len, apr_pool_t *p)
{
    char reason[120];
    apr_finfo_t info;
    apr_file_t *f;
    apr_status_t rv = apr_file_open(&f, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);

    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, f);
        if (rv == APR_SUCCESS && (info.filetype != APR_REG || info.size > DTD_BYTES_MAX))
            rv = APR_EINVAL;
        if (rv == APR_SUCCESS) {
            *len = (apr_size_t)info.size;
            *bytes = apr_palloc(p, *len + 1);
            rv = apr_file_read_full(f, *bytes, *len, NULL);
        }
        apr_file_close(f);
    }
    if (rv == APR_SUCCESS)
        return NULL;
    return apr_psprintf(p, "the DTD %s can't be read (%s)", path, apr_strerror(rv, reason, sizeof(reason)));
}

static xmlDtdPtr parse_dtd(const char *bytes, apr_size_t len)
{
    xmlParserInputBufferPtr input = xmlParserInputBufferCreateMem(bytes, (int)len, XML_CHAR_ENCODING_NONE);
    xmlSAXHandler sax;

    if (!input)
        return NULL;
    memset(&sax, 0, sizeof(sax));
    xmlSAXVersion(&sax, 2);
    sax.serror = quiet;
    sax.entityDecl = on_entity;
    sax.resolveEntity = no_entity;
    return xmlIOParseDTD(&sax, input, XML_CHAR_ENCODING_NONE);  /* takes the input */
}

static void silent(void *data, const char *format, ...)
{
}

static void build_model(void *declaration, void *context, const xmlChar *name)
{
    xmlElementPtr e = declaration;

    if (e->type == XML_ELEMENT_DECL && e->etype == XML_ELEMENT_TYPE_ELEMENT && !e->contModel)
        xmlValidBuildContentModel(context, e);
}

/* A model that is not deterministic is told by the first document that meets it. */
static int build_models(xmlDtdPtr dtd)
{
    xmlValidCtxtPtr context = xmlNewValidCtxt();

    if (!context)
        return 0;
    context->error = silent;
    context->warning = silent;
    if (dtd->elements)
        xmlHashScan(dtd->elements, build_model, context);
    xmlFreeValidCtxt(context);
    return 1;
}

po_cxml_validator *po_cxml_validator_make(const char *dir, apr_pool_t *p)
{
    po_cxml_validator *v = apr_palloc(p, sizeof(*v));

    v->pool = p;
    v->dir = apr_pstrdup(p, dir);
    v->dtds = apr_hash_make(p);
    return v;
}

const char *po_cxml_validator_load(po_cxml_validator *v, const char *dtd_name, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, v->dir, "/", dtd_name, NULL), *wrong;
    apr_size_t len;
    char *bytes;
    xmlDtdPtr dtd;

    if (apr_hash_get(v->dtds, dtd_name, APR_HASH_KEY_STRING))
        return NULL;
    xmlInitParser();
    if ((wrong = read_file(path, &bytes, &len, p)))
        return wrong;
    if (!(dtd = parse_dtd(bytes, len)))
        return apr_psprintf(p, "%s is no well-formed DTD, or it takes in another file, which is never read", path);
    apr_pool_cleanup_register(v->pool, dtd, free_dtd, apr_pool_cleanup_null);
    if (!dtd->elements || !build_models(dtd))
        return apr_psprintf(p, "%s declares no elements", path);
    apr_hash_set(v->dtds, apr_pstrdup(v->pool, dtd_name), APR_HASH_KEY_STRING, dtd);
    return NULL;
}

/* ---- one document --------------------------------------------------------------------------------------------- */

typedef struct {
    apr_pool_t *pool;
    const char *wrong;                  /* the first problem */
} complaint;

/* libxml2's own sentences about these hold names of elements and attributes alone; others may quote the document. */
static int is_told(int code)
{
    switch (code) {
    case XML_DTD_CONTENT_ERROR:
    case XML_DTD_CONTENT_MODEL:
    case XML_DTD_EMPTY_NOTATION:
    case XML_DTD_INVALID_CHILD:
    case XML_DTD_MISSING_ATTRIBUTE:
    case XML_DTD_NOT_EMPTY:
    case XML_DTD_NOT_PCDATA:
    case XML_DTD_ROOT_NAME:
    case XML_DTD_UNKNOWN_ATTRIBUTE:
    case XML_DTD_UNKNOWN_ELEM:
        return 1;
    default:
        return 0;
    }
}

static const char *sentence(const xmlError *e, apr_pool_t *p)
{
    const xmlNode *node = e->node;
    const char *attribute = e->str3 ? e->str2 : e->str1;        /* attribute and element, sometimes behind the value */
    char *text;

    if (is_told(e->code) && e->message) {
        text = apr_pstrdup(p, e->message);
        text[strcspn(text, "\r\n")] = '\0';
        return text;
    }
    if (e->code == XML_DTD_ATTRIBUTE_VALUE && attribute && node && node->name)
        return apr_psprintf(p, "the value of attribute %s of element %s is not one that the DTD allows", attribute,
                            node->name);
    return apr_psprintf(p, "element %s breaks a rule of the DTD (libxml2 error %d)",
                        node && node->name ? (const char *)node->name : "cXML", e->code);
}

static void on_invalid(void *data, const char *format, ...)
{
    complaint *c = data;
    const xmlError *e = xmlGetLastError();
    const xmlNode *node = e ? e->node : NULL;

    if (c->wrong)
        return;
    c->wrong = e ? apr_psprintf(c->pool, "line %ld: %s", node ? xmlGetLineNo((xmlNodePtr)node) : 0L,
                                sentence(e, c->pool))
                 : "the document is not valid";
}

/* The last two steps of http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd; NULL: another form. */
static const char *dtd_of(const xmlDoc *doc)
{
    const char *url = doc->intSubset ? (const char *)doc->intSubset->SystemID : NULL, *file, *version;

    if (!url || !(file = strrchr(url, '/')) || file == url)
        return NULL;
    for (version = file - 1; version > url && *version != '/'; version--)
        ;
    return *version == '/' ? version + 1 : version;
}

static xmlNodePtr child(xmlNodePtr parent, const char *name)
{
    xmlNodePtr n = parent ? parent->children : NULL;

    while (n && (n->type != XML_ELEMENT_NODE || strcmp((const char *)n->name, name)))
        n = n->next;
    return n;
}

/* A cookie comes back with the markup that it came with, whatever the DTD says about it. */
static void empty_cookie(xmlNodePtr root)
{
    xmlNodePtr cookie = child(child(child(root, "Message"), "PunchOutOrderMessage"), "BuyerCookie");

    while (cookie && cookie->children) {
        xmlNodePtr n = cookie->children;

        xmlUnlinkNode(n);
        xmlFreeNode(n);
    }
}

static const char *check_tree(const po_cxml_validator *v, xmlDocPtr doc, apr_pool_t *p)
{
    const char *name = dtd_of(doc);
    xmlDtdPtr dtd = name ? apr_hash_get(v->dtds, name, APR_HASH_KEY_STRING) : NULL;
    xmlNodePtr root = xmlDocGetRootElement(doc);
    complaint c = { p };
    xmlValidCtxtPtr context;
    int valid;

    if (!dtd)
        return apr_psprintf(p, "there is no DTD %s below %s", name ? name : "for it", v->dir);
    if (root && !strcmp((const char *)root->name, "cXML"))
        empty_cookie(root);
    if (!(context = xmlNewValidCtxt()))
        return "out of memory";
    context->userData = &c;
    context->error = on_invalid;
    context->warning = silent;
    valid = xmlValidateDtd(context, doc, dtd);
    xmlFreeValidCtxt(context);
    if (valid == 1)
        return NULL;
    return c.wrong ? c.wrong : "the document is not valid";
}

const char *po_cxml_validate(const po_cxml_validator *v, const char *document, apr_size_t len, apr_pool_t *p)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    xmlDocPtr doc = parser ? xmlCtxtReadMemory(parser, document, (int)len, NULL, NULL, READ_OPTIONS) : NULL;
    const char *wrong = !parser ? "out of memory" : doc ? NULL : "it is not well-formed XML";

    if (!wrong)
        wrong = check_tree(v, doc, p);
    xmlFreeDoc(doc);
    if (parser)
        xmlFreeParserCtxt(parser);
    return wrong;
}
