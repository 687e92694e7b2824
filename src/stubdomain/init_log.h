/*
 * Messages of stubdom-init on console 0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Console 0 is the only thing of a stubdomain that outlives it: the toolstack
 * keeps its last lines. A line is one write() with the time since boot, never
 * buffered and never waited for: a full console loses lines instead of
 * stopping PID 1. This is no log with levels; the lines are few.
 */

#pragma once

#include <glib.h>

/**
 * initLogOpen:
 * @path: the console, such as /dev/console; NULL goes on with standard error
 *
 * Directs messages to @path. Without a call they go to standard error. A path
 * that cannot be opened leaves everything as it was.
 */
void initLogOpen(const char *path);

/**
 * initLog:
 * @format: printf format of one line without its newline
 *
 * Writes one line. Control characters are replaced by '?', as much of what is
 * logged comes from elsewhere.
 */
void initLog(const char *format, ...) G_GNUC_PRINTF(1, 2);

/**
 * initLogDrain:
 *
 * Waits until the console's driver has handed everything to Xen. Only for the
 * last words before the domain ends.
 */
void initLogDrain(void);
