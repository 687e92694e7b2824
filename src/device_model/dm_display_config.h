/*
 * How a guest's display is to be seen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two sources: libxl's `-vnc` on the command line, and the driver's file
 * (display= of -stubdom), which says more and has the last word. This file
 * reads; it opens no sockets.
 */

#pragma once

#include <glib.h>

#include "dm_options.h"

typedef enum {
    DM_DISPLAY_SHARE_ALLOW_EXCLUSIVE = 0, /* a viewer that wants to be alone closes the others */
    DM_DISPLAY_SHARE_FORCE_SHARED,        /* one that wants to be alone is refused */
    DM_DISPLAY_SHARE_IGNORE,              /* nobody is asked */
} DmDisplayShare;

/* Where viewers come in: an address and a port, or a unix socket. */
typedef struct {
    char *address;      /* a number, or "" for all; NULL: @socket */
    guint16 port;       /* the first that is tried */
    guint16 lastPort;   /* and the last */
    char *socket;       /* path, or NULL */
    gboolean websocket; /* browsers come in here, and nobody else */
} DmDisplayListen;

typedef struct {
    GPtrArray *listens; /* of DmDisplayListen */
    DmDisplayShare share;
    gboolean password; /* viewers need one */
    guint64 memory;    /* bytes of framebuffer the stubdomain may have */
    guint width;       /* of the largest picture, pixels; 0: nobody said */
    guint height;
} DmDisplayConfig;

/**
 * dmDisplayConfigRead:
 * @options: the command line
 *
 * Returns: (transfer full): free with dmDisplayConfigFree(); NULL without an
 *   error if the guest has no display, or with DM_ERROR_ARGUMENT or
 *   DM_ERROR_UNSUPPORTED
 */
DmDisplayConfig *dmDisplayConfigRead(const DmOptions *options, GError **error);
void dmDisplayConfigFree(DmDisplayConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmDisplayConfig, dmDisplayConfigFree)

/** The same from the value of -vnc alone, and from the text of the driver's file; for the former and for tests. */
DmDisplayConfig *dmDisplayConfigFromVnc(const char *value, GError **error);
DmDisplayConfig *dmDisplayConfigFromJson(const char *text, GError **error);
