/*
 * The display of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts xen-stubdom-display, a confined process that alone touches what the
 * stubdomain draws and what viewers say, connects it to the stubdomain's
 * frontends, hands it listening sockets, starts it again when it dies, and
 * passes on what libxl and the driver want of it. The guest goes on without it.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "dm_display_config.h"
#include "dm_display_viewers.h"
#include "dm_store.h"

typedef struct _DmDisplay DmDisplay;

/* The picture was written, or not: @error says why. */
typedef void (*DmDisplayDumpFunc)(const GError *error, gpointer opaque);

/**
 * dmDisplayNew:
 * @config: (transfer full)
 * @name: of the guest, for viewers
 * @timeout: milliseconds the display has for an answer
 * @func: told of viewers, from the main loop
 *
 * Opens the listening sockets; nobody serves them yet.
 *
 * Returns: (transfer full): free with dmDisplayFree(); NULL with DM_ERROR_SYSTEM
 *   or DM_ERROR_ARGUMENT
 */
DmDisplay *dmDisplayNew(DmStore *store, DmDisplayConfig *config, const char *name, guint timeout,
                        DmDisplayEventFunc func, gpointer opaque, GError **error);

/** Ends it; what was asked for fails. NULL is allowed. */
void dmDisplayFree(DmDisplay *display);

/** Starts to serve @stubdomain. A failure is told to people and tried again. */
void dmDisplayStart(DmDisplay *display, guint stubdomain);

/** The stubdomain is gone. */
void dmDisplayStop(DmDisplay *display);

/** As the answer to query-vnc. (transfer full) */
JsonObject *dmDisplayDescribe(const DmDisplay *display);

guint dmDisplayViewerCount(const DmDisplay *display);

/** @password: VNC looks at its first 8 bytes. FALSE with DM_ERROR_ARGUMENT if viewers are not asked for one. */
gboolean dmDisplaySetPassword(DmDisplay *display, const char *password, GError **error);

/** @end: seconds since 1970, 0: never. */
gboolean dmDisplaySetExpiry(DmDisplay *display, gint64 end, GError **error);

/** Closes all viewers. */
gboolean dmDisplayCloseViewers(DmDisplay *display, GError **error);

/** A key, as Linux calls it. FALSE with DM_ERROR_ARGUMENT or DM_ERROR_SYSTEM. */
gboolean dmDisplaySendKey(DmDisplay *display, guint code, gboolean down, GError **error);

/** A connected socket becomes a viewer; @fd: (transfer none). */
gboolean dmDisplayAddViewer(DmDisplay *display, int fd, gboolean skipAuth, GError **error);

/**
 * dmDisplayDump:
 * @fd: (transfer none): an empty file
 * @func: called once, from the main loop
 *
 * Writes the picture into the file, as a PPM. One at a time.
 */
gboolean dmDisplayDump(DmDisplay *display, int fd, DmDisplayDumpFunc func, gpointer opaque, GError **error);

/** Process id of the display, 0 when it is dead; for accounting and tests. */
GPid dmDisplayPid(const DmDisplay *display);
