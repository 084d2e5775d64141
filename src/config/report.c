/* report.c - the problems, warnings and remarks of one reading of the configuration.
 *
 * Kept until check_config, because a directive that fails while the files are read again after a raw SIGUSR1 would end
 * the running server.
 */
#include "config/config_private.h"

#include <string.h>

APLOG_USE_MODULE(punchout);

#define ID_LENGTH 8                             /* of an id, its colon and the blank */

typedef struct {
    int level;
    const char *text;
} line;

static apr_array_header_t *lines;
static const char *process_fault;

void po_report_start(apr_pool_t *p)
{
    lines = apr_array_make(p, 8, sizeof(line));
    process_fault = NULL;
}

static const char *line_text(const po_place *at, const char *value, const char *text, apr_pool_t *p)
{
    const char *sentence = text + ID_LENGTH;

    if (!at)
        return text;
    return apr_psprintf(p, "%.*s%s%s%s%s (%s:%d): %s", ID_LENGTH, text, at->directive, value ? " \"" : "",
                        value ? value : "", value ? "\"" : "", at->file, at->line, sentence);
}

void po_report(int level, const po_place *at, const char *value, const char *text)
{
    const char *whole = line_text(at, value, text, lines->pool);
    line *l;
    int i;

    /* virtual hosts share the blocks and settings that they inherit */
    for (i = 0; i < lines->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(lines, i, line).text, whole))
            return;
    l = apr_array_push(lines);
    l->level = level;
    l->text = whole;
}

void po_report_process(const char *fault)
{
    if (!process_fault)
        process_fault = fault;
}

const char *po_report_process_fault(void)
{
    return process_fault;
}

/* A line's text starts with its id. A console at start gets the line alone, the log of a running server a dated one. */
int po_report_log(server_rec *s, int running)
{
    int i, errors = 0;

    for (i = 0; i < lines->nelts; i++) {
        const line *l = &APR_ARRAY_IDX(lines, i, line);
        int level = running && l->level == APLOG_ERR ? APLOG_CRIT : l->level;

        errors += l->level == APLOG_ERR;
        if (running)
            ap_log_error(APLOG_MARK, level, 0, s, "%s", l->text);
        else
            ap_log_error(APLOG_MARK, APLOG_STARTUP | level, 0, NULL, "%s", l->text);
    }
    return errors;
}
