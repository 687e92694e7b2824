/*
 * What libxl's `serial` names
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * QEMU's -serial syntax as a plain structure. No I/O.
 */

#pragma once

#include <glib.h>

typedef enum {
    DM_SERIAL_NULL = 0,
    DM_SERIAL_PTY,
    DM_SERIAL_FILE,
    DM_SERIAL_DEVICE,
    DM_SERIAL_UNIX,
    DM_SERIAL_TCP,
} DmSerialKind;

typedef struct {
    DmSerialKind kind;
    char *path;   /* file, device, unix: absolute */
    char *host;   /* tcp; "" is any address (of a server) */
    guint16 port; /* tcp */
    gboolean server;
    gboolean noDelay;
} DmSerialSpec;

/**
 * dmSerialSpecParse:
 * @spec: (out): zeroed before; dmSerialSpecClear() it also on failure
 * @text: as libxl names it
 *
 * Returns: FALSE with DM_ERROR_UNSUPPORTED or DM_ERROR_ARGUMENT
 */
gboolean dmSerialSpecParse(DmSerialSpec *spec, const char *text, GError **error);

/** Frees what it holds. */
void dmSerialSpecClear(DmSerialSpec *spec);
