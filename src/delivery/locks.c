/* locks.c - pipe and locks that all processes and generations share. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_config.h"
#include "http_log.h"
#include "util_mutex.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

APLOG_USE_MODULE(punchout);

#define RETAINED "mod_punchout:delivery"
#define ELECT "punchout-deliverer"
#define LEDGER "punchout-ledger"

static po_shared *shared;

const po_shared *po_shared_get(void)
{
    return shared;
}

void po_poke(int fd)
{
    ssize_t n;

    do {
        n = write(fd, "x", 1);
    } while (n < 0 && errno == EINTR);
}

void po_drain(int fd)
{
    char bytes[512];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        ;
}

apr_status_t po_delivery_pre_config(apr_pool_t *p)
{
    apr_status_t rv = ap_mutex_register(p, ELECT, NULL, APR_LOCK_DEFAULT, 0);

    return rv == APR_SUCCESS ? ap_mutex_register(p, LEDGER, NULL, APR_LOCK_DEFAULT, 0) : rv;
}

/* httpd tells a mutex's mechanism only once it exists: so one is made aside, under another name than the real one. */
static const char *mechanism_of(const char *type, server_rec *s, apr_pool_t *p)
{
    apr_proc_mutex_t *m;

    return ap_proc_mutex_create(&m, NULL, type, "check", s, p, 0) == APR_SUCCESS ? apr_proc_mutex_name(m) : NULL;
}

const char *po_delivery_check(apr_pool_t *p, server_rec *s)
{
    static const char *const types[] = { ELECT, LEDGER };
    const char *mechanism, *wrong = NULL;
    apr_pool_t *aside;
    int i;

    if ((wrong = po_mail_check(p)))
        return wrong;
    if (ap_retained_data_get(RETAINED))         /* running locks keep their mechanism until a full stop */
        return NULL;
    apr_pool_create(&aside, p);
    for (i = 0; i < 2 && !wrong; i++) {
        mechanism = mechanism_of(types[i], s, aside);
        if (mechanism && !strcmp(mechanism, "posixsem"))
            wrong = apr_psprintf(p, "the mutex %s uses posixsem, which stays locked for ever when its owner dies; "
                                 "write \"Mutex pthread %s\" (or fcntl, flock, sysvsem)", types[i], types[i]);
    }
    apr_pool_destroy(aside);
    return wrong;
}

apr_status_t po_delivery_post_config(apr_pool_t *process_pool, server_rec *s)
{
    po_shared made;
    int fd[2];
    apr_status_t rv;

    shared = ap_retained_data_get(RETAINED);
    if (shared)
        return APR_SUCCESS;
    if (pipe2(fd, O_NONBLOCK | O_CLOEXEC)) {
        rv = errno;
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0300: cannot make the pipe that wakes the deliverer; raise the "
                     "limit of open files");
        return rv;
    }
    made.wake_read = fd[0];
    made.wake_write = fd[1];
    rv = ap_proc_mutex_create(&made.elect, NULL, ELECT, NULL, s, process_pool, 0);
    if (rv == APR_SUCCESS)
        rv = ap_proc_mutex_create(&made.ledger, NULL, LEDGER, NULL, s, process_pool, 0);
    if (rv != APR_SUCCESS) {                    /* httpd has logged why */
        close(fd[0]);
        close(fd[1]);
        return rv;
    }
    shared = ap_retained_data_create(RETAINED, sizeof(*shared));
    *shared = made;
    return APR_SUCCESS;
}

/* Mechanisms that lock a file open it once more in each child. */
static apr_status_t reopen(apr_proc_mutex_t **m, apr_pool_t *p)
{
    return apr_proc_mutex_child_init(m, apr_proc_mutex_lockfile(*m), p);
}

apr_status_t po_shared_child_init(apr_pool_t *process_pool)
{
    apr_status_t rv;

    if (!shared)
        return APR_EINIT;
    rv = reopen(&shared->elect, process_pool);
    return rv == APR_SUCCESS ? reopen(&shared->ledger, process_pool) : rv;
}

apr_status_t po_delivery_lock(void *unused)
{
    return shared ? apr_proc_mutex_lock(shared->ledger) : APR_EINIT;
}

void po_delivery_unlock(void *unused)
{
    apr_proc_mutex_unlock(shared->ledger);
}

void po_delivery_wake(void *unused)
{
    if (shared)
        po_poke(shared->wake_write);
}
