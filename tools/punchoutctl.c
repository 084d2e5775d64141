/* punchoutctl.c - the operator's tool: finds the command and hands over. */
#include "tools.h"

#include <libxml/parser.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, const char *const *argv, apr_pool_t *p);
    const char *summary;
} commands[] = {
    { "explain", po_explain_command, "what the module does with a captured request, and why" },
    { "orders", po_operate_command, "purchase orders: list, show, release, refuse" },
    { "requests", po_operate_command, "subscription requests: list, show, cancel" },
    { "outbox", po_operate_command, "events and mails that have not gone out: list, retry, drop" }
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *to)
{
    apr_size_t i;

    fputs("usage: punchoutctl COMMAND [OPTIONS] ...\n\nCommands:\n", to);
    for (i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n\"punchoutctl COMMAND --help\" says more.\n", to);
}

static int run(int argc, const char *const *argv, apr_pool_t *p)
{
    apr_size_t i;

    if (argc < 2) {
        help(stderr);
        return PO_EXIT_TROUBLE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return PO_EXIT_YES;
    }
    for (i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, argv[1]))
            return commands[i].run(argc - 1, argv + 1, p);
    return po_trouble("there is no command \"%s\"; see punchoutctl --help", argv[1]);
}

int main(int argc, const char *const *argv, const char *const *env)
{
    apr_pool_t *p;
    int rc;

    if (apr_app_initialize(&argc, &argv, &env) != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return po_trouble("out of memory");
    xmlInitParser();
    rc = run(argc, argv, p);
    apr_pool_destroy(p);
    xmlCleanupParser();
    apr_terminate();
    return rc;
}
