/*
 * libxl on the main loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl tells before each poll which descriptors and which timeout it needs; a
 * GSource passes that on. Operations are asynchronous with a callback, which
 * libxl calls from within dispatch.
 */

#include "config.h"

#include "dm_libxl.h"

#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include <glib/gi18n-lib.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <xentoollog.h>

#include "dm_error.h"

/* Descriptors libxl may want to poll at a time: xenstore, children, timers; grown when it says so. */
#define FDS_INITIAL 16
/* Bytes kept of what libxl said last. */
#define SAID_MAX 2048

typedef struct {
    GSource source;
    DmLibxl *libxl;
    struct pollfd *wanted; /* what libxl asked for last */
    struct pollfd *fds;    /* what is polled */
    gpointer *tags;        /* the same, for GLib */
    guint allocated;       /* room in each of the three */
    guint used;            /* entries in fds and tags */
    gint64 expiry;         /* when libxl wants to be asked again, monotonic microseconds; -1: only when polls fire */
} LibxlSource;

typedef struct {
    xentoollog_logger vtable; /* first: libxl calls us with its address */
    GString *said;            /* errors since the last dmLibxlSetError */
    gboolean quiet;           /* what it says now is no news */
} LibxlLogger;

/* All members: main loop only, or the one thread that opened it for itself. */
struct _DmLibxl {
    LibxlLogger logger;
    libxl_ctx *ctx;
    LibxlSource *source; /* NULL: a thread's */
    guint operations;    /* in work */
};

struct _DmLibxlOperation {
    DmLibxl *libxl;
    char *what;
    DmLibxlFunc func;
    gpointer opaque;
    libxl_asyncop_how how;
    GError *error; /* how it ended */
};

static void G_GNUC_PRINTF(5, 0) loggerMessage(xentoollog_logger *base, xentoollog_level level, int errnoval,
                                              const char *context, const char *format, va_list args)
{
    LibxlLogger *logger = (LibxlLogger *)base;
    g_autofree char *text = g_strdup_vprintf(format, args);

    if (level < XTL_WARN || logger->quiet) {
        g_debug("libxl: %s", text);
        return;
    }
    g_printerr("xen-stubdom-dm: libxl: %s%s%s\n", text, errnoval >= 0 ? ": " : "",
               errnoval >= 0 ? g_strerror(errnoval) : "");
    if (level >= XTL_ERROR && logger->said->len < SAID_MAX) {
        g_string_append_printf(logger->said, "%s%s%s%s", logger->said->len ? "; " : "", text, errnoval >= 0 ? ": " : "",
                               errnoval >= 0 ? g_strerror(errnoval) : "");
    }
}

static void
loggerProgress(xentoollog_logger *base, const char *context, const char *what, int percent, unsigned long done,
               unsigned long total)
{
}

static struct timeval
timeNow(void)
{
    gint64 now = g_get_real_time();

    return (struct timeval){.tv_sec = now / G_USEC_PER_SEC, .tv_usec = now % G_USEC_PER_SEC};
}

static void
dropPolls(LibxlSource *source)
{
    for (guint i = 0; i < source->used; i++) {
        g_source_remove_unix_fd(&source->source, source->tags[i]);
    }
    source->used = 0;
}

static gboolean
samePolls(const LibxlSource *source, guint count)
{
    if (count != source->used) {
        return FALSE;
    }
    for (guint i = 0; i < count; i++) {
        if (source->wanted[i].fd != source->fds[i].fd || source->wanted[i].events != source->fds[i].events) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Polls are only touched when they differ: adding one wakes the main loop up, which would never sleep again. */
static gboolean
libxlPrepare(GSource *base, gint *timeout)
{
    LibxlSource *source = (LibxlSource *)base;
    int count = (int)source->allocated;
    int rc;

    *timeout = -1;
    while ((rc = libxl_osevent_beforepoll(source->libxl->ctx, &count, source->wanted, timeout, timeNow())) ==
           ERROR_BUFFERFULL) {
        source->allocated = (guint)count;
        source->wanted = g_renew(struct pollfd, source->wanted, source->allocated);
        source->fds = g_renew(struct pollfd, source->fds, source->allocated);
        source->tags = g_renew(gpointer, source->tags, source->allocated);
        *timeout = -1;
    }
    if (rc) {
        g_warning("libxl cannot say what to wait for: rc %d", rc);
        return FALSE;
    }
    if (!samePolls(source, (guint)count)) {
        dropPolls(source);
        for (; source->used < (guint)count; source->used++) {
            source->fds[source->used] = source->wanted[source->used];
            source->tags[source->used] = g_source_add_unix_fd(base, source->fds[source->used].fd,
                                                              (GIOCondition)source->fds[source->used].events);
        }
    }
    source->expiry = *timeout < 0 ? -1 : g_get_monotonic_time() + (gint64)*timeout * 1000;
    return *timeout == 0;
}

/* Only when there is something to do: GLib wakes the main loop up after each dispatch of a source with polls. */
static gboolean
libxlCheck(GSource *base)
{
    LibxlSource *source = (LibxlSource *)base;
    gboolean ready = source->expiry >= 0 && g_get_monotonic_time() >= source->expiry;

    for (guint i = 0; i < source->used; i++) {
        source->fds[i].revents = (short)g_source_query_unix_fd(base, source->tags[i]);
        ready = ready || source->fds[i].revents != 0;
    }
    return ready;
}

static gboolean
libxlDispatch(GSource *base, GSourceFunc callback, gpointer data)
{
    LibxlSource *source = (LibxlSource *)base;

    libxl_osevent_afterpoll(source->libxl->ctx, (int)source->used, source->fds, timeNow());
    return G_SOURCE_CONTINUE;
}

static void
libxlFinalize(GSource *base)
{
    LibxlSource *source = (LibxlSource *)base;

    g_free(source->wanted);
    g_free(source->fds);
    g_free(source->tags);
}

/* libxl would end the process: it cannot see events any more, mostly because xenstored is gone. */
static void
libxlDisaster(void *opaque, libxl_event_type type, const char *message, int errnoval)
{
    g_printerr("xen-stubdom-dm: libxl: %s: %s\n", message, g_strerror(errnoval));
}

static GSourceFuncs libxlSourceFuncs = {
    .prepare = libxlPrepare,
    .check = libxlCheck,
    .dispatch = libxlDispatch,
    .finalize = libxlFinalize,
};

/* A context and its log, without the main loop. */
static DmLibxl *
openContext(GError **error)
{
    static const libxl_childproc_hooks childHooks = {.chldowner = libxl_sigchld_owner_libxl_always_selective_reap};
    DmLibxl *libxl = g_new0(DmLibxl, 1);
    int rc;

    libxl->logger.vtable.vmessage = loggerMessage;
    libxl->logger.vtable.progress = loggerProgress;
    libxl->logger.said = g_string_new(NULL);
    rc = libxl_ctx_alloc(&libxl->ctx, LIBXL_VERSION, 0, &libxl->logger.vtable);
    if (rc) {
        dmLibxlSetError(libxl, error, _("open the interface to Xen"), rc);
        g_string_free(libxl->logger.said, TRUE);
        g_free(libxl);
        return NULL;
    }
    libxl_childproc_setmode(libxl->ctx, &childHooks, NULL);
    return libxl;
}

DmLibxl *
dmLibxlOpen(GError **error)
{
    static const libxl_event_hooks eventHooks = {.disaster = libxlDisaster};
    DmLibxl *libxl = openContext(error);

    if (!libxl) {
        return NULL;
    }
    libxl_event_register_callbacks(libxl->ctx, &eventHooks, NULL);
    libxl->source = (LibxlSource *)g_source_new(&libxlSourceFuncs, sizeof(LibxlSource));
    libxl->source->libxl = libxl;
    libxl->source->allocated = FDS_INITIAL;
    libxl->source->wanted = g_new0(struct pollfd, FDS_INITIAL);
    libxl->source->fds = g_new0(struct pollfd, FDS_INITIAL);
    libxl->source->tags = g_new0(gpointer, FDS_INITIAL);
    g_source_attach(&libxl->source->source, NULL);
    return libxl;
}

DmLibxl *
dmLibxlOpenThread(GError **error)
{
    return openContext(error);
}

void
dmLibxlClose(DmLibxl *libxl)
{
    if (!libxl) {
        return;
    }
    g_warn_if_fail(libxl->operations == 0);
    if (libxl->source) {
        dropPolls(libxl->source);
        g_source_destroy(&libxl->source->source);
        g_source_unref(&libxl->source->source);
    }
    libxl_ctx_free(libxl->ctx);
    g_string_free(libxl->logger.said, TRUE);
    g_free(libxl);
}

libxl_ctx *
dmLibxlContext(DmLibxl *libxl)
{
    return libxl->ctx;
}

static gboolean
operationDone(gpointer opaque)
{
    DmLibxlOperation *operation = opaque;
    g_autoptr(GError) error = g_steal_pointer(&operation->error);

    operation->libxl->operations--;
    operation->func(error, operation->opaque);
    g_free(operation->what);
    g_free(operation);
    return G_SOURCE_REMOVE;
}

/* What libxl said is taken now: another operation may be started before this one's end is told. */
static void
operationEnded(DmLibxlOperation *operation, int rc)
{
    if (rc) {
        dmLibxlSetError(operation->libxl, &operation->error, operation->what, rc);
    }
    g_idle_add_full(G_PRIORITY_DEFAULT, operationDone, operation, NULL);
}

/* libxl's callback: from within afterpoll, or from within the call itself. */
static void
operationCallback(libxl_ctx *ctx, int rc, void *forCallback)
{
    operationEnded(forCallback, rc);
}

DmLibxlOperation *
dmLibxlBegin(DmLibxl *libxl, const char *what, DmLibxlFunc func, gpointer opaque)
{
    DmLibxlOperation *operation = g_new0(DmLibxlOperation, 1);

    if (libxl->operations == 0) {
        g_string_truncate(libxl->logger.said, 0);
    }
    operation->libxl = libxl;
    operation->what = g_strdup(what);
    operation->func = func;
    operation->opaque = opaque;
    operation->how.callback = operationCallback;
    operation->how.u.for_callback = operation;
    libxl->operations++;
    return operation;
}

const libxl_asyncop_how *
dmLibxlHow(const DmLibxlOperation *operation)
{
    return &operation->how;
}

void
dmLibxlStarted(DmLibxlOperation *operation, int rc)
{
    if (rc) {
        operationEnded(operation, rc);
    }
}

gboolean
dmLibxlDomainInfo(DmLibxl *libxl, guint domid, libxl_dominfo *info)
{
    gboolean exists;

    libxl_dominfo_init(info);
    libxl->logger.quiet = TRUE;
    exists = libxl_domain_info(libxl->ctx, info, domid) == 0;
    libxl->logger.quiet = FALSE;
    if (!exists) {
        libxl_dominfo_dispose(info);
    }
    return exists;
}

void
dmLibxlSetError(DmLibxl *libxl, GError **error, const char *what, int rc)
{
    if (libxl->logger.said->len) {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("cannot %s: %s"), what, libxl->logger.said->str);
        g_string_truncate(libxl->logger.said, 0);
    } else {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("cannot %s: libxl error %d"), what, rc);
    }
}
