/*
 * A guest whose device model is gone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It cannot go on, and somebody has to hear of it. One that runs is reported to
 * Xen as crashed, and its toolstack acts on it. One that its toolstack has
 * suspended, to save it, cannot crash: Xen keeps the first reason, and xl's own
 * process of the guest ended when it was suspended. So it is destroyed, once
 * its toolstack has given up the save. When the device state was saved before,
 * the save needs no stubdomain any more, and nothing is done until the toolstack says
 * something.
 */

#pragma once

#include <glib.h>

#include "dm_libxl.h"

typedef struct _DmOrphan DmOrphan;

/* The death is certain to be none that the guest shares. @suspended: the guest is being saved. Called once. */
typedef void (*DmOrphanFunc)(const char *reason, gboolean suspended, gpointer opaque);

/* Whether the save under way has the device state. */
typedef gboolean (*DmOrphanSavedFunc)(gpointer opaque);

/**
 * dmOrphanNew:
 * @reason: how the stubdomain ended, in words
 * @byItself: it shut down or crashed; otherwise somebody destroyed it, most likely together with the guest
 * @paused: whether the guest was paused by its toolstack, which is how libxl begins to destroy one
 * @func: called before the guest is ended, perhaps from within this call; may not free the orphan
 * @saved: asked before a guest that is suspended is ended
 *
 * Returns: (transfer full): free with dmOrphanFree()
 */
DmOrphan *dmOrphanNew(DmLibxl *libxl, guint guest, const char *reason, gboolean byItself, gboolean paused,
                      DmOrphanFunc func, DmOrphanSavedFunc saved, gpointer opaque);

/** The toolstack has given up its save: a guest that is suspended ends, if nobody else ends it. NULL is allowed. */
void dmOrphanGivenUp(DmOrphan *orphan);

/** Waits for a destruction that is under way, as long as libxl takes. NULL is allowed. */
void dmOrphanFree(DmOrphan *orphan);

/**
 * dmOrphanEnd:
 *
 * Ends a guest that is left without a device model now, from a process that
 * has no connections any more; waits until that is done. A guest that is gone
 * is none to end.
 */
void dmOrphanEnd(guint guest);
