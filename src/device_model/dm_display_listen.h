/*
 * Listening sockets of a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Made here and handed to the display, which could not make them. They outlive
 * it: when it is restarted, viewers find the same sockets.
 */

#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <sys/stat.h>

#include "dm_display_config.h"

typedef struct {
    GSocket *socket;
    char *family;     /* as QEMU calls it: "ipv4", "ipv6" or "unix" */
    char *host;       /* the address; "" of a unix socket */
    char *service;    /* the port; the path of a unix socket */
    char *path;       /* of a unix socket that is ours to remove, or NULL */
    struct stat file; /* that socket: somebody else's at the same path is left alone */
    gboolean websocket;
} DmDisplayListener;

/**
 * dmDisplayListenerNew:
 * @listen: the first of its ports that is free is taken; a stale unix socket is replaced
 *
 * Returns: (transfer full): free with dmDisplayListenerFree(); NULL with
 *   DM_ERROR_SYSTEM or DM_ERROR_ARGUMENT
 */
DmDisplayListener *dmDisplayListenerNew(const DmDisplayListen *listen, GError **error);

/** Closes it, and removes the name of a unix socket. NULL is allowed. */
void dmDisplayListenerFree(DmDisplayListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmDisplayListener, dmDisplayListenerFree)
