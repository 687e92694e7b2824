/*
 * A context of libxl, with what it logs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What libxl logs goes into libvirt's log. Its errors are kept as well, as a
 * bare return code tells a user nothing.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl.h"

#include "virfile.h"
#include "virmacaddr.h"

#include "stubdom_libxl_fork.h"

VIR_LOG_INIT("stubdom.libxl");

/* Bytes of errors that are kept for a report. The first ones name the cause. */
#define ERRORS_MAX 1024

typedef struct {
    xentoollog_logger vtable; /* immutable; libxl calls it with a pointer to this */
    pid_t process;            /* immutable: whose logger this is */
    GMutex lock;
    GString *errors; /* lock: errors since the last report, separated by "; " */
} StubdomLogger;

static const libxl_childproc_hooks childHooks = {
    .chldowner = libxl_sigchld_owner_libxl_always_selective_reap,
    .fork_replacement = stubdomLibxlFork,
};

static void
keepError(StubdomLogger *logger, const char *text)
{
    g_mutex_lock(&logger->lock);
    if (logger->errors->len + strlen(text) < ERRORS_MAX) {
        g_string_append_printf(logger->errors, "%s%s", logger->errors->len ? "; " : "", text);
    }
    g_mutex_unlock(&logger->lock);
}

/*
 * libxl forks this process of many threads, and the child speaks too. What another thread had locked at that moment
 * stays locked there for ever, libvirt's log and the errors kept here among it, so its words go to standard error.
 */
static void
logInChild(xentoollog_level level, const char *context, const char *text)
{
    if (level >= XTL_WARN) {
        g_autofree char *line = g_strdup_printf("%s: %s\n", NULLSTR(context), text);

        ignore_value(safewrite(STDERR_FILENO, line, strlen(line)));
    }
}

static void G_GNUC_PRINTF(5, 0) logMessage(xentoollog_logger *vtable, xentoollog_level level, int errnoval,
                                           const char *context, const char *format, va_list arguments)
{
    StubdomLogger *logger = (StubdomLogger *)vtable;
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    g_autofree char *text =
        errnoval >= 0 ? g_strdup_printf("%s: %s", message, g_strerror(errnoval)) : g_steal_pointer(&message);

    g_strchomp(text);
    if (getpid() != logger->process) {
        logInChild(level, context, text);
    } else if (level >= XTL_ERROR) {
        VIR_ERROR("%s: %s", NULLSTR(context), text);
        keepError(logger, text);
    } else if (level >= XTL_WARN) {
        VIR_WARN("%s: %s", NULLSTR(context), text);
    } else if (level >= XTL_INFO) {
        VIR_INFO("%s: %s", NULLSTR(context), text);
    } else {
        VIR_DEBUG("%s: %s", NULLSTR(context), text);
    }
}

static void
logProgress(xentoollog_logger *vtable, const char *context, const char *what, int percent, unsigned long done,
            unsigned long total)
{
}

static void
freeLogger(xentoollog_logger *vtable)
{
    StubdomLogger *logger = (StubdomLogger *)vtable;

    g_mutex_clear(&logger->lock);
    g_string_free(logger->errors, TRUE);
    g_free(logger);
}

static xentoollog_logger *
newLogger(void)
{
    StubdomLogger *logger = g_new0(StubdomLogger, 1);

    logger->process = getpid();
    logger->vtable.vmessage = logMessage;
    logger->vtable.progress = logProgress;
    logger->vtable.destroy = freeLogger;
    g_mutex_init(&logger->lock);
    logger->errors = g_string_new(NULL);
    return &logger->vtable;
}

StubdomLibxl *
stubdomLibxlOpen(void)
{
    return stubdomLibxlOpenInLoop(NULL, NULL);
}

StubdomLibxl *
stubdomLibxlOpenInLoop(const libxl_osevent_hooks *hooks, void *opaque)
{
    g_autoptr(StubdomLibxl) libxl = g_new0(StubdomLibxl, 1);

    libxl->logger = newLogger();
    if (libxl_ctx_alloc(&libxl->ctx, LIBXL_VERSION, 0, libxl->logger) != 0) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                       _("Xen cannot be reached; is this dom0 of a Xen host, and does xenstored run?"));
        return NULL;
    }
    if (hooks) {
        libxl_osevent_register_hooks(libxl->ctx, hooks, opaque); /* first of all, or libxl aborts */
    }
    libxl_childproc_setmode(libxl->ctx, &childHooks, NULL);
    return g_steal_pointer(&libxl);
}

void
stubdomLibxlClose(StubdomLibxl *libxl)
{
    if (!libxl) {
        return;
    }
    if (libxl->ctx) {
        libxl_ctx_free(libxl->ctx);
    }
    libxl->logger->destroy(libxl->logger);
    g_free(libxl);
}

char *
stubdomLibxlErrorText(StubdomLibxl *libxl, int rc)
{
    StubdomLogger *logger = (StubdomLogger *)libxl->logger;
    char *text;

    g_mutex_lock(&logger->lock);
    text = logger->errors->len ? g_strdup_printf(_("libxl says: %s"), logger->errors->str)
                               : g_strdup_printf(_("libxl returned %d"), rc);
    g_string_truncate(logger->errors, 0);
    g_mutex_unlock(&logger->lock);
    return text;
}

void
stubdomLibxlError(StubdomLibxl *libxl, int rc, const char *what)
{
    g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

    virReportError(VIR_ERR_INTERNAL_ERROR, "%s: %s", what, text);
}

bool
stubdomLibxlFindNic(StubdomLibxl *libxl, uint32_t domid, const char *mac, libxl_device_nic *nic)
{
    int count = 0;
    libxl_device_nic *nics = libxl_device_nic_list(libxl->ctx, domid, &count);
    virMacAddr wanted;
    bool found = false;

    if (nics && virMacAddrParse(mac, &wanted) == 0) {
        for (int i = 0; i < count && !found; i++) {
            if (virMacAddrCmpRaw(&wanted, nics[i].mac) == 0) {
                libxl_device_nic_copy(libxl->ctx, nic, &nics[i]);
                found = true;
            }
        }
    }
    libxl_device_nic_list_free(nics, nics ? count : 0);
    return found;
}
