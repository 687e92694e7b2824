/*
 * The QMP sockets of one device model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Those that libxl named, which look like a QEMU's, and our driver's own. What
 * is answered on them is dm_commands.c's concern.
 */

#pragma once

#include <glib.h>

#include "dm_options.h"
#include "dm_qmp_server.h"

typedef struct _DmSockets DmSockets;

/**
 * dmSocketsOpen:
 * @runDirectory: made if it is not there; the driver's socket is in it
 * @opaque: for the commands
 *
 * Returns: (transfer full): free with dmSocketsFree(); NULL with DM_ERROR_SYSTEM
 */
DmSockets *dmSocketsOpen(const DmOptions *options, const char *runDirectory, gpointer opaque, GError **error);
void dmSocketsFree(DmSockets *sockets);

/** (transfer none): the socket libxl connects to. */
int dmSocketsLibxl(const DmSockets *sockets);

/** Tells the driver of an event; @data: (nullable) (transfer full). */
void dmSocketsEvent(DmSockets *sockets, const char *name, JsonObject *data);
