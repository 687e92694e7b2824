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

/** Writes frontend, backend and libxl's record in one transaction; what was there before is replaced. @output and @tty
 * may be "". */
gboolean dmConsoleNodesWrite(DmStore *store, guint stubdomain, guint number, const char *output, const char *tty,
                             GError **error);
