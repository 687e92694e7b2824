/*
 * What a stubdomain's consoles are connected to in dom0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Console 0 to the log, 1 and 2 to nothing until a save or restore wants them,
 * 3… to the ends the guest's configuration names for its serial ports
 * (stubdom.txt, "Setup"). It joins dm_console, dm_log and dm_serial and knows
 * nothing of domains beyond their number.
 */

#pragma once

#include <glib.h>

#include "dm_console.h"
#include "dm_options.h"
#include "dm_store.h"

typedef struct _DmTerminals DmTerminals;

/* The log's pty is there and is read; @error: it cannot be. */
typedef void (*DmTerminalsFunc)(const GError *error, gpointer opaque);

/**
 * dmTerminalsNew:
 * @guestName: names the log file, stubdom-NAME.log in libxl's log directory ($STUBDOM_LOG_DIR for tests)
 * @logLimit: bytes in each of the two log files
 *
 * Returns: (transfer full): free with dmTerminalsFree(); NULL with DM_ERROR_SYSTEM
 */
DmTerminals *dmTerminalsNew(DmStore *store, const char *guestName, guint64 logLimit, GError **error);
void dmTerminalsFree(DmTerminals *terminals);

/**
 * dmTerminalsConnect:
 * @stubdomain: its domid; it must not run yet
 * @serials: ends of the guest's serial ports, as libxl names them
 * @options: for the limit of the device state, and for the one to restore (dm_restore.h)
 *
 * Opens the ends and makes the consoles.
 */
gboolean dmTerminalsConnect(DmTerminals *terminals, guint stubdomain, char **serials, const DmOptions *options,
                            GError **error);

/** (transfer none) (nullable): all consoles but 0, from dmTerminalsConnect() to dmTerminalsDisconnect() */
DmConsoles *dmTerminalsConsoles(DmTerminals *terminals);

/** Waits for xenconsoled to name the pty of console 0, then copies it to the log. @func is called once from the main
 * loop. */
void dmTerminalsAwaitLog(DmTerminals *terminals, guint stubdomain, DmTerminalsFunc func, gpointer opaque);

/** Ends a wait for console 0 at once, with DM_ERROR_CANCELLED. */
void dmTerminalsCancel(DmTerminals *terminals);

/** Closes what dmTerminalsConnect() opened; the log stays for its last words. */
void dmTerminalsDisconnect(DmTerminals *terminals);

/** The last lines of console 0; (transfer full). */
char *dmTerminalsLastWords(DmTerminals *terminals);

/** Prints the last lines of console 0 on standard error, each marked as its. */
void dmTerminalsPrintLastWords(DmTerminals *terminals);

/** QEMU's name of serial port @index in dom0, or NULL if there is none; (transfer full). */
char *dmTerminalsSerialName(DmTerminals *terminals, guint index);
