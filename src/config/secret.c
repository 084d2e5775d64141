/* secret.c - shared secrets: from a file, from a command, or written out. Never in a message. */
#include "config/config_private.h"

#include "apr_file_io.h"
#include "apr_lib.h"
#include "apr_thread_proc.h"
#include <string.h>

#define SECRET_MAX 1024                         /* longest first line */
#define COMMAND_SECONDS 10

const char *po_secret_shown(const char *text, apr_pool_t *p)
{
    return strncmp(text, "file:", 5) && strncmp(text, "exec:", 5) ? "********" : text;
}

/* Without blanks around it: what comes in is read so, and could never equal a secret with some. */
static const char *trimmed(const char *text, apr_pool_t *p)
{
    char *copy, *end;

    while (apr_isspace(*text))
        text++;
    copy = apr_pstrdup(p, text);
    for (end = copy + strlen(copy); end > copy && apr_isspace(end[-1]); end--)
        ;
    *end = '\0';
    return copy;
}

/* The first line of what was read, without its end. */
static const char *first_line(char *text, const char **value, apr_pool_t *p)
{
    text[strcspn(text, "\r\n")] = '\0';
    *value = trimmed(text, p);
    if (!**value)
        return "its first line is empty; the secret belongs there";
    return strcasecmp(*value, "none") ? NULL : "none is no secret; agree on one with the buyer";
}

/* Reads up to SECRET_MAX bytes, or to the first line's end. deadline 0: no limit of time. */
static apr_status_t read_some(apr_file_t *f, char *text, apr_time_t deadline)
{
    apr_size_t have = 0, n;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && have < SECRET_MAX && !memchr(text, '\n', have)) {
        if (deadline) {
            apr_interval_time_t left = deadline - apr_time_now();

            if (left <= 0)
                return APR_TIMEUP;
            apr_file_pipe_timeout_set(f, left);
        }
        n = SECRET_MAX - have;
        rv = apr_file_read(f, text + have, &n);
        have += rv == APR_SUCCESS ? n : 0;
    }
    text[have] = '\0';
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static const char *secret_of_file(const char *path, const char **value, apr_pool_t *p)
{
    char *text = apr_palloc(p, SECRET_MAX + 1), reason[120];
    apr_file_t *f;
    apr_finfo_t info;
    apr_status_t rv;

    if (!path)
        return "write file: and the path of a file";
    rv = apr_file_open(&f, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);
    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "the file %s can't be read (%s); make it, readable by the user who starts httpd", path,
                            apr_strerror(rv, reason, sizeof(reason)));
    /* of the open file: a name could be exchanged in between */
    rv = apr_file_info_get(&info, APR_FINFO_PROT | APR_FINFO_TYPE, f);
    if (rv == APR_SUCCESS && info.filetype == APR_REG && !(info.protection & APR_FPROT_WREAD))
        rv = read_some(f, text, 0);
    apr_file_close(f);
    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "the file %s can't be read (%s)", path, apr_strerror(rv, reason, sizeof(reason)));
    if (info.filetype != APR_REG)
        return apr_psprintf(p, "%s is not a plain file", path);
    if (info.protection & APR_FPROT_WREAD)
        return apr_psprintf(p, "everybody on this machine can read the file %s; chmod o-r it", path);
    return first_line(text, value, p);
}

static apr_status_t start_command(apr_proc_t *proc, const char *command, apr_pool_t *p)
{
    apr_procattr_t *attr;
    char **argv;
    apr_status_t rv = apr_tokenize_to_argv(command, &argv, p);

    if (rv == APR_SUCCESS && !argv[0])
        rv = APR_EINVAL;
    if (rv == APR_SUCCESS)
        rv = apr_procattr_create(&attr, p);
    if (rv == APR_SUCCESS)
        rv = apr_procattr_io_set(attr, APR_NO_PIPE, APR_FULL_NONBLOCK, APR_NO_PIPE);
    if (rv == APR_SUCCESS)
        rv = apr_procattr_error_check_set(attr, 1);
    if (rv == APR_SUCCESS)
        rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM_PATH);
    return rv == APR_SUCCESS ? apr_proc_create(proc, argv[0], (const char *const *)argv, NULL, attr, p) : rv;
}

static const char *secret_of_command(const char *command, const char **value, apr_pool_t *p)
{
    char *text = apr_palloc(p, SECRET_MAX + 1), reason[120];
    apr_time_t deadline = apr_time_now() + apr_time_from_sec(COMMAND_SECONDS);
    apr_proc_t proc;
    apr_exit_why_e why;
    apr_status_t rv = start_command(&proc, command, p);
    int code = 0, running;

    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "the command can't be started (%s); write exec: and a program with its full path",
                            apr_strerror(rv, reason, sizeof(reason)));
    rv = read_some(proc.out, text, deadline);
    apr_file_close(proc.out);
    while ((running = APR_STATUS_IS_CHILD_NOTDONE(apr_proc_wait(&proc, &code, &why, APR_NOWAIT)))
           && apr_time_now() < deadline)
        apr_sleep(20000);
    if (running) {
        apr_proc_kill(&proc, SIGKILL);
        apr_proc_wait(&proc, &code, &why, APR_WAIT);
    }
    if (rv != APR_SUCCESS || running)
        return apr_psprintf(p, "the command gave no answer within %d seconds", COMMAND_SECONDS);
    if (!APR_PROC_CHECK_EXIT(why) || code)
        return apr_psprintf(p, "the command failed (status %d); it must print the secret and end with 0", code);
    return first_line(text, value, p);
}

const char *po_secret_read(const char *text, po_secret *out, apr_pool_t *p)
{
    if (!strncmp(text, "file:", 5)) {
        const char *path = text[5] ? ap_server_root_relative(p, text + 5) : NULL;

        out->source = apr_pstrcat(p, "file:", path, NULL);
        return secret_of_file(path, &out->value, p);
    }
    if (!strncmp(text, "exec:", 5)) {
        out->source = text;
        return secret_of_command(text + 5, &out->value, p);
    }
    out->source = NULL;
    out->value = trimmed(text, p);
    if (!*out->value || !strcasecmp(out->value, "none"))
        return "an empty secret or none would let anybody in; write file:PATH, exec:COMMAND or the secret";
    return NULL;
}
