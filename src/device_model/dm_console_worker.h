/*
 * The console worker, seen from xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts xen-stubdom-console, sends it requests and checks what it answers. A
 * worker that ends, or says what it may not say, is dead: it is killed and
 * reported once. Nothing here waits for it, but for its end.
 */

#pragma once

#include <glib.h>

#include "console_worker_message.h"

typedef struct _DmConsoleWorker DmConsoleWorker;

/* A checked reply. May not free the worker. */
typedef void (*DmConsoleWorkerReplyFunc)(const ConsoleReply *reply, gpointer opaque);

/* The worker is dead; @reason is a sentence for people. May not free the worker. */
typedef void (*DmConsoleWorkerDiedFunc)(const char *reason, gpointer opaque);

/**
 * dmConsoleWorkerStart:
 * @stubdomain: its domid
 *
 * Starts $STUBDOM_CONSOLE_WORKER (for tests) or the installed program.
 *
 * Returns: (transfer full): free with dmConsoleWorkerFree(); NULL with DM_ERROR_SYSTEM
 */
DmConsoleWorker *dmConsoleWorkerStart(guint stubdomain, DmConsoleWorkerReplyFunc reply, DmConsoleWorkerDiedFunc died,
                                      gpointer opaque, GError **error);

/** Lets it write what the rings still hold, for at most half a second, and ends it. NULL is allowed. */
void dmConsoleWorkerFree(DmConsoleWorker *worker);

/**
 * dmConsoleWorkerSend:
 * @fd: (transfer none): sent along, -1: none
 *
 * Returns: FALSE with DM_ERROR_SYSTEM if it is dead or does not take requests any more
 */
gboolean dmConsoleWorkerSend(DmConsoleWorker *worker, const ConsoleRequest *request, int fd, GError **error);

/**
 * dmConsoleWorkerSocket:
 *
 * The worker lives as long as this socket is open in any process, or until
 * dmConsoleWorkerFree().
 *
 * Returns: (transfer none): -1 when it is dead
 */
int dmConsoleWorkerSocket(const DmConsoleWorker *worker);

/** Its process id, or 0 when it is dead; for people and tests. */
GPid dmConsoleWorkerPid(const DmConsoleWorker *worker);
