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

/* What became of a console; @text of DmConsoleFunc says more, in words for people, or is "". */
typedef enum {
    DM_CONSOLE_CONNECTED,   /* the frontend is there */
    DM_CONSOLE_CLOSED,      /* the frontend closed it; it may come back */
    DM_CONSOLE_PEER_CLOSED, /* dom0's end got EOF (@text is "") or an error; bytes are discarded until there is another
                             */
    DM_CONSOLE_LIMIT,       /* more than the limit came: the rest is discarded until there is another peer */
    DM_CONSOLE_BROKEN,      /* ring indices out of range, nodes that are no numbers, …: closed for good */
    DM_CONSOLE_WORKER_DIED, /* closed for good, as are all others */
} DmConsoleEvent;

/* May not free @consoles. */
typedef void (*DmConsoleFunc)(DmConsoles *consoles, guint number, DmConsoleEvent event, const char *text,
                              gpointer opaque);

/*
 * What was in the ring when dmConsolesDrain() was called has reached the peer
 * (@error is NULL), or not: it could not be written, it was too much, or the
 * worker died. @bytes: taken from the stubdomain since the last
 * dmConsolesSetPeer(). May not free @consoles.
 */
typedef void (*DmConsoleDrainFunc)(DmConsoles *consoles, guint number, guint64 bytes, const GError *error,
                                   gpointer opaque);

/**
 * dmConsolesNew:
 * @stubdomain: its domid
 * @func: called from the main loop
 *
 * Starts the worker ($STUBDOM_CONSOLE_WORKER for tests, else the installed one).
 *
 * Returns: (transfer full): free with dmConsolesFree(), which ends the worker;
 *   NULL with DM_ERROR_SYSTEM
 */
DmConsoles *dmConsolesNew(DmStore *store, guint stubdomain, DmConsoleFunc func, gpointer opaque, GError **error);

/** Writes out what the rings still hold (half a second at most), ends the worker; leaves the nodes to libxl. NULL is
 * allowed. */
void dmConsolesFree(DmConsoles *consoles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmConsoles, dmConsolesFree)

/**
 * dmConsolesAdd:
 * @number: 1..9: hvc_xen of Linux looks at the last digit only
 * @output: what libxl would write as `output` ("file:…", "pty", …), for people who look at xenstore; or NULL
 * @tty: for `xl console`: path of the pty, or NULL
 * @limit: bytes accepted from the stubdomain for one peer, 0: no limit (serial)
 *
 * Writes frontend, backend and libxl nodes (permissions as libxl's) before the
 * stubdomain runs, and follows the frontend from then on.
 */
gboolean dmConsolesAdd(DmConsoles *consoles, guint number, const char *output, const char *tty, guint64 limit,
                       GError **error);

/**
 * dmConsolesSetPeer:
 * @fd: (transfer full): dom0's end, also on failure; -1: none
 *
 * Sets where bytes of the stubdomain go and where bytes for it come from, in
 * the directions @fd was opened for. It becomes non-blocking. Without a peer,
 * or one that cannot be written, bytes of the stubdomain are discarded. A peer
 * that does not read stops the stubdomain's writes to this console, but for a
 * tty, which has a backlog of 64 KiB whose oldest bytes give way. May be called
 * before the frontend connects and again when the peer changes; counting
 * against the limit starts anew.
 */
gboolean dmConsolesSetPeer(DmConsoles *consoles, guint number, int fd, GError **error);

/**
 * dmConsolesDrain:
 * @func: called once, from the main loop, unless @consoles are freed before
 *
 * Asks to be told when everything the ring holds now has been written to the
 * peer. A frontend that is closed or closes has nothing more to come.
 *
 * Returns: FALSE with DM_ERROR_BUSY, DM_ERROR_ARGUMENT or DM_ERROR_SYSTEM
 */
gboolean dmConsolesDrain(DmConsoles *consoles, guint number, DmConsoleDrainFunc func, gpointer opaque, GError **error);

/** Whoever asked for a drain is not told any more. */
void dmConsolesForgetDrain(DmConsoles *consoles, guint number);

/** Whether the stubdomain wrote more than the limit since the last dmConsolesSetPeer(). */
gboolean dmConsolesLimitHit(const DmConsoles *consoles, guint number);

/** (transfer none): what keeps the worker alive, see dmConsoleWorkerSocket(). */
int dmConsolesSocket(const DmConsoles *consoles);

/** Process id of the worker, 0 when it is dead; for accounting and tests. */
GPid dmConsolesWorkerPid(const DmConsoles *consoles);
