/*
 * QMP listener: the socket of the QMP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private to the QMP server: makes or takes over a listening unix socket and
 * hands out connections of peers that may talk to us. It knows nothing of QMP.
 * Main loop only.
 */

#pragma once

#include <glib.h>

typedef struct _DmQmpListener DmQmpListener;

/* A connection: @fd is (transfer full), non-blocking. */
typedef void (*DmQmpAcceptFunc)(int fd, gpointer opaque);

/** As dmQmpServerNew() says of @path and @error. */
DmQmpListener *dmQmpListenerNew(const char *path, GError **error);

/** As dmQmpServerNewForSocket() says of @fd and @error. */
DmQmpListener *dmQmpListenerNewForSocket(int fd, GError **error);

/** Calls @func for each connection from now on. */
void dmQmpListenerStart(DmQmpListener *listener, DmQmpAcceptFunc func, gpointer opaque);

/** (transfer none): the listening socket. */
int dmQmpListenerSocket(const DmQmpListener *listener);

/** Closes the socket and removes its name, if that is still its own. NULL is allowed. */
void dmQmpListenerFree(DmQmpListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmQmpListener, dmQmpListenerFree)
