/*
 * Waiting for devices of the stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Devices of a domU appear when their backend has answered, which nobody can
 * predict. Somebody who needs one says what to look at and how long to wait;
 * the look is repeated at each of the kernel's uevents, and never in between.
 * What an uevent says is not read: that something changed is enough, and a
 * lost message (full socket) is then no lost device.
 */

#pragma once

#include <glib.h>

typedef struct InitUevents InitUevents;

/* Returns TRUE when what was waited for is there. */
typedef gboolean (*InitUeventCheck)(gpointer data);

/* @present: FALSE if the deadline passed. Called exactly once, from the main loop or from initUeventsAwait(). */
typedef void (*InitUeventDone)(gboolean present, gpointer data);

/**
 * initUeventsNew:
 * @error: where to store INIT_ERROR_SYSTEM
 *
 * Starts listening to uevents.
 *
 * Returns: (transfer full): free with initUeventsFree(), or NULL
 */
InitUevents *initUeventsNew(GError **error);

/** Stops listening; waits that are not over are forgotten without a call. */
void initUeventsFree(InitUevents *uevents);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitUevents, initUeventsFree)

/**
 * initUeventsAwait:
 * @uevents: the listener
 * @seconds: the deadline, counted from now
 * @check: looks for the thing; called now, and again at each change
 * @done: called when @check said TRUE or the deadline has passed
 * @data: for both; must live until @done was called
 *
 * Waits for a device without blocking.
 */
void initUeventsAwait(InitUevents *uevents, guint seconds, InitUeventCheck check, InitUeventDone done, gpointer data);

/**
 * initUeventsRecheck:
 *
 * Repeats all looks, for somebody who learnt of a change in another way.
 */
void initUeventsRecheck(InitUevents *uevents);
