/*
 * PV consoles 1… of a stubdomain: the backend
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * dom0 has no kernel backend for PV consoles, and xenconsoled serves only
 * those of its own type, so xen-stubdom-dm is the backend of consoles 1, 2 and
 * 3… (xen/io/console.h, xenbus states). This file writes the nodes, follows the
 * frontend's words and hands ring, event channel and file descriptor to the
 * console worker, a confined process (console_worker.c) that alone touches
 * shared memory. One worker serves all consoles of one stubdomain; when it
 * dies the consoles are closed and the guest goes on.
 */

#pragma once

#include <glib.h>

#include "dm_store.h"

typedef struct _DmConsoles DmConsoles;

/* What became of a console; @bytes: moved so far from (console 1, serial out) and to the stubdomain. */
typedef enum {
    DM_CONSOLE_CONNECTED,   /* the frontend is there */
    DM_CONSOLE_CLOSED,      /* the frontend closed it */
    DM_CONSOLE_PEER_CLOSED, /* dom0's end got EOF or an error */
    DM_CONSOLE_LIMIT,       /* the byte limit of this console is reached: closed */
    DM_CONSOLE_BROKEN,      /* ring indices out of range, nodes that are no numbers, …: closed */
    DM_CONSOLE_WORKER_DIED,
} DmConsoleEvent;

typedef void (*DmConsoleFunc)(DmConsoles *consoles, guint number, DmConsoleEvent event, const char *text, gpointer opaque);

/**
 * dmConsolesNew:
 * @stubdomain: its domid
 * @func: called from the main loop
 *
 * Starts the worker ($STUBDOM_CONSOLE_WORKER for tests, else the installed one).
 *
 * Returns: (transfer full): free with dmConsolesFree(), which ends the worker
 */
DmConsoles *dmConsolesNew(DmStore *store, guint stubdomain, DmConsoleFunc func, gpointer opaque, GError **error);
void dmConsolesFree(DmConsoles *consoles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmConsoles, dmConsolesFree)

/**
 * dmConsolesAdd:
 * @number: 1…
 * @output: what libxl would write as `output` ("file:…", "pty", …), for people who look at xenstore
 * @tty: for `xl console`: path of the pty, or NULL
 * @limit: bytes accepted from the stubdomain in all, 0: no limit (serial)
 *
 * Writes frontend, backend and libxl nodes (permissions as libxl's) before the
 * stubdomain runs, and follows the frontend from then on.
 */
gboolean dmConsolesAdd(DmConsoles *consoles, guint number, const char *output, const char *tty, guint64 limit,
                       GError **error);

/**
 * dmConsolesSetPeer:
 * @fd: dom0's end, which becomes the worker's; -1: none (bytes from the stubdomain are discarded)
 *
 * May be called before the frontend connects and again when the peer changes.
 */
gboolean dmConsolesSetPeer(DmConsoles *consoles, guint number, int fd, GError **error);
