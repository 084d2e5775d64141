/* status.c - the texts of cXML Status codes (cXML User's Guide, "Status"). */
#include "cxml/cxml.h"

const char *po_cxml_status_text(int code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        { 200, "OK" }, { 201, "Accepted" }, { 204, "No Content" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
        { 402, "Payment Required" }, { 403, "Forbidden" }, { 406, "Not Acceptable" }, { 409, "Conflict" },
        { 412, "Precondition Failed" }, { 417, "Expectation Failed" }, { 450, "Not Implemented" },
        { 500, "Internal Server Error" }, { 550, "Unable to reach cXML server" }, { 551, "Unable to forward request" },
        { 560, "Temporary server error" }
    };
    apr_size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].code == code)
            return texts[i].text;
    /* the guide: an unknown code is read as the first of its hundred */
    return code < 300 ? "OK" : code < 500 ? "Bad Request" : "Internal Server Error";
}
