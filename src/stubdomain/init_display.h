/*
 * The display of the stubdomain, as far as PID 1 is concerned
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "If graphics output is expected, VFB and VKB devices are set for the
 * stubdomain" (stubdom.txt): so a PV framebuffer is the sign that there is to be
 * a display, and nothing in QEMU's arguments is. QEMU then has a VNC server that
 * listens nowhere; stubdom-viewer gets one end of a socket pair whose other end
 * QEMU is given through QMP. Of the pixels nothing is seen here.
 *
 * stubdom-viewer may die. It is started again, and given up after it died too
 * often in a row; the guest goes on in each case.
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

#include "init_arguments.h"
#include "init_qmp.h"
#include "init_xenstore.h"

/* User and group of stubdom-viewer; it owns no file and may not signal QEMU. */
#define INIT_DISPLAY_ID 1001

typedef struct InitDisplay InitDisplay;

/** Whether the toolstack has given the stubdomain a PV framebuffer. */
gboolean initDisplayWanted(InitXenstore *store);

/**
 * initDisplayNew:
 * @store: xenstore, must outlive this
 * @arguments: of QEMU; get its VNC server
 * @error: where to store INIT_ERROR_SYSTEM or INIT_ERROR_XENSTORE
 *
 * Opens the framebuffer and sets up the PV keyboard, if there is one.
 *
 * Returns: (transfer full): stays until the stubdomain ends; or NULL
 */
InitDisplay *initDisplayNew(InitXenstore *store, InitArguments *arguments, GError **error);

/** Starts stubdom-viewer; @qmp: QEMU, which is up. */
void initDisplayStart(InitDisplay *display, InitQmp *qmp);

/** Tells of a child that has ended; nothing if it is somebody else's. */
void initDisplayReaped(InitDisplay *display, pid_t pid, int status);
