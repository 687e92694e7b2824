/*
 * QMP client: one connection of the QMP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private to the QMP server: bytes in (through the parser) and out, file
 * descriptors that come along, and their bounds. It knows JSON objects and
 * nothing of QMP's words. Main loop only.
 */

#pragma once

#include "dm_qmp_server.h"

typedef struct _DmQmpClient DmQmpClient;

/* Called on the main loop; either may close the client. */
typedef struct {
    /* One object came in. */
    void (*object)(DmQmpClient *client, JsonObject *object, gpointer opaque);
    /* What came in is no JSON: the last chance to answer, then it is closed. */
    void (*malformed)(DmQmpClient *client, const GError *error, gpointer opaque);
    /* It has been closed, by either end; called once, nothing is called after it. */
    void (*closed)(DmQmpClient *client, gpointer opaque);
} DmQmpClientEvents;

/**
 * dmQmpClientNew:
 * @fd: (transfer full): connected, non-blocking unix stream socket
 * @events: outlives the client
 *
 * Returns: (transfer full): give back with dmQmpClientUnref()
 */
DmQmpClient *dmQmpClientNew(int fd, const DmQmpClientEvents *events, gpointer opaque);

DmQmpClient *dmQmpClientRef(DmQmpClient *client);

/** Gives back a reference; closes the client with the last one. */
void dmQmpClientUnref(DmQmpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmQmpClient, dmQmpClientUnref)

/** Ends the connection now, with all file descriptors nobody took. Again: nothing. */
void dmQmpClientClose(DmQmpClient *client);

gboolean dmQmpClientIsOpen(const DmQmpClient *client);

/**
 * dmQmpClientSend:
 *
 * Sends @object, in one line that ends in CR LF (libxl looks for both), now as
 * far as the socket takes it, the rest later. A client with more than
 * DM_QMP_OUTPUT_MAX bytes unread is closed. On a closed client: nothing.
 */
void dmQmpClientSend(DmQmpClient *client, JsonObject *object);

/** Takes the oldest file descriptor that came along, or -1. The caller closes it. */
int dmQmpClientTakeFd(DmQmpClient *client);

/**
 * dmQmpClientSetBusy:
 * @busy: whether commands are in work, which may still take file descriptors
 *
 * File descriptors nobody took are closed when all bytes they can have come
 * along with were commands that have been answered.
 */
void dmQmpClientSetBusy(DmQmpClient *client, gboolean busy);
