/*
 * Restoring the device state of a guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl leaves the state in a file and its descriptor on our command line
 * (-incoming fd:N). The stubdomain reads it from console 2, through the console
 * worker, while it starts; it is up when it has read all of it, so a restore
 * that fails is a start that fails, and no failure is handled here.
 */

#pragma once

#include <glib.h>

#include "dm_console.h"
#include "dm_image.h"
#include "dm_options.h"

/**
 * dmRestoreCheck:
 *
 * Whether the state that is to be restored, if there is one, is one @image may
 * take, before a stubdomain is made for it.
 *
 * Returns: FALSE with DM_ERROR_STATE, DM_ERROR_SYSTEM or DM_ERROR_UNSUPPORTED
 */
gboolean dmRestoreCheck(const DmOptions *options, const DmImage *image, GError **error);

/** Connects the state, if there is one, to console 2. */
gboolean dmRestoreFeed(DmConsoles *consoles, const DmOptions *options, GError **error);
