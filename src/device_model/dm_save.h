/*
 * Saving the device state of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One save, from the protocol's `save` to a file that is complete, on disk and
 * checked, or to nothing: after a failure the file is gone and the stubdomain
 * was told to `continue`. The bytes go from console 1 to the file through the
 * console worker and never through this process, which only looks at the
 * beginning and the end of the file (dm_state.h). Whether a save may be asked
 * for is not decided here (dm_commands_save.c).
 */

#pragma once

#include <glib.h>

#include "dm_channel.h"
#include "dm_console.h"
#include "dm_image.h"

typedef struct _DmSave DmSave;

/* @error: NULL: the state is saved and the stubdomain paused; else why not. Called once; @save is freed by then. */
typedef void (*DmSaveFunc)(guint64 bytes, const GError *error, gpointer opaque);

typedef struct {
    const char *path; /* the file, which is made anew, or NULL */
    int fd;           /* without @path: an open file, of which a duplicate is used */
    guint64 limit;    /* bytes of device state; what console 1 was made with */
    guint timeout;    /* milliseconds from `save` to the last byte, and again until it is on disk */
    DmImageKind kind;
} DmSaveTarget;

/**
 * dmSaveStart:
 * @channel, @consoles: (transfer none): of a stubdomain that runs; outlive the save, see dmSaveEnd()
 * @target: where to; not needed after the call
 * @func: called once, from the main loop
 *
 * Returns: (transfer none): valid until @func is called; NULL with DM_ERROR_SYSTEM or DM_ERROR_BUSY if nothing was
 *   begun
 */
DmSave *dmSaveStart(DmChannel *channel, DmConsoles *consoles, const DmSaveTarget *target, DmSaveFunc func,
                    gpointer opaque, GError **error);

/** Nobody wants the state any more: it ends as failed, with DM_ERROR_CANCELLED, when the stubdomain has answered. */
void dmSaveCancel(DmSave *save);

/**
 * dmSaveEnd:
 *
 * Channel and consoles are about to be freed, and neither is used from now on:
 * it ends as failed, at once, when the channel is freed, or when a thread has
 * done its work.
 */
void dmSaveEnd(DmSave *save);
