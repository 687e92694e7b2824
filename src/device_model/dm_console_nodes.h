/*
 * Xenstore nodes of a PV console
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What libxl would have written, so that libxl finds and removes the console
 * with its domain and `xl console` finds the pty (libxl_console.c
 * libxl__device_console_add and libxl_device.c libxl__device_generic_add of
 * Xen 4.17). It writes; it does not follow anything.
 */

#pragma once

#include <glib.h>

#include "dm_store.h"
#include "dm_xenbus.h"

/** Writes frontend, backend and libxl's record in one transaction; what was there before is replaced. @output and @tty
 * may be "". */
gboolean dmConsoleNodesWrite(DmStore *store, guint stubdomain, guint number, const char *output, const char *tty,
                             GError **error);

/** Sets the backend's state, unless the nodes have been removed in the meantime: then nothing is made anew. */
gboolean dmConsoleNodesSetState(DmStore *store, guint stubdomain, guint number, DmXenbusState state, GError **error);

/** Reads a number the stubdomain wrote below its frontend directory. */
gboolean dmConsoleNodesRead(DmStore *store, guint stubdomain, guint number, const char *name, guint64 max,
                            guint64 *value, GError **error);

/** Reads the frontend's state; DM_XENBUS_ABSENT if there is none. */
gboolean dmConsoleNodesFrontendState(DmStore *store, guint stubdomain, guint number, DmXenbusState *state,
                                     GError **error);
