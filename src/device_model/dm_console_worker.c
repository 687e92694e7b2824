/*
 * The console worker, seen from xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is the same for all workers is in dm_worker.c.
 */

#include "config.h"

#include "dm_console_worker.h"

#include <glib/gi18n-lib.h>

#include "dm_worker.h"

G_STATIC_ASSERT(CONSOLE_WORKER_FD == DM_WORKER_FD);
G_STATIC_ASSERT(sizeof(ConsoleReply) <= DM_WORKER_PACKET_MAX);

/* All members: main loop only. */
struct _DmConsoleWorker {
    DmWorker *worker;
    DmConsoleWorkerReplyFunc reply;
    gpointer opaque;
    DmConsoleWorkerDiedFunc died;
};

static gboolean
packetCame(gconstpointer data, gsize length, gpointer opaque)
{
    DmConsoleWorker *worker = opaque;
    ConsoleReply reply;

    if (!consoleReplyParse(data, length, &reply)) {
        return FALSE;
    }
    worker->reply(&reply, worker->opaque);
    return TRUE;
}

static void
workerDied(const char *reason, gpointer opaque)
{
    DmConsoleWorker *worker = opaque;

    worker->died(reason, worker->opaque);
}

DmConsoleWorker *
dmConsoleWorkerStart(guint stubdomain, DmConsoleWorkerReplyFunc reply, DmConsoleWorkerDiedFunc died, gpointer opaque,
                     GError **error)
{
    const char *other = g_getenv("STUBDOM_CONSOLE_WORKER");
    g_autofree char *domid = g_strdup_printf("%u", stubdomain);
    const char *program = other ? other : STUBDOM_LIBEXEC_DIR "/xen-stubdom-console";
    const char *argv[] = {program, "--stubdomain", domid, NULL};
    DmConsoleWorker *worker = g_new0(DmConsoleWorker, 1);

    worker->reply = reply;
    worker->died = died;
    worker->opaque = opaque;
    worker->worker = dmWorkerStart(_("the console worker"), argv, FALSE, packetCame, workerDied, worker, error);
    if (!worker->worker) {
        g_clear_pointer(&worker, g_free);
    }
    return worker;
}

void
dmConsoleWorkerFree(DmConsoleWorker *worker)
{
    if (worker) {
        dmWorkerFree(worker->worker);
        g_free(worker);
    }
}

gboolean
dmConsoleWorkerSend(DmConsoleWorker *worker, const ConsoleRequest *request, int fd, GError **error)
{
    return dmWorkerSend(worker->worker, request, sizeof(*request), fd, error);
}

int
dmConsoleWorkerSocket(const DmConsoleWorker *worker)
{
    return dmWorkerSocket(worker->worker);
}

GPid
dmConsoleWorkerPid(const DmConsoleWorker *worker)
{
    return dmWorkerPid(worker->worker);
}
