/*
 * The log of console 0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Copies what a stubdomain prints on its console 0 (a pty of xenconsoled) into
 * a file that is bounded and rotated, with control characters made visible,
 * and keeps the last lines in memory for error messages. The stubdomain is not
 * trusted: a flood costs bounded disk, memory and CPU time (it is read at a
 * bounded rate; what xenconsoled then drops is its own).
 */

#pragma once

#include <glib.h>

typedef struct _DmLog DmLog;

/* How many bytes of the last lines are kept for error messages. */
#define DM_LOG_TAIL_MAX (8U * 1024U)

/**
 * dmLogOpen:
 * @path: file to append to; when it would exceed @limit it is renamed to
 *   @path.1 (replacing the one before) and started anew
 * @limit: bytes in each of the two files
 *
 * Returns: (transfer full): free with dmLogClose(); NULL with DM_ERROR_SYSTEM
 */
DmLog *dmLogOpen(const char *path, gsize limit, GError **error);

void dmLogClose(DmLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmLog, dmLogClose)

/** Adds bytes of the stubdomain. Failures to write (disk full) are counted, never fatal. */
void dmLogWrite(DmLog *log, const char *data, gsize length);

/**
 * dmLogAttachTty:
 * @tty: path of a pty below /dev/pts, as xenconsoled named it
 *
 * Opens it raw, non-blocking and without making it the controlling terminal,
 * and copies from it on the main loop until it hangs up or the log is closed.
 */
gboolean dmLogAttachTty(DmLog *log, const char *tty, GError **error);

/** Reads what the pty still holds, without waiting: for last words. */
void dmLogDrain(DmLog *log);

/** The last @lines lines, sanitised, each with a newline; (transfer full). "" if there are none. */
char *dmLogTail(DmLog *log, guint lines);
