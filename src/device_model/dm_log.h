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
#define DM_LOG_TAIL_MAX ((gsize)8 * 1024)

/* A longer line is broken; in bytes of the log. */
#define DM_LOG_LINE_MAX 1024U

/* What is read from a pty: bytes a second, and bytes at once after a quiet time. */
#define DM_LOG_RATE ((gint64)64 * 1024)
#define DM_LOG_BURST ((gint64)512 * 1024)

/**
 * dmLogOpen:
 * @path: file to append to; when it would exceed @limit it is renamed to
 *   @path.1 (replacing the one before) and started anew
 * @limit: bytes in each of the two files, at least 16 KiB are taken
 *
 * Returns: (transfer full): free with dmLogClose(); NULL with DM_ERROR_SYSTEM
 */
DmLog *dmLogOpen(const char *path, gsize limit, GError **error);

/** Ends it, an incomplete line included. NULL is allowed. */
void dmLogClose(DmLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmLog, dmLogClose)

/**
 * Adds bytes of the stubdomain: printable ASCII and tabs are kept, CR LF is a line's end, everything else becomes \xNN.
 * Failures to write (disk full) are counted, never fatal.
 */
void dmLogWrite(DmLog *log, const char *data, gsize length);

/**
 * dmLogAttachTty:
 * @tty: path of a pty below /dev/pts, as xenconsoled named it
 *
 * Opens it raw, non-blocking and without making it the controlling terminal,
 * and copies from it on the main loop until it hangs up, the log is closed or
 * another one is attached.
 *
 * Returns: FALSE with DM_ERROR_ARGUMENT if @tty is no such path, DM_ERROR_SYSTEM if it cannot be opened
 */
gboolean dmLogAttachTty(DmLog *log, const char *tty, GError **error);

/** Reads what the pty still holds, without waiting and at most 256 KiB: for last words. */
void dmLogDrain(DmLog *log);

/** The last @lines lines, sanitised, each with a newline; (transfer full). "" if there are none. */
char *dmLogTail(DmLog *log, guint lines);

/** Bytes of the log that could not be written. */
guint64 dmLogLost(const DmLog *log);
